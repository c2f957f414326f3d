"""From records to counts (step 8), and what happens when a decoder raises.

Counting is pure: the same records, chain state and baselines give the same entries. A record on which the decoder or
the counting raises is found by halving, goes to the dead letters as `internal_error`, and the rest counts as if it
were not there. A chunk that would write too much is cut; cutting is free.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stream_monitor.core.arrays import Intp
from stream_monitor.core.batch import Batch, Decoder, RawChunk, Reject, empty_batch
from stream_monitor.core.names import RejectReason, Stage
from stream_monitor.core.plan import Plan
from stream_monitor.core.profile import ChunkPosition, ProfiledChunk, profile_chunk
from stream_monitor.kafka.errors import TooManyDeadLetters
from stream_monitor.kafka.profile.owned import OwnedPartition

if TYPE_CHECKING:
    from stream_monitor.core.baseline import Schedule

MAX_BROKEN = 1_000
"""Records of one chunk that may break the decoder before the decoder is what is broken."""


@dataclass(frozen=True, slots=True)
class CountedChunk:
    """A chunk that is ready to be written.

    Attributes:
        owned: its partition.
        raw: its records; None for an empty chunk.
        first, next: the chunk accounts for the offsets `[first, next)`.
        value_bytes: of its records.
        decode_s, profile_s: seconds it took.
    """

    owned: OwnedPartition
    raw: RawChunk | None
    first: int
    next: int
    profiled: ProfiledChunk
    value_bytes: int = 0
    decode_s: float = 0.0
    profile_s: float = 0.0

    @property
    def records(self) -> int:
        """Records of the chunk."""
        return 0 if self.raw is None else len(self.raw)

    @property
    def rejected(self) -> Sequence[int]:
        """Positions of the dead letters in the chunk."""
        return [reject.index for reject in self.profiled.rejects]


@dataclass(frozen=True, slots=True)
class Counter:
    """Counts chunks of owned partitions.

    Attributes:
        partitions: of `drift-profiles`.
        written_bytes: a chunk whose entries are larger is cut.
    """

    plan: Plan
    schedule: Schedule
    decoders: Mapping[str, Decoder]
    partitions: int
    written_bytes: int

    def count(self, owned: OwnedPartition, *, limit: int) -> CountedChunk:
        """Count the first pending records of a partition, at most `limit` of them.

        Raises:
            TooManyDeadLetters: the decoder breaks on more than `MAX_BROKEN` records of the chunk.
        """
        while True:
            raw, upto = owned.pending.first(limit)
            counted = self._counted(owned, raw, upto)
            written = sum(len(entry.value) for entry in counted.profiled.entries)
            if written <= self.written_bytes or len(raw) == 1:
                return counted
            limit = (len(raw) + 1) // 2

    def name_predecessor(self, owned: OwnedPartition, idle_until_ms: int | None) -> CountedChunk:
        """Return an empty chunk: it names its predecessor and carries an idle fact, if there is one."""
        profiled = self._profile(empty_batch(), owned, owned.pending.expected, idle_until_ms=idle_until_ms)
        return CountedChunk(owned, None, owned.next, owned.pending.expected, profiled)

    def ask_the_time(self, owned: OwnedPartition) -> CountedChunk:
        """Return an empty chunk before the records that are pending: written, it brings the broker's time."""
        return CountedChunk(
            owned, None, owned.next, owned.next, self._profile(empty_batch(), owned, owned.next, idle_until_ms=None)
        )

    def refuse_first(self, owned: OwnedPartition, reason: RejectReason, message: str) -> CountedChunk:
        """Return the first pending record as a dead letter, unread."""
        raw, upto = owned.pending.first(1)
        reject = Reject(0, int(raw.offsets[0]), Stage.VALUE, reason, "Unreadable", message)
        batch = dataclasses.replace(empty_batch(), read=1, rejects=(reject,))
        return CountedChunk(owned, raw, owned.next, upto, self._profile(batch, owned, upto, idle_until_ms=None))

    def _counted(self, owned: OwnedPartition, raw: RawChunk, upto: int) -> CountedChunk:
        started = time.perf_counter()
        try:
            batch = self._decode(raw)
            decoded = time.perf_counter()
            profiled = self._profile(batch, owned, upto, idle_until_ms=None)
        except Exception as error:  # noqa: BLE001 - whatever a format raises must cost one record, not the chunk
            decoded = time.perf_counter()
            profiled = self._profile(self._without_broken(owned, raw, error), owned, upto, idle_until_ms=None)
        size = sum(len(value) for value in raw.values if value is not None)
        ended = time.perf_counter()
        return CountedChunk(owned, raw, owned.next, upto, profiled, size, decoded - started, ended - decoded)

    def _decode(self, raw: RawChunk) -> Batch:
        return self.decoders[raw.topic].decode(raw)

    def _profile(self, batch: Batch, owned: OwnedPartition, upto: int, *, idle_until_ms: int | None) -> ProfiledChunk:
        chain = owned.chain
        position = ChunkPosition(
            topic=owned.topic,
            partition=owned.partition,
            topic_id=chain.topic,
            source_partitions=owned.source_partitions,
            epoch=chain.epoch,
            seq=chain.last.seq + 1,
            lease=chain.lease,
            prev=chain.last,
            first=owned.next,
            next=upto,
        )
        return profile_chunk(
            batch,
            position=position,
            chain=chain,
            plan=self.plan,
            schedule=self.schedule,
            partitions=self.partitions,
            idle_until_ms=idle_until_ms,
        )

    def _without_broken(self, owned: OwnedPartition, raw: RawChunk, error: Exception) -> Batch:
        """Return the batch of a chunk with its broken records rejected."""
        broken: dict[int, Exception] = {}
        self._find_broken(owned, raw, np.arange(len(raw)), error=error, broken=broken)
        good = np.array([i for i in range(len(raw)) if i not in broken], dtype=np.intp)
        batch = self._decode(_rows(raw, good)) if good.size else empty_batch()
        rejects = [dataclasses.replace(r, index=int(good[r.index])) for r in batch.rejects]
        rejects += [_broken(raw, index, broken[index]) for index in broken]
        rejects.sort(key=lambda reject: reject.index)
        return dataclasses.replace(batch, read=len(raw), rejects=tuple(rejects))

    def _find_broken(
        self, owned: OwnedPartition, raw: RawChunk, rows: Intp, *, error: Exception, broken: dict[int, Exception]
    ) -> None:
        """Halve a run of rows that breaks until single records do."""
        if rows.size == 1:
            broken[int(rows[0])] = error
            if len(broken) > MAX_BROKEN:
                raise TooManyDeadLetters(
                    f"{raw.topic}: the decoder breaks on more than {MAX_BROKEN} records of one chunk: {_name(error)}"
                ) from error
            return
        for half in np.array_split(rows, 2):
            try:
                self._profile(self._decode(_rows(raw, half)), owned, owned.pending.expected, idle_until_ms=None)
            except Exception as found:  # noqa: BLE001 - as above
                self._find_broken(owned, raw, half, error=found, broken=broken)


def _rows(raw: RawChunk, rows: Intp) -> RawChunk:
    """Return some records of a chunk as a chunk."""
    index: list[int] = rows.tolist()
    return RawChunk(
        raw.topic,
        raw.partition,
        raw.offsets[rows],
        raw.record_ms[rows],
        [raw.values[i] for i in index],
        lambda i: raw.key_of(index[i]),
        lambda i: raw.headers_of(index[i]),
    )


def _broken(raw: RawChunk, index: int, error: Exception) -> Reject:
    # The message of an unforeseen exception may hold values of the event: its class is all that is told.
    return Reject(
        index,
        int(raw.offsets[index]),
        Stage.VALUE,
        RejectReason.INTERNAL_ERROR,
        _name(error),
        "the decoder failed on this record",
    )


def _name(error: Exception) -> str:
    return type(error).__qualname__
