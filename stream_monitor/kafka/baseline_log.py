"""The topic `drift-baselines`: read to its end into a schedule, and written by whoever builds or activates a baseline.

Workers read it to its end before their first chunk and pause when the reader falls a minute behind, so no event is
counted before its baseline is known (docs/protocol.md, H9).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Producer, TopicPartition

from stream_monitor.core.baseline import (
    Activation,
    Baseline,
    Schedule,
    activation_lead_ms,
    activation_record,
    end_record,
    start_record,
)
from stream_monitor.core.plan import TimePlan
from stream_monitor.kafka.clients import patiently
from stream_monitor.kafka.deliveries import Outgoing, deliver
from stream_monitor.kafka.errors import HistoryUnusable, is_transient, kafka_error, stop_for

MAX_LAG_S = 60.0
"""A reader further behind pauses its worker: an activation is known everywhere within two minutes of being written."""

PARTITION = 0
_POLL_S = 0.1
_BATCH = 500
_PROBE_S = 5.0


class BaselineLog:
    """Follows `drift-baselines` from its beginning and folds it into `schedule`.

    Args:
        reader: a consumer without a group (`settings.reader`), owned by this object from now on.
        topic: name of the topic, one partition.
        schedule: what the records are folded into.
        clock: seconds that never jump. Lag is a *span*, so a wrong wall clock cannot hide it.
    """

    def __init__(
        self, reader: Consumer, topic: str, schedule: Schedule, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.schedule = schedule
        self._reader = reader
        self._topic = topic
        self._clock = clock
        self._position = 0
        self._caught_up: float | None = None
        reader.assign([TopicPartition(topic, PARTITION, OFFSET_BEGINNING)])

    def read_to_end(self, *, timeout_s: float = 60.0) -> None:
        """Fold everything that is committed in the topic now.

        Raises:
            HistoryUnusable: the end was not reached within `timeout_s`, although the broker answers.
            KafkaException: the broker does not answer.
            Stop: the cluster refuses us.
        """
        if not self.refresh(budget_s=timeout_s):
            self._ask_end(_PROBE_S)
            raise HistoryUnusable(f"{self._topic}: end not reached within {timeout_s:g} s")

    def refresh(self, *, budget_s: float = 1.0) -> bool:
        """Fold what came since the last call; True when the end that the broker told first was reached.

        Raises:
            Stop: the cluster refuses us.
        """
        asked = self._clock()
        # Errors and log lines of this client wait for it, too: unserved they would pile up in an outage, and be told as
        # news with the next baseline, hours later.
        self._take(0.0)
        end = self._end(budget_s)
        if end is None:
            return False
        while self._position < end:
            left_s = budget_s - (self._clock() - asked)
            if left_s <= 0:
                return False
            self._take(min(_POLL_S, left_s))
        self._caught_up = asked
        return True

    def _take(self, wait_s: float) -> None:
        """Fold what the client holds or gets within a time."""
        for message in self._reader.consume(_BATCH, wait_s):
            error = message.error()
            if error is not None:
                self._note(error, message.offset())
                continue
            offset = message.offset()
            assert offset is not None  # only error events are without one
            _, appended_ms = message.timestamp()
            key, value = message.key(), message.value()
            if key is not None:
                self.schedule.apply(key, value, offset, appended_ms)
            self._position = offset + 1

    def lag_s(self) -> float:
        """Return how long ago everything in the topic was known, in seconds; infinite before that was so once."""
        return float("inf") if self._caught_up is None else self._clock() - self._caught_up

    def is_behind(self) -> bool:
        """Say whether counting must wait for this reader."""
        return self.lag_s() > MAX_LAG_S

    def document(self, baseline_id: str, *, timeout_s: float = 10.0) -> Baseline:
        """Return a baseline by its id, reading on when it is not known yet.

        Raises:
            HistoryUnusable: records name a baseline that the topic does not hold.
        """
        deadline = self._clock() + timeout_s
        while True:
            baseline = self.schedule.get(baseline_id)
            if baseline is not None:
                return baseline
            if self.refresh() and self.schedule.get(baseline_id) is None:
                if self._clock() >= deadline:
                    raise HistoryUnusable(f"{self._topic}: no complete document {baseline_id}")
                time.sleep(_POLL_S)

    def close(self) -> None:
        """Close the reader."""
        self._reader.close()

    def _end(self, budget_s: float) -> int | None:
        """Return the last stable offset, or None when the broker does not tell now."""
        try:
            return self._ask_end(min(budget_s, _PROBE_S))
        except KafkaException as error:
            if is_transient(kafka_error(error)):
                return None
            raise

    def _ask_end(self, timeout_s: float) -> int:
        partition = TopicPartition(self._topic, PARTITION)
        _, end = patiently(
            lambda left_s: self._reader.get_watermark_offsets(partition, timeout=left_s, cached=False),
            f"end of {self._topic}",
            timeout_s=timeout_s,
        )
        return end

    def _note(self, error: KafkaError, offset: int | None) -> None:
        if error.code() == KafkaError._PARTITION_EOF:
            assert offset is not None  # an end of partition is a position
            self._position = max(self._position, offset)  # counts trailing transaction markers
            return
        stop = stop_for(error, f"read {self._topic}")
        if stop is not None:
            raise stop
        if not is_transient(error):
            raise KafkaException(error)


@dataclass(frozen=True, slots=True)
class BaselineWriter:
    """Writes documents, activations and start records, each acknowledged before the call returns.

    Attributes:
        producer: idempotent or inside a transaction.
        topic: name of `drift-baselines`.
        timeout_s: how long an acknowledgement may take.
    """

    producer: Producer
    topic: str
    timeout_s: float = 10.0

    def document(self, baseline: Baseline) -> int:
        """Write a baseline in parts and return the broker time of the last one, in epoch milliseconds."""
        return self.records(baseline.parts())

    def activation(self, baseline: Baseline, from_ms: int, *, lead_ms: int | None = None) -> int:
        """Write that a baseline is active from a pane on and return the broker time of the record.

        The record is void when that time plus the lead is after `from_ms` and the group has started: compare them.
        """
        own = activation_record(baseline.model, baseline.version, baseline.id, from_ms, lead_ms=lead_ms)
        return self.records([own])

    def end(self, activation: Activation, until_ms: int, *, lead_ms: int | None = None) -> int:
        """Write that an activation does not count from a pane on and return the broker time of the record."""
        return self.records([end_record(activation, until_ms, lead_ms=lead_ms)])

    def start(self, *, group: str, instance: str, partitions: Mapping[str, int]) -> int:
        """Write that a group begins to count, with the partition count of every input; return its broker time."""
        return self.records([start_record(group, instance, partitions)])

    def records(self, records: Sequence[tuple[bytes, bytes]]) -> int:
        """Write records, at least one, and return the broker time of the last."""
        outgoing = [Outgoing(self.topic, PARTITION, key, value) for key, value in records]
        return deliver(self.producer, outgoing, timeout_s=self.timeout_s)


def is_void(plan: TimePlan, *, written_ms: int, from_ms: int) -> bool:
    """Say whether an activation written at a broker time comes too late for its pane, once the group has started.

    >>> is_void(TimePlan(), written_ms=0, from_ms=419_999)
    True
    """
    return from_ms < written_ms + activation_lead_ms(plan)
