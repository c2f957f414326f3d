"""Records that were read and are not counted yet, by partition (steps 6 and 7).

`Pending` holds what the client gave, as it gave it: nothing is done to a record before its chunk is cut. It accepts
each offset once; what comes again after a partition was taken up anew is dropped and counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from operator import itemgetter

import numpy as np
from confluent_kafka import Message

from stream_monitor.core.arrays import Int64
from stream_monitor.core.batch import RawChunk

_timestamp_ms = itemgetter(1)


class Pending:
    """The buffer of one partition.

    Attributes:
        expected: the next offset that will be accepted; moves past trailing markers at the end of the partition.
        bytes: of the values held.
        since: when the oldest of the records held came, seconds of the worker's monotonic clock; None when empty.
    """

    def __init__(self, expected: int) -> None:
        self.expected = expected
        self.bytes = 0
        self.since: float | None = None
        self._messages: list[Message] = []

    def __len__(self) -> int:
        return len(self._messages)

    def accept(self, messages: list[Message], now: float) -> int:
        """Take a run of records of this partition, in offset order, and return how many had to be dropped."""
        came = len(messages)
        if _offset(messages[0]) < self.expected:
            messages = [m for m in messages if _offset(m) >= self.expected]
            if not messages:
                return came
        if self.since is None:
            self.since = now
        self._messages += messages
        self.bytes += sum(map(len, messages))
        self.expected = _offset(messages[-1]) + 1
        return came - len(messages)

    def reached_end(self, offset: int) -> None:
        """Learn that no record lies between `expected` and `offset`: what is there are markers or compacted records."""
        self.expected = max(self.expected, offset)

    def first(self, records: int) -> tuple[RawChunk, int]:
        """Return the first records held, and the offset up to which they account for the partition.

        The records stay until `drop`.

        Raises:
            ValueError: nothing is held.
        """
        if not self._messages:
            raise ValueError("no records are pending")
        whole = records >= len(self._messages)
        messages = self._messages if whole else self._messages[:records]
        chunk = raw_chunk(messages)
        return chunk, self.expected if whole else int(chunk.offsets[-1]) + 1

    def drop(self, records: int, now: float) -> None:
        """Forget the first records: they are committed."""
        rest = self._messages[records:]
        self._messages = rest
        self.bytes = sum(map(len, rest))
        self.since = now if rest else None

    def reset(self, expected: int) -> None:
        """Forget everything and accept from an offset on."""
        self._messages = []
        self.bytes = 0
        self.since = None
        self.expected = expected


def raw_chunk(messages: Sequence[Message]) -> RawChunk:
    """Return records of one partition as a chunk; keys and headers are looked up only where they are asked for."""
    n = len(messages)
    topic, partition = messages[0].topic(), messages[0].partition()
    assert topic is not None  # only error events are without a place
    assert partition is not None

    def headers_of(index: int) -> Sequence[tuple[str, bytes | None]]:
        return _headers(messages[index])

    return RawChunk(
        topic,
        partition,
        np.fromiter(map(Message.offset, messages), np.int64, n),
        np.fromiter(map(_timestamp_ms, map(Message.timestamp, messages)), np.int64, n),
        list(map(Message.value, messages)),
        lambda index: messages[index].key(),
        headers_of,
    )


def runs(messages: list[Message]) -> Iterator[tuple[str, int, list[Message]]]:
    """Cut a mixed list of records into runs of one partition, in order; the list must not hold error events."""
    if not messages:
        return
    n = len(messages)
    partitions: Int64 = np.fromiter(map(Message.partition, messages), np.int64, n)
    changes = partitions[1:] != partitions[:-1]
    topics = list(map(Message.topic, messages))
    if topics.count(topics[0]) != n:
        changes |= np.fromiter((a != b for a, b in pairwise(topics)), bool, n - 1)
    starts = [0, *(np.flatnonzero(changes) + 1).tolist(), n]
    for start, end in pairwise(starts):
        topic = topics[start]
        assert topic is not None  # only error events are without a place
        yield topic, int(partitions[start]), messages[start:end]


def _offset(message: Message) -> int:
    offset = message.offset()
    assert offset is not None  # only error events are without one
    return offset


def _headers(message: Message) -> Sequence[tuple[str, bytes | None]]:
    found = message.headers() or []
    pairs = found.items() if isinstance(found, dict) else found
    return [(name, value.encode() if isinstance(value, str) else value) for name, value in pairs]
