"""The newest records of a topic, within bounds: so many, divided over the partitions that have some, in so much time.

The log is asked for its ends, and read from shortly before them. What stands there may be no record at all: offsets of
transaction markers, of aborted transactions, or that compaction took away. A partition that shows none is read again
from further back.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient

from stream_monitor.kafka.client_settings import KafkaSettings, reader
from stream_monitor.kafka.clients import close_consumer, end_offsets, open_consumer
from stream_monitor.kafka.errors import NotAuthorised, is_transient, kafka_error, stop_for
from stream_monitor.kafka.readers.stored_record import StoredRecord, stored_record
from stream_monitor.kafka.readers.topic import partition_counts

_LOG = logging.getLogger("stream_monitor.kafka.readers")
_POLL_S = 0.1
_BATCH = 500
Range = tuple[int, int]
"""First offset, and the one behind the last."""

_GONE = 1 << 62
"""Where a partition goes on whose records were deleted between question and answer: behind all of them."""

_FURTHER = 16
"""How much further back a partition is read that showed no record."""


@dataclass(frozen=True, slots=True)
class Newest:
    """What was read.

    Attributes:
        records: by partition, each in order of offsets.
        unread: partitions that have offsets and could not be read to their end in time.
        refusal: why nothing could be read; empty otherwise.
    """

    records: Mapping[int, list[StoredRecord]] = field(default_factory=dict)
    unread: tuple[int, ...] = ()
    refusal: str = ""


def newest_records(settings: KafkaSettings, topic: str, *, most: int, within_s: float, admin: AdminClient) -> Newest:
    """Return the newest committed records of a topic; a refusal is part of the answer.

    The group that reading needs a name of is never joined.

    Args:
        settings: of the cluster.
        topic: the topic.
        most: records in all.
        within_s: how long reading may take.
        admin: the client that asks for the ends.

    Raises:
        Misconfigured: the topic does not exist.
    """
    try:
        return _newest(settings, topic, most=most, within_s=within_s, admin=admin)
    except NotAuthorised as error:
        return Newest(refusal=str(error))
    except KafkaException as error:
        inner = kafka_error(error)
        return Newest(refusal=f"{inner.name()}: {inner.str()}")


def _newest(settings: KafkaSettings, topic: str, *, most: int, within_s: float, admin: AdminClient) -> Newest:
    deadline = time.monotonic() + within_s
    places = [
        TopicPartition(topic, number) for count in partition_counts(admin, [topic]).values() for number in range(count)
    ]
    starts = end_offsets(admin, places, earliest=True, timeout_s=within_s)
    ends = end_offsets(admin, places, timeout_s=within_s)
    logs = {number: (starts[name, number], end) for (name, number), end in ends.items() if end > starts[name, number]}
    wanted = newest_ranges(logs, most)
    found: dict[int, list[StoredRecord]] = {}
    unread: set[int] = set()
    consumer = open_consumer(reader(settings), _note)
    try:
        while wanted:
            read = _read(consumer, topic, wanted, deadline=deadline)
            found.update({number: records for number, records in read.records.items() if records})
            unread.update(read.unread)
            wanted = {
                number: (max(logs[number][0], first - _FURTHER * (end - first)), first)
                for number, (first, end) in wanted.items()
                if number not in found and number not in unread and first > logs[number][0]
            }
    finally:
        close_consumer(consumer)
    return Newest({number: found[number] for number in sorted(found)}, tuple(sorted(unread)))


def newest_ranges(logs: Mapping[int, Range], most: int) -> dict[int, Range]:
    """Return what to read of each partition: as much of each as of the others, and more where others have less.

    >>> newest_ranges({0: (0, 1_000), 1: (90, 100), 2: (0, 1_000)}, 500)
    {0: (755, 1000), 1: (90, 100), 2: (755, 1000)}
    >>> newest_ranges({0: (0, 9), 1: (0, 9)}, 1)
    {0: (8, 9)}
    """
    found: dict[int, Range] = {}
    left = most
    by_size = sorted(logs.items(), key=lambda item: (item[1][1] - item[1][0], item[0]))
    for place, (number, (first, end)) in enumerate(by_size):
        own = min(end - first, -(-left // (len(by_size) - place)))
        if own:
            found[number] = (end - own, end)
        left -= own
    return dict(sorted(found.items()))


def _read(consumer: Consumer, topic: str, wanted: Mapping[int, Range], *, deadline: float) -> Newest:
    """Read ranges of partitions side by side until each is at its end."""
    records: dict[int, list[StoredRecord]] = {number: [] for number in wanted}
    open_ends = {number: end for number, (_, end) in wanted.items()}
    consumer.assign([TopicPartition(topic, number, first) for number, (first, _) in wanted.items()])
    while open_ends and time.monotonic() < deadline:
        for message in consumer.consume(_BATCH, _POLL_S):
            number, position = _place(message)
            end = open_ends.get(number)
            if end is None:
                continue
            if message.error() is None and position < end:
                records[number].append(stored_record(message))
                position += 1
            if position >= end:
                del open_ends[number]
                consumer.incremental_unassign([TopicPartition(topic, number)])
    consumer.unassign()
    return Newest(records, tuple(open_ends))


def _place(message: Message) -> tuple[int, int]:
    """Return partition and offset of a record, or of the end of a partition; others are an error or nothing yet."""
    error = message.error()
    number, offset = message.partition(), message.offset()
    if error is None or error.code() == KafkaError._PARTITION_EOF:
        assert number is not None  # both have a place
        assert offset is not None
        return number, offset
    if error.code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):
        return (-1 if number is None else number), _GONE
    stop = stop_for(error, f"read topic {message.topic()}")
    if stop is not None:
        raise stop
    if not is_transient(error):
        raise KafkaException(error)
    return -1, 0


def _note(error: KafkaError) -> None:
    _LOG.debug("newest records: %s: %s", error.name(), error.str())
