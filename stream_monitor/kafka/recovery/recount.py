"""Counts a range of an input partition again: PROFILE is pure, so the counts are those that were lost.

What a chunk needs beside its records is the watermark before it, which the judge knows, and the baselines, which are
chosen by event time. Only an idle fact inside the range cannot be known again: it could have made events late.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from confluent_kafka import KafkaError

from stream_monitor.core.baseline import Schedule
from stream_monitor.core.batch import Decoder
from stream_monitor.core.chain import ChainState
from stream_monitor.core.plan import Plan
from stream_monitor.core.profile import LogEntry, ProfileRecord, decode
from stream_monitor.kafka.client_settings import KafkaSettings, reader
from stream_monitor.kafka.partition_reader import PartitionReader
from stream_monitor.kafka.profile.counting import Counter
from stream_monitor.kafka.profile.healing import LogRange
from stream_monitor.kafka.profile.owned import InputPartition, OwnedPartition

_CHUNK_RECORDS = 50_000
_PATIENCE_S = 60.0
_NO_CUT = 1 << 40


@dataclass(frozen=True, slots=True)
class MissingRange:
    """Input offsets `[first, next)` of a partition, and the watermark before them; None when there was none."""

    place: InputPartition
    first: int
    next: int
    watermark_ms: int | None


@dataclass(slots=True)
class Recount:
    """Counts missing ranges, each once for all judge partitions.

    Attributes:
        topic_ids: ids of the input topics now.
        logs: offsets of the input partitions now.
        partitions: of `drift-profiles`.
    """

    settings: KafkaSettings
    plan: Plan
    schedule: Schedule
    decoders: Mapping[str, Decoder]
    topic_ids: Mapping[str, str]
    logs: Mapping[InputPartition, LogRange]
    partitions: int
    _known: dict[MissingRange, list[LogEntry]] = field(default_factory=dict)

    def why_not(self, missing: MissingRange, topic_id: str) -> str | None:
        """Return why a range cannot be counted again, None when it can.

        Args:
            missing: the range.
            topic_id: of the topic that was counted.
        """
        log = self.logs.get(missing.place)
        if log is None:
            return "its topic is no input any more"
        if self.topic_ids[missing.place[0]] != topic_id:
            return "its topic was made anew"
        if missing.first < log.start:
            return f"its topic holds offsets from {log.start} on"
        return None

    def profiles(self, missing: MissingRange, partition: int) -> list[ProfileRecord]:
        """Return the profile records of a range in one judge partition.

        Raises:
            HistoryUnusable: a record of the range is not in the topic any more.
            Stop: the cluster refuses us.
        """
        if missing not in self._known:
            self._known[missing] = self._count(missing)
        records = [decode(e.value) for e in self._known[missing] if e.partition == partition and e.key is not None]
        return [record for record in records if isinstance(record, ProfileRecord)]

    def _count(self, missing: MissingRange) -> list[LogEntry]:
        topic, partition = missing.place
        lateness_ms = self.plan.time.allowed_lateness_ms
        max_ms = None if missing.watermark_ms is None else missing.watermark_ms + lateness_ms
        chain = ChainState(self.topic_ids[topic], max_ms=max_ms)
        owned = OwnedPartition(topic, partition, 1, missing.first, chain, 0.0, 0.0)
        counter = Counter(self.plan, self.schedule, self.decoders, self.partitions, _NO_CUT)
        entries: list[LogEntry] = []
        source = PartitionReader(reader(self.settings), topic, partition, start=missing.first, on_error=_ignore)
        try:
            for messages in source.read_until(missing.next, patience_s=_PATIENCE_S):
                wanted = [m for m in messages if (m.offset() or 0) < missing.next]
                if wanted:
                    owned.pending.accept(wanted, 0.0)
                if len(owned.pending) >= _CHUNK_RECORDS:
                    entries += _counted(counter, owned)
        finally:
            source.close()
        if len(owned.pending):
            entries += _counted(counter, owned)
        return entries


def _counted(counter: Counter, owned: OwnedPartition) -> list[LogEntry]:
    """Count what is pending and move on behind it."""
    entries: list[LogEntry] = []
    while len(owned.pending):
        chunk = counter.count(owned, limit=_CHUNK_RECORDS)
        entries += chunk.profiled.entries
        owned.next, owned.chain = chunk.next, chunk.profiled.chain
        owned.pending.drop(chunk.records)
    return entries


def _ignore(_error: KafkaError) -> None:
    """Nothing to do: what matters comes with the records."""
