"""Stories of versions: a new one is compared with the one before it, at its first automatic baseline."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stream_monitor.core.alerts.event import AlertCloudEvent
from stream_monitor.core.judge.standing.memory import Comparison
from stream_monitor.core.plan import CompareVersions, ModelPlan, Plan, TimePlan
from tests.timelines.story import Change, Timeline, both, category, minutes, nulls, shifted

PLAN = Plan(time=TimePlan(max_future_ms=0), models=(ModelPlan(baseline_events=1023),))


def succession(change: Change | None, plan: Plan = PLAN, *, seed: int = 1) -> Timeline:
    """Version 7 has a baseline; version 8 takes over, with a change from its first event on."""
    story = Timeline(plan, seed=seed)
    story.push(minutes(0, 3))
    story.push(minutes(3, 6), change, version="8")
    return story


def changed(story: Timeline) -> list[AlertCloudEvent]:
    return [a for a in story.alerts() if a.data.labels["alertname"] == "VersionChanged"]


def comparison(story: Timeline) -> Comparison:
    found = story.judge.models["fraud"].versions["8"].memory.comparison
    assert found is not None
    return found


def test_a_version_that_starts_shifted_is_reported_with_what_differs() -> None:
    """From what to what, in the units of the series; what is the same is not named."""
    story = succession(both(shifted("x1", 1.0), category("FR", 0.5)))
    [fired] = changed(story)
    facts = fired.data.evidence.facts
    assert facts is not None

    assert (fired.data.reason, fired.data.labels["version"], fired.data.labels["severity"]) == ("fired", "8", "warning")
    assert facts["previous_version"] == "7"
    assert {change.series for change in comparison(story).changes} == {"feature:x1", "feature:country"}
    assert fired.data.annotations.summary.startswith("fraud 8: differs from version 7: ")
    assert "x1 median -0.0" in fired.data.annotations.summary or "x1 median 0.0" in fired.data.annotations.summary
    assert fired.data.evidence.guarantee == "bound"
    assert story.judge.view().models[0].compared["8"].startswith("1,023 first events against version 7: 2 of ")


def test_a_version_that_loses_values_is_reported() -> None:
    """Missing values of a first baseline would be its normal share for ever."""
    story = succession(nulls("x0", 0.5))

    assert [change.series for change in comparison(story).changes] == ["missing:x0"]
    assert comparison(story).changes[0].before == "0.0%"
    assert comparison(story).changes[0].after.startswith(("4", "5"))


def test_a_version_of_the_same_law_is_compared_and_nothing_is_said() -> None:
    """The report tells that it was looked at."""
    story = succession(None)

    assert changed(story) == []
    assert comparison(story).differing == 0
    assert comparison(story).compared > 5
    assert "no series differs" in story.judge.view().models[0].compared["8"]


@pytest.mark.parametrize(("setting", "compared"), [(CompareVersions.REPORT, True), (CompareVersions.OFF, False)])
def test_the_operator_chooses_what_becomes_of_it(setting: CompareVersions, compared: bool) -> None:
    """`report` compares and raises no alert, `off` does not look."""
    models = (replace(PLAN.models[0], compare_versions=setting),)
    story = succession(shifted("x1", 1.0), replace(PLAN, models=models))

    assert changed(story) == []
    assert (story.judge.models["fraud"].versions["8"].memory.comparison is not None) == compared


def test_the_first_version_has_nothing_to_be_compared_with() -> None:
    """Without a watched version there is no report."""
    story = Timeline(PLAN, rows=0)
    story.push(minutes(0, 3))

    assert story.judge.models["fraud"].versions["7"].memory.comparison is None


def test_a_comparison_survives_a_restart() -> None:
    """What was found stands in the snapshot, and the state is the same bytes."""
    story = succession(shifted("x1", 1.0))
    state = story.judge.dump()
    again = story.monitor.judge(0, state)

    assert again.dump() == state
    assert again.models["fraud"].versions["8"].memory.comparison == comparison(story)


def test_versions_of_one_law_are_hardly_ever_told_apart() -> None:
    """Each comparison spends the part of the budget that has been saved since the last one, and no more."""
    differing = [comparison(succession(None, seed=seed)).differing for seed in range(2, 5)]

    assert differing == [0] * 3
