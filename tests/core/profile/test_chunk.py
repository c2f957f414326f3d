"""What a counted chunk writes to the log, and what it carries on."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from stream_monitor.core.chain import FIRST, ChunkName
from stream_monitor.core.keys import judge_partition
from stream_monitor.core.names import ValueReject
from stream_monitor.core.plan import BaselineFrom, DetectionPlan, ModelPlan, Plan, TimePlan
from stream_monitor.core.profile import ModelCounts, ProfileRecord, ProgressRecord, chunk_digest, decode
from stream_monitor.core.profile.parts import PART_BYTES
from tests.core.profile.builders import (
    PARTITIONS,
    T0_MS,
    Event,
    Partition,
    profiles,
    records,
    schedule_of,
    small_baseline,
)

PLAN = Plan(
    models=(ModelPlan("*", baseline_events=3, segments=("channel",)),),
    time=TimePlan(allowed_lateness_ms=5_000),
    detection=DetectionPlan(pane_ms=10_000),
)
BASELINE = small_baseline()
WITH_WEB = small_baseline(segments={"channel": [["web", "app"][n < 40] for n in range(127)]})
"""87 reference rows came by web, 40 by app: too few for a reference of their own."""


def usual(n: int, **fields: object) -> Event:
    features = {"amount": n % 7, "country": "DE", "night": False}
    return Event(at_ms=n, event_id=f"id-{n}", fields={"features": features, **fields})


def test_every_judge_hears_of_every_chunk() -> None:
    """The progress record goes to each judge partition, last in its chunk, with that partition's count and digest."""
    partition = Partition(PLAN)
    chunk = partition.feed([usual(1), dataclasses.replace(usual(2), model="churn"), usual(3)])

    for judge in range(PARTITIONS):
        own = [entry for entry in chunk.entries if entry.partition == judge]
        progress = decode(own[-1].value)
        assert isinstance(progress, ProgressRecord)
        assert own[-1].key is None
        assert progress.records == len(own) - 1
        assert progress.digest == chunk_digest(entry.value for entry in own[:-1])
        assert all(
            entry.key is not None and judge_partition(entry.key.decode(), PARTITIONS) == judge for entry in own[:-1]
        )


def test_records_are_numbered_in_their_chunk() -> None:
    """`index` orders the records of a chunk, over all judge partitions."""
    partition = Partition(PLAN)
    chunk = partition.feed([usual(1), dataclasses.replace(usual(2), model="churn"), usual(20_000)])

    indexes = [record.index for record in records([chunk]) if isinstance(record, ProfileRecord)]
    assert sorted(indexes) == list(range(len(indexes)))


def test_a_chunk_names_its_predecessor() -> None:
    """The chain: each progress record names the chunk before, and the offsets join."""
    partition = Partition(PLAN)
    first, second, empty = partition.feed([usual(1)]), partition.feed([usual(2), usual(3)]), partition.idle()

    progress = [next(r for r in records([c]) if isinstance(r, ProgressRecord)) for c in (first, second, empty)]
    assert [p.prev for p in progress] == [FIRST, ChunkName(1, 1), ChunkName(2, 1)]
    assert [(p.first, p.next) for p in progress] == [(0, 1), (1, 3), (3, 3)]
    assert all(p.plan == PLAN.short_hash for p in progress)


def test_the_watermark_is_null_before_the_first_event() -> None:
    """Null holds panes open until the partition has spoken."""
    partition = Partition(PLAN)

    assert partition.idle().watermark_ms is None
    assert partition.feed([usual(7_000)]).watermark_ms == T0_MS + 2_000


def test_an_idle_fact_moves_the_watermark_and_stays() -> None:
    """Broker time advances a silent partition, never backwards, and the next chunks remember it."""
    partition = Partition(PLAN)
    partition.feed([usual(0)])

    assert partition.idle(T0_MS + 50_000).watermark_ms == T0_MS + 50_000
    assert partition.idle(T0_MS + 40_000).watermark_ms == T0_MS + 50_000
    assert partition.feed([usual(1)]).counts.late == 1


def test_a_rejected_record_moves_no_watermark() -> None:
    """A stamp far in the future is a dead letter, and the time of the partition stays what it was."""
    partition = Partition(PLAN)
    chunk = partition.feed([usual(0), Event(at_ms=10**9, lag_ms=-(10**9))])

    assert [reject.reason for reject in chunk.rejects] == ["timestamp_out_of_range"]
    assert chunk.chain.max_ms == T0_MS


def test_a_segment_is_counted_beside_all_traffic() -> None:
    """One event counts in the profile of all traffic and in that of its segment; unknown values count together."""
    partition = Partition(PLAN, schedule_of(WITH_WEB, T0_MS))
    channels = ["web", "app", "fax", "web"]
    chunk = partition.feed([*(usual(n, segments={"channel": c}) for n, c in enumerate(channels)), usual(9)])

    rows = {key.segment: profile.events for key, profile in profiles([chunk]).items()}
    assert rows == {"": 5, "channel=web": 2, "channel=__other__": 2}


def test_a_segment_is_counted_in_its_own_grids() -> None:
    """Its rows are compared with reference rows of the segment; the law of all rows is another one."""
    partition = Partition(PLAN, schedule_of(WITH_WEB, T0_MS))
    events = [usual(n, segments={"channel": "web"}) for n in range(200)]
    found = {key.segment: profile for key, profile in profiles([partition.feed(events)]).items()}
    own, whole = WITH_WEB.segments["channel=web"], WITH_WEB

    for label, reference in (("channel=web", own.series), ("", whole.series)):
        bins = reference["feature:amount"].bins
        assert int(found[label].series["feature:amount"].dense(bins).sum()) == 200
    assert own.series["feature:amount"].observed == 87
    assert found["channel=web"].series.keys() == own.series.keys()
    assert found["channel=web"].series["feature:amount"] != found[""].series["feature:amount"]


def test_unknown_values_of_a_segment_cost_one_record() -> None:
    """A value in every event, as of a user id, is one profile of rows and no series, however many there are."""
    partition = Partition(PLAN, schedule_of(WITH_WEB, T0_MS))
    chunk = partition.feed([usual(n, segments={"channel": f"user-{n}"}) for n in range(100)])
    found = {key.segment: profile for key, profile in profiles([chunk]).items()}

    assert found.keys() == {"", "channel=__other__"}
    assert (found["channel=__other__"].events, found["channel=__other__"].series) == (100, {})


def test_before_a_baseline_no_value_is_a_segment() -> None:
    """Which values are judged is the baseline's to say; the raw rows of warm-up carry theirs for it."""
    partition = Partition(PLAN)
    (profile,) = profiles([partition.feed([usual(1, segments={"channel": "web"}), usual(2)])], examples=9).values()

    assert sorted(dict(example.segments).get("channel", "") for example in profile.examples) == ["", "web"]


def test_a_sampled_event_counts_once_and_demands_many() -> None:
    """Evidence counts what was seen; demand what was sampled from."""
    partition = Partition(PLAN)
    (profile,) = profiles([partition.feed([usual(1, sampled_rate=10), usual(2)])]).values()

    assert (profile.events, profile.demand) == (2, 11)


def test_an_event_is_counted_with_the_baseline_of_its_pane() -> None:
    """A baseline is active from a pane on, by event time; before it the model warms up."""
    partition = Partition(PLAN, schedule_of(BASELINE, T0_MS + 10_000))
    found = profiles([partition.feed([usual(9_999), usual(10_000)])])

    assert {key.pane_ms - T0_MS: key.baseline for key in found} == {0: "", 10_000: BASELINE.id}


def test_warm_up_carries_the_raw_rows_of_smallest_hash() -> None:
    """From them the automatic baseline is made: so many rows of a pane as a baseline wants, with values and ties."""
    partition = Partition(PLAN)
    (profile,) = profiles([partition.feed([usual(n, latency_ms=4.5) for n in range(9)])], examples=9).values()

    assert len(profile.examples) == 3
    for example in profile.examples:
        n = int(example.event_id.split("-")[1])
        assert example.tie is not None
        assert example.values == {
            "feature:amount": float(n % 7),
            "feature:country": "DE",
            "feature:night": False,
            "latency": 4.5,
            "serving_error": False,
        }


def test_values_stay_home_when_no_baseline_is_to_be_made_of_them() -> None:
    """A model whose baseline is published, and late events, show identities alone."""
    plan = dataclasses.replace(PLAN, models=(ModelPlan("*", baseline=BaselineFrom.PUBLISHED),))
    published = profiles([Partition(plan).feed([usual(1)])])
    late = profiles([Partition(PLAN).feed([usual(90_000), usual(1)])])

    shown = [
        example
        for found in (published, late)
        for key, profile in found.items()
        for example in profile.examples
        if found is published or key.late
    ]
    assert [(example.values, dict(example.segments)) for example in shown] == [(None, {})] * 2


def test_features_that_the_baseline_does_not_know_are_named_not_counted() -> None:
    """A new column is told by name, the rarest trick to flood the log by naming a new one in each event is not."""
    partition = Partition(PLAN, schedule_of(BASELINE, T0_MS))
    events = [
        Event(at_ms=1, event_id=f"id-{n}", fields={"features": {f"new_{n}": 1, "country": "DE"}}) for n in range(50)
    ]
    (profile,) = profiles([partition.feed(events)]).values()

    assert profile.undeclared.count == 50
    assert len(profile.undeclared.names) == 20
    assert profile.series.keys() == BASELINE.series.keys()
    assert (profile.series["feature:amount"].missing, profile.series["feature:amount"].absent) == (50, 50)


def test_an_excluded_feature_is_as_if_it_were_not_there() -> None:
    """Neither counted nor missing, although the baseline knows it."""
    plan = dataclasses.replace(PLAN, models=(ModelPlan("*", exclude=("amount",)),))
    (profile,) = profiles([Partition(plan, schedule_of(BASELINE, T0_MS)).feed([usual(1)])]).values()

    assert "feature:amount" not in profile.series
    assert profile.undeclared.count == 0


def test_left_out_values_are_counted_once() -> None:
    """A value of the wrong type is one reject of its model, also when the event belongs to a segment."""
    partition = Partition(PLAN, schedule_of(WITH_WEB, T0_MS))
    event = Event(fields={"features": {"amount": "12"}, "segments": {"channel": "web"}})
    chunk = partition.feed([event])

    assert chunk.value_rejects == {("fraud", ValueReject.WRONG_TYPE): 1}


def test_metrics_know_models_errors_and_latencies() -> None:
    """What a chunk held of each model, for the counters."""
    chunk = Partition(PLAN).feed([usual(1, latency_ms=4.0), usual(2, error="timeout"), usual(3, latency_ms=-1)])

    counts = chunk.models["fraud", "7"]
    assert (counts.events, counts.late, counts.serving_errors, counts.latency_ms.tolist()) == (
        {"inference": 3},
        0,
        1,
        [4.0],
    )


@pytest.mark.parametrize("events", [400, 4_000])
def test_no_record_outgrows_its_topic(events: int) -> None:
    """A large profile is written in parts of at most 256 KiB, which add up to it."""
    plan = dataclasses.replace(PLAN, models=(ModelPlan("*", baseline_events=events),))
    wide = [
        Event(at_ms=1, event_id=f"id-{n}", fields={"features": {f"feature number {f}": f / 7 for f in range(60)}})
        for n in range(events)
    ]
    chunk = Partition(plan).feed(wide)
    parts = [record for record in records([chunk]) if isinstance(record, ProfileRecord)]
    (profile,) = profiles([chunk], examples=10**6).values()

    assert max(len(entry.value) for entry in chunk.entries) <= PART_BYTES
    assert [part.part for part in parts] == [(i, len(parts)) for i in range(len(parts))]
    assert len(parts) > 1
    assert (profile.events, profile.demand, len(profile.examples)) == (events, events, events)


def test_counts_for_metrics_add_up() -> None:
    """Two groups of one model, as a change of shape inside a chunk makes them, count as one."""
    first = ModelCounts({"inference": 2}, late=1, latency_ms=np.array([1.0]))
    second = ModelCounts({"inference": 3, "label": 1}, serving_errors=1, latency_ms=np.array([2.0]))

    both = first.plus(second)

    assert ({"inference": 5, "label": 1}, 1, 1, [1.0, 2.0]) == (
        both.events,
        both.late,
        both.serving_errors,
        both.latency_ms.tolist(),
    )
