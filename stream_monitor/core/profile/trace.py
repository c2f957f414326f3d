"""What the log says of the chain of one source partition: the last chunk that was surely committed, and its state.

A chunk only ever names a committed one. So whoever has lost the committed state, or does not believe it, reads the
progress records of the partition and goes on behind the latest chunk that is named. The chunk that names it may have
been committed or not; it is counted again under another lease, and becomes a rival that nobody names.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field

from stream_monitor.core.chain import FIRST, ChainState, ChunkName
from stream_monitor.core.profile.record import ProgressRecord


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a partition stands according to the log.

    Attributes:
        next: input offset to count next.
        chain: chain state there; its lease is the largest that the log has seen.
        is_whole: the log holds the progress record of the last committed chunk. Without it the running maximum of event
            time is not known.
    """

    next: int
    chain: ChainState
    is_whole: bool = True


@dataclass(slots=True)
class ChainTrace:
    """Progress records of one source partition, taken in log order.

    Attributes:
        topic_id: id of the source topic; records of another topic of the same name do not count.
        epoch, lease: the largest in the log, of whatever topic id; None for an epoch when the log has no record.
        is_remade: the log has records of another topic of that name.
    """

    topic_id: str
    epoch: int | None = None
    lease: int = 0
    is_remade: bool = False
    _naming: tuple[int, ChunkName] | None = None
    _opening: ProgressRecord | None = None
    _records: dict[tuple[int, ChunkName], tuple[int, ProgressRecord]] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether the log has no record at all of a partition of that name."""
        return self.epoch is None and self.lease == 0

    def note(self, record: ProgressRecord, offset: int) -> None:
        """Learn a progress record of this partition and where it stands in the log."""
        source = record.source
        self.lease = max(self.lease, source.lease)
        self.epoch = source.epoch if self.epoch is None else max(self.epoch, source.epoch)
        if record.topic_id != self.topic_id:
            self.is_remade = True
            return
        self._records[source.epoch, source.name] = offset, record
        naming = (source.epoch, record.prev)
        if self._naming is None or naming > self._naming:
            self._naming, self._opening = naming, record
            self._forget_settled(*naming)

    def standing(self) -> Standing | None:
        """Return where the log says that the partition stands, None when it has no record of it."""
        if self._naming is None or self._opening is None:
            return None
        epoch, last = self._naming
        start = ChainState(self.topic_id, epoch=epoch, lease=self.lease, last=last)
        named = self._named(epoch, last)
        if named is None:
            return Standing(self._opening.first, start, is_whole=last == FIRST)
        offset, record = named
        chain = dataclasses.replace(start, at=offset, max_ms=record.max_ms, idle_ms=record.idle_until_ms)
        # Offsets join within an epoch; the first chunk of a new one says where it begins.
        return Standing(record.next if record.source.epoch == epoch else self._opening.first, chain)

    def healed(self, next_offset: int, chain: ChainState) -> Standing:
        """Return a committed state, or the later one that the log names; with the largest lease of both."""
        lease = max(chain.lease, self.lease)
        if self._naming is None or self._naming <= (chain.epoch, chain.last):
            return Standing(next_offset, dataclasses.replace(chain, lease=lease))
        found = self.standing()
        assert found is not None  # the log names a chunk
        later = dataclasses.replace(
            chain,
            epoch=found.chain.epoch,
            lease=lease,
            last=found.chain.last,
            at=found.chain.at,
            max_ms=found.chain.max_ms,
            idle_ms=found.chain.idle_ms,
            trying=None,
        )
        return Standing(found.next, later, found.is_whole)

    def ends_at(self, chain: ChainState) -> int | None:
        """Return where the last chunk of a chain state ended, None when the log does not hold it."""
        known = self._records.get((chain.epoch, chain.last))
        return None if known is None else known[1].next

    def _named(self, epoch: int, last: ChunkName) -> tuple[int, ProgressRecord] | None:
        """Return the record of a chunk; one that opens an epoch names a chunk of an earlier one."""
        epochs = [e for e, name in self._records if name == last and e <= epoch]
        return self._records[max(epochs), last] if epochs else None

    def _forget_settled(self, epoch: int, last: ChunkName) -> None:
        """Let go of chunks before the latest one that is named: a log may hold millions."""
        for key in [key for key in self._records if key[1].seq < last.seq and key[0] <= epoch]:
            del self._records[key]
