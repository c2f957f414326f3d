"""A profile stage for tests: topics, a plan with short spans, workers in threads and in processes that may die."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerProcess
from typing import Any

import orjson
from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from stream_monitor.core.plan import DetectionPlan, InputPlan, ModelPlan, Plan, TimePlan
from stream_monitor.formats import build_decoder
from stream_monitor.kafka.client_settings import KafkaSettings
from stream_monitor.kafka.clients import end_offsets, open_admin
from stream_monitor.kafka.failpoints import Failpoints, NoFailpoints
from stream_monitor.kafka.observer import NullObserver, Observer
from stream_monitor.kafka.profile import ProfileJob, ProfilePolicy, ProfileWorker, Tuning
from stream_monitor.kafka.topics import TopicNames, create_topics, plan_topics
from tests.kafka.feeds import feed_of
from tests.kafka.folding import Folded, fold, read_all
from tests.kafka.members import make_topic, quick_settings

QUICK = Tuning(chunk_age_s=0.1, quiet_s=0.1, poll_s=0.05, retry_s=0.05, watch_s=0.5, forgotten_s=3.0, stalled_s=20.0)
PANE_MS = 10_000
FORK = multiprocessing.get_context("forkserver")
FORK.set_forkserver_preload(["tests.kafka.profiling"])


@dataclass(frozen=True)
class Stage:
    """Names, plan and settings of one profile stage; a function of its arguments, so processes agree on it."""

    bootstrap: str
    prefix: str
    inputs: tuple[str, ...]
    idle_after_ms: int | None = None
    pane_ms: int = PANE_MS
    settings: KafkaSettings = field(init=False)
    names: TopicNames = field(init=False)
    plan: Plan = field(init=False)
    admin: AdminClient = field(init=False)  # kept: a client that nobody holds ends, and its answers never come
    producer: Producer = field(init=False)
    outsider: Consumer = field(init=False)  # asks for the group's offsets and never joins it

    def __post_init__(self) -> None:
        own = ("profiles", "baselines", "alerts", "alert-state", "judge-state", "dead")
        plan = Plan(
            inputs=tuple(InputPlan(topic) for topic in self.inputs),
            time=TimePlan(allowed_lateness_ms=self.pane_ms // 2, idle_after_ms=self.idle_after_ms),
            detection=DetectionPlan(pane_ms=self.pane_ms),
            models=(ModelPlan(baseline_events=63),),
        )
        object.__setattr__(self, "settings", quick_settings(self.bootstrap))
        object.__setattr__(self, "names", TopicNames(*(f"{self.prefix}{name}" for name in own)))
        object.__setattr__(self, "plan", plan)
        object.__setattr__(self, "admin", open_admin(self.settings))
        producer = Producer({**self.settings.common_config(), "linger.ms": 0})
        object.__setattr__(self, "producer", producer)
        outside = {**self.settings.common_config(), "group.id": f"{self.prefix}-profile"}
        object.__setattr__(self, "outsider", Consumer(outside))

    def job(
        self,
        instance: str = "a",
        *,
        policy: ProfilePolicy | None = None,
        tuning: Tuning = QUICK,
        observer: Observer | None = None,
        failpoints: Failpoints | None = None,
    ) -> ProfileJob:
        """Return a worker's task."""
        return ProfileJob(
            self.settings,
            self.plan,
            self.prefix,
            instance,
            {item.topic: build_decoder(item, self.plan) for item in self.plan.inputs},
            topics=self.names,
            policy=policy or ProfilePolicy(),
            tuning=tuning,
            observer=observer or NullObserver(),
            failpoints=failpoints or NoFailpoints(),
        )

    def send(self, partition: int, values: Sequence[bytes | None], *, topic: str | None = None) -> None:
        """Write records to a partition of an input and wait until they are safe."""
        for value in values:
            self.producer.produce(topic or self.inputs[0], value, partition=partition)
        assert self.producer.flush(60) == 0

    def committed(self) -> dict[tuple[str, int], tuple[int, str | None]]:
        """Return the group's committed offsets and metadata."""
        # Not by the admin client: it crashes the process when the coordinator has moved.
        found = self.outsider.committed(self.partitions(), timeout=10)
        return {(p.topic, p.partition): (p.offset, p.metadata) for p in found if p.offset >= 0}

    def partitions(self) -> list[TopicPartition]:
        """Return all input partitions."""
        counts = {
            topic: len(self.admin.list_topics(topic, timeout=10).topics[topic].partitions) for topic in self.inputs
        }
        return [TopicPartition(topic, p) for topic, count in counts.items() for p in range(count)]

    def ends(self) -> dict[tuple[str, int], int]:
        """Return the ends of all input partitions."""
        return end_offsets(self.admin, self.partitions(), uncommitted=True)

    def ends_of_profiles(self) -> dict[tuple[str, int], int]:
        """Return the ends of the log of profiles."""
        count = len(self.admin.list_topics(self.names.profiles, timeout=10).topics[self.names.profiles].partitions)
        return end_offsets(self.admin, [TopicPartition(self.names.profiles, p) for p in range(count)])

    def is_caught_up(self) -> bool:
        """Say whether everything in the inputs is committed; not while the broker does not answer."""
        try:
            committed = self.committed()
            return all(committed.get(place, (0, None))[0] >= end for place, end in self.ends().items())
        except (KafkaException, TimeoutError):
            return False

    def fold(self) -> Folded:
        """Fold the log as it is now."""
        return fold(read_all(self.settings, self.names.profiles))


def make_stage(
    bootstrap: str,
    prefix: str,
    *,
    partitions: int = 2,
    profiles: int = 2,
    inputs: int = 1,
    idle_after_ms: int | None = None,
    pane_ms: int = PANE_MS,
    rejects: int | None = 0,
) -> Stage:
    """Make the topics of a stage and return it; at the test's end `rejects` of its records must be dead letters."""
    stage = Stage(bootstrap, prefix, tuple(f"{prefix}in{i}" for i in range(inputs)), idle_after_ms, pane_ms)
    for topic in stage.inputs:
        make_topic(bootstrap, topic, partitions)
    create_topics(stage.admin, plan_topics(stage.names, partitions=profiles, replication=1))
    names = stage.names
    feed_of(stage.settings, dead_letters=names.dead_letters, profiles=names.profiles, rejects=rejects)
    return stage


def event(number: int, timestamp_ms: int, *, model: str = "fraud", amount: float = 1.0) -> bytes:
    """Return a native event."""
    return orjson.dumps(
        {
            "event_id": f"e{number}",
            "model": model,
            "version": "1",
            "timestamp": timestamp_ms,
            "features": {"amount": amount, "country": "DE"},
            "prediction": 0.5,
        }
    )


def wait_until(done: Callable[[], bool], *, timeout_s: float = 40.0) -> None:
    """Return when something is so.

    Raises:
        AssertionError: it was not in time.
    """
    deadline = time.monotonic() + timeout_s
    while not done():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


class Running:
    """A worker in a thread."""

    def __init__(self, job: ProfileJob) -> None:
        self.error: BaseException | None = None
        self._worker = ProfileWorker(job)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def ended(self) -> bool:
        """Say whether the worker has left by itself."""
        return not self._thread.is_alive()

    def stop(self) -> None:
        """Stop the worker and wait for it."""
        self._worker.stop()
        self._thread.join(30)
        assert not self._thread.is_alive(), "the worker did not stop"

    def _run(self) -> None:
        try:
            self._worker.run()
        except BaseException as error:  # noqa: BLE001 - handed to the test
            self.error = error


@contextmanager
def running(job: ProfileJob) -> Iterator[Running]:
    """Give a running worker that is stopped at the end; what it raised is raised here."""
    worker = Running(job)
    try:
        yield worker
    finally:
        worker.stop()
    if worker.error is not None:
        raise worker.error


class KillAt:
    """Kills its own process the n-th time that a step is reached."""

    def __init__(self, name: str, times: int = 1) -> None:
        self._name = name
        self._left = times

    def reach(self, name: str) -> None:
        if name == self._name:
            self._left -= 1
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)


def start_process(stage: Stage, instance: str, *, kill_at: str | None = None, times: int = 1) -> ForkServerProcess:
    """Start a worker in a process of its own, which ends by SIGTERM, or by SIGKILL at a step."""
    arguments: tuple[Any, ...] = (stage.bootstrap, stage.prefix, stage.inputs, stage.idle_after_ms, instance)
    process = FORK.Process(target=_work, args=(*arguments, kill_at, times), daemon=True)
    process.start()
    return process


def _work(
    bootstrap: str,
    prefix: str,
    inputs: tuple[str, ...],
    idle_after_ms: int | None,
    instance: str,
    kill_at: str | None,
    times: int,
) -> None:
    stage = Stage(bootstrap, prefix, inputs, idle_after_ms)
    worker = ProfileWorker(stage.job(instance, failpoints=KillAt(kill_at, times) if kill_at else None))
    signal.signal(signal.SIGTERM, lambda *_: worker.stop())
    worker.run()
