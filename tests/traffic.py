"""Made-up traffic for tests of the core: events as columns, cut into chunks, counted and judged without Kafka.

Event time, arrival, source partition and chunk cuts are all data of the test, so late, disordered and duplicated
events, empty chunks and silent partitions are ordinary input.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import msgspec
import numpy as np

from stream_monitor.core.alerts.event import AlertCloudEvent, decode
from stream_monitor.core.arrays import Float64, Int64, Intp
from stream_monitor.core.baseline import (
    Baseline,
    Origin,
    OriginType,
    ReferenceTable,
    Schedule,
    activation_lead_ms,
    activation_record,
    build_baseline,
    proposed_activation_ms,
    start_record,
)
from stream_monitor.core.batch import Batch, Column, Group, NumericColumn, ObjectColumn, empty_batch
from stream_monitor.core.chain import ChainState
from stream_monitor.core.detectors import DetectorClass
from stream_monitor.core.judge import (
    AlertEvent,
    AlertState,
    BaselineProposal,
    GatheringRequest,
    Judge,
    Output,
    StoredEntry,
    document_records,
    proposal_record,
    why_unwanted,
)
from stream_monitor.core.keys import judge_partition, row_hashes
from stream_monitor.core.plan import LimitsPlan, Plan
from stream_monitor.core.profile import ChunkPosition, LogEntry, profile_chunk
from stream_monitor.core.rules import RuleFactory
from tests import instants

TOPIC = "inference-events"
T0 = instants.T0_MS
"""Start of every story, on a pane edge."""

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE


@dataclass(frozen=True, eq=False)
class Events:
    """Events of one model version, as columns in the order of arrival.

    Attributes:
        at_ms: event time, shape (n,).
        record_ms: Kafka's time of each record, shape (n,).
        numbers: numeric series; NaN is missing.
        texts: categorical series; None is missing.
        segments: values of segments; None is none.
    """

    model: str
    version: str
    ids: Sequence[str]
    at_ms: Int64
    record_ms: Int64
    numbers: Mapping[str, Float64] = field(default_factory=dict)
    texts: Mapping[str, Sequence[str | bool | None]] = field(default_factory=dict)
    segments: Mapping[str, Sequence[str | None]] = field(default_factory=dict)

    def __len__(self) -> int:
        return self.at_ms.size

    def take(self, rows: Intp) -> Events:
        """Return some of the events, in the given order."""
        return replace(
            self,
            ids=[self.ids[i] for i in rows],
            at_ms=self.at_ms[rows],
            record_ms=self.record_ms[rows],
            numbers={name: values[rows] for name, values in self.numbers.items()},
            texts={name: [values[i] for i in rows] for name, values in self.texts.items()},
            segments={name: [values[i] for i in rows] for name, values in self.segments.items()},
        )

    def columns(self) -> dict[str, Column]:
        """Return the series as a decoder would."""
        columns: dict[str, Column] = {name: NumericColumn(values) for name, values in self.numbers.items()}
        return columns | {name: ObjectColumn(values) for name, values in self.texts.items()}


def batch_of(parts: Sequence[Events], first: int) -> Batch:
    """Return a decoded chunk whose records are the events of all parts, in the order of arrival."""
    parts = [part for part in parts if len(part)]
    if not parts:
        return empty_batch()
    record_ms = np.concatenate([part.record_ms for part in parts])
    order = np.argsort(record_ms, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(order.size)
    groups, start = [], 0
    for part in parts:
        rows = place[start : start + len(part)]
        start += len(part)
        own = np.argsort(rows)
        part = part.take(own)
        select, tie = row_hashes(part.model, part.ids)
        columns, segments = part.columns(), part.segments
        groups.append(Group(part.model, part.version, rows[own], part.ids, select, tie, None, columns, segments))
    return Batch(
        read=order.size,
        offsets=np.arange(first, first + order.size),
        record_ms=record_ms[order],
        event_ms=np.concatenate([part.at_ms for part in parts])[order],
        groups=groups,
    )


def baseline_of(events: Events) -> Baseline:
    """Return the baseline that all these events make."""
    select, tie = row_hashes(events.model, events.ids)
    table = ReferenceTable({**events.numbers, **events.texts}, select, tie, segments=events.segments)
    origin = Origin(OriginType.DATASET, len(events))
    return build_baseline(events.model, events.version, table, origin=origin, limits=LimitsPlan())


@dataclass(slots=True)
class _Source:
    chain: ChainState
    next: int = 0


class Monitor:
    """Both stages without Kafka: chunks of events in, entries of the log and alerts out.

    Args:
        plan: the plan.
        partitions: judge partitions.
        sources: source partitions of the one topic.
        baselines: each active from an instant of event time on.
        rules: factories of rules of the user's.
        detectors: classes of detectors of the user's.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        partitions: int = 1,
        sources: int = 1,
        baselines: Sequence[tuple[Baseline, int]] = (),
        rules: Mapping[str, RuleFactory] | None = None,
        detectors: Mapping[str, DetectorClass] | None = None,
    ) -> None:
        self.plan = plan
        self.rules = rules
        self.detectors = detectors
        self.partitions = partitions
        self.sources = [_Source(ChainState("local", lease=1)) for _ in range(sources)]
        self.lead_ms = activation_lead_ms(plan.time)
        self.schedule = Schedule(group="test", lead_ms=self.lead_ms)
        self.broker_ms = 0
        for baseline, from_ms in baselines:
            self.publish(baseline, from_ms=from_ms)
        self.write_baselines([start_record("test", "0", {TOPIC: sources})])
        self.log: list[list[StoredEntry]] = [[] for _ in range(partitions)]
        self.judges = [self.judge(p) for p in range(partitions)]
        self.outputs: list[list[Output]] = [[] for _ in range(partitions)]
        self.counted = 0

    def judge(self, partition: int, state: bytes | None = None) -> Judge:
        """Return a judge of a partition."""
        return Judge(
            self.plan,
            partition=partition,
            partitions=self.partitions,
            source="/stream-monitor/test",
            schedule=self.schedule.get,
            rules=self.rules,
            detectors=self.detectors,
            state=state,
        )

    def publish(self, baseline: Baseline, *, from_ms: int) -> None:
        """Publish a baseline and activate it from an instant of event time on."""
        self.write_baselines(baseline.parts())
        self.write_baselines([activation_record(baseline.model, baseline.version, baseline.id, from_ms)])

    def write_baselines(self, records: Sequence[tuple[bytes, bytes]]) -> None:
        """Write to the baseline log."""
        for key, value in records:
            self.schedule.apply(key, value, self.schedule.next_offset, self.broker_ms)

    def chunk(self, partition: int, *parts: Events, idle_until_ms: int | None = None) -> list[LogEntry]:
        """Count a chunk of a source partition, judge what it completes, and return its log entries."""
        source = self.sources[partition]
        batch = batch_of(parts, source.next)
        self.broker_ms = max(self.broker_ms, int(batch.record_ms.max(initial=0)))
        chain = source.chain
        position = ChunkPosition(
            topic=TOPIC,
            partition=partition,
            topic_id="local",
            source_partitions=len(self.sources),
            epoch=chain.epoch,
            seq=chain.last.seq + 1,
            lease=chain.lease,
            prev=chain.last,
            first=source.next,
            next=source.next + batch.read,
        )
        profiled = profile_chunk(
            batch,
            position=position,
            chain=chain,
            plan=self.plan,
            schedule=self.schedule,
            partitions=self.partitions,
            idle_until_ms=idle_until_ms,
        )
        source.chain, source.next = profiled.chain, source.next + batch.read
        self.counted += profiled.counts.counted
        self.append(profiled.entries)
        return list(profiled.entries)

    def append(self, entries: Sequence[LogEntry]) -> None:
        """Write entries to the log and fold them."""
        for entry in entries:
            stored = StoredEntry(len(self.log[entry.partition]), self.broker_ms, entry.key, entry.value)
            self.log[entry.partition].append(stored)
            self.fold(entry.partition, stored)

    def fold(self, partition: int, entry: StoredEntry) -> None:
        """Fold one entry; a proposed baseline is published as a worker would."""
        outputs = self.judges[partition].fold(entry)
        self.outputs[partition] += outputs
        for output in outputs:
            if not isinstance(output, BaselineProposal | GatheringRequest):
                continue
            if why_unwanted(output, self.schedule, self.broker_ms) is None:
                pane_ms = self.plan.detection.pane_ms
                from_ms = proposed_activation_ms(self.broker_ms, lead_ms=self.lead_ms, pane_ms=pane_ms)
                self.write_baselines([*document_records(output), proposal_record(output, from_ms)])

    def pause(self) -> None:
        """Name the last chunk of every source partition."""
        for partition in range(len(self.sources)):
            self.chunk(partition)

    def close(self, until_ms: int) -> None:
        """Advance every partition to an instant, as idle facts do."""
        self.pause()
        for partition in range(len(self.sources)):
            self.chunk(partition, idle_until_ms=until_ms)
        self.pause()

    def alerts(self, partition: int | None = None) -> list[AlertCloudEvent]:
        """Return the alert events so far, in order."""
        wanted = range(self.partitions) if partition is None else [partition]
        return [decode(out.value) for p in wanted for out in self.outputs[p] if isinstance(out, AlertEvent)]

    def written(self, partition: int = 0) -> list[tuple[bytes, bytes, int]]:
        """Return the alert records of a partition: key, value, time stamp."""
        found = [out for out in self.outputs[partition] if isinstance(out, AlertEvent)]
        return [(out.key, out.value, out.timestamp_ms) for out in found]

    def states(self) -> dict[bytes, bytes]:
        """Return the compacted alert state of all partitions."""
        latest: dict[bytes, bytes] = {}
        for outputs in self.outputs:
            for out in outputs:
                if isinstance(out, AlertState) and out.value is not None:
                    latest[out.key] = out.value
                elif isinstance(out, AlertState):
                    latest.pop(out.key, None)
        return latest


def partition_of(model: str, partitions: int) -> int:
    """Return the judge partition of a model."""
    return judge_partition(model, partitions)


def plain(event: AlertCloudEvent) -> dict[str, object]:
    """Return an event as builtin values."""
    built: dict[str, object] = msgspec.to_builtins(event)
    return built
