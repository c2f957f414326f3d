"""Records that were read and are not counted yet, by partition (steps 6 and 7).

The client's message objects are taken apart at once, while they are warm in the cache, and let go: keeping 200,000 of
them until the chunk is cut makes every pass of the garbage collector longer, which cost more than all of this file
(1.1 µs a record against 0.5). An offset is accepted once; what comes again after a partition was taken up anew is
dropped.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import pairwise
from operator import itemgetter

import numpy as np
from confluent_kafka import Message

from stream_monitor.core.arrays import Int64
from stream_monitor.core.batch import RawChunk

Headers = Sequence[tuple[str, bytes | None]]

_timestamp_ms = itemgetter(1)


class Pending:
    """The buffer of one partition.

    Attributes:
        expected: the next offset that will be accepted; moves past trailing markers at the end of the partition.
        bytes: of the values held.
    """

    def __init__(self, topic: str, partition: int, expected: int) -> None:
        self.expected = expected
        self.bytes = 0
        self._came: deque[tuple[int, float]] = deque()  # records and when, of each run that is held
        self._place = topic, partition
        self._values: list[bytes | None] = []
        self._keys: list[bytes | None] = []
        self._headers: list[object] = []
        self._offsets: list[Int64] = []
        self._record_ms: list[Int64] = []

    def __len__(self) -> int:
        return len(self._values)

    @property
    def since(self) -> float | None:
        """When the oldest of the records held came, seconds of the worker's monotonic clock; None when empty."""
        return self._came[0][1] if self._came else None

    def accept(self, messages: list[Message], now: float) -> int:
        """Take a run of records of this partition, in offset order, and return how many had to be dropped."""
        came = len(messages)
        if _offset(messages[0]) < self.expected:
            messages = [m for m in messages if _offset(m) >= self.expected]
            if not messages:
                return came
        n = len(messages)
        self._came.append((n, now))
        self._values += map(Message.value, messages)
        self._keys += map(Message.key, messages)
        self._headers += map(Message.headers, messages)
        self._offsets.append(np.fromiter(map(Message.offset, messages), np.int64, n))
        self._record_ms.append(np.fromiter(map(_timestamp_ms, map(Message.timestamp, messages)), np.int64, n))
        self.bytes += sum(map(len, messages))
        self.expected = _offset(messages[-1]) + 1
        return came - n

    def reached_end(self, offset: int) -> None:
        """Learn that no record lies between `expected` and `offset`: what is there are markers or compacted records."""
        self.expected = max(self.expected, offset)

    def first(self, records: int) -> tuple[RawChunk, int]:
        """Return the first records held, and the offset up to which they account for the partition.

        The records stay until `drop`.

        Raises:
            ValueError: nothing is held.
        """
        if not self._values:
            raise ValueError("no records are pending")
        offsets, record_ms = self._joined()
        keys, headers = self._keys, self._headers
        whole = records >= len(self._values)
        chunk = RawChunk(
            *self._place,
            offsets if whole else offsets[:records],
            record_ms if whole else record_ms[:records],
            self._values if whole else self._values[:records],
            keys.__getitem__,
            lambda index: _pairs(headers[index]),
        )
        return chunk, self.expected if whole else int(chunk.offsets[-1]) + 1

    def drop(self, records: int) -> None:
        """Forget the first records: they are committed; what is left is as old as it was."""
        if not records:
            return
        offsets, record_ms = self._joined()
        # New lists: the chunk that was counted may still hold the old ones.
        self._values, self._keys, self._headers = (
            self._values[records:],
            self._keys[records:],
            self._headers[records:],
        )
        self._offsets, self._record_ms = [offsets[records:]], [record_ms[records:]]
        self.bytes = sum(len(value) for value in self._values if value is not None)
        while records:
            held, came = self._came.popleft()
            if held > records:
                self._came.appendleft((held - records, came))
            records -= min(held, records)

    def _joined(self) -> tuple[Int64, Int64]:
        self._offsets, self._record_ms = [np.concatenate(self._offsets)], [np.concatenate(self._record_ms)]
        return self._offsets[0], self._record_ms[0]


def runs(messages: list[Message], *, topics: int) -> Iterator[tuple[str, int, list[Message]]]:
    """Cut a mixed list of records into runs of one partition, in order; the list must not hold error events.

    Args:
        messages: as the client gave them.
        topics: how many topics they may come from; with one, nobody looks.
    """
    if not messages:
        return
    n = len(messages)
    partitions: Int64 = np.fromiter(map(Message.partition, messages), np.int64, n)
    changes = partitions[1:] != partitions[:-1]
    if topics > 1:
        names = map(Message.topic, messages)
        changes |= np.fromiter((a != b for a, b in pairwise(names)), bool, n - 1)
    for start, end in pairwise([0, *(np.flatnonzero(changes) + 1).tolist(), n]):
        topic = messages[start].topic()
        assert topic is not None  # only error events are without a place
        yield topic, int(partitions[start]), messages[start:end]


def raw_chunk(messages: list[Message]) -> RawChunk:
    """Return records of one partition, at least one, as a chunk."""
    ((topic, partition, _),) = runs(messages, topics=1)
    pending = Pending(topic, partition, 0)
    pending.accept(messages, 0.0)
    return pending.first(len(messages))[0]


def _offset(message: Message) -> int:
    offset = message.offset()
    assert offset is not None  # only error events are without one
    return offset


def _pairs(found: object) -> Headers:
    if not found:
        return ()
    assert isinstance(found, list)  # the type of `headers` is wider: what producers may pass
    return found
