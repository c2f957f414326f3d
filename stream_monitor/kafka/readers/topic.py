"""Reads topics: everything up to their end as it is now, or all that comes from now on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from confluent_kafka import OFFSET_BEGINNING, OFFSET_END, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from stream_monitor.kafka.client_settings import KafkaSettings, reader
from stream_monitor.kafka.clients import end_offsets, open_admin, open_consumer, patiently
from stream_monitor.kafka.errors import Misconfigured, is_transient, stop_for
from stream_monitor.kafka.partition_reader import PartitionReader
from stream_monitor.kafka.readers.stored_record import StoredRecord, stored_record
from stream_monitor.kafka.topics import count_partitions

_LOG = logging.getLogger("stream_monitor.kafka.readers")
_POLL_S = 0.2
_BATCH = 500
_PATIENCE_S = 30.0


@dataclass(frozen=True, slots=True)
class Span:
    """What is wanted of a partition: offsets, or record times; None is open.

    Attributes:
        first: first offset.
        next: offset behind the last one.
        since_ms: records from this record time on (found by the broker's index).
        until_ms: records before this record time.
    """

    first: int | None = None
    next: int | None = None
    since_ms: int | None = None
    until_ms: int | None = None


ALL = Span()


def read_topics(settings: KafkaSettings, topics: Sequence[str], *, span: Span = ALL) -> Iterator[StoredRecord]:
    """Yield the committed records of topics up to their present ends, by topic, partition and offset.

    Raises:
        Misconfigured: a topic does not exist.
        Stop: the cluster refuses us.
    """
    admin = open_admin(settings)
    for topic, count in partition_counts(admin, topics).items():
        for partition in range(count):
            yield from read_partition(settings, topic, partition, span=span, admin=admin)


def read_partition(
    settings: KafkaSettings, topic: str, partition: int, *, span: Span = ALL, admin: AdminClient | None = None
) -> Iterator[StoredRecord]:
    """Yield the committed records of one partition up to its present end.

    Raises:
        HistoryUnusable: a wanted offset is not in the log any more.
        Stop: the cluster refuses us.
    """
    admin = admin or open_admin(settings)
    place = TopicPartition(topic, partition)
    end = end_offsets(admin, [place])[topic, partition]
    if span.next is not None:
        end = min(end, span.next)
    source = PartitionReader(
        reader(settings), topic, partition, start=OFFSET_BEGINNING if span.first is None else span.first, on_error=_note
    )
    try:
        if span.since_ms is not None:
            source.start_at_time(span.since_ms, end)
        for messages in source.read_until(end, patience_s=_PATIENCE_S):
            for message in messages:
                record = stored_record(message)
                if record.offset < end and (span.until_ms is None or record.timestamp_ms < span.until_ms):
                    yield record
    finally:
        source.close()


def follow_topics(
    settings: KafkaSettings, topics: Sequence[str], *, from_beginning: bool = False, is_stopping: Callable[[], bool]
) -> Iterator[StoredRecord]:
    """Yield committed records as they come until `is_stopping` says so, which is asked several times a second.

    Order holds within a partition. Partitions that a topic gains later are not followed.

    Raises:
        Misconfigured: a topic does not exist.
        Stop: the cluster refuses us.
    """
    admin = open_admin(settings)
    start = OFFSET_BEGINNING if from_beginning else OFFSET_END
    places = [
        TopicPartition(topic, partition, start)
        for topic, count in partition_counts(admin, topics).items()
        for partition in range(count)
    ]
    consumer = open_consumer(reader(settings), _note)
    try:
        consumer.assign(places)
        while not is_stopping():
            for message in consumer.consume(_BATCH, _POLL_S):
                error = message.error()
                if error is None:
                    yield stored_record(message)
                else:
                    _raise_unless_passing(error)
    finally:
        consumer.close()


def partition_counts(admin: AdminClient, topics: Sequence[str]) -> dict[str, int]:
    """Return the number of partitions of each topic, in the order given.

    Raises:
        Misconfigured: one does not exist.
        Stop: the cluster refuses us.
    """
    counts = patiently(lambda _: count_partitions(admin, topics), "describe topics", timeout_s=_PATIENCE_S)
    missing = [topic for topic in topics if topic not in counts]
    if missing:
        raise Misconfigured(f"topics missing: {', '.join(missing)}")
    return {topic: counts[topic] for topic in topics}


def _raise_unless_passing(error: KafkaError) -> None:
    if error.code() == KafkaError._PARTITION_EOF:
        return
    stop = stop_for(error, "read")
    if stop is not None:
        raise stop
    if not is_transient(error):
        raise KafkaException(error)


def _note(error: KafkaError) -> None:
    _LOG.debug("reader: %s: %s", error.name(), error.str())
