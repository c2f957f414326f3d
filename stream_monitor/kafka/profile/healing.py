"""Takes the chain from the log: where a committed state was set back, and where none is left (step 3, H6, H25).

The client repeats an offset commit inside the call and hides it; a copy that the network held back can be applied
after the next commit and put an older state in its place, with no error seen anywhere. And committed offsets can be
gone: expired, deleted with the group or by hand. But a chunk only ever names a committed one. So a new owner reads
partition 0 of the profiles topic, from the progress record that its state points at or from far enough back, and goes
on behind the latest chunk that is named there.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from stream_monitor.core.chain import ChainState
from stream_monitor.core.profile import ChainTrace, ProgressRecord, decode
from stream_monitor.kafka.errors import HistoryUnusable, is_transient, stop_for
from stream_monitor.kafka.profile.owned import InputPartition

LOOK_BACK = (10_000, 200_000)
"""Records of the log in which a chain is looked for, the nearest first. A partition that is counted writes one every
pane, so a chain that is further back has not been counted for very long."""

_BATCH = 5_000
_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Found:
    """Where a partition goes on.

    Attributes:
        next: offset of the next record to count.
        chain: state there.
        guarded: a crash may lie before it.
        passed: offsets before `next` that were deleted before they were counted, and are passed over.
    """

    next: int
    chain: ChainState
    guarded: bool = False
    passed: int = 0


@dataclass(frozen=True, slots=True)
class LogRange:
    """First offset of a partition's log, and the one after its last record."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Search:
    """What was found of chains whose committed state is gone.

    Attributes:
        traces: by partition.
        start: offset from which the log was read; from 0 on, a partition without a trace was never counted in it.
    """

    traces: Mapping[InputPartition, ChainTrace]
    start: int

    @property
    def reached_start(self) -> bool:
        """Whether the whole log was read, and nothing of it is gone."""
        return self.start == 0


class LogTail:
    """Reads partition 0 of the profiles topic.

    Args:
        reader: a consumer without a group, owned by this object from now on.
        profiles: name of the topic.
    """

    def __init__(self, reader: Consumer, profiles: str) -> None:
        self._reader = reader
        self._profiles = profiles

    def heal(self, found: Mapping[InputPartition, Found], *, end: int, timeout_s: float) -> dict[InputPartition, Found]:
        """Return where each partition really goes on.

        Args:
            found: the committed states; those without `at` have no log to be healed from.
            end: offset after the last record of the log's partition 0, taken after the states were.
            timeout_s: how long to read.

        Raises:
            HistoryUnusable: the log could not be read to `end`, lacks a record that it names, or says that the offset
                was moved without the chain.
            Stop: the cluster refuses us.
        """
        starts = [f.chain.at for f in found.values() if f.chain.at is not None]
        if not starts or min(starts) >= end:
            return dict(found)
        traces = {place: ChainTrace(state.chain.topic) for place, state in found.items()}
        self._read(traces, start=min(starts), end=end, timeout_s=timeout_s)
        return {place: healed(place, state, traces[place]) for place, state in found.items()}

    def search(
        self,
        topic_ids: Mapping[InputPartition, str],
        log: LogRange,
        *,
        timeout_s: float,
        look_back: Sequence[int] = LOOK_BACK,
    ) -> Search:
        """Look for the chains of partitions that have no committed state, as far back as it may take.

        Args:
            topic_ids: id of the topic of each partition.
            log: of the profiles topic's partition 0.
            timeout_s: how long to read, each time.
            look_back: records to read, the nearest first; further back only while a partition has no trace.

        Raises:
            HistoryUnusable: the log could not be read to its end.
            Stop: the cluster refuses us.
        """
        nearest, *further = [max(log.start, log.end - records) for records in look_back]
        search = self._search_from(nearest, topic_ids, log, timeout_s=timeout_s)
        for start in further:
            if start < search.start and any(trace.is_empty for trace in search.traces.values()):
                search = self._search_from(start, topic_ids, log, timeout_s=timeout_s)
        return search

    def _search_from(
        self, start: int, topic_ids: Mapping[InputPartition, str], log: LogRange, *, timeout_s: float
    ) -> Search:
        traces = {place: ChainTrace(topic_id) for place, topic_id in topic_ids.items()}
        self._read(traces, start=start, end=log.end, timeout_s=timeout_s)
        return Search(traces, start)

    def serve(self) -> None:
        """Hear the errors and log lines of the reader, which has nothing to read between two assignments."""
        self._reader.consume(_BATCH, 0.0)

    def close(self) -> None:
        """Close the reader."""
        self._reader.close()

    def _read(self, traces: Mapping[InputPartition, ChainTrace], *, start: int, end: int, timeout_s: float) -> None:
        if start >= end:
            return
        deadline = time.monotonic() + timeout_s
        self._reader.assign([TopicPartition(self._profiles, 0, start)])
        position = start
        while position < end:
            if time.monotonic() > deadline:
                raise HistoryUnusable(f"{self._profiles}[0]: offset {position} of {end} reached in {timeout_s:g} s")
            for message in self._reader.consume(_BATCH, _POLL_S):
                offset, error = message.offset(), message.error()
                if error is not None:
                    position = self._after(error, position, offset)
                    continue
                assert offset is not None  # only error events are without one
                value = message.value()
                if value is not None:
                    note(traces, value, offset, is_progress=message.key() is None)
                position = offset + 1
        self._reader.unassign()

    def _after(self, error: KafkaError, position: int, offset: int | None) -> int:
        if error.code() == KafkaError._PARTITION_EOF and offset is not None:
            return max(position, offset)
        if error.code() == KafkaError._AUTO_OFFSET_RESET:  # retention has passed `at`: what is left decides
            self._reader.assign([TopicPartition(self._profiles, 0, OFFSET_BEGINNING)])
            return position
        stop = stop_for(error, f"read {self._profiles}")
        if stop is not None:
            raise stop
        if not is_transient(error):
            raise KafkaException(error)
        return position


def healed(place: InputPartition, committed: Found, trace: ChainTrace) -> Found:
    """Return a committed state, or that of a later chunk that the log names.

    Raises:
        HistoryUnusable: the log does not hold that chunk, or the offset was moved and the chain state was not.
    """
    name, chain = f"{place[0]}[{place[1]}]", committed.chain
    ends_at = trace.ends_at(chain)
    if ends_at is not None and ends_at != committed.next:
        raise HistoryUnusable(
            f"{name}: the committed offset is {committed.next}, but the last chunk ends at {ends_at}: somebody moved"
            " the offset and kept its metadata. Run 'stream-monitor recover offsets' to go on at the last chunk, or"
            " with '--to OFFSET' to begin elsewhere"
        )
    standing = trace.healed(committed.next, chain)
    if not standing.is_whole:
        last = standing.chain.last
        raise HistoryUnusable(
            f"{name}: the log names chunk {last.seq}/{last.lease}, later than the committed"
            f" {chain.last.seq}/{chain.last.lease}, but does not hold it: run 'stream-monitor recover offsets'"
        )
    return dataclasses.replace(committed, next=standing.next, chain=standing.chain)


class _Source(msgspec.Struct):
    topic: str
    partition: int
    lease: int


class _Peek(msgspec.Struct):
    """The one part of a record that tells whose it is; the rest, up to 256 KiB, is skipped unread."""

    source: _Source


_PEEK = msgspec.json.Decoder(_Peek)


def note(traces: Mapping[InputPartition, ChainTrace], value: bytes, offset: int, *, is_progress: bool) -> None:
    """Let the trace that a record of the profiles topic belongs to learn it."""
    try:
        source = _PEEK.decode(value).source
    except msgspec.MsgspecError:
        return  # not ours; the judge decides about strangers in the log
    trace = traces.get((source.topic, source.partition))
    if trace is None:
        return
    trace.lease = max(trace.lease, source.lease)
    if is_progress:
        record = decode(value)
        if isinstance(record, ProgressRecord):
            trace.note(record, offset)
