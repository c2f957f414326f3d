"""Records between the client and the count."""

from __future__ import annotations

import pytest
from confluent_kafka import Message

from stream_monitor.kafka.profile.intake import Pending, runs


def record(offset: int, partition: int = 0, topic: str = "in") -> Message:
    return Message(
        topic=topic, partition=partition, offset=offset, value=b"v%d" % offset, key=b"k", timestamp=(1, 1_000 + offset)
    )


def test_a_chunk_holds_the_records_in_order() -> None:
    """Offsets, record times and values as they came; keys are looked up by position."""
    pending = Pending("in", 0, 5)
    pending.accept([record(5), record(6), record(9)], now=0.0)
    chunk, upto = pending.first(10)

    assert ([5, 6, 9], [1005, 1006, 1009]) == (chunk.offsets.tolist(), chunk.record_ms.tolist())
    assert ([b"v5", b"v6", b"v9"], b"k", 10) == (chunk.values, chunk.key_of(1), upto)


def test_an_offset_is_accepted_once() -> None:
    """What comes again after a partition was taken up anew is dropped and counted."""
    pending = Pending("in", 0, 5)
    pending.accept([record(5), record(6)], now=0.0)

    assert pending.accept([record(5), record(6), record(7)], now=1.0) == 2
    assert pending.accept([record(3)], now=1.0) == 1
    assert [5, 6, 7] == pending.first(10)[0].offsets.tolist()


def test_a_part_ends_behind_its_last_record() -> None:
    """The rest stays for the next chunk, which begins where the part ended."""
    pending = Pending("in", 0, 0)
    pending.accept([record(0), record(1), record(5)], now=0.0)
    chunk, upto = pending.first(2)
    pending.drop(len(chunk))

    assert ([0, 1], 2) == (chunk.offsets.tolist(), upto)
    assert ([5], 2) == (pending.first(10)[0].offsets.tolist(), pending.bytes)


def test_the_end_of_the_partition_lies_behind_its_markers() -> None:
    """Transaction markers at the end are accounted for with the last records."""
    pending = Pending("in", 0, 0)
    pending.accept([record(0)], now=0.0)
    pending.reached_end(3)

    assert pending.first(10)[1] == 3


def test_nothing_pending_is_no_chunk() -> None:
    """An empty chunk is made elsewhere, on purpose."""
    with pytest.raises(ValueError, match="pending"):
        Pending("in", 0, 0).first(1)


def test_a_mixed_list_is_cut_into_runs_of_one_partition() -> None:
    """Runs keep the order in which the client gave the records."""
    mixed = [record(0), record(1), record(7, 1), record(2), record(2, 0, "other")]
    cut = [(topic, partition, [m.offset() for m in run]) for topic, partition, run in runs(mixed, topics=2)]

    assert [("in", 0, [0, 1]), ("in", 1, [7]), ("in", 0, [2]), ("other", 0, [2])] == cut
    assert list(runs([], topics=2)) == []
