"""How a chunk that ends its owners gets smaller, what ends it, and how the pace comes back."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from enum import StrEnum

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stream_monitor.core.chain import CHUNK_LIMIT, ChainState, ChunkName
from stream_monitor.core.pace import (
    RECOVERY,
    after_chunk,
    after_end,
    bounded,
    is_deadly,
    is_limited,
    is_suspected,
    needs_guard,
)

CLEAN = ChainState("id", lease=5, last=ChunkName(9, 5))


def ended(state: ChainState, first: int, records: int) -> ChainState:
    """Return the state after an owner was found to have ended while it counted a range."""
    return after_end(dataclasses.replace(state, trying=(first, records)))


def test_an_owner_that_committed_a_chunk_leaves_no_suspicion() -> None:
    """The next one counts without announcing it."""
    assert not needs_guard(CLEAN)
    assert after_end(CLEAN) == CLEAN


def test_an_owner_that_committed_nothing_may_have_died() -> None:
    """Of the first chunk, a deployment or a rebalance: the next one announces what it counts, and nothing shrinks."""
    left = dataclasses.replace(CLEAN, lease=6)

    assert needs_guard(left)
    assert after_end(left).limit == CHUNK_LIMIT


def test_one_owner_that_stood_still_slows_nothing_down() -> None:
    """A stall in the wrong moment looks like a crash; the next owner takes care, at the full pace."""
    once = ended(CLEAN, 100, 5_000)

    assert (once.limit, needs_guard(once)) == (CHUNK_LIMIT, True)
    assert not needs_guard(after_chunk(dataclasses.replace(once, last=ChunkName(10, 5)), 5_100, records=5_000))


def test_200_000_records_come_down_to_one_in_five_crashes_after_the_first() -> None:
    """Each announcement that is found divides the chunk by 16."""
    state, limits = ended(CLEAN, 100, CHUNK_LIMIT), []
    while state.limit > 1:
        state = ended(state, 100, state.limit)
        limits.append(state.limit)

    assert limits == [12_500, 782, 49, 4, 1]


@pytest.mark.parametrize("limit", [1, CHUNK_LIMIT])
def test_one_record_is_given_up_after_three_owners_ended_on_it(limit: int) -> None:
    """Not before, and the chunk that puts it aside leaves no suspicion of the next record."""
    state = dataclasses.replace(CLEAN, limit=limit)
    deadly = []
    for _ in range(3):
        state = ended(state, 100, 1)
        deadly.append(is_deadly(state))

    assert deadly == [False, False, True]
    assert not is_deadly(after_chunk(state, 101, records=1))


def test_a_chunk_without_records_proves_nothing() -> None:
    """It may come between two attempts at the same record; the suspicion stays."""
    once = ended(CLEAN, 100, 1)

    assert is_suspected(after_chunk(once, 100, records=0))
    assert after_chunk(ended(once, 100, 1), 100, records=0).limit == 1


def test_a_limit_doubles_with_every_chunk_behind_the_suspected_range() -> None:
    """Inside the range it stays; the last chunk of the range is the first that doubles it."""
    state = ended(ended(CLEAN, 100, 1_600), 100, 1_600)
    inside = after_chunk(state, 1_600, records=100)
    limits, at = [], 1_700
    while is_limited(inside):
        inside = after_chunk(inside, at, records=100)
        limits.append(inside.limit)
        at += inside.limit

    assert (100, 1_700) == (state.limit, state.grow_at)
    assert [200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 51_200, 102_400, CHUNK_LIMIT] == limits
    assert inside.grow_at is None


def test_a_crash_on_a_small_chunk_is_divided_from_what_it_held() -> None:
    """A chunk of 40 records under the full limit comes down to 3, so that sixteen chunks pass it, not to 12,500."""
    assert ended(ended(CLEAN, 100, 40), 100, 40).limit == 3


def test_a_suspicion_that_an_earlier_version_left_ends_after_sixteen_chunks_as_well() -> None:
    """It used to reach twice the range that failed, and over all ranges before."""
    left = dataclasses.replace(CLEAN, limit=1, grow_at=400_100)

    assert bounded(left, 100).grow_at == 116
    assert bounded(dataclasses.replace(left, grow_at=110), 100).grow_at == 110
    assert bounded(CLEAN, 100) == CLEAN


def test_the_committed_state_says_what_is_tried_and_by_how_many() -> None:
    """It travels in the metadata; without crashes there is no key for it."""
    state = dataclasses.replace(CLEAN, trying=(100, 1), tries=2)

    assert ChainState.decode(state.encode()) == state
    assert "tries" not in CLEAN.encode()


class Fate(StrEnum):
    """How far an owner comes with one chunk."""

    DIES_IDLE = "before anything is announced"
    DIES_COUNTING = "while it counts"
    DIES_WRITING = "counted and withdrawn, not committed"
    COMMITS = "commits"


@dataclass
class Partition:
    """A partition with more records than anybody counts, its committed state, and owners that come and go."""

    chain: ChainState = CLEAN
    next: int = 0
    backlog: int = 500_000
    deadly: frozenset[int] = frozenset()
    refused: list[int] = field(default_factory=list)
    deaths: int = 0
    guarded: bool = False

    def take_up(self) -> None:
        """A new process takes the partition up, as an assignment does."""
        left = self.chain
        chain = bounded(after_end(left), self.next)
        self.guarded = is_suspected(chain) or needs_guard(left)
        self.chain = dataclasses.replace(chain, lease=chain.lease + 1)

    def chunk(self, fate: Fate) -> None:
        """The owner goes about one chunk."""
        if is_deadly(self.chain):
            self.refused.append(self.next)
            self.commit(1)
        elif self._is_deadly_for(fate, records := min(self.chain.limit, self.backlog)):
            self.deaths += 1
            self.take_up()
        else:
            self.commit(records)

    def _is_deadly_for(self, fate: Fate, records: int) -> bool:
        if fate is Fate.DIES_IDLE:
            return True
        if self.guarded:
            self.chain = dataclasses.replace(self.chain, trying=(self.next, records))
        if fate is Fate.DIES_COUNTING or any(self.next <= bad < self.next + records for bad in self.deadly):
            return True
        self.chain = dataclasses.replace(self.chain, trying=None)
        return fate is Fate.DIES_WRITING

    def commit(self, records: int) -> None:
        self.next += records
        chain = dataclasses.replace(self.chain, last=ChunkName(self.chain.last.seq + 1, self.chain.lease))
        self.chain = after_chunk(chain, self.next, records=records)
        self.guarded = is_suspected(self.chain)


fates = st.lists(st.sampled_from(Fate), max_size=60)
backlogs = st.lists(st.sampled_from([1, 3, 40, 5_000, 500_000]), min_size=1, max_size=60)


@given(fates, backlogs)
@example([Fate.DIES_IDLE] * 8 + [Fate.DIES_COUNTING] * 2, [1, 1, 1, 1, 40])  # forty records in chunks of two are twenty
def test_no_schedule_of_kills_leaves_a_partition_below_its_full_pace(schedule: list[Fate], backlog: list[int]) -> None:
    """Whatever has happened, a fixed number of full chunks later the limit is what it was."""
    partition = Partition()
    for number, fate in enumerate(schedule):
        partition.backlog = backlog[number % len(backlog)]
        partition.chunk(fate)
    partition.backlog = 500_000
    for _ in range(RECOVERY):
        partition.chunk(Fate.COMMITS)

    assert (CHUNK_LIMIT, None, 0, False) == (
        partition.chain.limit,
        partition.chain.grow_at,
        partition.chain.tries,
        partition.guarded,
    )


@given(fates)
def test_kills_outside_the_count_slow_nothing_down(schedule: list[Fate]) -> None:
    """Stalls, refused commits, client restarts and kills while a chunk is written are no crashes of its records."""
    partition = Partition()
    for fate in schedule:
        partition.chunk(Fate.DIES_WRITING if fate is Fate.DIES_COUNTING else fate)

    assert (CHUNK_LIMIT, []) == (partition.chain.limit, partition.refused)


@given(st.frozensets(st.integers(0, 40_000), min_size=1, max_size=3))
def test_records_that_kill_their_owners_are_found_one_by_one(deadly: frozenset[int]) -> None:
    """Only they are put aside, each costs a bounded number of owners, and the rest is counted."""
    partition = Partition(deadly=deadly)
    for _ in range(4_000):
        partition.chunk(Fate.COMMITS)
        if partition.next > 40_000 and not is_limited(partition.chain):
            break

    assert sorted(deadly) == partition.refused
    assert not is_limited(partition.chain)
    assert partition.deaths <= 12 * len(deadly)
