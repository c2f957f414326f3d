"""What a log says of a chain whose committed state is lost."""

from __future__ import annotations

from stream_monitor.core.chain import FIRST, ChunkName
from stream_monitor.core.profile import ChainTrace, ChunkSource, ProgressRecord, Standing


def chunk(name: tuple[int, int], prev: tuple[int, int], *, epoch: int = 0, topic_id: str = "id") -> ProgressRecord:
    """Return the progress record of a chunk of ten records; its first offset follows from its place."""
    seq, lease = name
    return ProgressRecord(
        ChunkSource("in", 0, epoch, seq, lease),
        topic_id,
        1,
        first=1_000 * epoch + 10 * (seq - 1),
        next=1_000 * epoch + 10 * seq,
        prev=ChunkName(*prev),
        records=0,
        digest="",
        watermark_ms=None,
        plan="",
        baselines_next=0,
        idle_until_ms=70,
        max_ms=1_000 + seq,
    )


def standing(*records: ProgressRecord) -> Standing | None:
    """Return where a log of these records, from offset 40 on, says that the partition stands."""
    trace = ChainTrace("id")
    for offset, record in enumerate(records, start=40):
        trace.note(record, offset)
    return trace.standing()


def test_nothing_is_known_of_a_partition_without_records() -> None:
    """It was never counted here."""
    assert standing() is None


def test_the_latest_chunk_that_is_named_is_where_a_chain_stands() -> None:
    """The chunk that names it may be committed or not: it is counted again, under a lease that nobody has used."""
    found = standing(chunk((1, 1), (0, 0)), chunk((2, 1), (1, 1)), chunk((3, 4), (2, 1)), chunk((3, 2), (2, 1)))

    assert found is not None
    assert (20, ChunkName(2, 1), 41) == (found.next, found.chain.last, found.chain.at)
    assert (1_002, 70, 4, True) == (found.chain.max_ms, found.chain.idle_ms, found.chain.lease, found.is_whole)


def test_a_first_chunk_that_nobody_names_is_counted_again_from_its_start() -> None:
    """The partition begins where it began, whatever `start` says by now."""
    found = standing(chunk((1, 3), (0, 0)))

    assert found is not None
    assert (0, FIRST, 3, None, True) == (
        found.next,
        found.chain.last,
        found.chain.lease,
        found.chain.max_ms,
        found.is_whole,
    )


def test_a_chain_goes_on_in_its_latest_epoch() -> None:
    """The first chunk of an epoch says where the epoch begins, also while nobody names it."""
    old = [chunk((1, 1), (0, 0)), chunk((2, 1), (1, 1))]
    opened = standing(*old, chunk((3, 2), (2, 1), epoch=5))
    begun_anew = standing(*old, chunk((1, 2), (0, 0), epoch=5), chunk((2, 2), (1, 2), epoch=5))

    assert opened is not None
    assert begun_anew is not None
    assert (5_020, 5, ChunkName(2, 1), 1_002) == (
        opened.next,
        opened.chain.epoch,
        opened.chain.last,
        opened.chain.max_ms,
    )
    assert (5_010, 5, ChunkName(1, 2)) == (begun_anew.next, begun_anew.chain.epoch, begun_anew.chain.last)


def test_a_log_whose_beginning_is_gone_may_lack_the_chunk_that_it_names() -> None:
    """Where to go on is known, the running maximum of event time is not."""
    found = standing(chunk((8, 1), (7, 1)))

    assert found is not None
    assert (70, None, False) == (found.next, found.chain.max_ms, found.is_whole)


def test_records_of_another_topic_of_the_name_only_keep_names_from_being_used_twice() -> None:
    """The topic was made anew: its chain begins, but not in an epoch or under a lease that was used."""
    trace = ChainTrace("id")
    trace.note(chunk((6, 3), (5, 3), epoch=2, topic_id="other"), 40)

    assert trace.standing() is None
    assert (2, 3, True) == (trace.epoch, trace.lease, trace.is_remade)


def test_only_chunks_that_may_still_matter_are_kept() -> None:
    """A log of millions of chunks must not fill the memory."""
    trace = ChainTrace("id")
    for seq in range(1, 1_000):
        trace.note(chunk((seq, 1), (seq - 1, 1 if seq > 1 else 0)), seq)

    assert len(trace._records) <= 3
