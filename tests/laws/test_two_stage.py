"""The protocol of both stages against a broker that misbehaves: exact on every schedule, and no rule of it is idle."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from stream_monitor.core.judge import ChainGap
from tests.laws.two_stage.judging import Outcome
from tests.laws.two_stage.mutants import MUTANTS, DeliveryErrorsIgnored, Mutant
from tests.laws.two_stage.profiling import Answer
from tests.laws.two_stage.world import SOURCES, WORKERS, End, World, run

SCHEDULES = 2000
PARTS = 8


@pytest.mark.parametrize("part", range(PARTS))
def test_every_schedule_is_exact(part: int) -> None:
    """Crashes, zombies, lost records and offsets, resets, late commits, torn transactions: every event counts once."""
    ends = {seed: run(World(), seed) for seed in range(part, SCHEDULES, PARTS)}

    assert {seed: end for seed, end in ends.items() if end is not End.EXACT} == {}


def test_hidden_late_copies_are_never_silently_wrong() -> None:
    """A commit that is set back unseen costs at most a loud stop."""
    ends = Counter(run(World(), seed, late_copies=True) for seed in range(200))

    assert (ends[End.WRONG], ends[End.EXACT] >= 190) == (0, True)


def test_offsets_lost_under_zombies_are_never_silently_wrong() -> None:
    """A worker that stood still while the offsets were deleted, and writes afterwards, costs at most a loud stop."""
    ends = Counter(run(World(), seed, zombies=True) for seed in range(400))

    assert (ends[End.WRONG], ends[End.EXACT] >= 380) == (0, True)


def test_a_lost_record_stops_loudly() -> None:
    """Were a worker to commit a chunk that is not whole, the judge would stop and not count on."""
    ends = Counter(run(World(worker_class=DeliveryErrorsIgnored), seed) for seed in range(100))

    assert (ends[End.WRONG], ends[End.LOUD] > 0) == (0, True)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_no_rule_of_the_protocol_is_idle(mutant: Mutant, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the rule taken away some schedule ends wrong or stops."""
    for target, attribute, value in mutant.patches:
        monkeypatch.setattr(target, attribute, value)
    bad = {End.WRONG} if mutant.silent else {End.WRONG, End.LOUD}

    def ends_badly(seed: int) -> bool:
        world = World(worker_class=mutant.worker, judge_worker=mutant.judge)
        return run(world, seed, late_copies=mutant.late_copies) in bad

    assert any(ends_badly(seed) for seed in range(600))


places = st.integers(0, SOURCES - 1)
workers = st.integers(0, WORKERS - 1)


class TwoStage(RuleBasedStateMachine):
    """The same world, with schedules that hypothesis chooses and shrinks."""

    @initialize()
    def begin(self) -> None:
        self.world = World()
        for partition in range(SOURCES):
            self.world.rebalance(partition, self.world.owner[partition], gracefully=True)

    @rule(partition=places, count=st.integers(1, 5), spread=st.integers(0, 30))
    def produce(self, partition: int, count: int, spread: int) -> None:
        self.world.produce(partition, count, spread)

    @rule(seconds=st.integers(1, 40))
    def tick(self, seconds: int) -> None:
        self.world.tick(seconds)

    @rule(worker=workers, partition=places, most=st.integers(0, 6))
    def consume(self, worker: int, partition: int, most: int) -> None:
        self.world.chunk(worker, partition, most)

    @rule(worker=workers, partition=places)
    def idle(self, worker: int, partition: int) -> None:
        self.world.idle(worker, partition)

    @rule(worker=workers, partition=places, count=st.integers(1, 2))
    def write(self, worker: int, partition: int, count: int) -> None:
        self.world.deliver(worker, partition, count)

    @rule(worker=workers, partition=places, lost=st.booleans())
    def flush(self, worker: int, partition: int, lost: bool) -> None:
        self.world.flush(worker, partition, lost=lost)

    @rule(worker=workers, partition=places, answer=st.sampled_from(list(Answer)[:-1]))
    def commit(self, worker: int, partition: int, answer: Answer) -> None:
        self.world.commit(worker, partition, answer)

    @rule()
    def late_commit(self) -> None:
        self.world.release()

    @rule(worker=workers)
    def crash(self, worker: int) -> None:
        self.world.crash(worker)

    @rule(partition=places)
    def lose_offset(self, partition: int) -> None:
        self.world.lose_offset(partition)

    @rule(partition=places)
    def reset(self, partition: int) -> None:
        self.world.reset(partition)

    @rule(partition=places, worker=workers, zombie=st.booleans())
    def rebalance(self, partition: int, worker: int, zombie: bool) -> None:
        self.world.rebalance(partition, worker, gracefully=not zombie)

    @rule(count=st.integers(1, 8))
    def fold(self, count: int) -> None:
        self.world.fold(count)

    @rule(outcome=st.sampled_from(Outcome), snapshot=st.booleans())
    def transaction(self, outcome: Outcome, snapshot: bool) -> None:
        self.world.tell(outcome, snapshot=snapshot)

    @rule()
    def kill_judge(self) -> None:
        self.world.kill_judge()

    @invariant()
    def nothing_is_told_twice(self) -> None:
        if hasattr(self, "world"):
            assert len(self.world.broker.alerts) == len(set(self.world.broker.alerts))

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.world.settle()
            self.world.check()


TestTwoStage = TwoStage.TestCase
TestTwoStage.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)


def test_the_model_stops_where_a_chunk_is_missing() -> None:
    """The model itself can tell: a log without the named chunk is a gap."""
    world = World()
    world.rebalance(0, 0, gracefully=True)
    draw = Random(1)
    for _ in range(3):
        world.produce(0, 3, draw.randint(0, 5))
        world.chunk(0, 0, 3)
        world.flush(0, 0)
        world.commit(0, 0)
    del world.broker.log[2:4]

    with pytest.raises(ChainGap):
        world.fold(10)
