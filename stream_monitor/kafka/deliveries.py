"""Delivery reports of one batch of records: all of them arrived, or the batch failed.

A producer tells each record's fate in a callback. Whoever commits an offset must know that every record before it is
safe, so a batch is produced through one `Deliveries` and asked once, after the flush.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from stream_monitor.kafka.unwrapped import first_cause, unwrapped

Headers = Sequence[tuple[str, str | bytes | None]]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One record to be written.

    Attributes:
        timestamp_ms: record time, None for the client's clock (topics with LogAppendTime overwrite it).
    """

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    timestamp_ms: int | None = None
    headers: Headers = ()


class UndeliveredRecords(Exception):
    """Records of a batch were refused, or were not acknowledged in time; `error` is the first refusal, if any."""

    def __init__(self, detail: str, error: KafkaError | None = None) -> None:
        super().__init__(detail)
        self.error = error


class Deliveries:
    """The reports of one batch of records."""

    def __init__(self, producer: Producer) -> None:
        self._producer = producer
        self._sent = 0
        self._reported = 0
        self._error: tuple[KafkaError, str] | None = None
        self.last_append_ms: int | None = None

    def produce(self, record: Outgoing, *, timeout_s: float = 5.0) -> None:
        """Hand one record to the producer; a full queue is waited for.

        Raises:
            UndeliveredRecords: the queue stayed full for `timeout_s`.
            KafkaException: the producer refuses the record or is fenced.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                self._send(record)
            except BufferError:
                if time.monotonic() > deadline:
                    raise UndeliveredRecords(f"producer queue full for {timeout_s:g} s") from None
                unwrapped(lambda: self._producer.poll(0.05))
            except KafkaException as error:
                raise first_cause(self._producer, error) from error
            else:
                self._sent += 1
                return

    def flush(self, timeout_s: float) -> None:
        """Wait until every record of the batch is acknowledged.

        Raises:
            UndeliveredRecords: one was refused, or the time is over.
            KafkaException: the producer met a fatal error.
        """
        unwrapped(lambda: self._producer.flush(timeout_s))
        if self._error is not None:
            error, place = self._error
            raise UndeliveredRecords(f"{place}: {error.name()}: {error.str()}", error)
        if self._reported < self._sent:
            missing = self._sent - self._reported
            raise UndeliveredRecords(f"{missing} of {self._sent} records unacknowledged after {timeout_s:g} s")

    def _send(self, record: Outgoing) -> None:
        self._producer.produce(
            record.topic,
            record.value,
            record.key,
            record.partition,
            on_delivery=self._report,
            timestamp=record.timestamp_ms or 0,  # 0: the client's clock
            headers=list(record.headers),
        )

    def _report(self, error: KafkaError | None, message: Message) -> None:
        self._reported += 1
        if error is not None:
            if self._error is None:
                self._error = (error, f"{message.topic()}[{message.partition()}]")
            return
        _, at_ms = message.timestamp()
        if self.last_append_ms is None or at_ms > self.last_append_ms:
            self.last_append_ms = at_ms


def deliver(producer: Producer, records: Sequence[Outgoing], *, timeout_s: float) -> int:
    """Write records and return the largest record time that the broker reported for them, in epoch milliseconds.

    Raises:
        UndeliveredRecords: a record was refused or not acknowledged within `timeout_s`.
        ValueError: there is no record.
    """
    batch = Deliveries(producer)
    for record in records:
        batch.produce(record, timeout_s=timeout_s)
    batch.flush(timeout_s)
    if batch.last_append_ms is None:
        raise ValueError("records: at least one is needed to learn the broker's time")
    return batch.last_append_ms
