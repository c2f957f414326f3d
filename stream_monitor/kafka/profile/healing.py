"""Heals a chain whose committed state was set back: the log knows better (step 3, H6).

The client repeats an offset commit inside the call and hides it; a copy that the network held back can be applied
after the next commit and put an older state in its place, with no error seen anywhere. But a chunk only ever names a
committed one. So a new owner reads partition 0 of the profiles topic from the progress record that its state points
at, and if a chunk names a later predecessor than the state does, the state is taken from that predecessor's progress
record.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from stream_monitor.core.chain import ChainState, ChunkName
from stream_monitor.core.profile import ProgressRecord, decode
from stream_monitor.kafka.errors import HistoryUnusable, is_transient, stop_for
from stream_monitor.kafka.profile.owned import Place

_BATCH = 5_000
_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Found:
    """Where a partition goes on: the next offset, the chain state there, and whether a crash may lie before it."""

    next: int
    chain: ChainState
    guarded: bool = False


class LogTail:
    """Reads partition 0 of the profiles topic.

    Args:
        reader: a consumer without a group, owned by this object from now on.
        profiles: name of the topic.
    """

    def __init__(self, reader: Consumer, profiles: str) -> None:
        self._reader = reader
        self._profiles = profiles

    def heal(self, found: Mapping[Place, Found], *, end: int, timeout_s: float) -> dict[Place, Found]:
        """Return where each partition really goes on.

        Args:
            found: the committed states; those without `at` have no log to be healed from.
            end: offset after the last record of the log's partition 0, taken after the states were.
            timeout_s: how long to read.

        Raises:
            HistoryUnusable: the log could not be read to `end`, or lacks a record that it names.
            Stop: the cluster refuses us.
        """
        starts = [f.chain.at for f in found.values() if f.chain.at is not None]
        if not starts or min(starts) >= end:
            return dict(found)
        chains = {place: _Chain(state) for place, state in found.items()}
        self._read(chains, start=min(starts), end=end, timeout_s=timeout_s)
        return {place: chain.healed(place) for place, chain in chains.items()}

    def close(self) -> None:
        """Close the reader."""
        self._reader.close()

    def _read(self, chains: Mapping[Place, _Chain], *, start: int, end: int, timeout_s: float) -> None:
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
                    _note(chains, value, offset, is_progress=message.key() is None)
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


@dataclass(slots=True)
class _Chain:
    """What the log says of one partition."""

    committed: Found
    lease: int = 0
    tip: ChunkName | None = None
    records: dict[ChunkName, tuple[int, ProgressRecord]] = field(default_factory=dict)

    def note(self, record: ProgressRecord, offset: int) -> None:
        """Learn a progress record of this partition."""
        if record.topic_id != self.committed.chain.topic:
            return
        self.records[record.source.name] = (offset, record)
        if self.tip is None or record.prev > self.tip:
            self.tip = record.prev

    def healed(self, place: Place) -> Found:
        """Return the committed state, or that of a later chunk that the log names; with the largest lease seen."""
        chain = self.committed.chain
        # A lease that was forgotten must not be used twice: the name of a chunk would be, too.
        lease = max(chain.lease, self.lease)
        if self.tip is None or self.tip <= chain.last:
            return Found(self.committed.next, dataclasses.replace(chain, lease=lease))
        if self.tip not in self.records:
            raise HistoryUnusable(
                f"{place[0]}[{place[1]}]: the log names chunk {self.tip.seq}/{self.tip.lease}, later than the committed"
                f" {chain.last.seq}/{chain.last.lease}, but does not hold it: run 'stream-monitor recover offsets'"
            )
        offset, record = self.records[self.tip]
        healed = dataclasses.replace(
            chain,
            epoch=record.source.epoch,
            lease=lease,
            last=self.tip,
            at=offset,
            max_ms=record.max_ms,
            idle_ms=record.idle_until_ms,
            trying=None,
        )
        return Found(record.next, healed)


class _Source(msgspec.Struct):
    topic: str
    partition: int
    lease: int


class _Peek(msgspec.Struct):
    """The one part of a record that tells whose it is; the rest, up to 256 KiB, is skipped unread."""

    source: _Source


_PEEK = msgspec.json.Decoder(_Peek)


def _note(chains: Mapping[Place, _Chain], value: bytes, offset: int, *, is_progress: bool) -> None:
    try:
        source = _PEEK.decode(value).source
    except msgspec.MsgspecError:
        return  # not ours; the judge decides about strangers in the log
    chain = chains.get((source.topic, source.partition))
    if chain is None:
        return
    chain.lease = max(chain.lease, source.lease)
    if is_progress:
        record = decode(value)
        if isinstance(record, ProgressRecord):
            chain.note(record, offset)
