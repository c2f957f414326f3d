"""The plan of a running judge is changed, on a real broker: it publishes what the core says of such a history."""

from __future__ import annotations

import signal
import time
from dataclasses import replace

import pytest
from confluent_kafka import Producer

from stream_monitor.core.alerts.event import decode
from stream_monitor.core.judge import ALERT_HEADERS, AlertEvent, AlertState, Judge, Output, StoredEntry, carry
from stream_monitor.core.plan import DEFAULT_RULES, Budget, Plan, RulePlan
from stream_monitor.kafka.baseline_log import BaselineWriter
from stream_monitor.kafka.deliveries import Outgoing
from stream_monitor.kafka.judge import JudgeJob
from stream_monitor.kafka.judge.forecast import forecasts
from stream_monitor.kafka.judge.state_records import Commit
from tests.kafka.judge_process import JudgeProcess, JudgeRun, finish
from tests.kafka.judging import FAST, Alert, JudgedTopics
from tests.kafka.test_judge_alerts import MODELS, PANES, PLAN, T0_MS, alert_states, events
from tests.traffic import Monitor, baseline_of

DRIFT, SEVERE, *OTHERS = DEFAULT_RULES
RULES = replace(
    PLAN,
    rules=(DRIFT, *OTHERS, RulePlan("new", ("feature:text",))),
    detection=replace(PLAN.detection, budget=Budget(2, 30 * 86_400_000)),
)
"""`severe_drift` is gone, a rule is new, and the budget is another one."""

PANE = replace(RULES, detection=replace(RULES.detection, pane_ms=20_000))
"""Panes are twice as long."""

PLANS = {plan.hash: plan for plan in (PLAN, RULES, PANE)}
TUNING = {**FAST, "transaction_bytes": 60_000, "block_bytes": 10_000}
CUTS = (26, 33)
"""Panes at which the plan changes: alerts are open at both."""


def monitor() -> tuple[Monitor, list[list[int]]]:
    """Return both stages without Kafka with a drift in each of two models, and where each partition's log is cut."""
    baselines = [(baseline_of(events(model, 1, panes=range(50))), 0) for model in MODELS]
    made = Monitor(PLAN, partitions=2, baselines=baselines)
    parts = [events(model, 2, panes=range(PANES), drifted=range(20, 40)) for model in MODELS]
    cuts: list[list[int]] = [[] for _ in range(2)]
    pane_ms = PLAN.detection.pane_ms
    for pane in range(PANES):
        if pane in CUTS:
            for p in range(2):
                cuts[p].append(len(made.log[p]))
        rows = [(part.at_ms >= T0_MS + pane * pane_ms) & (part.at_ms < T0_MS + (pane + 1) * pane_ms) for part in parts]
        made.chunk(0, *(part.take(own.nonzero()[0]) for part, own in zip(parts, rows, strict=True)))
    made.close(T0_MS + (PANES + 2) * pane_ms)
    for p in range(2):
        cuts[p].append(len(made.log[p]))
    return made, cuts


def job(topics: JudgedTopics, plan: Plan) -> JudgeJob:
    return JudgeJob(topics.settings, plan, group=f"{topics.prefix}judges", instance="check", topics=topics.names)


def expected(made: Monitor, partition: int, commit: Commit, *, source: str) -> tuple[list[Alert], dict[bytes, bytes]]:
    """Return the alerts and last alert states of a judge that goes through the history of plans that was committed."""
    judge = Judge(
        PLANS[commit.history[0][0]],
        partition=partition,
        partitions=2,
        source=source,
        schedule=made.schedule.get,
    )
    outputs: list[Output] = []
    ends = [offset for _, offset in commit.history[1:]] + [len(made.log[partition])]
    for i, end in enumerate(ends):
        if i:
            carried = carry(judge, PLANS[commit.history[i][0]])
            judge = carried.judge
            outputs += carried.outputs
        outputs += fold(judge, made.log[partition][judge.next_offset : end])
    alerts = [Alert(o.key, o.value, o.timestamp_ms, ALERT_HEADERS) for o in outputs if isinstance(o, AlertEvent)]
    return alerts, {o.key: o.value for o in outputs if isinstance(o, AlertState) and o.value is not None}


def fold(judge: Judge, entries: list[StoredEntry]) -> list[Output]:
    return [output for entry in entries for output in judge.fold(entry)]


def prepared(kafka: str, prefix: str, made: Monitor) -> JudgedTopics:
    """Return topics with the baselines and nothing else."""
    topics = JudgedTopics(kafka, prefix, partitions=2)
    writer = BaselineWriter(Producer({"bootstrap.servers": kafka}), topics.names.baselines)
    for baseline in made.schedule.documents.values():
        writer.document(baseline)
    return topics


def write(topics: JudgedTopics, made: Monitor, cuts: list[list[int]], stage: int) -> dict[str, int]:
    """Write a stage of the log and return where it ends."""
    for partition, log in enumerate(made.log):
        first = cuts[partition][stage - 1] if stage else 0
        entries = log[first : cuts[partition][stage]]
        topics.write([Outgoing(topics.names.profiles, partition, entry.key, entry.value) for entry in entries])
    return {str(partition): cuts[partition][stage] for partition in range(2)}


KILLS = (
    (("judge.commit.done", 2),),
    (("judge.commit.outputs", 1), ("judge.commit.done", 1), ("judge.commit.state", 9), ("judge.restore.fold", 1)),
    (("judge.commit.offsets", 1), ("judge.commit.done", 1), ("judge.restore.slot", 1)),
)
"""Of each stage: before and after the first transaction under the new plan, in a snapshot, in a restore."""


@pytest.mark.timeout(240)
def test_a_plan_that_is_changed_twice_among_kills_publishes_what_its_history_says(kafka: str, prefix: str) -> None:
    """Rules and budget, then the pane length, with alerts open: every alert once, byte for byte, also when the worker
    is killed before, in and after the transaction that writes the change.
    """
    made, cuts = monitor()
    topics = prepared(kafka, prefix, made)
    for stage, plan in enumerate((PLAN, RULES, PANE)):
        foreseen = [forecast.text for forecast in forecasts(job(topics, plan))] if stage else []
        run = JudgeRun(kafka, prefix, plan=plan, ends=write(topics, made, cuts, stage), tuning=TUNING)
        for name, hit in KILLS[stage]:
            assert finish(run.failing_at(name, hit)) == (-signal.SIGKILL, [f"reached {name}"])
        assert finish(run) == (0, [])
        for partition in range(2 if stage else 0):
            own = [text for text in foreseen if text.startswith(f"partition {partition}: ")]
            assert any(f"then the configured {plan.short_hash}" in text for text in own)
            assert any(text.endswith(" open alerts stay open") for text in own)
            assert any("the pane length changes" in text for text in own) == (stage == 2)
            assert any("open alerts end (rule_removed)" in text for text in own) == (stage == 1)

    for partition in range(2):
        commit = topics.commit(partition)
        alerts, states = expected(made, partition, commit, source=f"/stream-monitor/{prefix}judges")
        found = [decode(alert.value or b"").data for alert in alerts]
        assert [plan for plan, _ in commit.history] == [PLAN.hash, RULES.hash, PANE.hash]
        assert [offset for _, offset in commit.history[1:]] == cuts[partition][:2]
        assert topics.alerts(partition) == alerts
        assert alert_states(topics, partition) == states
        assert {alert.labels["rule"] for alert in found if alert.reason == "rule_removed"} == {"severe_drift"}
        drift = [alert.reason for alert in found if alert.labels["rule"] == "drift"]
        alerts_of_drift = {alert.alert_id for alert in found if alert.labels["rule"] == "drift"}
        assert drift.count("fired") == drift.count("recovered") == len(alerts_of_drift) > 0


@pytest.mark.timeout(120)
def test_workers_of_two_plans_do_not_set_it_to_and_fro(kafka: str, prefix: str) -> None:
    """A worker that was started later brings its plan; the older one judges what it gets back under the stored plan,
    and keeps its own where nothing changed. Started anew it brings its plan again.
    """
    made, cuts = monitor()
    topics = prepared(kafka, prefix, made)
    ends = [{int(p): end for p, end in write(topics, made, cuts, 0).items()}]
    older = JudgeProcess(JudgeRun(kafka, prefix, instance="0", plan=PLAN, tuning=TUNING))
    topics.wait_for_offsets("judges", ends[0])
    newer = JudgeProcess(JudgeRun(kafka, prefix, instance="1", plan=RULES, tuning=TUNING))
    moved = wait_for_plan(topics, RULES)
    ends.append({int(p): end for p, end in write(topics, made, cuts, 1).items()})
    topics.wait_for_offsets("judges", ends[1])
    newer.signal(signal.SIGTERM)
    assert newer.ended()[0] == 0
    ends.append({int(p): end for p, end in write(topics, made, cuts, 2).items()})
    topics.wait_for_offsets("judges", ends[2])
    histories = [[plan for plan, _ in topics.commit(p).history] for p in range(2)]
    older.signal(signal.SIGTERM)
    code = older.ended()[0]

    assert code == 0
    assert moved == 1, "each of two workers judges one partition"
    assert sorted(histories, key=len) == [[PLAN.hash], [PLAN.hash, RULES.hash]]
    for partition in range(2):
        alerts, _ = expected(made, partition, topics.commit(partition), source=f"/stream-monitor/{prefix}judges")
        assert topics.alerts(partition) == alerts

    again = JudgeProcess(JudgeRun(kafka, prefix, instance="0", plan=PLAN, tuning=TUNING))
    assert wait_for_plan(topics, PLAN, everywhere=True) == 2
    again.signal(signal.SIGTERM)
    assert again.ended()[0] == 0


def wait_for_plan(topics: JudgedTopics, plan: Plan, *, everywhere: bool = False) -> int:
    """Wait until a partition is judged under a plan, or all are; return how many are."""
    deadline = time.monotonic() + 60
    while True:
        count = sum(topics.commit(p).plan == plan.hash for p in range(2))
        if count == 2 or (count and not everywhere):
            return count
        assert time.monotonic() < deadline
        time.sleep(0.1)
