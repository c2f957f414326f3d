"""Sends ready-made inference events to an input topic: the producer of `simulate` and of the demo.

Idempotent, keyed by event id, with the event's own time as record time, as a careful scoring service would send them.
"""

from __future__ import annotations

import logging

from confluent_kafka import KafkaError, Message

from stream_monitor.kafka.client_settings import KafkaSettings
from stream_monitor.kafka.clients import open_producer
from stream_monitor.kafka.deliveries import UndeliveredRecords
from stream_monitor.kafka.unwrapped import unwrapped

_LOG = logging.getLogger("stream_monitor.kafka.event_producer")
_FLUSH_S = 30.0


class EventProducer:
    """A producer of one topic; `sent` counts what the broker acknowledged."""

    def __init__(self, settings: KafkaSettings, topic: str) -> None:
        self._topic = topic
        self._producer = open_producer({**settings.producer_config(), "client.id": "stream-monitor-events"}, self._note)
        self._failed: KafkaError | None = None
        self.sent = 0

    def send(self, value: bytes, *, timestamp_ms: int, key: bytes | None = None, partition: int | None = None) -> None:
        """Queue one event; a full queue is waited for.

        Args:
            value: the event.
            timestamp_ms: record time.
            key: decides the partition unless one is given.
            partition: where it goes.

        Raises:
            UndeliveredRecords: an earlier event was refused.
        """
        self._raise_refusal()
        while True:
            try:
                self._producer.produce(
                    self._topic,
                    value,
                    key,
                    -1 if partition is None else partition,
                    on_delivery=self._report,
                    timestamp=timestamp_ms,
                )
            except BufferError:
                unwrapped(lambda: self._producer.poll(0.1))
            else:
                unwrapped(lambda: self._producer.poll(0))
                return

    def flush(self) -> None:
        """Wait until every event is acknowledged.

        Raises:
            UndeliveredRecords: an event was refused, or the broker did not answer in time.
        """
        left = unwrapped(lambda: self._producer.flush(_FLUSH_S))
        self._raise_refusal()
        if left:
            raise UndeliveredRecords(f"{self._topic}: {left} events unacknowledged after {_FLUSH_S:g} s")

    def _raise_refusal(self) -> None:
        if self._failed is not None:
            raise UndeliveredRecords(f"{self._topic}: {self._failed.name()}: {self._failed.str()}", self._failed)

    def _report(self, error: KafkaError | None, _message: Message) -> None:
        if error is None:
            self.sent += 1
        elif self._failed is None:
            self._failed = error

    def _note(self, error: KafkaError) -> None:
        _LOG.warning("event producer: %s: %s", error.name(), error.str())
