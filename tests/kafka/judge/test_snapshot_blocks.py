"""Snapshots in two slots, and the records of the judge's state: what is broken is found."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_monitor.kafka.judge.sealed import BrokenSeal, seal
from stream_monitor.kafka.judge.snapshot_blocks import SnapshotWriter, StateRecord, block_counts, whole_snapshots
from stream_monitor.kafka.judge.state_records import (
    Commit,
    Manifest,
    NewerFormat,
    Slot,
    block_key,
    decode_commit,
    decode_manifest,
    encode,
    manifest_key,
)

COMMIT = Commit(100, 4, "p" * 64, "d" * 64, {"events/0": [0, 7, 1, 500]}, "a" * 16, {"river": "0.26"})


def manifest(slot: Slot, next_offset: int) -> Manifest:
    """Return a manifest whose blocks are not filled in."""
    return Manifest(slot, next_offset, next_offset - 2, "p" * 64, "d" * 64, [])


def records(slot: Slot, next_offset: int, state: bytes, *, leftover: int = 0) -> list[StateRecord]:
    """Return all records of a snapshot."""
    return SnapshotWriter(manifest(slot, next_offset), state, block_bytes=10, leftover=leftover).take(1 << 20)


def stored(*written: StateRecord) -> dict[bytes, bytes]:
    """Return what a compacted topic holds of records."""
    found: dict[bytes, bytes] = {}
    for key, value in written:
        if value is None:
            found.pop(key, None)
        else:
            found[key] = value
    return found


@given(state=st.binary(max_size=100), max_bytes=st.integers(1, 50))
def test_a_snapshot_in_portions_is_the_whole(state: bytes, max_bytes: int) -> None:
    """However it is cut into transactions, the last record is the manifest and the state comes back."""
    writer = SnapshotWriter(manifest(Slot.A, 90), state, block_bytes=10, leftover=0)
    written: list[StateRecord] = []
    while not writer.finished:
        written += writer.take(max_bytes)

    assert written[-1][0] == manifest_key(Slot.A)
    assert [s.state for s in whole_snapshots(stored(*written), COMMIT)] == [state]


@given(cut=st.integers(0, 5))
def test_without_its_manifest_a_snapshot_does_not_exist(cut: int) -> None:
    """A process that died among the blocks leaves the other slot in force."""
    older = records(Slot.A, 50, b"older state")
    newer = records(Slot.B, 90, b"a newer state of several blocks, longer than fifty bytes")
    found = whole_snapshots(stored(*older, *newer[:cut]), COMMIT)

    assert [s.state for s in found] == [b"older state"]


def test_blocks_of_two_versions_of_a_slot_do_not_mix() -> None:
    """While slot A is written again its old manifest does not fit any more: slot B serves."""
    first = records(Slot.A, 30, b"first state in A")
    second = records(Slot.B, 60, b"state in B")
    third = records(Slot.A, 90, b"third state, in A again")
    found = whole_snapshots(stored(*first, *second, third[0]), COMMIT)

    assert [s.state for s in found] == [b"state in B"]


def test_the_newest_whole_snapshot_comes_first_and_none_beyond_the_commit() -> None:
    """A snapshot that stands behind the committed position is of a transaction that did not count."""
    both = stored(*records(Slot.A, 50, b"50"), *records(Slot.B, 90, b"90"))

    assert [s.state for s in whole_snapshots(both, COMMIT)] == [b"90", b"50"]
    assert [s.state for s in whole_snapshots(both, replace(COMMIT, next_offset=89))] == [b"50"]


def test_a_smaller_snapshot_removes_the_blocks_that_it_leaves() -> None:
    """Old blocks beyond the new ones get a tombstone: a slot does not grow for ever."""
    large = records(Slot.A, 50, b"x" * 45)
    small = records(Slot.A, 90, b"y" * 15, leftover=5)
    found = stored(*large, *small)

    assert block_counts(stored(*large)) == {Slot.A: 5, Slot.B: 0}
    assert block_counts(found) == {Slot.A: 2, Slot.B: 0}
    assert block_key(Slot.A, 4) not in found


@given(place=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_a_flipped_bit_of_a_record_is_found(place: int, bit: int) -> None:
    """Every byte of `_commit` and of a manifest is covered by its digest."""
    for value, decode in ((encode(COMMIT), decode_commit), (encode(manifest(Slot.A, 5)), decode_manifest)):
        at = place % len(value)
        flipped = value[:at] + bytes([value[at] ^ (1 << bit)]) + value[at + 1 :]
        with pytest.raises((BrokenSeal, NewerFormat)):
            decode(flipped)


@given(state=st.binary(min_size=1, max_size=60), place=st.integers(0, 100), bit=st.integers(0, 7))
def test_a_flipped_bit_of_a_block_makes_its_slot_invalid(state: bytes, place: int, bit: int) -> None:
    """A judge is never resumed from bytes that were not written."""
    written = records(Slot.B, 90, state)
    block = place % (len(written) - 1)
    key, value = written[block]
    assert value is not None
    at = place % len(value)
    flipped = value[:at] + bytes([value[at] ^ (1 << bit)]) + value[at + 1 :]

    assert whole_snapshots(stored(*written, (key, flipped)), COMMIT) == []


def test_a_record_comes_back_as_it_was() -> None:
    """Encoding is canonical: equal records are equal bytes."""
    assert decode_commit(encode(COMMIT)) == COMMIT
    assert decode_manifest(encode(manifest(Slot.B, 5))) == manifest(Slot.B, 5)
    assert encode(COMMIT) == encode(replace(COMMIT))


def test_a_record_of_a_later_version_is_told_apart_from_a_broken_one() -> None:
    """An older program must not take a newer state for damage and fold over it."""
    with pytest.raises(NewerFormat):
        decode_commit(seal({"format": 99, "next_offset": 1}))
