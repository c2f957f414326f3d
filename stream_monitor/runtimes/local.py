"""The whole monitor without Kafka: events in, alerts out, through the same core and the same log.

`LocalPipeline` holds `drift-profiles` in memory for as long as a record takes to be judged. Chunks are named, chained
and folded as on Kafka, so the alerts of equal events are equal bytes; what differs is only that nothing is ever lost,
written twice or read by somebody else. Broker time is the largest record time seen.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from stream_monitor.core.baseline import (
    Baseline,
    Schedule,
    activation_lead_ms,
    activation_record,
    proposed_activation_ms,
    start_record,
)
from stream_monitor.core.batch import Batch, RawChunk, empty_batch
from stream_monitor.core.chain import ChainState
from stream_monitor.core.judge import (
    AlertEvent,
    AlertState,
    BaselineProposal,
    GatheringRequest,
    Judge,
    JudgeView,
    Proposal,
    StoredEntry,
    document_records,
    proposal_record,
    why_unwanted,
)
from stream_monitor.core.plan import Plan
from stream_monitor.core.profile import ChunkPosition, LogEntry, ProfiledChunk, profile_chunk
from stream_monitor.core.time import pane_start
from stream_monitor.formats import Decoder, build_decoder
from stream_monitor.runtimes.detectors import resolve_detectors
from stream_monitor.runtimes.rules import resolve_rules

TOPIC_ID = "local"
"""Id of every input topic: nothing is ever recreated here."""

_LEASE = 1


@dataclass(frozen=True, slots=True)
class LocalAlert:
    """An alert event, and the partition of `drift-alerts` that it belongs to."""

    partition: int
    event: AlertEvent


@dataclass(slots=True)
class Totals:
    """What became of all records so far: read = counted + late + rejected + tombstones."""

    read: int = 0
    counted: int = 0
    late: int = 0
    rejected: int = 0
    tombstones: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, chunk: ProfiledChunk) -> None:
        """Add the counts of one chunk."""
        for name in ("read", "counted", "late", "rejected", "tombstones"):
            setattr(self, name, getattr(self, name) + getattr(chunk.counts, name))
        self.reasons.update(str(reject.reason) for reject in chunk.rejects)


@dataclass(slots=True)
class _Source:
    chain: ChainState
    next_offset: int = 0


class LocalPipeline:
    """Both stages in one process, fed by hand.

    Args:
        plan: what is watched, and how.
        group: of the `source` of alerts.
        partitions: judge partitions; alerts of equal events are equal per partition only for an equal number.
        sources: number of partitions of every input topic.
        baselines: each with the instant from which on it is active; known before the first event.
        schedule: the baselines of a log that is replayed; overrides `baselines`.
        on_chunk: told each chunk as it is counted, for metrics.
        declares_start: as a group on Kafka does: from then on an activation needs time to become known.
    """

    def __init__(
        self,
        plan: Plan,
        *,
        group: str,
        partitions: int,
        sources: Mapping[str, int],
        baselines: Sequence[tuple[Baseline, int]] = (),
        schedule: Schedule | None = None,
        on_chunk: Callable[[str, int, ProfiledChunk], None] | None = None,
        declares_start: bool = True,
    ) -> None:
        self.plan = plan
        self._on_chunk = on_chunk
        self.totals = Totals()
        self.proposed: list[Baseline] = []
        self._partitions = partitions
        self._sources = dict(sources)
        self._chains: dict[tuple[str, int], _Source] = {}
        self._lead_ms = activation_lead_ms(plan.time)
        self._schedule = schedule or Schedule(group=group, lead_ms=self._lead_ms)
        self._broker_ms = 0
        self._log_ends = [0] * partitions
        rules, detectors = resolve_rules(plan), resolve_detectors(plan)
        self._judges = [
            Judge(
                plan,
                partition=p,
                partitions=partitions,
                source=f"/stream-monitor/{group}",
                schedule=self.baseline,
                rules=rules,
                detectors=detectors,
            )
            for p in range(partitions)
        ]
        self._decoders: dict[str, Decoder] = {}
        self.alert_states: dict[bytes, bytes] = {}
        if schedule is None:
            for baseline, from_ms in baselines:
                self.publish(baseline, from_ms=from_ms)
            if declares_start:
                self._write_baseline_log(*start_record(group, "local", dict(sources)))

    @property
    def views(self) -> tuple[JudgeView, ...]:
        """What may be shown of every judge partition."""
        return tuple(judge.view() for judge in self._judges)

    def baseline(self, baseline_id: str) -> Baseline | None:
        """Return a published baseline by its id."""
        return self._schedule.get(baseline_id)

    def publish(self, baseline: Baseline, *, from_ms: int) -> None:
        """Publish a baseline and activate it from an instant of event time on."""
        for key, value in baseline.parts():
            self._write_baseline_log(key, value)
        self._write_baseline_log(*activation_record(baseline.model, baseline.version, baseline.id, from_ms))

    def feed(self, chunk: RawChunk) -> list[LocalAlert]:
        """Count one chunk of records of an input partition and judge what it completes.

        Raises:
            ValueError: no input of the plan has that topic, or offsets go backwards.
        """
        batch = self._decoder(chunk.topic).decode(chunk)
        self._broker_ms = max(self._broker_ms, int(chunk.record_ms.max(initial=0)))
        return self.count(
            chunk.topic, chunk.partition, batch, first=int(chunk.offsets[0]), next_offset=int(chunk.offsets[-1]) + 1
        )

    def count(
        self,
        topic: str,
        partition: int,
        batch: Batch,
        *,
        first: int | None = None,
        next_offset: int | None = None,
        idle_until_ms: int | None = None,
    ) -> list[LocalAlert]:
        """Count decoded events of an input partition; without offsets, an empty chunk that names its predecessor."""
        source = self._source(topic, partition)
        first = source.next_offset if first is None else first
        next_offset = source.next_offset if next_offset is None else next_offset
        if source.chain.last.seq == 0:
            source.next_offset = first  # where the first chunk of a partition begins is nobody's business but its own
        if not source.next_offset <= first <= next_offset:
            raise ValueError(f"{topic}-{partition}: offsets must go on from {source.next_offset}, got {first}")
        self._broker_ms = max(self._broker_ms, int(batch.record_ms.max(initial=0)))
        chain = source.chain
        position = ChunkPosition(
            topic=topic,
            partition=partition,
            topic_id=TOPIC_ID,
            source_partitions=self._sources[topic],
            epoch=chain.epoch,
            seq=chain.last.seq + 1,
            lease=chain.lease,
            prev=chain.last,
            first=source.next_offset,
            next=next_offset,
        )
        profiled = profile_chunk(
            batch,
            position=position,
            chain=chain,
            plan=self.plan,
            schedule=self._schedule,
            partitions=self._partitions,
            idle_until_ms=idle_until_ms,
        )
        source.chain = profiled.chain
        source.next_offset = next_offset
        self.totals.add(profiled)
        if self._on_chunk is not None:
            self._on_chunk(topic, partition, profiled)
        return self._judge(profiled.entries)

    def pause(self) -> list[LocalAlert]:
        """Name the last chunk of every partition, as a worker does a second after it; partitions stay open."""
        return [alert for topic, partition in self._all() for alert in self.count(topic, partition, empty_batch())]

    def close(self) -> list[LocalAlert]:
        """Close every pane that holds an event: the end of a file is the end of time."""
        alerts = self.pause()
        newest = [s.chain.max_ms for s in self._chains.values() if s.chain.max_ms is not None]
        if not newest:
            return alerts
        length = self.plan.detection.pane_ms
        end_ms = pane_start(max(newest), length) + length
        for topic, partition in self._all():
            alerts += self.count(topic, partition, empty_batch(), idle_until_ms=end_ms)
        return alerts + self.pause()

    def fold(self, partition: int, entry: StoredEntry) -> list[LocalAlert]:
        """Judge one record of a `drift-profiles` log that was written elsewhere."""
        self._broker_ms = max(self._broker_ms, entry.timestamp_ms)
        alerts = []
        for output in self._judges[partition].fold(entry):
            match output:
                case AlertEvent():
                    alerts.append(LocalAlert(partition, output))
                case AlertState():
                    self._keep(output)
                case BaselineProposal() | GatheringRequest():
                    self._accept(output)
        return alerts

    def _keep(self, state: AlertState) -> None:
        if state.value is None:
            self.alert_states.pop(state.key, None)
        else:
            self.alert_states[state.key] = state.value

    def _judge(self, entries: Sequence[LogEntry]) -> list[LocalAlert]:
        alerts: list[LocalAlert] = []
        for entry in entries:
            offset = self._log_ends[entry.partition]
            self._log_ends[entry.partition] += 1
            alerts += self.fold(entry.partition, StoredEntry(offset, self._broker_ms, entry.key, entry.value))
        return alerts

    def _accept(self, proposal: Proposal) -> None:
        if why_unwanted(proposal, self._schedule, self._broker_ms) is not None:
            return
        if isinstance(proposal, BaselineProposal):
            self.proposed.append(proposal.baseline)
        from_ms = proposed_activation_ms(self._broker_ms, lead_ms=self._lead_ms, pane_ms=self.plan.detection.pane_ms)
        for key, value in [*document_records(proposal), proposal_record(proposal, from_ms, lead_ms=self._lead_ms)]:
            self._write_baseline_log(key, value)

    def _write_baseline_log(self, key: bytes, value: bytes) -> None:
        self._schedule.apply(key, value, self._schedule.next_offset, self._broker_ms)

    def _decoder(self, topic: str) -> Decoder:
        if topic not in self._decoders:
            plans = {source.topic: source for source in self.plan.inputs}
            if topic not in plans:
                raise ValueError(f"inputs: no input has the topic {topic}")
            self._decoders[topic] = build_decoder(plans[topic], self.plan)
        return self._decoders[topic]

    def _source(self, topic: str, partition: int) -> _Source:
        if not 0 <= partition < self._sources.get(topic, 0):
            raise ValueError(f"{topic}: has {self._sources.get(topic, 0)} partitions, got partition {partition}")
        return self._chains.setdefault((topic, partition), _Source(ChainState(TOPIC_ID, lease=_LEASE)))

    def _all(self) -> list[tuple[str, int]]:
        return [(topic, p) for topic, count in sorted(self._sources.items()) for p in range(count)]
