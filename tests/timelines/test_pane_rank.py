"""Stories of a model whose events depend on each other within a pane: its rules judge panes as wholes."""

from __future__ import annotations

from dataclasses import replace

from stream_monitor.core.detectors.pane_rank import REFERENCE_PANES
from stream_monitor.core.plan import EffectPlan, Plan, RulePlan
from stream_monitor.core.time import format_instant
from tests.timelines.story import Timeline, minutes, shifted
from tests.traffic import T0

RULE = RulePlan("drift", ("feature:*",), evidence="pane_rank", effect=EffectPlan("psi", 0.1))
PLAN = Plan(rules=(RULE,))
DRIFT = minutes(REFERENCE_PANES / 6.0 + 5, REFERENCE_PANES / 6.0 + 9)


def story(plan: Plan = PLAN, *, drift: bool = True) -> Timeline:
    told = Timeline(plan, features=1, rate=4.0)
    told.push((0, DRIFT[0]))
    if drift:
        told.push(DRIFT, shifted("x0", 1.5))
    return told


def test_a_drift_after_the_reference_fires_with_the_promise_of_panes() -> None:
    """255 panes are collected; then a shift is told, by one rank a pane, and the range of its beginning is right."""
    told = story()
    fired = told.alerts()[0].data
    change = fired.evidence.change

    assert [("feature:x0", "drift", "fired")] == told.told()
    assert (fired.evidence.detector, fired.evidence.guarantee) == ("pane_rank", "bound_panes")
    assert change is not None
    assert change.from_ <= format_instant(T0 + DRIFT[0]) <= change.to


def test_until_then_the_series_warms_up_and_categories_have_their_own_detector() -> None:
    """A view says so; a rule that names ranks of panes still judges categories, exactly."""
    told = Timeline(PLAN, features=1, rate=4.0)
    told.push(minutes(0, 5))
    views = {view.series: view for view in told.judge.view().series}

    assert (views["feature:x0"].state, views["feature:x0"].evidence_ratio) == ("warming_up", None)
    assert views["feature:country"].state == "watched"
    assert set(views["feature:country"].detectors) == {"interval_categories"}


def test_a_detector_that_is_only_shown_keeps_no_series_in_warm_up() -> None:
    """Beside the evidence of the default rules it changes nothing of what is said about them."""
    plan = Plan()
    shown = (*plan.detection.detectors, replace(plan.detection.detectors[0], kind="pane_rank"))
    told = Timeline(replace(plan, detection=replace(plan.detection, detectors=shown)), features=1, rate=4.0)
    told.push(minutes(0, 5))
    view = next(view for view in told.judge.view().series if view.series == "feature:x0")

    assert view.state == "watched"
    assert "pane_rank" in view.detectors


def test_a_snapshot_holds_what_was_collected() -> None:
    """In warm-up and after it a judge made of a snapshot gives the same snapshot."""
    for told in (story(drift=False), story()):
        state = told.judge.dump()

        assert told.monitor.judge(0, state).dump() == state
