"""The world: what happens to the workers, one step after the other, and the end at which everything must add up.

Steps are methods with small numbers as arguments, so that hypothesis can shrink a schedule and a plain random driver
can run thousands.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

from stream_monitor.core.judge import ChainGap
from stream_monitor.core.plan import DetectionPlan, ModelPlan, Plan, TimePlan
from tests.laws.two_stage.broker import Broker, Commit, Event
from tests.laws.two_stage.judging import JudgeWorker, Outcome
from tests.laws.two_stage.profiling import Answer, ProfileWorker
from tests.laws.two_stage.truth import expected
from tests.traffic import SECOND, T0

PLAN = Plan(
    time=TimePlan(allowed_lateness_ms=10 * SECOND),
    detection=DetectionPlan(pane_ms=10 * SECOND, window_ms=30 * SECOND),
    models=(ModelPlan(baseline_events=1000),),
    rules=(),
)
SOURCES = 2
WORKERS = 2
IDLE_AFTER = 15 * SECOND


@dataclass
class World:
    """Two profile workers, a judge, and everything that can go wrong."""

    worker_class: type[ProfileWorker] = ProfileWorker
    judge_worker: type[JudgeWorker] = JudgeWorker
    broker: Broker = field(default_factory=lambda: Broker(T0, [[] for _ in range(SOURCES)]))

    def __post_init__(self) -> None:
        self.workers = [self.worker_class(PLAN, self.broker) for _ in range(WORKERS)]
        self.judge = self.judge_worker(PLAN, self.broker)
        self.owner = [p % WORKERS for p in range(SOURCES)]

    # --- time and input -----------------------------------------------------------------------------------------------

    def tick(self, seconds: int) -> None:
        """Let time pass."""
        self.broker.now_ms += seconds * SECOND

    def produce(self, partition: int, count: int, spread: int) -> None:
        """Write events up to `spread` seconds old, the first of them the oldest."""
        events = self.broker.inputs[partition]
        for i in range(count):
            age = (spread * (count - i) // count) * SECOND
            events.append(Event(f"{partition}-{len(events)}", self.broker.now_ms - age, self.broker.now_ms))

    # --- profile workers ----------------------------------------------------------------------------------------------

    def rebalance(self, partition: int, worker: int, *, gracefully: bool) -> None:
        """Give a partition to a worker; the old owner lets go of it, or loses its membership without knowing."""
        old = self.workers[self.owner[partition]]
        if self.owner[partition] != worker:
            if gracefully:
                old.owned.pop(partition, None)
                old.rounds.pop(partition, None)
            else:
                self.broker.members.discard(old.member)
            self.owner[partition] = worker
        new = self.workers[worker]
        if new.member not in self.broker.members:
            new.restart_client()
        new.assign(partition)

    def chunk(self, worker: int, partition: int, most: int) -> None:
        """Count a chunk."""
        self.workers[worker].begin(partition, most)

    def idle(self, worker: int, partition: int) -> None:
        """Count an empty chunk that carries an idle fact, if the partition has been silent and caught up."""
        owned = self.workers[worker].owned.get(partition)
        events = self.broker.inputs[partition]
        if owned is None or owned.next < len(events) or not events:
            return
        until = self.broker.now_ms - IDLE_AFTER - PLAN.time.allowed_lateness_ms
        if events[-1].record_ms + IDLE_AFTER <= self.broker.now_ms:
            self.workers[worker].begin(partition, 0, until - until % PLAN.detection.pane_ms)

    def deliver(self, worker: int, partition: int, count: int) -> None:
        """Let some records reach the log."""
        self.workers[worker].deliver(partition, count)

    def flush(self, worker: int, partition: int, *, lost: bool = False) -> None:
        """Let all records reach the log, or all but one."""
        self.workers[worker].flush(partition, lost=lost)

    def commit(self, worker: int, partition: int, answer: Answer = Answer.OK) -> None:
        """Commit a chunk."""
        self.workers[worker].commit(partition, answer)

    def release(self) -> None:
        """Let the oldest held commit arrive."""
        if self.broker.held:
            self.broker.commit(self.broker.held.pop(0))

    def crash(self, worker: int) -> None:
        """Kill a worker; another process takes its place and gets its partitions."""
        self.workers[worker].restart_client()
        for partition in range(SOURCES):
            if self.owner[partition] == worker:
                self.workers[worker].assign(partition)

    def lose_offset(self, partition: int) -> None:
        """Delete the committed offset of a partition: with its group, by hand, or because it has expired.

        Brokers refuse that while the group has members.
        """
        self.empty_group()
        self.tick(1)
        self.broker.committed.pop(partition, None)

    def empty_group(self) -> None:
        """Let every worker end, its partitions in the hands of nobody."""
        for worker in self.workers:
            worker.restart_client()

    def lose_offset_under_zombies(self, partition: int) -> None:
        """Delete the committed offset while a worker that lost its membership may still write."""
        self.tick(1)
        self.broker.committed.pop(partition, None)

    def reset(self, partition: int) -> None:
        """Let an operator commit where the partition stands, in a new epoch, while no worker is a member."""
        self.empty_group()
        operator = self.worker_class(PLAN, self.broker)
        found = operator.committed(partition)
        chain = dataclasses.replace(found.chain, epoch=found.chain.epoch + 1)
        self.broker.commit(Commit(partition, operator.member, found.next, chain.encode()))
        self.broker.members.discard(operator.member)

    # --- judge --------------------------------------------------------------------------------------------------------

    def fold(self, count: int) -> None:
        """Let the judge fold."""
        self.judge.fold(count)

    def tell(self, outcome: Outcome, *, snapshot: bool) -> None:
        """Let the judge commit."""
        self.judge.commit(outcome, snapshot=snapshot)

    def kill_judge(self) -> None:
        """Kill the judge."""
        self.judge.crash()

    # --- the end ------------------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Let everything finish: fresh workers count what is left, a last fact passes every pane, the judge tells."""
        self.broker.held.clear()
        for partition in range(SOURCES):
            worker = self.workers[self.owner[partition]]
            worker.restart_client()
            worker.assign(partition)
            until = self.broker.now_ms + 1000 * SECOND
            # A limited worker takes one event at a time.
            left = len(self.broker.inputs[partition]) - worker.owned[partition].next
            for most, idle in (*[(1_000, None)] * left, (0, until - until % PLAN.detection.pane_ms), (0, None)):
                if most and worker.owned[partition].next == len(self.broker.inputs[partition]):
                    continue
                worker.begin(partition, most, idle)
                worker.flush(partition, lost=False)
                worker.commit(partition, Answer.OK)
        self.judge.fold(len(self.broker.log))
        self.judge.commit(Outcome.COMMITTED, snapshot=False)

    def check(self) -> None:
        """Compare what was told with the truth."""
        assert self.broker.alerts == expected(self.broker, PLAN)


class End(StrEnum):
    """How a schedule ended."""

    EXACT = "exact"
    LOUD = "loud"
    WRONG = "wrong"


def steps(*, late_copies: bool, zombies: bool) -> list[tuple[float, Callable[[World, Random], None]]]:
    """Return what may happen, with weights.

    Args:
        late_copies: whether the network also delivers hidden copies of commits after later ones.
        zombies: whether offsets are also lost while workers live that do not know it.
    """
    answers = [Answer.OK] * 12 + [Answer.TIMED_OUT_APPLIED, Answer.TIMED_OUT_LOST, Answer.TIMED_OUT_HELD]
    answers += [Answer.OK_BUT_HELD_COPY] * (3 if late_copies else 0)
    outcomes = [Outcome.COMMITTED] * 6 + list(Outcome)

    def quiet(world: World, draw: Random) -> None:
        partition, worker = draw.randrange(SOURCES), draw.randrange(WORKERS)
        world.tick(draw.randint(10, 40))
        world.idle(worker, partition)
        world.flush(worker, partition)
        world.commit(worker, partition, draw.choice(answers))

    def lose(world: World, partition: int) -> None:
        (world.lose_offset_under_zombies if zombies else world.lose_offset)(partition)

    def at(draw: Random) -> tuple[int, int]:
        return draw.randrange(WORKERS), draw.randrange(SOURCES)

    def whole(world: World, draw: Random) -> None:
        partition = draw.randrange(SOURCES)
        worker = world.owner[partition] if draw.random() < 0.7 else draw.randrange(WORKERS)
        world.chunk(worker, partition, draw.randint(0, 6))
        world.flush(worker, partition)
        world.commit(worker, partition, draw.choice(answers))

    return [
        (8, lambda world, draw: world.produce(draw.randrange(SOURCES), draw.randint(1, 5), draw.choice((5, 30, 90)))),
        (6, lambda world, draw: world.tick(draw.randint(1, 12))),
        (10, whole),
        (3, quiet),
        (6, lambda world, draw: world.chunk(*at(draw), draw.randint(0, 6))),
        (2, lambda world, draw: world.idle(*at(draw))),
        (4, lambda world, draw: world.deliver(*at(draw), draw.randint(1, 2))),
        (5, lambda world, draw: world.flush(*at(draw), lost=draw.random() < 0.2)),
        (6, lambda world, draw: world.commit(*at(draw), draw.choice(answers))),
        (2, lambda world, _: world.release()),
        (2, lambda world, draw: world.crash(draw.randrange(WORKERS))),
        (
            3,
            lambda world, draw: world.rebalance(
                draw.randrange(SOURCES), draw.randrange(WORKERS), gracefully=draw.random() < 0.4
            ),
        ),
        (1, lambda world, draw: lose(world, draw.randrange(SOURCES))),
        (0.3, lambda world, draw: world.reset(draw.randrange(SOURCES))),
        (8, lambda world, draw: world.fold(draw.randint(1, 8))),
        (4, lambda world, draw: world.tell(draw.choice(outcomes), snapshot=draw.random() < 0.3)),
        (1, lambda world, _: world.kill_judge()),
    ]


def run(world: World, seed: int, *, length: int = 120, late_copies: bool = False, zombies: bool = False) -> End:
    """Run a random schedule; say whether it ended exact, stopped loudly, or told something wrong."""
    draw = Random(seed)
    weights, actions = zip(*steps(late_copies=late_copies, zombies=zombies), strict=True)
    try:
        for partition in range(SOURCES):
            world.rebalance(partition, world.owner[partition], gracefully=True)
        for action in draw.choices(actions, weights, k=length):
            action(world, draw)
        world.settle()
        world.check()
    except ChainGap:
        return End.LOUD
    except (AssertionError, KeyError, StopIteration):
        return End.WRONG
    return End.EXACT
