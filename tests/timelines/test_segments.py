"""Stories of segments: what happens to one of them is its alert, what happens to all of them is one alert."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from stream_monitor.core.alerts.event import AlertCloudEvent
from stream_monitor.core.judge import BaselineProposal, SeriesState
from stream_monitor.core.plan import DEFAULT_RULES, EffectPlan, LimitsPlan, ModelPlan, Plan, TimePlan
from tests.timelines.story import Timeline, both, minutes, nulls, shifted, within

CHANNELS = {"app": 0.3, "fax": 0.1, "web": 0.6}
PLAN = Plan(models=(ModelPlan(segments=("channel",)),))
DRIFT = replace(PLAN, rules=DEFAULT_RULES[:1])


def by_segment(events: list[AlertCloudEvent]) -> list[tuple[str, str, str]]:
    """Return segment, series and reason of alert events."""
    return [(event.data.labels.get("segment", ""), event.data.labels["series"], event.data.reason) for event in events]


def test_a_drift_of_one_segment_is_its_own_alert() -> None:
    """A tenth of the traffic moves by one sigma: all rows hardly show it, the segment is named."""
    story = Timeline(DRIFT, features=1, rate=30.0, channels=CHANNELS)
    story.push(minutes(0, 6))
    story.push(minutes(6, 12), within("channel", "fax", shifted("x0", 1.0)))
    fired = story.alerts()

    assert by_segment(fired) == [("channel=fax", "feature:x0", "fired")]
    assert fired[0].data.annotations.summary.startswith("fraud 7 channel=fax: x0 rose: median ")
    assert fired[0].subject == "fraud/7/channel=fax/feature:x0"
    assert fired[0].data.evidence.guarantee == "bound"


def test_a_drift_of_everything_is_one_alert_that_lists_the_segments() -> None:
    """Every segment drifts because all rows do: one alert, and the segments are in it."""
    story = Timeline(DRIFT, features=1, rate=30.0, channels=CHANNELS)
    story.push(minutes(0, 6))
    story.push(minutes(6, 12), shifted("x0", 1.0))
    fired = story.alerts()

    assert by_segment(fired) == [("", "feature:x0", "fired")]
    assert {(other.segment, other.series) for other in fired[0].data.evidence.related} == {
        (f"channel={value}", "feature:x0") for value in CHANNELS
    }
    assert "Also in channel=app, channel=fax and channel=web." in fired[0].data.annotations.description


def test_a_segment_that_stays_behind_is_told_then() -> None:
    """All rows drift and come back, one segment does not: its alert comes once the other is over."""
    plan = replace(DRIFT, alerts=replace(DRIFT.alerts, resolve_after=6))
    story = Timeline(plan, features=1, rate=30.0, channels=CHANNELS)
    story.push(minutes(0, 6))
    story.push(minutes(6, 10), shifted("x0", 1.0))
    story.push(minutes(10, 20), within("channel", "fax", shifted("x0", 1.0)))

    assert by_segment(story.alerts()) == [
        ("", "feature:x0", "fired"),
        ("", "feature:x0", "recovered"),
        ("channel=fax", "feature:x0", "fired"),
    ]


def test_a_null_storm_in_one_segment_is_one_alert() -> None:
    """Eight columns of a segment lose their values: one of them is told, and which segment it is."""
    rule = replace(DEFAULT_RULES[2], effect=EffectPlan("share_change", 0.05))
    story = Timeline(replace(PLAN, rules=(rule,)), features=8, rate=60.0, channels={"fax": 0.03, "web": 0.97})
    story.push(minutes(0, 3))
    storm = both(*(nulls(f"x{i}", 0.6) for i in range(8)))
    story.push(minutes(3, 7), within("channel", "fax", storm))

    ((segment, series, reason),) = by_segment(story.alerts())
    listed = {(other.segment, other.series) for other in story.alerts()[0].data.evidence.related}

    assert (segment, series.partition(":")[0], reason) == ("channel=fax", "missing", "fired")
    assert len(listed & {("channel=fax", f"missing:x{i}") for i in range(8)}) >= 5


def test_values_that_vanish_explain_the_values_that_are_left_in_segments_too() -> None:
    """Missing values of all rows are one alert: neither the values nor the segments add others."""
    story = Timeline(PLAN, features=1, rate=30.0, channels=CHANNELS)
    story.push(minutes(0, 6))
    story.push(minutes(6, 11), both(nulls("x0", 0.5), shifted("x0", 1.0)))

    assert by_segment(story.alerts()) == [("", "missing:x0", "fired")]


def test_many_segments_with_one_alert_are_told_once() -> None:
    """Six segments drift up, six down, and all rows show nothing: the first is told, the others are listed."""
    channels = {f"c{i:02}": 1 / 12 for i in range(12)}
    story = Timeline(DRIFT, features=1, rate=60.0, rows=8191, channels=channels)
    story.push(minutes(0, 6))
    ups = [within("channel", f"c{i:02}", shifted("x0", 0.7 if i % 2 else -0.7)) for i in range(12)]
    story.push(minutes(6, 10), both(*ups))
    told = by_segment(story.alerts())

    assert len([label for label, _, _ in told if label]) == 1


def test_values_that_the_baseline_does_not_list_are_counted_not_judged() -> None:
    """They raise no alert of their own and are told as a number."""
    story = Timeline(DRIFT, features=1, channels={"web": 1.0})
    story.channels = {"web": 0.9, "kiosk": 0.1}
    story.push(minutes(0, 5))
    views = {(view.segment, view.series) for view in story.judge.view().series}

    assert {segment for segment, _ in views} == {"", "channel=web"}
    assert story.counters()["events_other_segment_total", "fraud", "7", "channel"] > 100


def test_the_first_events_make_the_references_of_segments() -> None:
    """A segment with enough first events is judged beside its own, one with too few is counted as other."""
    plan = Plan(
        time=TimePlan(max_future_ms=0),
        models=(ModelPlan(baseline_events=1023, segments=("channel",)),),
        rules=DEFAULT_RULES[:1],
    )
    story = Timeline(plan, rows=0, features=1, rate=30.0, channels={"app": 0.12, "fax": 0.02, "web": 0.86})
    story.push(minutes(0, 10))
    story.push(minutes(10, 16), within("channel", "app", shifted("x0", 1.0)))
    made = next(out for out in story.monitor.outputs[0] if isinstance(out, BaselineProposal)).baseline

    assert list(made.segments) == ["channel=app", "channel=web"]
    assert by_segment(story.alerts())[0] == ("channel=app", "feature:x0", "fired")


def test_limits_leave_out_segments_by_name() -> None:
    """Of more segments, and of more series, the first by name are judged; the others are shown as suppressed."""
    limits = LimitsPlan(segments=2, series_per_model=5)
    story = Timeline(replace(PLAN, limits=limits), features=1, rate=5.0, channels=CHANNELS)
    story.push(minutes(0, 3))
    states: dict[tuple[str, SeriesState], set[str]] = {}
    for view in story.judge.view().series:
        if view.version:
            states.setdefault((view.segment, view.state), set()).add(view.series)
    judged = {segment for segment, state in states if state is SeriesState.WATCHED}

    assert judged == {"", "channel=app"}
    assert states["channel=app", SeriesState.SUPPRESSED] == {"feature:x0", "missing:x0", "invalid:x0"}
    assert states["channel=fax", SeriesState.SUPPRESSED] == states["channel=web", SeriesState.SUPPRESSED]
    assert "feature:x0" in states["", SeriesState.WATCHED]


def test_a_new_baseline_ends_the_alerts_of_segments() -> None:
    """What was told about a segment is resolved when its reference is no longer the one that counts."""
    story = Timeline(DRIFT, features=1, rate=30.0, channels=CHANNELS)
    story.push(minutes(0, 6))
    fax = within("channel", "fax", shifted("x0", 1.0))
    story.push(minutes(6, 14), fax)
    story.activate(story.baseline(fax), 12)

    assert by_segment(story.alerts()) == [
        ("channel=fax", "feature:x0", "fired"),
        ("channel=fax", "feature:x0", "baseline_changed"),
    ]


@pytest.mark.parametrize("segments", [(), ("country",)])
def test_segments_that_nobody_configured_are_not_there(segments: tuple[str, ...]) -> None:
    """Whatever the baseline knows, all rows have the whole budget of the version and the same bytes."""
    with_segments = Timeline(replace(DRIFT, models=(ModelPlan(segments=segments),)), features=1, channels=CHANNELS)
    with_segments.push(minutes(0, 5))
    with_segments.push(minutes(5, 9), shifted("x0", 1.0))
    without = Timeline(DRIFT, features=1)
    watch = with_segments.judge.models["fraud"].versions["7"].watch
    assert watch is not None
    without.push(minutes(0, 1))
    plain = without.judge.models["fraud"].versions["7"].watch
    assert plain is not None

    assert [use.log_threshold for use in watch.uses] == [use.log_threshold for use in plain.uses]
    assert {view.segment for view in with_segments.judge.view().series} == {""}


def test_a_restored_judge_goes_on_with_its_segments() -> None:
    """With an open episode of a segment, the snapshot is taken up to the bit and what follows is the same."""
    story = Timeline(DRIFT, features=1, rate=30.0, channels=CHANNELS)
    story.push(minutes(0, 6))
    story.push(minutes(6, 12), within("channel", "fax", shifted("x0", 1.0)))
    monitor = story.monitor
    log = monitor.log[0]
    judge = monitor.judge(0)
    resumed = None
    for entry in log:
        judge.fold(entry)
        watches = list(judge.models["fraud"].watches()) if "fraud" in judge.models else []
        if resumed is None and any(watch.segment and watch.episodes for watch in watches):
            state = judge.dump()
            resumed = monitor.judge(0, state)
            assert resumed.dump() == state
    assert resumed is not None
    for entry in log[resumed.next_offset :]:
        resumed.fold(entry)

    assert resumed.dump() == judge.dump()
    assert np.isfinite(next(watch.log_m for watch in judge.models["fraud"].watches() if watch.segment)).any()


def test_a_severe_alert_of_all_rows_stands_for_mild_ones_of_segments() -> None:
    """All rows drift severely: no segment adds a warning of its own, neither while it stands nor when it is over."""
    story = Timeline(replace(PLAN, rules=DEFAULT_RULES[:2]), features=1, rate=30.0, channels=CHANNELS)
    story.push(minutes(0, 6))
    story.push(minutes(6, 10), shifted("x0", 0.8))
    story.push(minutes(10, 16))

    assert [told for told in by_segment(story.alerts()) if told[2] != "worsened"] == [
        ("", "feature:x0", "fired"),
        ("", "feature:x0", "recovered"),
    ]
