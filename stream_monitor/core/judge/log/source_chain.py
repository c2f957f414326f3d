"""Which chunks count: a chunk of a source partition is folded when its successor names it, and only then.

A successor only ever names what was committed, so chunks of crashed workers, of zombies and of failed writes stay
unnamed. Until a chunk is named every complete candidate is kept; the named one is folded and its rivals are dropped.

`Chain.decide` says what a progress record would do and changes nothing; `Chain.apply` does it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from stream_monitor.core.chain import FIRST, ChunkName
from stream_monitor.core.judge.errors import ChainGap
from stream_monitor.core.profile import ProfileRecord, ProgressRecord, chunk_digest


class DropReason(StrEnum):
    """Why a chunk in the log does not count; the label `reason` of `chunks_dropped_total`."""

    RIVAL = "rival"
    """Another chunk of the same place in the chain was named."""
    INCOMPLETE = "incomplete"
    """Some of its records are not in the log, or not as they were written."""
    STALE = "stale"
    """Its place in the chain was folded before it came."""
    FOREIGN = "foreign"
    """Its topic is not an input of the plan."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A complete chunk that waits for a successor to name it.

    Attributes:
        progress: its progress record.
        profiles: its profile records in this judge partition, in index order.
        log_offset: of its first record in the log.
    """

    progress: ProgressRecord
    profiles: tuple[ProfileRecord, ...]
    log_offset: int


@dataclass(frozen=True, slots=True)
class Tip:
    """The last folded chunk of a chain: its epoch, its name, and where the next one starts (None: anywhere)."""

    epoch: int
    name: ChunkName
    next: int | None


@dataclass(frozen=True, slots=True)
class Decision:
    """What a progress record does to its chain.

    Attributes:
        tip: the tip after it.
        folds: the candidate it names, if that is not the tip already.
        keep: whether its own chunk may become a candidate; False for a stale one.
        gap: whether it begins a new epoch, an operator's declared gap.
    """

    tip: Tip | None
    folds: Candidate | None = None
    keep: bool = True
    gap: bool = False


@dataclass(slots=True)
class _Half:
    log_offset: int
    records: dict[int, tuple[ProfileRecord, bytes]] = field(default_factory=dict)


class Chain:
    """The chunks of one source partition.

    Args:
        topic: source topic.
        partition: source partition.
        complete: the log is read from its first record on, so nothing can be missing. Otherwise the first `prev`
            seen is the tip and, until one chunk is folded, so is a later one of higher sequence: every written `prev`
            is a committed chunk.
    """

    def __init__(self, topic: str, partition: int, *, complete: bool) -> None:
        self.topic = topic
        self.partition = partition
        self.tip: Tip | None = Tip(0, FIRST, None) if complete else None
        self.anchored = complete
        self.declared_gap = False
        self._halves: dict[tuple[int, ChunkName], _Half] = {}
        self._candidates: dict[ChunkName, Candidate] = {}

    @property
    def waiting(self) -> int:
        """Complete chunks that nobody has named yet."""
        return len(self._candidates)

    @property
    def replay_from(self) -> int | None:
        """Smallest log offset of any waiting or half-read chunk, None if there is none."""
        offsets = [half.log_offset for half in self._halves.values()]
        offsets += [candidate.log_offset for candidate in self._candidates.values()]
        return min(offsets, default=None)

    def buffer(self, record: ProfileRecord, value: bytes, log_offset: int) -> None:
        """Keep a profile record until the progress record of its chunk comes; drop it when that cannot count."""
        if self._stale(record.source.epoch, record.source.name):
            return
        half = self._halves.setdefault((record.source.epoch, record.source.name), _Half(log_offset))
        half.records[record.index] = (record, value)

    def decide(self, progress: ProgressRecord, log_offset: int) -> Decision:
        """Return what a progress record does.

        Raises:
            ChainGap: it names a chunk that is neither the tip nor a candidate, or does not start where that one ended.
        """
        source, prev, tip = progress.source, progress.prev, self.tip
        if self._stale(source.epoch, source.name):
            return Decision(tip, keep=False)
        named = self._candidates.get(prev)
        if tip is None or source.epoch > tip.epoch:
            declared = tip is not None
            return Decision(Tip(source.epoch, prev, progress.first), folds=named if declared else None, gap=declared)
        if named is not None:
            self._require(
                named.progress.next == progress.first, progress, log_offset, f"which ends at {named.progress.next}"
            )
            return Decision(Tip(tip.epoch, prev, progress.first), folds=named)
        if prev == tip.name:
            fits = tip.next is None or tip.next == progress.first
            self._require(fits, progress, log_offset, f"which ends at {tip.next}")
            return Decision(tip)
        may_adopt = not self.anchored and prev.seq > tip.name.seq
        self._require(may_adopt, progress, log_offset, f"the chain is at {tip.name.seq}/{tip.name.lease}")
        return Decision(Tip(tip.epoch, prev, progress.first))

    def apply(self, decision: Decision, progress: ProgressRecord, log_offset: int) -> list[DropReason]:
        """Take a decision; return the reasons of the chunks that it drops."""
        half = self._halves.pop((progress.source.epoch, progress.source.name), None)
        if not decision.keep:
            return [DropReason.STALE]
        self.tip = decision.tip
        self.anchored = (self.anchored and not decision.gap) or decision.folds is not None
        self.declared_gap = self.declared_gap or decision.gap
        dropped = self._drop_settled(decision.folds)
        chunk = _complete(progress, half, log_offset)
        if chunk is None:
            dropped.append(DropReason.INCOMPLETE)
        elif progress.source.name in self._candidates:
            dropped.append(DropReason.RIVAL)
        else:
            self._candidates[progress.source.name] = chunk
        return dropped

    @property
    def expected(self) -> int | None:
        """Input offset at which the next chunk to be named should begin or have begun, None if that is not known."""
        return None if self.tip is None else self.tip.next

    def settle(self, last: ChunkName) -> Candidate | None:
        """Take the last committed chunk as named, because no worker lives that could commit another one.

        What else waits is dropped. Returns the chunk if it has still to be folded.

        Raises:
            ValueError: neither the tip nor a candidate is called that.
        """
        chunk = self._candidates.get(last)
        if self.tip is None or (chunk is None and self.tip.name != last):
            raise ValueError(f"{self.topic}[{self.partition}]: the log does not hold chunk {last.seq}/{last.lease}")
        self._candidates.clear()
        self._halves.clear()
        if self.tip.name == last or chunk is None:
            return None
        self.tip = Tip(chunk.progress.source.epoch, last, chunk.progress.next)
        self.anchored = True
        return chunk

    def resume_at(self, progress: ProgressRecord) -> None:
        """Go on at a progress record that does not join: an operator's declared gap. What waited is dropped.

        The record's own chunk may become a candidate when it is folded, as in a reader that starts inside the log.
        """
        self.tip = Tip(progress.source.epoch, progress.prev, progress.first)
        self.anchored, self.declared_gap = False, True
        self._candidates.clear()
        for epoch, name in list(self._halves):
            if self._stale(epoch, name):
                del self._halves[epoch, name]

    def _stale(self, epoch: int, name: ChunkName) -> bool:
        return self.tip is not None and (
            epoch < self.tip.epoch or (epoch == self.tip.epoch and name.seq <= self.tip.name.seq)
        )

    def _drop_settled(self, folded: Candidate | None) -> list[DropReason]:
        """Forget the folded chunk and whatever its place in the chain has settled."""
        dropped: list[DropReason] = []
        for name, candidate in list(self._candidates.items()):
            if self._stale(candidate.progress.source.epoch, name):
                del self._candidates[name]
                if candidate is not folded:
                    dropped.append(DropReason.RIVAL)
        for epoch, name in list(self._halves):
            if self._stale(epoch, name):
                del self._halves[epoch, name]
                dropped.append(DropReason.INCOMPLETE)
        return dropped

    def _require(self, fits: bool, progress: ProgressRecord, log_offset: int, detail: str) -> None:
        if not fits:
            named = (progress.prev.seq, progress.prev.lease)
            where = f"{detail}, and starts at {progress.first}"
            raise ChainGap(self.topic, self.partition, named=named, offset=log_offset, detail=where)


def _complete(progress: ProgressRecord, half: _Half | None, log_offset: int) -> Candidate | None:
    records = [] if half is None else [half.records[index] for index in sorted(half.records)]
    if len(records) != progress.records or chunk_digest(value for _, value in records) != progress.digest:
        return None
    first = log_offset if half is None else half.log_offset
    return Candidate(progress, tuple(record for record, _ in records), first)
