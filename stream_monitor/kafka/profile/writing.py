"""Writing a round (steps 9 and 10): the records of each chunk, its dead letters, one flush, and every report looked at.

A commit names what is safe, so nothing is committed before each record of the round is acknowledged. The reports also
tell two facts that no other request gives: the offset of a chunk's progress record, from which a later owner can heal
its chain, and the broker's time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from stream_monitor.kafka.deliveries import Outgoing
from stream_monitor.kafka.errors import RoundFailed, kafka_error, stop_for
from stream_monitor.kafka.failpoints import Failpoints
from stream_monitor.kafka.profile.counting import CountedChunk
from stream_monitor.kafka.profile.owned import InputPartition
from stream_monitor.kafka.stop_request import StopRequest
from stream_monitor.kafka.unwrapped import first_cause, unwrapped

_QUEUE_FULL_POLL_S = 0.05
_FLUSH_SLICE_S = 0.25

_OWN_FAULT = frozenset({KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_RECORD, KafkaError.INVALID_MSG_SIZE})
"""Errors that the record itself causes: the same record would be refused again."""


class RecordRefused(RoundFailed):
    """The broker refuses a record of one chunk for what it is; a smaller chunk may pass."""

    def __init__(self, place: InputPartition, detail: str) -> None:
        super().__init__(detail)
        self.place = place


@dataclass(slots=True)
class Written:
    """What the delivery reports of a round said.

    Attributes:
        at: offset of each chunk's progress record in partition 0 of the profiles topic.
        at_ms: broker time of that record.
        broker_ms: largest time the broker stamped on a record of the profiles topic.
    """

    at: dict[InputPartition, int] = field(default_factory=dict)
    at_ms: dict[InputPartition, int] = field(default_factory=dict)
    broker_ms: int | None = None


class RoundWriter:
    """Writes rounds.

    Args:
        producer: idempotent, without transactions.
        profiles: name of the profiles topic.
        budget_s: how long writing and flushing may take together.
        stopping: shortens the budget once a stop was asked for.
        failpoints: reached half-way through step 9.
    """

    def __init__(
        self, producer: Producer, profiles: str, *, budget_s: float, stopping: StopRequest, failpoints: Failpoints
    ) -> None:
        self._producer = producer
        self._profiles = profiles
        self._budget_s = budget_s
        self._stopping = stopping
        self._failpoints = failpoints

    def write(self, chunks: Iterable[tuple[CountedChunk, list[Outgoing]]]) -> Written:
        """Write chunks with their dead letters and wait until all records are safe.

        Raises:
            RecordRefused: a record of a chunk is refused for its own sake.
            RoundFailed: a record failed, or the budget is spent.
            Stop: the cluster refuses us for good.
        """
        deadline = time.monotonic() + self._budget_s
        reports = _Reports()
        for counted, letters in chunks:
            self._write_chunk(counted, letters, reports, deadline=deadline)
        self._failpoints.reach("profile.10.before")
        while reports.open and not reports.has_failed:
            left_s = min(deadline - time.monotonic(), self._stopping.left_s())
            if left_s <= 0:
                break
            self._serve(min(left_s, _FLUSH_SLICE_S))
        reports.raise_for_failure()
        if reports.open:
            # They may still arrive; nobody will ever name them.
            self._producer.purge(in_queue=True, in_flight=False)
            raise RoundFailed(f"{reports.open} records were not acknowledged in time")
        self._failpoints.reach("profile.10.after")
        return reports.written

    def _serve(self, timeout_s: float) -> None:
        try:
            unwrapped(lambda: self._producer.flush(timeout_s))
        except KafkaException as error:
            # Of no record: the producer itself has ended.
            doing = "write profiles"
            inner = kafka_error(error)
            raise stop_for(inner, doing) or RoundFailed(f"{doing}: {inner.name()}: {inner.str()}") from error

    def _write_chunk(
        self, counted: CountedChunk, letters: list[Outgoing], reports: _Reports, *, deadline: float
    ) -> None:
        place = counted.owned.place
        entries = counted.profiled.entries
        for number, entry in enumerate(entries):
            if number == len(entries) // 2:
                self._failpoints.reach("profile.9.mid")
            is_progress = entry.key is None and entry.partition == 0
            record = Outgoing(self._profiles, entry.partition, entry.key, entry.value)
            self._produce(
                record, place, reports.progress(place) if is_progress else reports.profile(place), deadline=deadline
            )
            reports.open += 1
        for letter in letters:
            self._produce(letter, place, reports.letter(place), deadline=deadline)
            reports.open += 1

    def _produce(self, record: Outgoing, place: InputPartition, report: Report, *, deadline: float) -> None:
        while True:
            try:
                self._producer.produce(
                    record.topic,
                    record.value,
                    record.key,
                    record.partition,
                    on_delivery=report,
                    headers=list(record.headers),
                )
            except BufferError:
                if time.monotonic() > deadline or self._stopping.left_s() <= 0:
                    raise RoundFailed(f"producer queue full for {self._budget_s:g} s") from None
                unwrapped(lambda: self._producer.poll(_QUEUE_FULL_POLL_S))
            except KafkaException as error:
                cause = first_cause(self._producer, error)
                raise _failure(kafka_error(cause), place, f"write to {record.topic}") from error
            else:
                return


Report = Callable[[KafkaError | None, Message], None]


class _Reports:
    """Collects the delivery reports of one round."""

    def __init__(self) -> None:
        self.open = 0
        self.written = Written()
        self._failed: tuple[KafkaError, InputPartition, str] | None = None

    def profile(self, place: InputPartition) -> Report:
        """Return the report of a record of the profiles topic."""

        def report(error: KafkaError | None, message: Message) -> None:
            if self._is_delivered(error, message, place):
                self._note_time(message)

        return report

    def progress(self, place: InputPartition) -> Report:
        """Return the report of a chunk's progress record in partition 0."""

        def report(error: KafkaError | None, message: Message) -> None:
            offset = message.offset()
            if self._is_delivered(error, message, place) and offset is not None:
                self.written.at[place] = offset
                self.written.at_ms[place] = message.timestamp()[1]
                self._note_time(message)

        return report

    def letter(self, place: InputPartition) -> Report:
        """Return the report of a dead letter."""

        def report(error: KafkaError | None, message: Message) -> None:
            self._is_delivered(error, message, place)

        return report

    @property
    def has_failed(self) -> bool:
        """Whether a record failed."""
        return self._failed is not None

    def raise_for_failure(self) -> None:
        """Raise what the first failed record demands."""
        if self._failed is not None:
            error, place, doing = self._failed
            raise _failure(error, place, doing)

    def _is_delivered(self, error: KafkaError | None, message: Message, place: InputPartition) -> bool:
        self.open -= 1
        if error is None:
            return True
        if self._failed is None:
            self._failed = (error, place, f"write to {message.topic()}[{message.partition()}]")
        return False

    def _note_time(self, message: Message) -> None:
        _, ms = message.timestamp()
        self.written.broker_ms = ms if self.written.broker_ms is None else max(ms, self.written.broker_ms)


def _failure(error: KafkaError, place: InputPartition, doing: str) -> Exception:
    stop = stop_for(error, doing)
    if stop is not None:
        return stop
    detail = f"{doing}: {error.name()}: {error.str()}"
    return RecordRefused(place, detail) if error.code() in _OWN_FAULT else RoundFailed(detail)
