"""Which chunk of a partition is the last one that counts, given what is committed and what the log says."""

from __future__ import annotations

import dataclasses

import pytest

from stream_monitor.core.chain import ChainState, ChunkName
from stream_monitor.core.profile import ChainTrace, ChunkSource, ProgressRecord, encode
from stream_monitor.kafka.errors import HistoryUnusable
from stream_monitor.kafka.profile.healing import Found, healed, note

PLACE = ("in", 0)
COMMITTED = Found(100, ChainState("id", lease=2, last=ChunkName(5, 2), at=40, max_ms=1_000))


def progress(seq: int, lease: int, prev: tuple[int, int], *, topic_id: str = "id") -> ProgressRecord:
    return ProgressRecord(
        ChunkSource(*PLACE, 0, seq, lease),
        topic_id,
        1,
        first=100 + 10 * (seq - 6),
        next=110 + 10 * (seq - 6),
        prev=ChunkName(*prev),
        records=0,
        digest="",
        watermark_ms=None,
        plan="",
        baselines_next=0,
        idle_until_ms=70,
        max_ms=1_000 + seq,
    )


def after(*records: ProgressRecord, committed: Found = COMMITTED) -> Found:
    trace = ChainTrace(committed.chain.topic)
    for offset, record in enumerate(records, start=41):
        note({PLACE: trace}, encode(record), offset, is_progress=True)
    return healed(PLACE, committed, trace)


def test_a_log_that_names_nothing_later_changes_nothing() -> None:
    """A chunk that names the committed one may be lost or not: it is not known to be committed."""
    assert after(progress(6, 2, (5, 2))) == COMMITTED


def test_a_chunk_that_is_named_was_committed() -> None:
    """The state is that of its progress record: offset, watermark, idle fact, and where the record stands."""
    found = after(progress(6, 2, (5, 2)), progress(7, 2, (6, 2)), progress(8, 2, (7, 2)))

    assert (120, ChunkName(7, 2), 42) == (found.next, found.chain.last, found.chain.at)
    assert (1_007, 70) == (found.chain.max_ms, found.chain.idle_ms)


def test_a_lease_that_was_forgotten_is_not_used_again() -> None:
    """A name written twice would be two chunks."""
    found = after(progress(6, 4, (5, 2)))

    assert found == dataclasses.replace(COMMITTED, chain=dataclasses.replace(COMMITTED.chain, lease=4))


def test_chunks_of_a_topic_of_the_same_name_do_not_count() -> None:
    """Another id is another topic."""
    found = after(progress(6, 2, (5, 2), topic_id="other"), progress(7, 2, (6, 2), topic_id="other"))

    assert (found.next, found.chain.last) == (COMMITTED.next, COMMITTED.chain.last)


def test_a_log_that_lacks_the_chunk_it_names_stops_the_worker() -> None:
    """Retention has passed it: nothing is guessed."""
    with pytest.raises(HistoryUnusable, match="recover offsets"):
        after(progress(8, 2, (7, 2)))


def test_an_offset_that_was_moved_beside_its_chain_stops_the_worker() -> None:
    """A tool that keeps the metadata of a reset would make a chunk that does not join: the judge would never go on."""
    moved = dataclasses.replace(COMMITTED, next=90, chain=dataclasses.replace(COMMITTED.chain, last=ChunkName(6, 2)))

    with pytest.raises(HistoryUnusable, match=r"recover offsets.*--to OFFSET"):
        after(progress(6, 2, (5, 2)), committed=moved)
