"""Stories of conditions: what an operator is told of a model as a whole, once, and when it is over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from stream_monitor.core.alerts.event import AlertCloudEvent
from stream_monitor.core.judge import AlertEvent, AlertState, Output
from stream_monitor.core.plan import (
    DEFAULT_CONDITIONS,
    HOUR_MS,
    AlertsPlan,
    BaselineFrom,
    ConditionName,
    LimitsPlan,
    ModelPlan,
    Plan,
    Severity,
)
from stream_monitor.core.time import parse_instant
from tests.timelines.story import Change, Timeline, both, minutes, nulls
from tests.traffic import MINUTE, T0, Events


def dropped(*names: str) -> Change:
    """The events do not name these series any more."""
    return lambda events, _: replace(
        events,
        numbers={name: values for name, values in events.numbers.items() if name not in names},
        texts={name: values for name, values in events.texts.items() if name not in names},
    )


def added(*names: str) -> Change:
    """The events hold other numbers as well."""

    def change(events: Events, random: np.random.Generator) -> Events:
        return replace(events, numbers={**events.numbers, **{name: random.normal(size=len(events)) for name in names}})

    return change


def as_classes(confidence: bool = True) -> Change:
    """Predictions are the names of classes, with a probability or without."""

    def change(events: Events, random: np.random.Generator) -> Events:
        numbers = {name: values for name, values in events.numbers.items() if name != "prediction"}
        if confidence:
            numbers["confidence"] = random.uniform(0.5, 1.0, size=len(events))
        classes = random.choice(["ok", "fraud"], size=len(events)).tolist()
        return replace(events, numbers=numbers, texts={**events.texts, "prediction": classes})

    return change


def frozen(name: str, value: float) -> Change:
    """A number is the same in every event."""
    return lambda events, _: replace(events, numbers={**events.numbers, name: np.full(len(events), value)})


def reported(story: Timeline, start: float = 0, end: float = 10_000) -> list[tuple[str, str, str]]:
    """Return alertname, series and reason of the alerts of a span."""
    alerts = story.alerts(minutes(start, end))
    return [(a.data.labels["alertname"], a.data.labels.get("series", ""), a.data.reason) for a in alerts]


def the_only(alerts: list[AlertCloudEvent], alertname: str) -> AlertCloudEvent:
    """Return the one alert of a name that fired."""
    [found] = [a for a in alerts if a.data.labels["alertname"] == alertname and a.data.reason == "fired"]
    return found


def alerts_of(outputs: Sequence[Output]) -> list[Output]:
    """Return what is written about alerts."""
    return [out for out in outputs if isinstance(out, AlertEvent | AlertState)]


def resumes_exactly(story: Timeline) -> bool:
    """Say whether a judge made of a snapshot gives the same snapshot, and one made on the way the same alerts."""
    monitor = story.monitor
    state = monitor.judges[0].dump()
    if monitor.judge(0, state).dump() != state:
        return False
    judge = monitor.judge(0)
    outputs: list[Output] = []
    for place, entry in enumerate(monitor.log[0]):
        if place % 61 == 0:
            again = monitor.judge(0, judge.dump())
            for old in monitor.log[0][again.next_offset : judge.next_offset]:
                again.fold(old)
            judge = again
        outputs += judge.fold(entry)
    return alerts_of(outputs) == alerts_of(monitor.outputs[0])


def test_a_column_that_is_gone_is_one_alert() -> None:
    """Its missing values and its drift wait; it is over when the column is back."""
    story = Timeline()
    story.push(minutes(0, 20))
    story.push(minutes(20, 25), dropped("feature:x1"))
    story.push(minutes(25, 40))
    fired = story.alerts()[0].data

    assert reported(story) == [
        ("MissingColumn", "feature:x1", "fired"),
        ("MissingColumn", "feature:x1", "recovered"),
    ]
    assert fired.annotations.summary == "fraud 7: x1 is gone, no event names it"
    assert fired.labels["severity"] == "warning"
    assert fired.evidence.facts is not None
    assert fired.evidence.facts["column"] == "x1"
    assert fired.evidence.effect.value == 1.0
    assert fired.evidence.examples
    assert story.alerts()[1].data.annotations.summary == "fraud 7: column x1 is back to normal after 5 min"
    assert resumes_exactly(story)


@pytest.mark.parametrize("mended_s", [2, 5, 9])
def test_what_waited_for_a_column_is_not_reported_when_the_column_is_back(mended_s: int) -> None:
    """A rename is mended in the middle of a pane: the last lost values of that pane are no news two minutes later."""
    story = Timeline()
    story.push(minutes(0, 20))
    story.push(minutes(20, 25 + mended_s / 60), dropped("feature:x1"))
    story.push(minutes(25 + mended_s / 60, 40))

    assert reported(story) == [
        ("MissingColumn", "feature:x1", "fired"),
        ("MissingColumn", "feature:x1", "recovered"),
    ]


def test_a_condition_is_over_as_soon_as_a_drift() -> None:
    """Two minutes of events without it. One that comes back within its cooldown takes five: it does not flap."""
    story = Timeline()
    story.push(minutes(0, 20))
    story.push(minutes(20, 25), dropped("feature:x1"))
    story.push(minutes(25, 30))
    story.push(minutes(30, 60), dropped("feature:x1"))
    story.push(minutes(60, 70))
    ended = [event for event in story.alerts() if event.data.reason == "recovered"]

    waited = [parse_instant(event.time) - parse_instant(event.data.ends_at or "") for event in ended]
    panes = [ms // story.plan.detection.pane_ms + 1 for ms in waited]
    assert panes == [12, story.plan.alerts.resolve_after]


def test_a_number_that_freezes_is_one_alert() -> None:
    """It says since when and at what; the drift of the values waits for it, and a restored judge says the same."""
    story = Timeline()
    story.push(minutes(0, 20))
    story.push(minutes(20, 30), frozen("feature:x1", 0.125))
    story.push(minutes(30, 40))
    fired, recovered = story.alerts()

    assert reported(story) == [("FrozenValues", "feature:x1", "fired"), ("FrozenValues", "feature:x1", "recovered")]
    assert 20 * MINUTE < parse_instant(fired.time) - T0 <= 21 * MINUTE
    assert fired.data.annotations.summary.startswith("fraud 7: x1 is frozen at 0.125: the last ")
    assert fired.data.evidence.facts is not None
    assert (fired.data.evidence.facts["value"], fired.data.evidence.facts["longest_before"]) == (0.125, 0)
    assert recovered.data.annotations.summary == "fraud 7: x1 is back to normal after 10 min"
    assert resumes_exactly(story)


def held(name: str, length_s: int) -> Change:
    """A number that stays for so long before it takes another value."""

    def change(events: Events, random: np.random.Generator) -> Events:
        blocks = (events.at_ms - events.at_ms.min()) // (1_000 * length_s)
        levels = random.normal(size=int(blocks.max()) + 1)
        return replace(events, numbers={**events.numbers, name: levels[blocks]})

    return change


def test_values_that_always_stay_for_a_while_are_not_frozen() -> None:
    """How long equal values last is learnt: where they stay for 20 s, it takes five times as long to be news."""
    story = Timeline(rows=0, plan=Plan(rules=()))
    story.activate(Timeline().baseline(held("feature:x1", 20)), 0)
    story.push(minutes(0, 40), held("feature:x1", 20))
    story.push(minutes(40, 41), frozen("feature:x1", 0.1))
    story.push(minutes(41, 50), held("feature:x1", 20))
    story.push(minutes(50, 60), frozen("feature:x1", 0.2))

    assert "FrozenValues" not in [name for name, _, _ in reported(story, 10, 54)]
    assert "FrozenValues" in [name for name, _, _ in reported(story, 54, 60)]


def test_another_baseline_ends_what_was_said_against_the_old_one() -> None:
    """The alert ends because it is compared with another baseline, not because anything is back to normal."""
    story = Timeline()
    story.push(minutes(0, 20))
    story.activate(story.baseline(dropped("feature:x1")), 30)
    story.push(minutes(20, 40), dropped("feature:x1"))

    assert reported(story) == [
        ("MissingColumn", "feature:x1", "fired"),
        ("MissingColumn", "feature:x1", "baseline_changed"),
    ]
    ended = story.alerts()[-1].data.annotations.summary
    assert ended.startswith("fraud 7: column x1 is compared with a new baseline now; this alert ends after")


def test_a_column_without_values_is_not_gone() -> None:
    """Events that name a column and give it null are missing values."""
    story = Timeline()
    story.push(minutes(0, 20))
    story.push(minutes(20, 25), nulls("x1", 1.0))

    assert reported(story) == [("MissingValues", "missing:x1", "fired")]


def test_a_rename_names_both_columns() -> None:
    """What is gone and what is new since then are named together, in either alert."""
    story = Timeline()
    story.push(minutes(0, 20))
    story.push(minutes(20, 25), both(dropped("feature:x1"), added("feature:x1_eur")))
    gone, new = (the_only(story.alerts(), name) for name in ("MissingColumn", "ExtraColumn"))

    assert sorted({name for name, _, _ in reported(story)}) == ["ExtraColumn", "MissingColumn"]
    assert gone.data.annotations.summary == "fraud 7: x1 is gone, x1_eur is new: renamed?"
    assert new.data.annotations.summary == "fraud 7: x1_eur is new, x1 is gone: renamed?"
    assert new.data.labels["severity"] == "info"
    assert new.data.evidence.facts is not None
    assert new.data.evidence.facts["likely_old_name"] == "x1"
    assert new.data.evidence.facts["kinds"] == ("number",)


def test_of_two_renames_the_similar_names_are_paired() -> None:
    """Kind and name decide which new column is which old one."""
    story = Timeline(features=4)
    story.push(minutes(0, 20))
    story.push(
        minutes(20, 25),
        both(dropped("feature:x1", "feature:x2", "feature:country"), added("feature:x2_new", "feature:x1_new")),
    )
    summaries = [a.data.annotations.summary for a in story.alerts() if "gone" in a.data.annotations.summary]

    assert "fraud 7: x1 is gone, x1_new is new: renamed?" in summaries
    assert "fraud 7: x2 is gone, x2_new is new: renamed?" in summaries
    assert "fraud 7: country is gone, no event names it" in summaries


def test_many_columns_that_go_together_are_one_alert() -> None:
    """The first tells of all; the others wait with their missing values."""
    story = Timeline(features=8)
    story.push(minutes(0, 20))
    story.push(minutes(20, 25), dropped(*(f"feature:x{i}" for i in range(1, 7))))

    assert reported(story) == [("MissingColumn", "feature:x1", "fired")]
    assert story.alerts()[0].data.annotations.summary == "fraud 7: 6 columns are gone: x1, x2, x3 and 3 more"


def test_a_column_that_most_rows_of_the_baseline_lack_is_not_missed_too_soon() -> None:
    """How many rows without it are certain follows from how often the baseline has it."""
    story = Timeline(rows=0)
    story.activate(Timeline().baseline(nulls("x1", 0.97)), 0)
    story.push(minutes(0, 10), nulls("x1", 0.97))
    story.push(minutes(10, 14), dropped("feature:x1"))

    assert "MissingColumn" not in [name for name, _, _ in reported(story, 0, 11)]
    assert "MissingColumn" in [name for name, _, _ in reported(story, 11, 14)]


def test_predictions_of_another_kind_are_one_alert_in_words() -> None:
    """A baseline of numbers and live probabilities: nothing of it can be judged, and the alert says which is which."""
    story = Timeline()
    story.push(minutes(0, 20))
    story.push(minutes(20, 25), as_classes())
    story.push(minutes(25, 40))

    assert reported(story) == [("KindChanged", "prediction", "fired"), ("KindChanged", "prediction", "recovered")]
    summary = story.alerts()[0].data.annotations.summary
    assert summary == "fraud 7: prediction: probabilities, the baseline has numbers"
    assert resumes_exactly(story)


def test_classes_without_a_probability_are_text() -> None:
    """What came with a confidence and what came alone are told apart."""
    story = Timeline()
    story.push(minutes(0, 20))
    story.push(minutes(20, 25), as_classes(confidence=False))

    assert story.alerts()[0].data.annotations.summary == "fraud 7: prediction: text, the baseline has numbers"


@pytest.mark.parametrize("share", [0.2, 0.45])
def test_fewer_than_half_of_another_kind_are_invalid_values(share: float) -> None:
    """The series is still judged by the others, so the alert is that of invalid values."""

    def some(events: Events, random: np.random.Generator) -> Events:
        text = random.random(len(events)) < share
        mixed = [
            "fraud" if other else float(value) for other, value in zip(text, events.numbers["feature:x1"], strict=True)
        ]
        numbers = {name: values for name, values in events.numbers.items() if name != "feature:x1"}
        return replace(events, numbers=numbers, texts={**events.texts, "feature:x1": mixed})  # type: ignore[dict-item]

    story = Timeline()
    story.push(minutes(0, 20))
    story.push(minutes(20, 25), some)

    assert "InvalidValues" in [name for name, _, _ in reported(story)]
    assert "KindChanged" not in [name for name, _, _ in reported(story)]


def test_a_model_that_comes_later_is_new() -> None:
    """At the start every model is new and nobody is told; one that comes hours later is."""
    story = Timeline(rate=1.0, rows=0)
    story.push(minutes(0, 100), model="first")
    story.push(minutes(80, 100), model="second", rate=2.0)
    [told] = [a for a in story.alerts() if a.data.labels["alertname"] == "NewModel"]

    assert told.data.labels["model"] == "second"
    assert told.data.labels["severity"] == "info"


def test_a_declared_model_is_not_new() -> None:
    """A model that the plan names, or that has a baseline already, is expected."""
    plan = Plan(models=(ModelPlan("named"), ModelPlan()))
    story = Timeline(plan, rate=1.0, rows=255)
    story.push(minutes(0, 100), model="first")
    story.push(minutes(80, 100), model="named")
    story.push(minutes(80, 100), model="fraud")

    assert "NewModel" not in [name for name, _, _ in reported(story)]


def test_a_version_that_nothing_judges_is_reported_after_the_limit() -> None:
    """Why, and what to do, stands in the alert; it is over when the baseline is active."""
    plan = Plan(models=(ModelPlan(baseline=BaselineFrom.PUBLISHED),), alerts=AlertsPlan(warm_up_limit_ms=10 * MINUTE))
    story = Timeline(plan, rate=2.0, rows=0)
    story.activate(Timeline(rows=255).baseline(), 30)
    story.push(minutes(0, 50))
    told = [a for a in story.alerts() if a.data.labels["alertname"] == "NotMonitored"]

    assert [a.data.reason for a in told] == ["fired", "recovered"]
    assert told[0].data.annotations.summary == "fraud 7: not monitored: no baseline is active"
    assert "baseline build" in told[0].data.annotations.description
    assert story.counters()["events_unjudged_total", "no_baseline"] > 0


def test_a_version_in_warm_up_says_how_far_it_is() -> None:
    """A model with little traffic is not monitored for long: the operator knows."""
    story = Timeline(Plan(), rate=0.1, rows=0)
    story.push(minutes(0, 90))
    told = the_only(story.alerts(), "NotMonitored")

    assert "of 4,095 events of its first baseline are there" in told.data.annotations.summary
    assert told.data.evidence.facts is not None
    assert told.data.evidence.facts["wanted"] == 4095


def _names_without_end(count: int) -> Change:
    def change(events: Events, random: np.random.Generator) -> Events:
        names = {f"feature:id_{i}": np.where(np.arange(len(events)) % count == i, 1.0, np.nan) for i in range(count)}
        return replace(events, numbers={**events.numbers, **names})

    return change


def test_names_without_end_are_one_alert_with_their_number() -> None:
    """Hundreds of new names: one alert, about how many, and a few of them."""
    story = Timeline(rate=4.0)
    story.push(minutes(0, 10))
    story.push(minutes(10, 15), _names_without_end(300))
    fired = the_only(story.alerts(), "UndeclaredNames")
    assert fired.data.evidence.facts is not None
    count = fired.data.evidence.facts["names"]

    assert [name for name, _, _ in reported(story)].count("ExtraColumn") == 0
    assert isinstance(count, int)
    assert 150 <= count <= 600
    assert resumes_exactly(story)


def test_models_over_the_limit_are_one_alert_and_counted() -> None:
    """Who is not watched is said once for all of them, with their number and events."""
    story = Timeline(Plan(limits=LimitsPlan(models=2)), rate=2.0, rows=0)
    for model in ("d", "b", "c", "a"):
        story.push(minutes(0, 5), model=model)
    fired = the_only(story.alerts(), "UndeclaredNames")

    assert fired.data.labels["model"] == "*"
    assert fired.data.labels["partition"] == "0"
    assert fired.data.annotations.summary == "*: 2 models or versions are over the limits and not judged"
    assert story.counters()["events_unjudged_total", "over_limits"] > 0
    assert [view.labels["alertname"] for view in story.judge.view().alerts] == ["UndeclaredNames"]
    assert resumes_exactly(story)


def test_a_condition_can_be_off_or_have_another_severity() -> None:
    """The plan says which conditions are looked for, and how loudly."""
    louder = tuple(
        (name, Severity.CRITICAL if name is ConditionName.MISSING_COLUMN else severity)
        for name, severity in DEFAULT_CONDITIONS
        if name is not ConditionName.EXTRA_COLUMN
    )
    story = Timeline(Plan(conditions=louder))
    story.push(minutes(0, 20))
    story.push(minutes(20, 25), both(dropped("feature:x1"), added("feature:x1_eur")))

    assert [(a.data.labels["alertname"], a.data.labels["severity"]) for a in story.alerts()] == [
        ("MissingColumn", "critical")
    ]


def test_conditions_count_for_the_limit_of_open_alerts() -> None:
    """Above `max_open` they wait like all others, and the summary counts them."""
    story = Timeline(Plan(alerts=AlertsPlan(max_open=1)), features=4)
    story.push(minutes(0, 20))
    story.push(minutes(20, 25), dropped("feature:x1", "feature:x2"))

    assert reported(story)[:2] == [("AlertStorm", "", "fired"), ("MissingColumn", "feature:x1", "fired")]
    assert ("MissingColumn", "feature:x2", "fired") not in reported(story)


def test_a_retired_version_ends_its_conditions() -> None:
    """What sends no events for long is told as such, not as mended."""
    story = Timeline(Plan(alerts=AlertsPlan(forget_after_ms=HOUR_MS)))
    story.push(minutes(0, 20))
    story.push(minutes(20, 25), dropped("feature:x1"))
    story.silence(120)

    assert ("MissingColumn", "feature:x1", "model_retired") in reported(story)
    assert story.judge.models == {} or not any(m.standing.held for m in story.judge.models.values())
