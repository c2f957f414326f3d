"""A consumer of the profile loop whose group membership another client holds: an app of another framework.

The framework reads the records and says which partitions it was given; the loop counts, and its commits, chain state
and all, go back through the framework, whose generation fences them. What the loop needs of a consumer is here, and
nothing of the framework is.

A framework may lose records on its way; one run with Faust 0.15.3 lacked 500 records of each partition after a restart
(its source drops what was fetched while its flow of events is stopped; the cause was not isolated). So offsets are
looked at: what is missing between two records, or at the end of a partition, is
read again by ourselves. (Most gaps are legal, markers of transactions or compacted records: then nothing is found.)

Two more things differ from a consumer of our own. A single partition cannot be paused (one that is far ahead costs
memory in the judge, no more); all of them together can. And a partition cannot be taken up twice in one assignment,
because the framework's position cannot be set back safely: the worker ends instead, and goes on from what is committed.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from stream_monitor.kafka.errors import Fatal
from stream_monitor.kafka.profile.owned import InputPartition
from stream_monitor.kafka.readers.stored_record import StoredRecord

Noted = Callable[["LentConsumer", list[TopicPartition]], None]
"""A callback of the loop; as with a consumer of our own it is called from inside `consume`."""

Fill = Callable[[InputPartition, int, int], Sequence[StoredRecord]]
"""Reads the committed records of a partition with offsets in `[first, next)`."""

TAIL_S = 5.0
"""A partition whose end is known to lie further is read by ourselves when the framework gives nothing for so long."""

REVOKE_WAIT_S = 10.0
"""How long a framework's revocation waits until the loop has let go; later commits are fenced in any case."""


class Verdict(StrEnum):
    """What became of a commit."""

    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class LentConsumer:
    """Stands between a framework's threads, which put, and the loop's thread, which consumes.

    Args:
        reader: a consumer with the group's id that never joins it: it is only asked for committed offsets.
        commit: commits offsets with their metadata through the framework, and waits for the verdict.
        end_of: offset after the last record of a partition, as far as the framework knows.
        fill: reads what the framework has left out.
        capacity: records held before `has_room` says no.
    """

    def __init__(
        self,
        reader: Consumer,
        *,
        commit: Callable[[Mapping[InputPartition, tuple[int, str]]], Verdict],
        end_of: Callable[[InputPartition], int | None],
        fill: Fill,
        capacity: int = 20_000,
    ) -> None:
        self._fill = fill
        self._reader = reader
        self._commit = commit
        self._end_of = end_of
        self._capacity = capacity
        self._changed = threading.Condition()
        self._records: deque[StoredRecord] = deque()
        self._notices: deque[tuple[bool, list[InputPartition]]] = deque()
        self._given: set[InputPartition] = set()
        self._taken: set[InputPartition] = set()
        self._paused: set[InputPartition] = set()
        self._position: dict[InputPartition, int] = {}
        self._reported_end: dict[InputPartition, int] = {}
        self._heard_at: dict[InputPartition, float] = {}
        self._on_assign: Noted = _ignore
        self._on_revoke: Noted = _ignore

    # --- the framework's side -----------------------------------------------------------------------------------------

    def has_room(self) -> bool:
        """Say whether more records may be put."""
        return len(self._records) < self._capacity

    def put(self, record: StoredRecord) -> None:
        """Take one record of a partition that was given, in offset order."""
        with self._changed:
            if (record.topic, record.partition) in self._given:
                self._records.append(record)
                self._changed.notify_all()

    def assigned(self, places: Iterable[InputPartition]) -> None:
        """Take partitions: records put from now on belong to this assignment."""
        with self._changed:
            new = sorted(set(places) - self._given)
            self._given |= set(new)
            self._notices.append((True, new))
            self._changed.notify_all()

    def revoked(self, places: Iterable[InputPartition]) -> None:
        """Give partitions back; waits for a while until the loop has let go of them."""
        with self._changed:
            gone = set(places) & self._given
            self._given -= gone
            self._records = deque(r for r in self._records if (r.topic, r.partition) not in gone)
            self._notices.append((False, sorted(gone)))
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._taken & gone, REVOKE_WAIT_S)

    # --- the loop's side: what it calls on a consumer -----------------------------------------------------------------

    def subscribe(self, _topics: Sequence[str], *, on_assign: Noted, on_revoke: Noted, on_lost: Noted) -> None:
        """Note whom to tell of partitions; the framework has subscribed."""
        del on_lost  # a framework does not say how a partition went
        self._on_assign, self._on_revoke = on_assign, on_revoke

    def unsubscribe(self) -> None:
        """Refuse: the framework's membership is not ours to end.

        Raises:
            Fatal: always.
        """
        raise Fatal("the group has left partitions out: restart the app")

    def consume(self, num_messages: int, timeout: float) -> list[Message]:
        """Return records and ends of partitions, at most so many, after at most so many seconds."""
        with self._changed:
            self._changed.wait_for(lambda: self._notices or self._ready(), timeout)
            notices, self._notices = list(self._notices), deque()
        for given, places in notices:
            partitions = [TopicPartition(*place) for place in places]
            (self._on_assign if given else self._on_revoke)(self, partitions)
        with self._changed:
            taken = self._take(num_messages) if self._ready() else []
        records = [record for own in taken for record in self._whole(own)] or self._tails()
        return [_message(record) for record in records] or self._ends()

    def committed(self, partitions: list[TopicPartition], timeout: float) -> list[TopicPartition]:
        """Return committed offsets and metadata of the group."""
        return self._reader.committed(partitions, timeout=timeout)

    def commit(self, *, offsets: Sequence[TopicPartition], asynchronous: bool) -> list[TopicPartition]:
        """Commit through the framework and wait.

        Raises:
            KafkaException: refused, or not known to be done.
        """
        del asynchronous  # always waited for
        verdict = self._commit({(p.topic, p.partition): (p.offset, p.metadata or "") for p in offsets})
        match verdict:
            case Verdict.DONE:
                return list(offsets)
            case Verdict.REFUSED:
                raise KafkaException(KafkaError(KafkaError.ILLEGAL_GENERATION))
            case Verdict.UNKNOWN:
                raise KafkaException(KafkaError(KafkaError._TIMED_OUT))

    def incremental_assign(self, partitions: Sequence[TopicPartition]) -> None:
        """Begin with partitions at the offsets given; earlier records are dropped by the loop itself.

        Raises:
            Fatal: a partition was taken up before in this assignment.
        """
        with self._changed:
            for partition in partitions:
                place = (partition.topic, partition.partition)
                if place in self._taken:
                    raise Fatal(f"{place[0]}[{place[1]}]: a round was refused: restart, from what is committed")
                self._taken.add(place)
                self._position[place] = partition.offset
                self._heard_at[place] = time.monotonic()

    def incremental_unassign(self, partitions: Sequence[TopicPartition]) -> None:
        """Let go of partitions; those that the framework still holds stay marked: they cannot be taken up again."""
        with self._changed:
            for partition in partitions:
                place = (partition.topic, partition.partition)
                self._paused.discard(place)
                if place not in self._given:
                    self._taken.discard(place)
            self._changed.notify_all()

    def pause(self, partitions: Sequence[TopicPartition]) -> None:
        """Note that partitions wait; records stop only when all of them do."""
        with self._changed:
            self._paused |= {(p.topic, p.partition) for p in partitions}

    def resume(self, partitions: Sequence[TopicPartition]) -> None:
        """Note that partitions go on."""
        with self._changed:
            self._paused -= {(p.topic, p.partition) for p in partitions}
            self._changed.notify_all()

    def get_watermark_offsets(self, partition: TopicPartition, *, cached: bool) -> tuple[int, int]:
        """Return the ends of a partition's log as the framework knows them; the first one is not known."""
        del cached
        return 0, self._end_of((partition.topic, partition.partition)) or 0

    def close(self) -> None:
        """Close the reader of committed offsets; the membership is the framework's."""
        self._reader.close()

    # --- inside -------------------------------------------------------------------------------------------------------

    def _ready(self) -> bool:
        held = not self._taken or self._taken <= self._paused
        return bool(self._records) and not held

    def _ends(self) -> list[Message]:
        """Return an end-of-partition event for every partition whose known end was reached just now."""
        found = []
        for place in sorted(self._taken & self._given):
            end = self._end_of(place)
            if end is not None and self._position[place] >= end and self._reported_end.get(place) != end:
                self._reported_end[place] = end
                eof = KafkaError(KafkaError._PARTITION_EOF)
                found.append(Message(topic=place[0], partition=place[1], offset=end, error=eof))
        return found

    def _take(self, most: int) -> list[StoredRecord]:
        """Return records of partitions that were taken up; those of others wait for it."""
        found: list[StoredRecord] = []
        waiting: deque[StoredRecord] = deque()
        while self._records and len(found) < most:
            record = self._records.popleft()
            (found if (record.topic, record.partition) in self._taken else waiting).append(record)
        waiting.extend(self._records)
        self._records = waiting
        return found

    def _whole(self, record: StoredRecord) -> list[StoredRecord]:
        """Return a record, before it what is missing between it and the one before; nothing if it came before."""
        place = (record.topic, record.partition)
        expected = self._position[place]
        if record.offset < expected:
            return []
        missing = list(self._fill(place, expected, record.offset)) if record.offset > expected else []
        self._position[place] = record.offset + 1
        self._heard_at[place] = time.monotonic()
        return [*missing, record]

    def _tails(self) -> list[StoredRecord]:
        """Return the last records of partitions of which the framework gives nothing although there are some."""
        found: list[StoredRecord] = []
        for place in sorted(self._taken & self._given):
            end = self._end_of(place)
            position = self._position[place]
            if end is None or end <= position or time.monotonic() - self._heard_at[place] < TAIL_S:
                continue
            self._heard_at[place] = time.monotonic()
            tail = list(self._fill(place, position, end))
            if tail:
                self._position[place] = tail[-1].offset + 1
                found += tail
        return found


def _message(record: StoredRecord) -> Message:
    return Message(
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=record.key,
        value=record.value,
        headers=list(record.headers),
        timestamp=(1, record.timestamp_ms),
    )


def _ignore(_consumer: LentConsumer, _partitions: list[TopicPartition]) -> None:
    """Hear nothing: the loop has not subscribed yet."""
