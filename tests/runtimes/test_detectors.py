"""Detectors of one's own, named in the configuration."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stream_monitor.config import ConfigError
from stream_monitor.core.alerts.event import decode
from stream_monitor.core.detectors.calibration import NotCalibrated
from stream_monitor.core.judge import JudgeView
from stream_monitor.core.plan import CalibrationPlan, DetectorInput, DetectorPlan, EffectPlan, Plan, RulePlan
from stream_monitor.runtimes.detectors import calibrated, import_detectors, resolve_detectors
from stream_monitor.runtimes.imports import version_of
from stream_monitor.runtimes.local import LocalPipeline
from tests.runtimes.stories import PLAN, TOPIC, chunks, reference, traffic

OWN = "tests.runtimes.own_detectors"
CUSUM = DetectorPlan(
    f"{OWN}:Cusum",
    params=(("drift", 0.5),),
    calibration=CalibrationPlan("threshold", 1.0, 60.0),
    run_lengths=((5.964, 1_028.0), (8.247, 10_012.0)),
)


def plan_with(*detectors: DetectorPlan, evidence: str | None = None) -> Plan:
    """The story's plan with detectors beside, or one as the evidence of its only rule."""
    rules = PLAN.rules
    if evidence is not None:
        rules = (RulePlan("mine", ("feature:amount",), evidence=evidence, effect=EffectPlan("psi", 0.1)),)
    return replace(PLAN, detection=replace(PLAN.detection, detectors=detectors), rules=rules)


def told(plan: Plan, seconds: int = 40) -> tuple[list[tuple[str, str, str]], JudgeView]:
    """What the story's traffic raises: rule, detector and guarantee of every alert that fired; and the last view."""
    pipeline = LocalPipeline(plan, group="g", partitions=1, sources={TOPIC: 1}, baselines=[(reference(), 0)])
    alerts = [alert for chunk in chunks(traffic(seconds)[0], 0, [500]) for alert in pipeline.feed(chunk)]
    fired = [data for alert in alerts + pipeline.close() if (data := decode(alert.event.value).data).reason == "fired"]
    return [(d.labels["rule"], d.evidence.detector, d.evidence.guarantee) for d in fired], pipeline.views[0]


def test_a_detector_of_ones_own_is_evidence() -> None:
    """A rule that names it raises an alert; its promise is that of a budget beyond the simulated run lengths."""
    fired, view = told(plan_with(CUSUM, evidence=CUSUM.kind))
    counted = view.counters["detections_total", reference().model, CUSUM.kind]

    assert fired == [("mine", CUSUM.kind, "approximate:extrapolated")]
    assert counted >= 1


def test_beside_the_evidence_it_is_shown() -> None:
    """Any class by its path, river's own among them: its alarms are counted and raise nothing."""
    adwin = DetectorPlan("river.drift:ADWIN", params=(("clock", 1), ("delta", 0.01)))
    alone, _ = told(plan_with())
    fired, view = told(plan_with(adwin))

    assert fired == alone
    assert view.counters["detections_total", reference().model, "river.drift:ADWIN"] >= 1
    assert {"river.drift:ADWIN"} < {name for series in view.series for name in series.detectors}


def test_a_class_that_fails_is_told_and_ends_nothing() -> None:
    """Its series says so, the failure is counted once, and every other alert is as it would be without it."""
    fragile = DetectorPlan(f"{OWN}:Fragile", params=(("threshold", 1e9),))
    alone, _ = told(plan_with())
    fired, view = told(plan_with(fragile))
    silent, watched = told(plan_with(fragile, evidence=fragile.kind))
    amount = next(series for series in watched.series if series.series == "feature:amount")

    assert fired == alone
    assert view.counters["detector_failures_total", reference().model, fragile.kind] >= 1
    assert silent == []
    assert (amount.guarantee, amount.state.value) == ("none:failed", "no_guarantee")
    assert watched.counters["detector_failures_total", reference().model, fragile.kind] == 1


def test_a_class_that_is_not_calibrated_says_so() -> None:
    """Without run lengths there is no budget."""
    plain = DetectorPlan(f"{OWN}:Cusum", params=(("threshold", 9.0),))
    fired, _ = told(plan_with(plain, evidence=plain.kind))

    assert fired == [("mine", plain.kind, "none:uncalibrated")]


@pytest.mark.parametrize(
    ("detector", "error"),
    [
        (DetectorPlan("nowhere:Detector"), r"detectors\[0\].kind: module nowhere cannot be imported"),
        (DetectorPlan(f"{OWN}:Missing"), r"detectors\[0\].kind: module .* has no class Missing"),
        (DetectorPlan(f"{OWN}:Cusum"), r"detectors\[0\].kind: .*Cusum raised TypeError .*missing 1 required"),
        (DetectorPlan(f"{OWN}:NoUpdate"), r"detectors\[0\].kind: .*raised AttributeError"),
        (DetectorPlan(f"{OWN}:Undecided"), r"drift_detected must be True or False"),
        (DetectorPlan(f"{OWN}:Compiled"), r"Compiled raised Panic \(index out of bounds\)"),
        (
            DetectorPlan(f"{OWN}:Coin"),
            r"detectors\[0\].params: must make .*Coin alarm at the same inputs.*: give it a seed",
        ),
        (replace(CUSUM, run_lengths=()), r"detectors\[0\].run_lengths: is required.*check --calibrate"),
        (
            DetectorPlan(
                "kswin", (("window_size", 20), ("stat_size", 30)), calibration=CalibrationPlan("alpha", 0.5, 1e-4)
            ),
            r"detectors\[0\].params: kswin does not take them",
        ),
    ],
)
def test_what_cannot_be_used_is_told_before_it_judges(detector: DetectorPlan, error: str) -> None:
    """A wrong class is a wrong setting: its field, the rule, what to do."""
    with pytest.raises(ConfigError, match=error):
        resolve_detectors(plan_with(detector))


def test_a_seed_makes_chance_a_function_of_the_inputs() -> None:
    """Then the class may be used."""
    seeded = DetectorPlan(f"{OWN}:Coin", params=(("seed", 7),))

    assert list(resolve_detectors(plan_with(seeded))) == [seeded.kind]


def test_the_run_lengths_are_the_same_on_every_machine() -> None:
    """Simulated twice: equal pairs, each at least what was asked for, by their lower limits."""
    short = replace(CUSUM, calibration=CalibrationPlan("threshold", 1.0, 60.0, targets=(100.0, 300.0)))
    classes = import_detectors(plan_with(short))
    done: list[float] = []
    pairs = calibrated(short, classes, done.append)

    assert calibrated(short, classes) == pairs
    assert [100 <= pairs[0][1] < 130, 300 <= pairs[1][1] < 390] == [True, True]
    assert pairs[0][0] < pairs[1][0]
    assert (done == sorted(done), done[-1]) == (True, 1.0)


def test_errors_are_calibrated_at_their_rate() -> None:
    """More errors without drift ask for a longer streak."""

    def streak(rate: float) -> float:
        wanted = CalibrationPlan("length", 1.5, 60.0, rate=rate, targets=(100.0, 2_500.0))
        plan = DetectorPlan(f"{OWN}:Streak", input=DetectorInput.ERRORS, calibration=wanted)
        return calibrated(plan, import_detectors(plan_with(plan)))[-1][0]

    assert 3.0 < streak(0.1) + 1.0 < streak(0.4)


def test_a_class_that_fails_cannot_be_calibrated() -> None:
    """It would look like one that never alarms."""
    fragile = DetectorPlan(f"{OWN}:Brittle", calibration=CalibrationPlan("threshold", 1.0, 60.0))

    with pytest.raises(NotCalibrated, match="it raised ZeroDivisionError"):
        calibrated(fragile, import_detectors(plan_with(fragile)))


def test_a_class_has_the_version_of_its_distribution_or_its_file() -> None:
    """What changes with the code is in the name of the state."""
    assert version_of("river.drift:ADWIN").startswith("river 0.26")
    assert version_of(f"{OWN}:Cusum").startswith("sha256 ")
