"""The share and the run of unreadable records, carried from chunk to chunk and from worker to worker."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_monitor.core.unreadable import BLOCK, WINDOW, Unreadable

flags = st.lists(st.sampled_from([0, 0, 0, 1]).flatmap(lambda bad: st.tuples(st.just(bad), st.integers(1, 3_000))))


def positions(records: Sequence[int]) -> list[int]:
    return [at for at, bad in enumerate(records) if bad]


@given(runs=flags, cuts=st.lists(st.integers(1, 4_000), max_size=8))
def test_the_state_does_not_depend_on_the_cuts(runs: list[tuple[int, int]], cuts: list[int]) -> None:
    """Whole or in pieces: the same numbers, and they come back as they were written."""
    records = [bad for bad, length in runs for _ in range(length)]
    whole, state, at = Unreadable().after(len(records), positions(records)), Unreadable(), 0
    for cut in [*cuts, len(records)]:
        piece = records[at : at + cut]
        state = state.after(len(piece), positions(piece))
        at += len(piece)
    rest = records[at:]
    state = state.after(len(rest), positions(rest))

    assert whole == state
    assert Unreadable.decode(state.encode()) in (state, Unreadable())
    assert bool(state.encode()) == bool(state.bad or state.run)


@given(runs=flags)
def test_runs_are_those_of_the_records(runs: list[tuple[int, int]]) -> None:
    """The last run and the longest one, with what came before."""
    records = [bad for bad, length in runs for _ in range(length)]
    text = "x" * 7 + "".join("x" if bad else "." for bad in records)
    before = Unreadable(run=7, in_block=7)
    spans = text.split(".")
    longest = max(map(len, spans[1:] if records and not records[0] else spans), default=0)

    assert before.after(len(records), positions(records)).run == len(spans[-1])
    assert before.longest_run(len(records), positions(records)) == longest


def test_the_share_is_that_of_the_last_ten_thousand() -> None:
    """A burst counts while it is in the window, wherever it lies in a chunk, and is forgotten behind it."""
    burst = range(20_000, 21_001)
    state = Unreadable().after(30_000, burst)

    assert Unreadable().worst(30_000, burst) == 1_001
    assert state.bad == 1_001 - BLOCK
    assert state.after(WINDOW, []).encode() == []


def test_a_partition_without_bad_records_writes_nothing() -> None:
    """The chain state of nearly all partitions is as long as it was."""
    assert Unreadable().after(123_456, []).encode() == []


@pytest.mark.parametrize("numbers", [[1], [BLOCK, 0, 0], [0, -1, 0], [0] * 13])
def test_numbers_of_another_program_say_nothing(numbers: list[int]) -> None:
    """A share that cannot be read begins anew; it stops nobody."""
    assert Unreadable.decode(numbers) == Unreadable()
