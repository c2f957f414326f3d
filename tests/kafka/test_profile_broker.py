"""The profile worker and a broker that fails, refuses or runs ahead of it."""

from __future__ import annotations

import dataclasses
import random
import time

import pytest
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # the package has no __all__
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from stream_monitor.core.profile import ProgressRecord, decode
from stream_monitor.kafka.baseline_log import BaselineLog
from stream_monitor.kafka.errors import Misconfigured
from stream_monitor.kafka.observer import Loop, NullObserver
from tests.kafka.conftest import BrokerFactory
from tests.kafka.folding import read_all
from tests.kafka.profiling import QUICK, Running, Stage, event, make_stage, running, wait_until
from tests.kafka.test_profile_worker import T0, assert_exact, feed

MINUTE_MS = 60_000


def test_a_broker_that_dies_and_comes_back_costs_nothing(own_broker: BrokerFactory, prefix: str) -> None:
    """One worker waits and goes on, another one can be stopped meanwhile; what was in flight is counted once."""
    broker = own_broker()
    stage = make_stage(broker.bootstrap, prefix)
    feed(stage, range(200))
    with running(stage.job("a")) as worker:
        leaving = Running(stage.job("b", tuning=dataclasses.replace(QUICK, drain_s=2.0)))
        wait_until(stage.is_caught_up)
        feed(stage, range(200, 400))
        broker.kill()
        leaving.stop()
        broker.start()
        feed(stage, range(400, 600))
        wait_until(lambda: stage.is_caught_up() or worker.ended(), timeout_s=60)
    folded = assert_exact(stage)

    assert leaving.error is None
    assert folded.counted == 600


def set_topic(stage: Stage, topic: str, key: str, value: str) -> None:
    change = ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[change])
    for future in stage.admin.incremental_alter_configs([resource]).values():
        future.result(20)


def test_records_that_the_broker_refuses_are_not_committed(kafka: str, prefix: str) -> None:
    """Chunks get smaller down to one event, which is put aside; when not even that is taken the worker says why.

    The letter of that event stays, although it counts once the broker takes it: the worker that wrote it has ended.
    """
    stage = make_stage(kafka, prefix, partitions=1, rejects=1)
    with running(stage.job()):
        wait_until(lambda: len(stage.committed()) == 1)
    before = stage.committed()
    worker = Running(stage.job())
    wait_until(lambda: stage.committed() != before)
    set_topic(stage, stage.names.profiles, "max.message.bytes", "200")
    time.sleep(0.5)
    offset = stage.committed()[stage.inputs[0], 0][0]
    feed(stage, range(20), partitions=1)
    wait_until(worker.ended)

    assert isinstance(worker.error, Misconfigured)
    assert "max.message.bytes" in str(worker.error)
    assert stage.committed()[stage.inputs[0], 0][0] == offset
    set_topic(stage, stage.names.profiles, "max.message.bytes", "1048588")
    with running(stage.job()):
        wait_until(stage.is_caught_up)
    assert assert_exact(stage).counted == 20


def test_nothing_is_committed_before_its_dead_letters_are_safe(kafka: str, prefix: str) -> None:
    """A dead letter that the topic refuses holds the chunk back, until the worker says why; then it comes through."""
    stage = make_stage(kafka, prefix, partitions=1, rejects=1)
    worker = Running(stage.job())
    wait_until(lambda: len(stage.committed()) == 1)
    set_topic(stage, stage.names.dead_letters, "max.message.bytes", "500")
    stage.send(0, [*(event(n, T0) for n in range(10)), random.Random(1).randbytes(4_000)])
    wait_until(lambda: worker.ended() or stage.is_caught_up())
    held = stage.committed()[stage.inputs[0], 0][0]
    set_topic(stage, stage.names.dead_letters, "max.message.bytes", "1048588")
    with running(stage.job()):
        wait_until(stage.is_caught_up)

    assert isinstance(worker.error, Misconfigured)
    assert held <= 10
    assert assert_exact(stage).counted == 10


def test_a_partition_far_ahead_waits_for_the_slowest(kafka: str, prefix: str) -> None:
    """Its watermark stays within `max_ahead` and what was read already, as long as the other one has records."""
    stage = make_stage(kafka, prefix, profiles=1)
    stage.send(0, [event(n, T0 + n * MINUTE_MS // 10) for n in range(500)])  # 50 minutes
    stage.send(1, [event(n, T0 + n * 10) for n in range(500, 1_500)])  # 10 seconds
    tuning = dataclasses.replace(QUICK, poll_records=20, chunk_records=40, chunk_age_s=0.05)
    with running(stage.job(tuning=tuning)):
        wait_until(stage.is_caught_up)
    folded = assert_exact(stage)
    marks: dict[int, int] = {}
    ahead = 0
    for progress in written(stage):
        marks[progress[0]] = progress[1]
        if len(marks) == 2 and progress[2] < 900:
            ahead = max(ahead, marks[0] - marks[1])
    slow = folded.progress((stage.inputs[0], 1))

    assert slow[-1].next == 1_000
    assert 0 < ahead <= stage.plan.time.max_ahead_ms + 10 * MINUTE_MS


def written(stage: Stage) -> list[tuple[int, int, int]]:
    """Return (source partition, watermark, next of partition 1) of all progress records, in log order."""
    found, slow = [], 0
    for message in read_all(stage.settings, stage.names.profiles)[0]:
        record = decode(message.value() or b"")
        if isinstance(record, ProgressRecord) and record.watermark_ms is not None:
            slow = record.next if record.source.partition == 1 else slow
            found.append((record.source.partition, record.watermark_ms, slow))
    return found


class Readiness(NullObserver):
    def __init__(self) -> None:
        self.heard: list[tuple[bool, str]] = []

    def readiness(self, loop: Loop, *, ready: bool, detail: str) -> None:
        self.heard.append((ready, detail))


def test_counting_waits_while_the_baselines_are_not_known(
    kafka: str, prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is written while the reader lags, the worker is not ready, and then everything counts."""
    stage = make_stage(kafka, prefix, partitions=1)
    state = {"now": False}
    monkeypatch.setattr(BaselineLog, "is_behind", lambda _: state["now"])
    readiness = Readiness()
    with running(stage.job(observer=readiness)):
        wait_until(lambda: len(stage.committed()) == 1)
        state["now"] = True
        time.sleep(0.5)
        feed(stage, range(50), partitions=1)
        time.sleep(1.0)
        held = stage.committed()[stage.inputs[0], 0][0]
        state["now"] = False
        wait_until(stage.is_caught_up)

    assert held == 0
    assert (False, "the baseline reader is behind") in readiness.heard
    assert assert_exact(stage).counted == 50
