"""Which chunks count."""

from __future__ import annotations

import pytest

from stream_monitor.core.chain import FIRST, ChunkName
from stream_monitor.core.judge.errors import ChainGap
from stream_monitor.core.judge.log.source_chain import Chain, DropReason
from stream_monitor.core.profile import (
    ChunkSource,
    OffsetRange,
    Profile,
    ProfileKey,
    ProfileRecord,
    ProgressRecord,
    chunk_digest,
    encode,
)


def profile(source: ChunkSource, index: int = 0) -> ProfileRecord:
    key = ProfileKey("m", "", "", 0, 10_000, late=False)
    offsets = {(source.topic, source.partition): OffsetRange(0, 0)}
    return ProfileRecord(source, index, (0, 1), Profile(key, {"inference": 1}, 1, {}, offsets))


def name(seq: int, lease: int = 1, epoch: int = 0) -> ChunkSource:
    return ChunkSource("t", 0, epoch, seq, lease)


def progress(
    source: ChunkSource, prev: ChunkName, span: tuple[int, int], *, records: int = 0, digest: str = ""
) -> ProgressRecord:
    return ProgressRecord(source, "id", 1, *span, prev, records, digest or chunk_digest([]), None, "", 0)


class Log:
    """A chain, and a log offset that grows by itself."""

    def __init__(self, *, complete: bool = True) -> None:
        self.chain = Chain("t", 0, complete=complete)
        self.offset = 0
        self.folded: list[ChunkSource] = []
        self.dropped: list[DropReason] = []

    def write(
        self,
        source: ChunkSource,
        prev: ChunkName = FIRST,
        span: tuple[int, int] = (0, 10),
        *,
        profiles: int = 0,
        lost: int = 0,
    ) -> None:
        """Write a chunk, of which the first `lost` profile records are not in the log."""
        records = [profile(source, i) for i in range(profiles)]
        for record in records[lost:]:
            self.chain.buffer(record, encode(record), self.offset)
            self.offset += 1
        digest = chunk_digest(encode(record) for record in records)
        self.finish(progress(source, prev, span, records=profiles, digest=digest))

    def buffer(self, source: ChunkSource) -> None:
        """Write one profile record of a chunk."""
        record = profile(source)
        self.chain.buffer(record, encode(record), self.offset)
        self.offset += 1

    def finish(self, record: ProgressRecord) -> None:
        decision = self.chain.decide(record, self.offset)
        self.dropped += self.chain.apply(decision, record, self.offset)
        self.folded += [decision.folds.progress.source] if decision.folds is not None else []
        self.offset += 1


def test_a_chunk_counts_when_its_successor_names_it() -> None:
    """The last chunk of a chain always waits."""
    log = Log()
    log.write(name(1), profiles=2)

    assert log.folded == []

    log.write(name(2), ChunkName(1, 1), (10, 20))

    assert log.folded == [name(1)]


def test_of_rivals_only_the_named_one_counts() -> None:
    """A zombie's chunk of the same place is dropped, whichever came first."""
    log = Log()
    log.write(name(1, lease=1))
    log.write(name(1, lease=2))
    log.write(name(2, lease=2), ChunkName(1, 2), (10, 20))

    assert (log.folded, log.dropped) == ([name(1, lease=2)], [DropReason.RIVAL])


def test_a_zombie_that_writes_after_the_decision_is_stale() -> None:
    """What comes for a settled place is dropped, records and all."""
    log = Log()
    log.write(name(1, lease=2))
    log.write(name(2, lease=2), ChunkName(1, 2), (10, 20))
    log.write(name(1, lease=1), profiles=1)

    assert (log.folded, log.dropped, log.chain.replay_from) == ([name(1, lease=2)], [DropReason.STALE], 1)


def test_an_incomplete_chunk_is_no_candidate() -> None:
    """Naming a chunk of which a record is missing is a gap: it was committed, and nobody has it."""
    log = Log()
    log.write(name(1), profiles=2, lost=1)

    assert log.dropped == [DropReason.INCOMPLETE]
    with pytest.raises(ChainGap, match=r"t-0.*names 1/1"):
        log.write(name(2), ChunkName(1, 1), (10, 20))


def test_a_changed_record_makes_a_chunk_incomplete() -> None:
    """The digest speaks about the bytes, not only about their number."""
    log = Log()
    record = profile(name(1))
    log.chain.buffer(record, encode(record), 0)
    log.finish(progress(name(1), FIRST, (0, 10), records=1, digest="0000000000"))

    assert log.dropped == [DropReason.INCOMPLETE]


def test_a_failed_write_is_harmless() -> None:
    """Half a chunk, then the whole one under another lease: only the second counts."""
    log = Log()
    log.write(name(1))
    log.write(name(2, lease=1), ChunkName(1, 1), (10, 20), profiles=3, lost=2)
    log.write(name(2, lease=2), ChunkName(1, 1), (10, 25), profiles=3)
    log.write(name(3, lease=2), ChunkName(2, 2), (25, 30))

    assert log.folded == [name(1), name(2, lease=2)]


def test_half_a_chunk_is_forgotten_when_its_place_is_settled() -> None:
    """Its writer died before the progress record: nobody reads the log from there again, and nothing of it is kept."""
    log = Log()
    log.write(name(1))
    log.buffer(name(2, lease=1))
    log.write(name(2, lease=2), ChunkName(1, 1), (10, 20))
    log.write(name(3, lease=2), ChunkName(2, 2), (20, 30))

    assert (log.folded, log.dropped) == ([name(1), name(2, lease=2)], [DropReason.INCOMPLETE])
    assert log.chain.replay_from == log.offset - 1


def test_records_for_a_settled_place_are_not_kept() -> None:
    """A zombie writes on without an end: its records wait for nothing."""
    log = Log()
    log.write(name(1, lease=2))
    log.write(name(2, lease=2), ChunkName(1, 2), (10, 20))
    log.buffer(name(1, lease=1))
    log.write(name(3, lease=2), ChunkName(2, 2), (20, 30))

    assert (log.dropped, log.chain.replay_from) == ([], log.offset - 1)


def test_a_chunk_must_start_where_the_named_one_ended() -> None:
    """A fork in the offsets is a gap, even if the name fits."""
    log = Log()
    log.write(name(1), span=(0, 10))

    with pytest.raises(ChainGap, match="ends at 10, and starts at 11"):
        log.write(name(2), ChunkName(1, 1), (11, 20))


def test_a_chain_gap_changes_nothing() -> None:
    """The same entry raises again: the judge may wait for a repair."""
    log = Log()
    log.write(name(1))
    for _ in range(2):
        with pytest.raises(ChainGap):
            log.chain.decide(progress(name(3), ChunkName(2, 9), (20, 30)), log.offset)

    assert (log.chain.waiting, log.folded) == (1, [])


def test_a_complete_log_cannot_lack_its_first_chunk() -> None:
    """Read from the first record on, a chain that begins in the middle is a gap."""
    with pytest.raises(ChainGap):
        Log(complete=True).write(name(8), ChunkName(7, 1), (70, 80))


def test_a_reader_inside_the_log_takes_the_first_predecessor_as_tip() -> None:
    """Every written predecessor is a committed chunk."""
    log = Log(complete=False)
    log.write(name(8), ChunkName(7, 1), (70, 80))
    log.write(name(9), ChunkName(8, 1), (80, 90))

    assert log.folded == [name(8)]


def test_a_reader_inside_the_log_may_first_meet_a_zombie() -> None:
    """Until one chunk is folded a later predecessor corrects the tip; after that it would be a gap."""
    log = Log(complete=False)
    log.write(name(3, lease=1), ChunkName(2, 1), (20, 30))
    log.write(name(8, lease=2), ChunkName(7, 2), (70, 80))
    log.write(name(9, lease=2), ChunkName(8, 2), (80, 90))

    assert (log.folded, log.dropped) == ([name(8, lease=2)], [DropReason.RIVAL])
    with pytest.raises(ChainGap):
        log.write(name(12, lease=2), ChunkName(11, 2), (110, 120))


def test_a_new_epoch_is_a_declared_gap() -> None:
    """An operator's reset goes on from what was committed and skips what was lost."""
    log = Log()
    log.write(name(1), span=(0, 10))
    log.write(name(2, epoch=1), ChunkName(1, 1), (50, 60))
    log.write(name(3, epoch=1), ChunkName(2, 1), (60, 70))

    assert (log.folded, log.chain.declared_gap) == ([name(1), name(2, epoch=1)], True)


def test_a_snapshot_needs_what_still_waits() -> None:
    """Waiting and half-read chunks are read again after a restore."""
    log = Log()
    log.write(name(1), profiles=2)
    log.write(name(2), ChunkName(1, 1), (10, 20), profiles=1)
    half = profile(name(3))
    log.chain.buffer(half, encode(half), log.offset)

    assert log.chain.replay_from == 3


def test_a_chain_is_resumed_at_a_chunk_that_does_not_join() -> None:
    """An operator's declared gap: that chunk and what follows count, what waited before it does not, nothing twice."""
    log = Log()
    log.write(name(1), span=(0, 10))
    log.write(name(2), name(1).name, span=(10, 20))
    broken = progress(name(8), name(7).name, (70, 80))
    with pytest.raises(ChainGap):
        log.finish(broken)
    log.chain.resume_at(broken)
    log.finish(broken)
    log.write(name(2), name(1).name, span=(10, 20))
    log.write(name(9), name(8).name, span=(80, 90))

    assert [name(1), name(8)] == log.folded
    assert log.dropped == [DropReason.STALE]
    assert (log.chain.declared_gap, log.chain.anchored) == (True, True)


def test_a_chain_is_resumed_with_the_records_of_the_chunk_that_do_not_wait_in_vain() -> None:
    """Profile records come before the progress record that does not join."""
    log = Log()
    log.write(name(1))
    source = name(8)
    kept = profile(source)
    log.chain.buffer(kept, encode(kept), log.offset)
    broken = progress(source, name(7).name, (70, 80), records=1, digest=chunk_digest([encode(kept)]))
    log.chain.resume_at(broken)
    log.finish(broken)
    log.write(name(9), source.name, span=(80, 90))

    assert [source] == log.folded
    assert log.dropped == []
