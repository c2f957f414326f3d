"""Stories of a model whose owner states a change that does not matter."""

from __future__ import annotations

from stream_monitor.core.plan import EffectPlan, Plan, RulePlan
from tests.timelines.story import Timeline, both, category, minutes, plan_for, shifted


def test_what_is_tolerated_does_not_even_alarm() -> None:
    """A shift of .1 standard deviations moves shares by .04: a tolerance of .06 keeps silent."""
    story = Timeline(plan_for(tolerance=0.06), features=1, rate=30.0)
    story.push(minutes(0, 5))
    story.push(minutes(5, 25), both(shifted("x0", 0.1), category("IT", 0.03)))

    assert story.told() == []
    assert ("detections_total", "fraud", "tolerance_shiryaev_roberts") not in story.counters()


def test_more_than_that_is_told_with_its_own_detector() -> None:
    """A whole standard deviation fires, and the alert names the detector that knows the tolerance."""
    story = Timeline(plan_for(tolerance=0.06), features=1)
    story.push(minutes(0, 5))
    story.push(minutes(5, 8), shifted("x0", 1.0))
    fired = story.alerts()[0].data.evidence

    assert story.told() == [("feature:x0", "severe_drift", "fired")]
    assert (fired.detector, fired.guarantee) == ("tolerance_shiryaev_roberts", "bound")


def test_a_rule_tolerates_what_another_tells() -> None:
    """A shift of .3 standard deviations moves shares by .12: told by the rule of .02, not by that of .2."""
    effect = EffectPlan("psi", 0.01)
    rules = (
        RulePlan("small", ("feature:x0",), effect=effect, tolerance=0.02),
        RulePlan("large", ("feature:x0",), effect=effect, tolerance=0.2),
    )
    story = Timeline(Plan(rules=rules), features=1, rate=30.0)
    story.push(minutes(0, 3))
    story.push(minutes(3, 12), shifted("x0", 0.3))
    state = story.judge.dump()
    view = next(view for view in story.judge.view().series if view.series == "feature:x0")

    assert story.told() == [("feature:x0", "small", "fired")]
    assert view.detectors["tolerance_shiryaev_roberts"] >= 1.0
    assert view.evidence_ratio == view.detectors["tolerance_shiryaev_roberts"]
    assert story.monitor.judge(0, state).dump() == state
