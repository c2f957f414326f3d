"""Versions, their share of the budget, and what the limits let in."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from stream_monitor.core.alerts.forgetting import Forgetting
from stream_monitor.core.baseline import Origin, OriginType, build_baseline
from stream_monitor.core.comparisons import Reference
from stream_monitor.core.detectors import IntervalBernoulli, Mixture, RankShiryaevRoberts, ToleranceShiryaevRoberts
from stream_monitor.core.judge.admission import admitted, count
from stream_monitor.core.judge.log.ledger import Counters
from stream_monitor.core.judge.log.open_panes import ClosedPane, OpenPane, OpenPanes
from stream_monitor.core.judge.model.warm_up import MOST_LEFT_OUT, WarmUp, WarmUpFailure, reference_table
from stream_monitor.core.judge.watch.detector_uses import MISS, Evidence, detector_uses
from stream_monitor.core.judge.watch.rulebook import Rulebook
from stream_monitor.core.judge.watch.watched_series import Counted, WatchedSeries, baseline_series
from stream_monitor.core.names import SeriesKind
from stream_monitor.core.plan import DEFAULT_RULES, EffectPlan, LimitsPlan, ModelPlan, Plan, RulePlan
from stream_monitor.core.profile import Example, Profile, ProfileKey
from tests.timelines.story import Timeline, both, minutes, shifted


def test_versions_side_by_side_use_different_parts_of_the_budget() -> None:
    """The second version gets the newcomers' part: a higher threshold, and no budget spent twice."""
    story = Timeline(rate=4.0, features=1)
    story.activate(story.baseline(version="8"), 0)
    story.push(minutes(0, 3))
    story.push(minutes(1, 3), version="8")
    slots = {name: state.watch.slot for name, state in story.judge.models["fraud"].versions.items() if state.watch}
    thresholds = {
        view.version: view.log10_threshold or 0.0 for view in story.judge.view().series if view.series == "prediction"
    }

    assert slots == {"7": 0, "8": 1}
    assert thresholds["8"] - thresholds["7"] == pytest.approx(np.log10(0.855 / (0.04 * 6 / np.pi**2)))


def test_a_new_baseline_keeps_the_part_of_its_version() -> None:
    """The old series are gone, so their weight is free."""
    story = Timeline(rate=4.0, features=1)
    story.activate(story.baseline(shifted("x0", 0.1)), 2)
    story.push(minutes(0, 4))
    state = story.judge.models["fraud"].versions["7"]

    assert state.watch is not None
    assert state.watch.slot == 0
    assert len(story.judge.pool.dump()) == len({(use.spec.fingerprint, use.layout) for use in state.watch.uses}) + 1


@pytest.mark.parametrize(("rate", "expected"), [(2.0, Mixture.BASE), (30.0, Mixture.FINE)])
def test_the_alternatives_follow_the_size_of_a_pane(rate: float, expected: Mixture) -> None:
    """Small panes cannot show small shifts; their weight would only cost delay."""
    story = Timeline(rate=rate, features=1)
    story.push(minutes(0, 2))
    watch = story.judge.models["fraud"].versions["7"].watch

    assert watch is not None
    assert watch.mixture is expected


def test_detectors_named_as_evidence_split_the_weight_of_a_series() -> None:
    """Two rules with two detectors on a series spend its weight once."""
    reference = Reference(np.array([90, 10]))
    series = [WatchedSeries("missing:x", SeriesKind.BINARY, Counted.MISSING, "feature:x", 2, 2, reference, None)]
    series += [WatchedSeries("feature:x", SeriesKind.NUMERIC, Counted.VALUES, "feature:x", 42, 1023, reference, None)]
    uses = detector_uses(
        series,
        named={
            "feature:x": [Evidence("rank_shiryaev_roberts"), Evidence("adwin")],
            "missing:x": [Evidence("interval_bernoulli")],
        },
        shown=["page_hinkley"],
        weights={"feature:x": 0.2, "missing:x": 0.1},
        budget_panes=1000.0,
        rank=RankShiryaevRoberts(),
    )
    bernoulli = uses[0].spec
    assert isinstance(bernoulli, IntervalBernoulli)

    assert [(use.detector, use.weight, use.evidence) for use in uses] == [
        ("interval_bernoulli", 0.1, True),
        ("rank_shiryaev_roberts", 0.1, True),
        ("adwin", 0.1, True),
        ("page_hinkley", 0.1, False),
    ]
    assert uses[1].log_threshold == pytest.approx(np.log(10_000))
    assert bernoulli.miss == pytest.approx(0.1 * MISS)


def test_rules_that_tolerate_different_changes_split_weight_and_error() -> None:
    """A rule's own tolerance goes before the model's, and each has its part of budget and of interval error."""
    reference = Reference(np.array([90, 10]))
    series = [WatchedSeries("feature:x", SeriesKind.NUMERIC, Counted.VALUES, "feature:x", 42, 1023, reference, None)]
    series += [WatchedSeries("missing:x", SeriesKind.BINARY, Counted.MISSING, "feature:x", 2, 2, reference, None)]
    rules = [
        RulePlan("fine", ("feature:*",), tolerance=0.02),
        RulePlan("also_fine", ("feature:*",), tolerance=0.02),
        RulePlan("of_model", ("feature:*",)),
        RulePlan("gaps", ("missing:*",), evidence="interval_bernoulli", effect=EffectPlan("share_change", 0.01)),
    ]
    book = Rulebook(rules, {})
    uses = detector_uses(
        series,
        named=book.evidence(series, 0.1),
        shown=["rank_shiryaev_roberts"],
        weights={"feature:x": 0.2, "missing:x": 0.1},
        budget_panes=1000.0,
        rank=RankShiryaevRoberts(),
        tolerance=0.1,
    )

    assert [(use.spec, use.weight) for use in uses] == [
        (ToleranceShiryaevRoberts(0.02, miss=0.1 * MISS), 0.1),
        (ToleranceShiryaevRoberts(0.1, miss=0.1 * MISS), 0.1),
        (IntervalBernoulli(0.95, miss=0.1 * MISS), 0.1),
    ]
    assert book.opened_by(series, uses, 0.1) == {0: ("also_fine", "fine"), 1: ("of_model",), 2: ("gaps",)}


def profile(model: str, version: str = "", segment: str = "") -> tuple[tuple[str, str, str], Profile]:
    return (model, version, segment), Profile(
        ProfileKey(model, version, segment, 0, 10, late=False), {"x": 1}, 1, {}, {}
    )


def test_a_segment_is_judged_with_the_baseline_of_all_rows() -> None:
    """In a pane that was counted with two baselines the larger part of all rows decides, not that of each segment."""
    counted = {("", "new"): 7, ("", "old"): 5, ("channel=fax", "new"): 1, ("channel=fax", "old"): 4}
    panes = OpenPanes("events", Plan())
    panes.next_ms = 0
    panes.panes[0] = OpenPane(
        {
            (("m", "", segment), (baseline,)): Profile(
                ProfileKey("m", "", segment, 0, 10_000, late=False, baseline=baseline), {"inference": n}, n, {}, {}
            )
            for (segment, baseline), n in counted.items()
        }
    )
    closed = panes.close()
    counters: Counters = Counter()
    count(closed, counters)

    assert {subject[2]: profile.key.baseline for subject, profile in closed.profiles.items()} == {
        "": "new",
        "channel=fax": "new",
    }
    assert counters["baselines_mixed_total", "m"] == 1


def test_each_judge_may_hold_its_part_of_the_models() -> None:
    """`limits.models` is for the deployment: a partition of four admits a quarter, rounded up."""
    pane = ClosedPane("events", 0, 10, dict(profile(f"m{i}") for i in range(5)))
    chosen, left_out = admitted(pane, {}, Plan(limits=LimitsPlan(models=6)), partitions=4)

    assert (sorted(chosen), left_out.count) == (["m0", "m1"], 3)


def test_models_without_a_plan_and_segments_are_left_alone() -> None:
    """A model that no plan names is not watched; a segment is not a model."""
    pane = ClosedPane("events", 0, 10, dict([profile("a"), profile("a", "", "channel=web"), profile("b")]))
    chosen, left_out = admitted(pane, {}, Plan(models=(ModelPlan("a"),)), partitions=1)

    assert (sorted(chosen), sorted(chosen["a"]), left_out.count) == (["a"], [""], 0)


def test_an_alert_that_comes_back_is_not_forgotten() -> None:
    """The tombstone of the first resolution must not erase the second alert."""
    forgetting = Forgetting(100)
    forgetting.told("a", resolved=True, now_ms=0)
    forgetting.told("b", resolved=True, now_ms=10)
    forgetting.told("a", resolved=False, now_ms=50)

    assert (forgetting.next_ms, forgetting.take(109), forgetting.take(110)) == (110, [], ["b"])


def rows(n: int) -> list[Example]:
    """Warm-up rows of which every tenth has an invalid age, every fifth none."""
    made = []
    for i in range(n):
        invalid = ("feature:age",) if i % 10 == 0 else ()
        values: dict[str, str | bool | float | None] = {"feature:amount": float(i)}
        if i % 10:
            values["feature:age"] = None if i % 5 == 0 else float(i % 7)
        made.append(Example(i, str(i), i, tie=i, values=values, invalid=invalid))
    return made


def test_invalid_values_of_the_warm_up_are_in_the_reference() -> None:
    """What was invalid then is neither missing nor new later."""
    origin = Origin(OriginType.FIRST_EVENTS, 200)
    baseline = build_baseline("m", "", reference_table(rows(200)), origin=origin, limits=LimitsPlan())
    reference = {
        series.name: series.reference.counts.tolist()
        for series in baseline_series(baseline, ModelPlan())
        if series.reference is not None and series.kind is SeriesKind.BINARY
    }

    assert reference == {
        "missing:amount": [200, 0],
        "invalid:amount": [200, 0],
        "missing:age": [180, 20],
        "invalid:age": [180, 20],
    }


def pane(at_ms: int, found: list[Example]) -> Profile:
    """Return a pane of 10 s with gathered rows."""
    key = ProfileKey("m", "", "", at_ms, 10_000, late=False)
    return Profile(key, {"inference": len(found)}, len(found), {}, {}, tuple(found))


def test_a_warm_up_that_cannot_become_a_baseline_is_tried_again_on_fresh_rows() -> None:
    """It says why it failed, waits a minute, and takes the rows that come then."""
    warm_up = WarmUp("m", "", 100, since_ms=5)
    empty = [Example(i, str(i), i, tie=i, values={"feature:amount": None}) for i in range(100)]

    assert warm_up.gather(pane(0, empty), LimitsPlan()) is None
    assert (warm_up.failure, warm_up.attempts, warm_up.since_ms) == (WarmUpFailure.TOO_FEW_VALUES, 1, 5)
    assert warm_up.gather(pane(10_000, rows(100)), LimitsPlan()) is None
    made = warm_up.gather(pane(70_000, rows(100)), LimitsPlan())
    assert made is not None
    assert (made.origin.from_ms, sorted(made.series)) == (70_000, ["feature:age", "feature:amount"])
    assert (warm_up.failure, warm_up.share) == (None, 1.0)


def test_names_that_hardly_any_row_has_are_left_out_of_an_automatic_baseline() -> None:
    """One event with 512 unknown names, or another name in every event, takes no baseline away."""
    names = {f"feature:n{i}": 1.0 for i in range(512)}
    odd = Example(7_000, "odd", 7_000, tie=1, values=names)
    varying = [replace(row, values={**(row.values or {}), f"feature:v{row.offset}": 1.0}) for row in rows(998)]
    warm_up = WarmUp("m", "", 999)
    made = warm_up.gather(pane(0, [odd, *varying]), LimitsPlan())

    assert made is not None
    assert sorted(made.series) == ["feature:age", "feature:amount"]
    assert len(warm_up.left_out) == MOST_LEFT_OUT


def test_of_more_features_than_a_model_may_have_the_most_frequent_become_the_baseline() -> None:
    """Several shapes of events must not leave the model without a baseline; the rest is left out, and said."""
    warm_up = WarmUp("m", "", 200)
    made = warm_up.gather(pane(0, rows(200)), LimitsPlan(features=1))

    assert made is not None
    assert (sorted(made.series), warm_up.left_out) == (["feature:age"], ("amount",))


def test_a_feature_that_the_plan_leaves_out_is_not_watched() -> None:
    """`features.exclude` applies to the series of a baseline as well."""
    origin = Origin(OriginType.FIRST_EVENTS, 200)
    baseline = build_baseline("m", "", reference_table(rows(200)), origin=origin, limits=LimitsPlan())
    watched = {series.feature for series in baseline_series(baseline, ModelPlan(exclude=("ag*",)))}

    assert watched == {"amount"}


def test_related_alerts_are_few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A storm in many columns lists the strongest only."""
    monkeypatch.setattr("stream_monitor.core.alerts.event.MAX_RELATED", 1)
    story = Timeline(Plan(rules=DEFAULT_RULES[:1]), features=3)
    story.push(minutes(0, 3))
    story.push(minutes(3, 5), both(shifted("x0", 2.0), shifted("x1", 1.5), shifted("x2", 1.0)))
    listed = {event.data.labels["series"]: event.data.evidence.related for event in story.alerts()}

    assert [[other.series for other in listed[f"feature:x{i}"]] for i in range(3)] == [
        ["feature:x1"],
        ["feature:x0"],
        ["feature:x0"],
    ]


def test_a_rule_without_series_takes_no_budget() -> None:
    """A plan whose only rule speaks of nothing still shows the plan's detectors."""
    story = Timeline(Plan(rules=(RulePlan("none", ("nothing",)),)), rate=4.0)
    story.push(minutes(0, 2))
    views = {view.series: view for view in story.judge.view().series}

    assert set(views["feature:x0"].detectors) == {"rank_shiryaev_roberts", "adwin", "page_hinkley"}
    assert views["feature:x0"].evidence_ratio is None
    assert "demand" not in views
