"""Series that live events have and the baseline lacks get a reference of their own, beside the operator's baseline."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stream_monitor.core.baseline import Baseline, end_record
from stream_monitor.core.judge import BaselineProposal, GatheringRequest, Judge, SeriesState, UnknownBaseline
from stream_monitor.core.plan import BaselineFrom, ModelPlan, Plan, TimePlan
from tests.timelines.story import Change, Timeline, both, minutes, shifted
from tests.traffic import MINUTE, T0, Events, Monitor

EVENTS = 1023
PLAN = Plan(time=TimePlan(max_future_ms=0), models=(ModelPlan(baseline_events=EVENTS),))
ACTIVE = 8
"""Minutes: rows for two, and a lead of three."""


def serving(*, errors: float = 0.0, latency_ms: float = 12.0, higher: float = 0.0) -> Change:
    """Events as a service sends them: latencies, and errors or none."""

    def change(events: Events, random: np.random.Generator) -> Events:
        latency = random.gamma(4.0, latency_ms / 4.0, len(events))
        failed = [bool(own) for own in random.random(len(events)) < errors]
        numbers = {**events.numbers, "latency": latency, "prediction": events.numbers["prediction"] + higher}
        return replace(events, numbers=numbers, texts={**events.texts, "serving_error": failed})

    return change


def training_table(story: Timeline) -> Baseline:
    """Return a baseline of features alone, as a training table gives it."""
    whole = story.baseline()
    features = {name: own for name, own in whole.series.items() if name.startswith("feature:")}
    return Baseline(whole.model, whole.version, whole.origin, features, segments=whole.segments)


def story_of(plan: Plan = PLAN, **settings: object) -> Timeline:
    """Return a story whose baseline has features only."""
    story = Timeline(plan, **settings)  # type: ignore[arg-type]  # keywords of Timeline
    story.baselines = [(training_table(story), 0)]
    return story


def proposals(monitor: Monitor) -> list[BaselineProposal]:
    """Return the references that the judge proposed."""
    return [out for out in monitor.outputs[0] if isinstance(out, BaselineProposal)]


def states(story: Timeline) -> dict[str, SeriesState]:
    """Return how well each series over all rows is watched."""
    return {view.series: view.state for view in story.judge.view().series if not view.segment}


def test_series_that_only_live_events_have_get_a_reference_of_their_own() -> None:
    """Predictions, latencies and errors are not in a training table; they are watched all the same, soon after."""
    story = story_of()
    story.push(minutes(0, 20), serving())
    story.push(minutes(20, 24), serving(latency_ms=24.0, higher=0.3))
    story.push(minutes(24, 28), serving(errors=0.1))
    made = proposals(story.monitor)

    assert [(own.extends, sorted(own.baseline.series)) for own in made] == [
        (story.baselines[0][0].id, ["latency", "prediction", "serving_error"])
    ]
    assert {name: states(story)[name] for name in made[0].baseline.series} == dict.fromkeys(
        made[0].baseline.series, SeriesState.WATCHED
    )
    assert {"latency", "prediction"} == {
        series for series, _, reason in story.told(minutes(20, 24)) if reason == "fired"
    }
    assert ("serving_error", "serving_errors", "fired") in story.told(minutes(24, 28))


def test_alerts_and_evidence_of_other_series_outlive_the_new_references() -> None:
    """What was right before is right after: no alert ends because another series got its reference."""
    story = story_of()
    story.push(minutes(0, 3), serving())
    story.push(minutes(3, ACTIVE + 6), both(serving(), shifted("x0", 1.0)))
    watched = story.judge.models["fraud"].versions["7"]

    assert [("feature:x0", "severe_drift", "fired")] == story.told()
    assert [watches[0].slot for watches in watched.supplements] == [1]


def test_segments_get_the_references_that_they_lack() -> None:
    """A segment of the training table has its features there, and its latencies in the supplement."""
    models = (ModelPlan(baseline_events=EVENTS, segments=("channel",)),)
    story = story_of(replace(PLAN, models=models), channels={"web": 0.6, "app": 0.4})
    story.push(minutes(0, 14), serving())
    found = {(view.segment, view.series) for view in story.judge.view().series}

    assert {(segment, "latency") for segment in ("", "channel=app", "channel=web")} <= found


def test_a_reference_that_is_not_wanted_is_not_made() -> None:
    """With `baseline: {from: published}` everything that is watched was published."""
    models = (ModelPlan(baseline=BaselineFrom.PUBLISHED, baseline_events=EVENTS),)
    story = story_of(replace(PLAN, models=models))
    story.push(minutes(0, 14), serving())

    assert (proposals(story.monitor), "latency" in states(story)) == ([], False)


def test_rows_are_not_gathered_for_ever() -> None:
    """Once the references are known, events of any shape cost what they cost before."""
    story = story_of()
    story.push(minutes(0, 12), serving())
    carried = [entry for entry in story.monitor.log[0] if b'"values"' in entry.value]

    assert 0 < len(carried) < len(story.monitor.log[0]) / 2
    assert max(entry.timestamp_ms for entry in carried) < T0 + ACTIVE * MINUTE


def test_a_feature_that_comes_later_gets_a_reference_too() -> None:
    """A service that begins to send another feature is asked for its rows, and the feature is watched."""

    def with_new(events: Events, random: np.random.Generator) -> Events:
        return replace(events, numbers={**events.numbers, "feature:new": random.normal(size=len(events))})

    story = story_of()
    story.push(minutes(0, 75), serving(), rate=5.0)
    story.push(minutes(75, 110), both(serving(), with_new), rate=5.0)

    assert [GatheringRequest("fraud", "7")] == [
        out for out in story.monitor.outputs[0] if isinstance(out, GatheringRequest)
    ]
    assert [sorted(own.baseline.series) for own in proposals(story.monitor)][1:] == [["feature:new"]]
    assert states(story)["feature:new"] is SeriesState.WATCHED


def test_a_judge_that_is_restored_goes_on_exactly() -> None:
    """References, gathered rows and their alerts are in the snapshot, whenever it was taken."""
    story = story_of()
    story.push(minutes(0, 12), serving())
    story.push(minutes(12, 16), serving(errors=0.1, latency_ms=24.0))
    monitor = story.monitor
    written = [out for out in monitor.outputs[0] if not isinstance(out, BaselineProposal)]
    for share in (0.05, 0.3, 0.9):
        cut = round(len(monitor.log[0]) * share)
        judge = monitor.judge(0)
        before = [out for entry in monitor.log[0][:cut] for out in judge.fold(entry)]
        again = monitor.judge(0, judge.dump())
        assert again.dump() == judge.dump()
        after = [out for entry in monitor.log[0][again.next_offset :] for out in again.fold(entry)]

        assert [out for out in (*before, *after) if not isinstance(out, BaselineProposal)] == written
        assert again.digest == monitor.judges[0].digest


def test_a_supplement_that_is_not_read_yet_is_waited_for() -> None:
    """The entry that names it is refused before it changes anything, and folded once the document is known."""
    story = story_of()
    story.push(minutes(0, ACTIVE + 2), serving())
    monitor = story.monitor
    missing = {proposals(monitor)[0].baseline.id}
    judge = Judge(
        monitor.plan,
        partition=0,
        partitions=1,
        source="/stream-monitor/test",
        schedule=lambda wanted: None if wanted in missing else monitor.schedule.get(wanted),
    )
    refused = 0
    for entry in monitor.log[0]:
        if missing:
            before = judge.dump() if b"supplements" in entry.value or entry.key is None else b""
            try:
                judge.fold(entry)
            except UnknownBaseline:
                assert judge.dump() == before
                refused += 1
                missing.clear()
                judge.fold(entry)
        else:
            judge.fold(entry)

    assert refused == 1
    assert judge.dump() == monitor.judges[0].dump()


@pytest.mark.parametrize("retired", ["supplement", "baseline"])
def test_a_reference_that_is_retired_is_let_go_of(retired: str) -> None:
    """From its end on its series have none, and are gathered anew; the others stay as they are."""
    story = story_of()
    story.push(minutes(0, 12), serving())
    monitor = story.monitor
    schedule = monitor.schedule
    own = schedule.supplements[0] if retired == "supplement" else schedule.activations[0]
    until_ms = T0 + 20 * MINUTE
    monitor.write_baselines([end_record(own, until_ms)])
    later = story_of()
    later.push(minutes(12, 26), serving())
    for part in later.parts:
        for minute in range(12, 27):
            inside = np.flatnonzero(
                (part.record_ms >= T0 + minute * MINUTE) & (part.record_ms < T0 + (minute + 1) * MINUTE)
            )
            own_rows = part.take(inside)
            for source in range(2):
                monitor.chunk(source, own_rows.take(np.arange(source, len(own_rows), 2)))
    version = monitor.judges[0].models["fraud"].versions["7"]

    assert (version.watch is None, len(version.supplements)) == (retired == "baseline", 0)
    assert (version.warm_up if retired == "baseline" else version.gathering) is not None
