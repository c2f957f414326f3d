"""The real judge on a real broker: resumed from its snapshots, it says what it would have said without a stop."""

from __future__ import annotations

import signal

import numpy as np
import pytest
from confluent_kafka import Producer

from stream_monitor.core.alerts.event import decode
from stream_monitor.core.judge import ALERT_HEADERS, AlertEvent, AlertState, Judge
from stream_monitor.core.keys import judge_partition
from stream_monitor.core.plan import AlertsPlan, DetectionPlan, DetectorPlan, Plan, TimePlan
from stream_monitor.kafka.baseline_log import BaselineWriter
from stream_monitor.kafka.deliveries import Outgoing
from stream_monitor.kafka.readers import read_partition
from tests import instants
from tests.kafka.judge_process import JudgeRun, finish
from tests.kafka.judging import FAST, Alert, JudgedTopics
from tests.traffic import Events, Monitor, baseline_of

PANE_MS = 10_000
PANES = 60
PLAN = Plan(
    time=TimePlan(allowed_lateness_ms=5_000, idle_after_ms=None),
    detection=DetectionPlan(
        pane_ms=PANE_MS,
        window_ms=60_000,
        detectors=tuple(DetectorPlan(kind) for kind in ("rank_shiryaev_roberts", "adwin", "page_hinkley")),
    ),
    alerts=AlertsPlan(resolve_after=5),
)
T0_MS = instants.ago_ms(instants.HOUR_S)
MODELS = tuple(next(f"m{i}" for i in range(99) if judge_partition(f"m{i}", 2) == p) for p in range(2))

KILLS = {
    "judge.commit.outputs": 2,
    "judge.commit.state": 7,
    "judge.commit.offsets": 3,
    "judge.restore.fold": 1,
    "judge.commit.done": 4,
}


def events(model: str, seed: int, *, panes: range, drifted: range = range(0)) -> Events:
    """Return 40 events a pane: a number that shifts and a category that leans while it drifts."""
    rng = np.random.default_rng(seed)
    count = 40
    at_ms = np.sort(np.concatenate([T0_MS + p * PANE_MS + rng.integers(0, PANE_MS, count) for p in panes]))
    drifts = np.repeat([p in drifted for p in panes], count)
    number = np.round(rng.normal(0, 1, at_ms.size) + 1.5 * drifts, 1)
    texts = np.where(rng.random(at_ms.size) < 0.3 + 0.4 * drifts, "A", "B").tolist()
    ids = [f"{model}-{seed}-{i}" for i in range(at_ms.size)]
    return Events(model, "1", ids, at_ms, at_ms, {"feature:number": number}, {"feature:text": texts})


@pytest.fixture(scope="module")
def monitor() -> Monitor:
    """Both stages without Kafka, with a drift that comes and goes in each of two models."""
    baselines = [(baseline_of(events(model, 1, panes=range(50))), 0) for model in MODELS]
    made = Monitor(PLAN, partitions=2, baselines=baselines)
    parts = [events(model, 2, panes=range(PANES), drifted=range(20, 35)) for model in MODELS]
    for pane in range(PANES):
        end_ms = T0_MS + (pane + 1) * PANE_MS
        rows = [np.flatnonzero((part.at_ms >= end_ms - PANE_MS) & (part.at_ms < end_ms)) for part in parts]
        made.chunk(0, *(part.take(own) for part, own in zip(parts, rows, strict=True)))
    made.close(T0_MS + (PANES + 1) * PANE_MS)
    return made


def test_a_judge_resumed_from_snapshots_says_what_one_that_never_stopped_says(
    kafka: str, prefix: str, monitor: Monitor
) -> None:
    """Killed in the middle of commits, snapshots and restores, the real fold publishes the same alerts, byte for byte,
    and leaves the same alert states.
    """
    topics = JudgedTopics(kafka, prefix, partitions=2)
    writer = BaselineWriter(Producer({"bootstrap.servers": kafka}), topics.names.baselines)
    for baseline in monitor.schedule.documents.values():
        writer.document(baseline)
    for partition, log in enumerate(monitor.log):
        topics.write([Outgoing(topics.names.profiles, partition, entry.key, entry.value) for entry in log])
    ends = {str(p): len(log) for p, log in enumerate(monitor.log)}
    tuning = {**FAST, "transaction_bytes": 60_000, "block_bytes": 10_000}
    run = JudgeRun(kafka, prefix, plan=PLAN, ends=ends, tuning=tuning)
    for name, hit in KILLS.items():
        assert finish(run.failing_at(name, hit)) == (-signal.SIGKILL, [f"reached {name}"])
    assert finish(run) == (0, [])

    for partition in range(2):
        alerts, states = folded(monitor, partition, source=f"/stream-monitor/{prefix}judges")
        assert {decode(a.value or b"").data.status for a in alerts} == {"firing", "resolved"}
        assert topics.alerts(partition) == alerts
        assert alert_states(topics, partition) == states


def folded(monitor: Monitor, partition: int, *, source: str) -> tuple[list[Alert], dict[bytes, bytes]]:
    """Return the alerts and the last states of a judge that folds the log without stopping."""
    judge = Judge(PLAN, partition=partition, partitions=2, source=source, schedule=monitor.schedule.get)
    outputs = [output for entry in monitor.log[partition] for output in judge.fold(entry)]
    alerts = [Alert(o.key, o.value, o.timestamp_ms, ALERT_HEADERS) for o in outputs if isinstance(o, AlertEvent)]
    return alerts, {o.key: o.value for o in outputs if isinstance(o, AlertState) and o.value is not None}


def alert_states(topics: JudgedTopics, partition: int) -> dict[bytes, bytes]:
    """Return the last state of each alert, as a reader of the compacted topic finds it."""
    records = read_partition(topics.settings, topics.names.alert_state, partition)
    return {r.key: r.value for r in records if r.key is not None and r.value is not None}
