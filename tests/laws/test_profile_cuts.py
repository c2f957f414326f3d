"""Counting whole or in pieces gives the same panes: the law behind exactly-once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from stream_monitor.core.plan import DetectionPlan, ModelPlan, Plan, TimePlan
from stream_monitor.core.profile import Profile, ProfileKey
from tests.core.profile.builders import T0_MS, Event, Partition, profiles, schedule_of, small_baseline

PLAN = Plan(
    models=(
        ModelPlan("fraud", segments=("channel",), baseline_events=4, exclude=("debug_*",)),
        ModelPlan("*", baseline_events=3),
    ),
    time=TimePlan(allowed_lateness_ms=5_000, max_future_ms=60_000),
    detection=DetectionPlan(pane_ms=10_000),
)
BASELINE = small_baseline(segments={"channel": [["web", "app"][n < 40] for n in range(127)]})
"""A reference of its own has `channel=web` alone; `app` counts as other."""
SCHEDULE = schedule_of(BASELINE, T0_MS + 20_000)
"""The first two panes are warm-up, the others have a baseline."""

features = st.fixed_dictionaries(
    {},
    optional={
        "amount": st.integers(-2, 12) | st.floats(-5, 20) | st.sampled_from([None, "12", [1]]),
        "country": st.sampled_from(["AT", "DE", "FR", "XX", None, 5, "y" * 300]),
        "night": st.sampled_from([True, False, None, 1]),
        "extra": st.integers(0, 3),
        "debug_x": st.just(1),
    },
)
fields = st.fixed_dictionaries(
    {"features": features},
    optional={
        "prediction": st.sampled_from(["ok", "fraud", {"ok": 0.25, "fraud": 0.75}, 3, None]),
        "latency_ms": st.floats(0, 100) | st.just(-1),
        "error": st.sampled_from([True, "timeout", None]),
        "segments": st.sampled_from([{"channel": "web"}, {"channel": "app"}, {}]),
        "sampled_rate": st.sampled_from([1, 10]),
    },
)
events = st.builds(
    Event,
    at_ms=st.integers(-30_000, 70_000),
    lag_ms=st.sampled_from([0, 10, 2_000, -500, 20_000]),
    event_id=st.integers(0, 12).map(str),  # duplicates
    model=st.sampled_from(["fraud", "fraud", "fraud", "churn"]),
    version=st.sampled_from(["7", "7", "8"]),
    fields=fields,
)
Step = Event | int
"""An event, or broker time that advances the partition to so many milliseconds after T0."""
steps = st.lists(
    st.integers(0, 15).flatmap(lambda n: st.integers(-20_000, 40_000) if n == 0 else events), min_size=5, max_size=40
)
cuts = st.sets(st.integers(0, 40), min_size=1, max_size=10)


clocks = st.none() | st.integers(-80_000, 20_000)
"""What the broker's clock showed, in milliseconds after T0: some events are too far ahead of it."""


def run(steps: Sequence[Step], cuts: set[int], clock: int | None = None) -> Partition:
    """Count steps in chunks that end at the cuts and at every idle fact."""
    partition = Partition(PLAN, SCHEDULE)
    if clock is not None:
        partition.chain = replace(partition.chain, broker_ms=T0_MS + clock)
    waiting: list[Event] = []
    for at, step in enumerate(steps):
        if isinstance(step, Event):
            waiting.append(step)
        if at in cuts or not isinstance(step, Event):
            partition.feed(waiting)
            waiting = []
        if not isinstance(step, Event):
            partition.idle(T0_MS + step)
    partition.feed(waiting)
    return partition


def facts(partition: Partition) -> dict[ProfileKey, object]:
    return {key: _facts(profile) for key, profile in profiles(partition.chunks, examples=100).items()}


def ahead(partition: Partition) -> int:
    return sum(chunk.ahead.events for chunk in partition.chunks if chunk.ahead is not None)


def _facts(profile: Profile) -> object:
    """Return all that a profile says; how bins are written is a matter of the record, not of the counts."""
    keep = 4 if not profile.key.baseline and profile.key.model == "fraud" else 3 if not profile.key.baseline else 5
    if profile.key.segment or profile.key.late:
        keep = 5
    known = profile.key.segment in BASELINE.segments
    references = BASELINE.segments[profile.key.segment].series if known else BASELINE.series
    series = {
        name: (
            None if counts.bins is None else counts.dense(references[name].bins).tolist(),
            (counts.missing, counts.absent, counts.invalid, counts.minimum, counts.maximum),
        )
        for name, counts in profile.series.items()
    }
    if not profile.key.baseline:  # a chunk without a value of a feature does not name the feature in warm-up
        series = {name: counts for name, counts in series.items() if counts != (None, (0, None, 0, None, None))}
    examples = [(e.rank, e.event_id, e.tie, e.values, e.invalid, e.segments) for e in profile.examples[:keep]]
    return (profile.rows, profile.demand, series, dict(profile.offsets), examples, profile.undeclared)


@settings(max_examples=200, deadline=None)
@given(steps=steps, cuts=cuts, clock=clocks)
def test_a_profile_does_not_depend_on_the_cuts(steps: list[Step], cuts: set[int], clock: int | None) -> None:
    """Late, disordered, duplicated and future events give the same counts however their chunks are cut."""
    whole, cut = run(steps, set(), clock), run(steps, cuts, clock)

    assert facts(whole) == facts(cut)
    assert (whole.chain.max_ms, whole.chain.idle_ms) == (cut.chain.max_ms, cut.chain.idle_ms)
    assert ahead(whole) == ahead(cut)


@settings(max_examples=100, deadline=None)
@given(steps=steps, cuts=cuts)
def test_nothing_vanishes(steps: list[Step], cuts: set[int]) -> None:
    """Records read are counted, late, rejected or tombstones, chunk by chunk and pane by pane."""
    partition = run(steps, cuts)

    for chunk in partition.chunks:
        counts = chunk.counts
        assert counts.read == counts.counted + counts.late + counts.rejected + counts.tombstones
        assert counts.rejected == len(chunk.rejects)
    everything = profiles(partition.chunks)
    counted = sum(p.events for k, p in everything.items() if not k.segment and not k.late)
    late = sum(p.events for k, p in everything.items() if not k.segment and k.late)
    assert counted == sum(chunk.counts.counted for chunk in partition.chunks)
    assert late == sum(chunk.counts.late for chunk in partition.chunks)
    for key, profile in everything.items():
        for name, series in profile.series.items() if key.baseline else ():
            assert series.bins is not None
            assert profile.events == int(series.bins.sum()) + series.missing + series.invalid, name
