"""Detectors in the configuration: what may be said of one by name, and of a class."""

from __future__ import annotations

import pytest

from stream_monitor.config import ConfigError, load
from stream_monitor.core.plan import CalibrationPlan, DetectorInput, DetectorPlan

CUSUM = "kind: 'mine:Cusum', calibrate: {parameter: threshold, short: 1, long: 50}"


def detectors(text: str, *more: str) -> tuple[DetectorPlan, ...]:
    """Load one detector, and what else is assigned."""
    assignments = [f"detection.detectors=[{{{text}}}]", *more]
    return load(environ={}, needs_group=False, assignments=assignments).plan.detection.detectors


def test_a_class_is_described_in_the_plan() -> None:
    """Everything that decides its alarms: path, parameters, input, calibration, memory."""
    text = "kind: 'mine:Streak', input: errors, params: {first: 2}, memory: 500, run_lengths: [[3, 1000], [5, 9000.5]]"
    [found] = detectors(text + ", calibrate: {parameter: length, short: 1, long: 50, rate: 0.1, targets: [300, 3000]}")

    assert found == DetectorPlan(
        "mine:Streak",
        (("first", 2),),
        DetectorInput.ERRORS,
        CalibrationPlan("length", 1.0, 50.0, 0.1, (300.0, 3_000.0)),
        ((3.0, 1_000.0), (5.0, 9_000.5)),
        500,
    )


def test_parameters_that_change_no_run_length_need_no_calibration() -> None:
    """PageHinkley's delta is in its formula; sizes of KSWIN and ADWIN ask for run lengths of their own."""
    [found] = detectors("kind: page_hinkley, params: {delta: 0.25}")
    [sized] = detectors("kind: kswin, params: {window_size: 60}, calibrate: {short: 0.5, long: 1.0e-5}")

    assert found == DetectorPlan("page_hinkley", (("delta", 0.25),))
    assert sized.calibration == CalibrationPlan("alpha", 0.5, 1e-5)


def test_what_is_said_of_a_detector_is_part_of_the_hash() -> None:
    """Another run length gives other alarms."""
    one, other = (
        load(environ={}, needs_group=False, assignments=[f"detection.detectors=[{{{CUSUM}, run_lengths: {pairs}}}]"])
        for pairs in ("[[5, 1000], [8, 10000]]", "[[5, 1000], [8, 10001]]")
    )

    assert one.plan.hash != other.plan.hash


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("kind: adwin, params: {delta: 0.1}", "params.delta: is set by the budget; remove it"),
        ("kind: page_hinkley, params: {threshold: 5}", "params.threshold: is set by the budget"),
        ("kind: kswin, params: {alpha: 0.1}", "params.alpha: is set by the budget"),
        ("kind: kswin, params: {seed: 1}", "params.seed: follows from the series"),
        ("kind: adwin, params: {clock: 32}", "params.clock: is 1: every pane is tested"),
        ("kind: page_hinkley, params: {alpha: 0.9}", "params.alpha: is 1: with river's 0.9999"),
        (
            "kind: page_hinkley, params: {delta: 9}",
            "params.delta: must be from 0.1 to 1.0: half the shift to find, got 9",
        ),
        ("kind: page_hinkley, params: {delta: true}", "params.delta: must be from 0.1"),
        (
            "kind: kswin, params: {window_size: 2.5}",
            "params.window_size: must be a whole number from 1 to 5000, got 2.5",
        ),
        ("kind: kswin, params: {window_size: 50}", "calibrate: is required with params"),
        (
            "kind: ddm, params: {warm_start: 9}",
            "params.warm_start: is no parameter of ddm that may differ; allowed: none",
        ),
        ("kind: rank_shiryaev_roberts, params: {g: 1}", "params.g: is no parameter of rank_shiryaev_roberts"),
        ("kind: adwin, input: errors", "input: is for a class, module:Class"),
        ("kind: adwin, memory: 1000", "memory: is for a class"),
        ("kind: adwin, run_lengths: [[0.5, 1000], [0.1, 10000]]", "run_lengths: is for params that change run lengths"),
        ("kind: adwin, calibrate: {short: 1, long: 0.1}", "calibrate: is for params that change run lengths"),
        ("kind: cusum", "kind: must be module:Class or one of rank_shiryaev_roberts, pane_rank, adwin"),
        ("kind: 'mine:Cusum', run_lengths: [[1, 10], [2, 20]]", "run_lengths: say nothing without calibrate"),
        ("kind: 'mine:Cusum', calibrate: {short: 1, long: 5}", "calibrate.parameter: is required"),
        (f"{CUSUM}, params: {{threshold: 3}}", "params.threshold: is set by the budget"),
        (f"{CUSUM}, insist: true", "insist: is for a class that is not calibrated"),
        (f"{CUSUM}, input: errors", "calibrate.rate: is required with input: errors"),
        (f"{CUSUM}, memory: 10", "memory: must be at least 100"),
        (f"{CUSUM}, run_lengths: [[5, 1000]]", "run_lengths: must be at least two pairs"),
        (f"{CUSUM}, run_lengths: [[5, 1000], [8, 900]]", "run_lengths: must be at least two pairs, run lengths rising"),
        (f"{CUSUM}, run_lengths: [[5, 1], [8, 2], [7, 3]]", "the parameter going one way"),
        ("kind: 'mine:A', calibrate: {parameter: p, short: 1, long: 1}", "calibrate.long: must differ from short"),
        (
            "kind: 'mine:A', calibrate: {parameter: p, short: 1, long: 2, rate: 0.1}",
            "calibrate.rate: is for input: errors",
        ),
        (
            "kind: 'mine:A', calibrate: {parameter: p, short: 1, long: 2, targets: [900, 300]}",
            "targets: must rise, from 100",
        ),
        ("kind: 'mine:A', calibrate: {parameter: p, short: 0, long: 2}", "calibrate.short: must be more than 0"),
    ],
)
def test_what_cannot_be_is_told(text: str, error: str) -> None:
    """Field, rule, value."""
    with pytest.raises(ConfigError) as caught:
        detectors(text)

    assert any(error in str(finding) for finding in caught.value.findings)


def test_evidence_without_a_calibration_must_be_insisted_on() -> None:
    """No budget is kept; who wants it all the same says so."""
    rule = "rules=[{name: mine, series: [prediction], evidence: 'mine:Cusum'}]"
    with pytest.raises(ConfigError, match=r"evidence: must be calibrated to be evidence.*insist: true"):
        detectors("kind: 'mine:Cusum', params: {threshold: 5}", rule)

    [found] = detectors("kind: 'mine:Cusum', params: {threshold: 5}, insist: true", rule)
    assert found.calibration is None
    [found] = detectors(CUSUM, rule)
    assert found.calibration is not None
