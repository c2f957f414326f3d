"""One chunk of events, counted: the pure function of the profile stage.

`profile_chunk` turns decoded events, the chain state before them and the baselines into the entries of `drift-profiles`
and the chain state after them. Law: counting a run of events whole, or in pieces with the chain state carried from
piece to piece, gives profiles whose sums are equal, for every cut.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from stream_monitor.core.arrays import Float64
from stream_monitor.core.baseline import Schedule
from stream_monitor.core.batch import Batch, Reject
from stream_monitor.core.chain import ChainState, ChunkName
from stream_monitor.core.keys import judge_partition
from stream_monitor.core.names import ValueReject
from stream_monitor.core.plan import Plan
from stream_monitor.core.profile.codec import chunk_digest, encode
from stream_monitor.core.profile.gathered import WrittenProfile
from stream_monitor.core.profile.group import GroupCounter
from stream_monitor.core.profile.lateness import PlacedEvents, place_events
from stream_monitor.core.profile.parts import encode_profile
from stream_monitor.core.profile.record import Ahead, ChunkCounts, ChunkSource, ProgressRecord


@dataclass(frozen=True, slots=True)
class ChunkPosition:
    """Where a chunk stands: its place in the source partition, its name, and the name of its predecessor.

    Attributes:
        topic_id: id of the source topic.
        source_partitions: partitions that the source topic has.
        prev: last committed chunk.
        first, next: the chunk accounts for the input offsets `[first, next)`.
    """

    topic: str
    partition: int
    topic_id: str
    source_partitions: int
    epoch: int
    seq: int
    lease: int
    prev: ChunkName
    first: int
    next: int

    @property
    def source(self) -> ChunkSource:
        """What every record of the chunk says of it."""
        return ChunkSource(self.topic, self.partition, self.epoch, self.seq, self.lease)


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A record to write to one partition of `drift-profiles`; progress records have no key."""

    partition: int
    key: bytes | None
    value: bytes


@dataclass(frozen=True, slots=True)
class ModelCounts:
    """What a chunk held of one model and version, for metrics.

    Attributes:
        events: rows counted, late ones included, by kind.
        late: those of them that were late.
        serving_errors: rows that carried a serving error.
        latency_ms: valid latencies, as they came.
    """

    events: Mapping[str, int]
    late: int = 0
    serving_errors: int = 0
    latency_ms: Float64 = field(default_factory=lambda: np.empty(0))

    def plus(self, other: ModelCounts) -> ModelCounts:
        """Return the counts of both."""
        kinds = sorted({*self.events, *other.events})
        return ModelCounts(
            {kind: self.events.get(kind, 0) + other.events.get(kind, 0) for kind in kinds},
            self.late + other.late,
            self.serving_errors + other.serving_errors,
            np.concatenate([self.latency_ms, other.latency_ms]),
        )


@dataclass(frozen=True, slots=True)
class ProfiledChunk:
    """A counted chunk, ready to be written and committed.

    Attributes:
        entries: records of `drift-profiles` in writing order: profiles, then one progress record for each partition.
        chain: state after the chunk; `at` is still that of the predecessor: the worker learns it by writing.
        watermark_ms: event time up to which the source partition is complete.
        models: by model and version.
        value_rejects: values left out of good events, by model and reason.
        rejects: records for the dead letters.
        ahead: events stamped too far ahead of the broker's clock.
    """

    entries: tuple[LogEntry, ...]
    chain: ChainState
    counts: ChunkCounts
    watermark_ms: int | None
    models: Mapping[tuple[str, str], ModelCounts] = field(default_factory=dict)
    value_rejects: Mapping[tuple[str, ValueReject], int] = field(default_factory=dict)
    rejects: Sequence[Reject] = ()
    ahead: Ahead | None = None


def profile_chunk(
    batch: Batch,
    *,
    position: ChunkPosition,
    chain: ChainState,
    plan: Plan,
    schedule: Schedule,
    partitions: int,
    idle_until_ms: int | None = None,
) -> ProfiledChunk:
    """Count a chunk.

    Args:
        batch: its events; empty for a chunk that only names its predecessor or carries an idle fact.
        position: its place and name.
        chain: state before it.
        plan: what is watched, and the clock of detection.
        schedule: which baseline is active in which pane.
        partitions: partitions of `drift-profiles`, one judge each.
        idle_until_ms: how far broker time advances the partition after the events of this chunk.
    """
    placed = place_events(
        batch.event_ms,
        batch.record_ms,
        chain=chain,
        pane_ms=plan.detection.pane_ms,
        time=plan.time,
    )
    profiles: list[WrittenProfile] = []
    models: dict[tuple[str, str], ModelCounts] = {}
    rejected = dict(batch.value_rejects)
    for group in batch.groups:
        counter = GroupCounter(
            group, batch.offsets, placed, place=(position.topic, position.partition), plan=plan, schedule=schedule
        )
        profiles += counter.profiles()
        for reason, count in counter.rejects.items():
            rejected[group.model, reason] = rejected.get((group.model, reason), 0) + count
        found = ModelCounts(
            {group.kind: group.rows.size}, counter.late_rows, counter.serving_errors, counter.latency_ms
        )
        known = models.get((group.model, group.version))  # the shape of its events may have changed inside the chunk
        models[group.model, group.version] = found if known is None else known.plus(found)
    after = replace(
        chain,
        last=ChunkName(position.seq, position.lease),
        max_ms=placed.max_ms,
        idle_ms=max((ms for ms in (chain.idle_ms, idle_until_ms) if ms is not None), default=None),
    )
    counts = _chunk_counts(batch, placed)
    watermark_ms = after.watermark_ms(plan.time.allowed_lateness_ms)
    progress = ProgressRecord(
        source=position.source,
        topic_id=position.topic_id,
        source_partitions=position.source_partitions,
        first=position.first,
        next=position.next,
        prev=position.prev,
        records=0,
        digest="",
        watermark_ms=watermark_ms,
        plan=plan.short_hash,
        baselines_next=schedule.next_offset,
        idle_until_ms=after.idle_ms,
        counts=counts,
        max_ms=after.max_ms,
        ahead=_ahead(batch, placed, chain.broker_ms),
    )
    return ProfiledChunk(
        entries=_entries(profiles, progress, partitions),
        chain=after,
        counts=counts,
        watermark_ms=watermark_ms,
        models=models,
        value_rejects=rejected,
        rejects=batch.rejects,
        ahead=progress.ahead,
    )


def _entries(profiles: Sequence[WrittenProfile], progress: ProgressRecord, partitions: int) -> tuple[LogEntry, ...]:
    """Return the records of a chunk by judge partition, each partition's progress record last in it."""
    by_partition: dict[int, list[LogEntry]] = {partition: [] for partition in range(partitions)}
    index = 0
    for written in sorted(profiles, key=lambda written: written.profile.key):
        model = written.profile.key.model
        partition = judge_partition(model, partitions)
        values = encode_profile(written, progress.source, index)
        by_partition[partition] += [LogEntry(partition, model.encode(), value) for value in values]
        index += len(values)
    entries: list[LogEntry] = []
    for partition, own in by_partition.items():
        end = replace(progress, records=len(own), digest=chunk_digest(entry.value for entry in own))
        entries += [*own, LogEntry(partition, None, encode(end))]
    return tuple(entries)


def _ahead(batch: Batch, placed: PlacedEvents, broker_ms: int | None) -> Ahead | None:
    if placed.ahead is None or broker_ms is None:
        return None
    offsets, stamped = batch.offsets[placed.ahead], np.minimum(batch.event_ms, batch.record_ms)[placed.ahead]
    furthest = int(stamped.argmax())
    return Ahead(offsets.size, int(offsets[furthest]), int(stamped[furthest]), broker_ms)


def _chunk_counts(batch: Batch, placed: PlacedEvents) -> ChunkCounts:
    """Return what became of the records; rows of one record share its time, so they are late together."""
    late = 0 if placed.late is None else int(np.unique(batch.offsets[placed.late]).size)
    rejected = len(batch.rejects)
    return ChunkCounts(batch.read, batch.read - late - rejected - batch.tombstones, late, rejected, batch.tombstones)
