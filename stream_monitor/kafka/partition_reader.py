"""Reads one partition from an offset to a known end, in slices, without a group.

An end that was asked of the broker is reached by a record *or* by an end-of-partition event at or after it: the last
offsets of a log may be transaction markers, which no record stands for. An event *before* a high watermark means that a
transaction is open there: reading goes on until it is decided.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from stream_monitor.kafka.client_settings import ClientConfig
from stream_monitor.kafka.clients import open_consumer, patiently
from stream_monitor.kafka.errors import HistoryUnusable, is_transient, stop_for

_POLL_S = 0.1
_BATCH = 500
_ASK_S = 30.0
_PROBE_S = 5.0


class PartitionReader:
    """A consumer of one partition, at one position.

    Args:
        config: of a reader (`settings.reader`).
        topic: the topic.
        partition: the partition.
        start: first offset wanted, or OFFSET_BEGINNING.
        on_error: hears the client's global errors.
    """

    def __init__(
        self, config: ClientConfig, topic: str, partition: int, *, start: int, on_error: Callable[[KafkaError], None]
    ) -> None:
        self.position = max(start, 0)
        self._topic = topic
        self._partition = partition
        self._place = f"{topic}[{partition}]"
        self._consumer: Consumer = open_consumer(config, on_error)
        self._consumer.assign([TopicPartition(topic, partition, start)])

    def start_at_time(self, since_ms: int, end: int) -> None:
        """Move to the first record whose time is at or after `since_ms`; to `end` when there is none.

        Raises:
            Stop: the cluster refuses us.
            KafkaException: no answer.
        """
        wanted = TopicPartition(self._topic, self._partition, since_ms)
        (found,) = patiently(
            lambda left_s: self._consumer.offsets_for_times([wanted], timeout=left_s),
            f"offset of a time in {self._place}",
            timeout_s=_ASK_S,
        )
        self.position = end if found.offset < 0 else max(self.position, found.offset)
        self._consumer.assign([TopicPartition(self._topic, self._partition, self.position)])

    def read(self) -> list[Message]:
        """Return the next records, none after a short while without any; `position` moves behind them.

        Raises:
            HistoryUnusable: the position is not in the log any more.
            Stop: the cluster refuses us.
        """
        records = []
        for message in self._consumer.consume(_BATCH, _POLL_S):
            offset = message.offset()
            error = message.error()
            if error is None:
                assert offset is not None  # a record has one
                records.append(message)
                self.position = offset + 1
            elif error.code() == KafkaError._PARTITION_EOF:
                assert offset is not None  # so has an end
                self.position = max(self.position, offset)
            else:
                self._raise(error)
        return records

    def read_until(self, end: int, *, patience_s: float) -> Iterator[list[Message]]:
        """Yield slices of records, some of them empty, until the position is at or after `end`.

        Records at or after `end` may be among them.

        Raises:
            HistoryUnusable: the position is lost, or did not move for `patience_s` although the broker answers.
            KafkaException: the broker does not answer.
            Stop: the cluster refuses us.
        """
        seen, since = self.position, time.monotonic()
        while self.position < end:
            yield self.read()
            if self.position > seen:
                seen, since = self.position, time.monotonic()
            elif time.monotonic() - since > patience_s:
                self._check_broker()
                raise HistoryUnusable(
                    f"{self._place}: no record between offset {self.position} and {end} for {patience_s:g} s:"
                    " a transaction is open, or the log was cut"
                )

    def _check_broker(self) -> None:
        """Return if the broker answers: silence of a broker that is away says nothing about the log."""
        partition = TopicPartition(self._topic, self._partition)
        self._consumer.get_watermark_offsets(partition, timeout=_PROBE_S, cached=False)

    def close(self) -> None:
        """Close the consumer."""
        self._consumer.close()

    def _raise(self, error: KafkaError) -> None:
        stop = stop_for(error, f"read {self._place}")
        if stop is not None:
            raise stop
        if error.code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):
            raise HistoryUnusable(f"{self._place}: offset {self.position} is not in the log any more")
        if not is_transient(error):
            raise KafkaException(error)
