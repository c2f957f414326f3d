"""How a chunk that kills its owners gets smaller, and what ends it."""

from __future__ import annotations

import dataclasses

from stream_monitor.core.chain import CHUNK_LIMIT, ChainState, ChunkName
from stream_monitor.kafka.profile.crashes import after_chunk, after_crash, is_deadly, needs_guard

CLEAN = ChainState("id", lease=5, last=ChunkName(9, 5))


def test_an_owner_that_committed_a_chunk_leaves_no_suspicion() -> None:
    """The next one decodes without announcing it."""
    assert not needs_guard(CLEAN)
    assert after_crash(CLEAN) == CLEAN


def test_an_owner_that_committed_nothing_may_have_died() -> None:
    """Of the first chunk, a deployment or a rebalance: the next one announces what it decodes, and nothing shrinks."""
    left = dataclasses.replace(CLEAN, lease=6)

    assert needs_guard(left)
    assert after_crash(left).limit == CHUNK_LIMIT


def test_200_000_records_come_down_to_one_in_five_crashes() -> None:
    """Each announcement that is found divides the chunk by 16."""
    state, limits = CLEAN, []
    while state.limit > 1:
        state = after_crash(dataclasses.replace(state, trying=(100, state.limit)))
        limits.append(state.limit)

    assert limits == [12_500, 781, 48, 3, 1]


def test_one_record_is_given_up_after_three_owners_died_of_it() -> None:
    """Not before, and the chunk that puts it aside starts afresh."""
    state = dataclasses.replace(CLEAN, limit=1)
    deadly = []
    for _ in range(3):
        state = after_crash(dataclasses.replace(state, trying=(100, 1)))
        deadly.append(is_deadly(state))

    assert deadly == [False, False, True]
    assert not is_deadly(after_chunk(state, 101))


def test_a_small_chunk_grows_back_behind_twice_the_range_that_failed() -> None:
    """Until then every chunk is announced."""
    shrunk = after_crash(dataclasses.replace(CLEAN, trying=(100, 1_600)))
    before, behind = after_chunk(shrunk, 3_299), after_chunk(shrunk, 3_300)

    assert (100, CHUNK_LIMIT) == (before.limit, behind.limit)
    assert needs_guard(before)
    assert behind.grow_at is None


def test_a_crash_on_a_small_chunk_is_divided_from_what_it_held() -> None:
    """A chunk of 40 records under the full limit comes down to 2, not to 12,500."""
    assert after_crash(dataclasses.replace(CLEAN, trying=(100, 40))).limit == 2


def test_the_committed_state_says_what_is_tried_and_by_how_many() -> None:
    """It travels in the metadata; without crashes there is no key for it."""
    state = dataclasses.replace(CLEAN, trying=(100, 1), tries=2)

    assert ChainState.decode(state.encode()) == state
    assert "tries" not in CLEAN.encode()
