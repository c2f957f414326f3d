"""Chunks of events, baselines and schedules for tests of profiles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import orjson

from stream_monitor.core.baseline import (
    Baseline,
    Constraint,
    Origin,
    OriginType,
    ReferenceTable,
    Schedule,
    activation_record,
    build_baseline,
)
from stream_monitor.core.batch import Batch, RawChunk, empty_batch
from stream_monitor.core.chain import ChainState, ChunkName
from stream_monitor.core.plan import InputPlan, LimitsPlan, Plan
from stream_monitor.core.profile import (
    ChunkPosition,
    Profile,
    ProfiledChunk,
    ProfileKey,
    ProfileRecord,
    ProgressRecord,
    decode,
    merge_profiles,
    profile_chunk,
)
from stream_monitor.formats.native import NativeDecoder
from tests import instants

T0_MS = instants.T0_MS
"""Start of a pane."""

TOPIC = "events"
PARTITIONS = 3
"""Judge partitions."""


@dataclass(frozen=True)
class Event:
    """An event `at_ms` after T0, in a record `lag_ms` later."""

    at_ms: int = 0
    lag_ms: int = 10
    event_id: str = "a"
    model: str = "fraud"
    version: str = "7"
    fields: Mapping[str, object] | None = None

    def value(self) -> bytes:
        head = {
            "event_id": self.event_id,
            "model": self.model,
            "version": self.version,
            "timestamp": T0_MS + self.at_ms,
        }
        return orjson.dumps({**head, **(self.fields or {})})


def raw_chunk(events: Sequence[Event], first: int) -> RawChunk:
    record_ms = np.array([T0_MS + event.at_ms + event.lag_ms for event in events], dtype=np.int64)
    offsets = np.arange(first, first + len(events), dtype=np.int64)
    return RawChunk(TOPIC, 0, offsets, record_ms, [event.value() for event in events])


class Partition:
    """One source partition that is profiled chunk by chunk, its chain state carried along."""

    def __init__(self, plan: Plan, schedule: Schedule | None = None) -> None:
        self.plan = plan
        self.schedule = schedule or Schedule()
        self.chain = ChainState("topic-id", lease=1)
        self.next = 0
        self.chunks: list[ProfiledChunk] = []
        self._decoder = NativeDecoder(InputPlan(TOPIC), plan)

    def feed(self, events: Sequence[Event]) -> ProfiledChunk:
        batch = self._decoder.decode(raw_chunk(events, self.next))
        return self._count(batch, self.next + len(events))

    def idle(self, until_ms: int | None = None) -> ProfiledChunk:
        return self._count(empty_batch(), self.next, until_ms)

    def _count(self, batch: Batch, next_offset: int, idle_until_ms: int | None = None) -> ProfiledChunk:
        position = ChunkPosition(
            topic=TOPIC,
            partition=0,
            topic_id="topic-id",
            source_partitions=1,
            epoch=0,
            seq=self.chain.last.seq + 1,
            lease=self.chain.lease,
            prev=self.chain.last,
            first=self.next,
            next=next_offset,
        )
        chunk = profile_chunk(
            batch,
            position=position,
            chain=self.chain,
            plan=self.plan,
            schedule=self.schedule,
            partitions=PARTITIONS,
            idle_until_ms=idle_until_ms,
        )
        assert chunk.chain.last == ChunkName(position.seq, position.lease)
        self.chain, self.next = chunk.chain, next_offset
        self.chunks.append(chunk)
        return chunk


def records(chunks: Iterable[ProfiledChunk]) -> list[ProfileRecord | ProgressRecord]:
    return [decode(entry.value) for chunk in chunks for entry in chunk.entries]


def profiles(chunks: Iterable[ProfiledChunk], *, examples: int = 5) -> dict[ProfileKey, Profile]:
    """Return what was counted under each key."""
    found: dict[ProfileKey, list[Profile]] = {}
    for record in records(chunks):
        if isinstance(record, ProfileRecord):
            found.setdefault(record.profile.key, []).append(record.profile)
    return {key: merge_profiles(parts, examples=examples) for key, parts in found.items()}


def schedule_of(baseline: Baseline, from_ms: int) -> Schedule:
    schedule = Schedule()
    activation = activation_record(baseline.model, baseline.version, baseline.id, from_ms)
    for offset, (key, value) in enumerate([*baseline.parts(), activation]):
        schedule.apply(key, value, offset, 0)
    return schedule


def small_baseline(
    constraints: Mapping[str, Constraint] | None = None, segments: Mapping[str, Sequence[str | None]] | None = None
) -> Baseline:
    """Return a baseline of 127 rows: numbers with ties, categories, booleans, and the series of serving."""
    rows = 127
    rng = np.random.default_rng(7)
    table = ReferenceTable(
        columns={
            "feature:amount": np.floor(rng.exponential(4.0, rows)),
            "feature:country": [["AT", "DE", "DE", "FR"][n % 4] for n in range(rows)],
            "feature:night": [n % 3 == 0 for n in range(rows)],
            "prediction": [["ok", "fraud"][n % 5 == 0] for n in range(rows)],
            "confidence": rng.uniform(0.5, 1.0, rows).round(2),
            "latency": rng.gamma(4.0, 3.0, rows).round(1),
            "serving_error": [n % 50 == 0 for n in range(rows)],
        },
        select=rng.integers(0, 2**63, rows).astype(np.uint64),
        tie=rng.integers(0, 2**53, rows),
        segments=segments or {},
    )
    origin = Origin(OriginType.DATASET, rows)
    return build_baseline("fraud", "7", table, origin=origin, constraints=constraints, limits=LimitsPlan())
