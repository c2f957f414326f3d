"""The whole product on Kafka: processes that come, go and die, against the same events replayed from a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import orjson
import pytest
from confluent_kafka import Consumer

from stream_monitor.config.yaml_text import Plain
from stream_monitor.core.baseline import (
    Activation,
    Baseline,
    Origin,
    OriginType,
    ReferenceTable,
    Schedule,
    build_baseline,
    schedule,
)
from stream_monitor.core.keys import judge_partition, row_hashes
from stream_monitor.core.plan import LimitsPlan
from stream_monitor.core.profile import ProgressRecord, decode
from stream_monitor.kafka.baseline_log import BaselineLog
from stream_monitor.kafka.client_settings import reader
from stream_monitor.kafka.judge.state_records import Slot, manifest_key
from stream_monitor.kafka.readers import decode_alert, read_partition, read_profiles
from stream_monitor.runtimes import local
from tests import instants
from tests.kafka import past_lead
from tests.kafka.deployment import Deployment
from tests.kafka.replays import committed_alerts, replayed_alerts
from tests.restoring_judge import RestoringJudge

SOURCES = 6
JUDGES = 4
PANES = 80
PANES_OF_THE_FIRST = 236
"""The first model goes on: its demand is judged once 200 panes have said what it is."""
RUSH = range(210, 230)
DRIFT = range(30, 50)
DRIFT_OF_KIOSKS = range(58, 78)
ROWS = 25
"""Of one model in one pane."""

PANE_MS = 10_000
T0_MS = instants.ago_ms(2 * instants.HOUR_S)
"""Event time begins two hours ago: alerts carry event time, and retention goes by it."""

SETTINGS: dict[str, Plain] = {
    "time": {"idle_after": "off", "allowed_lateness": "15s"},
    "detection": {"pane": "10s", "window": "1m", "detectors": ["rank_shiryaev_roberts", {"kind": "page_hinkley"}]},
    "alerts": {"resolve_after": 5},
}

Event = tuple[int, int, bytes]
"""Partition, record time, value."""


def model_names() -> list[str]:
    """Return six models that leave no judge partition empty."""
    by_partition: dict[int, list[str]] = {p: [] for p in range(JUDGES)}
    for i in range(100):
        by_partition[judge_partition(f"model-{i}", JUDGES)].append(f"model-{i}")
    return [*(own[0] for own in by_partition.values()), by_partition[0][1], by_partition[1][1]]


def columns(rng: np.random.Generator, rows: int, *, drifted: bool) -> dict[str, list[float | str | None]]:
    """Return features: a number with ties, a heavy tail with missing values, a category."""
    shift = 1.0 if drifted else 0.0
    tail = rng.lognormal(0.0, 1.0, rows).tolist()
    gone = rng.random(rows) < 0.05 + 0.3 * shift
    return {
        "amount": np.round(rng.normal(50 + 25 * shift, 20, rows)).tolist(),
        "tail": [None if lost else value for lost, value in zip(gone, tail, strict=True)],
        "country": rng.choice(["AT", "DE", "FR"], rows, p=[0.2, 0.5, 0.3]).tolist(),
    }


def channel(row: int) -> str:
    """One event in five comes from a kiosk, one in 25 by fax; the others by web."""
    return "fax" if row % ROWS == 1 else "kiosk" if row % 5 == 0 else "web"


def reference(model: str) -> Baseline:
    """Return a baseline of 2,047 rows."""
    rows = 2_047
    found = columns(np.random.default_rng(7), rows, drifted=False)
    select, tie = row_hashes(model, [f"train-{i}" for i in range(rows)])
    named = {f"feature:{name}": values for name, values in found.items()}
    channels = [channel(row) for row in range(rows)]
    table = ReferenceTable(named, select, tie, segments={"channel": channels})
    return build_baseline(model, "1", table, origin=Origin(OriginType.DATASET, rows), limits=LimitsPlan())


def traffic(seed: int) -> list[Event]:
    """Return the records of all models in order of arrival: some disordered, late, doubled or unreadable."""
    rng = np.random.default_rng(seed)
    arriving: list[tuple[float, Event]] = []
    for model in model_names():
        for pane in range(PANES_OF_THE_FIRST if model == model_names()[0] else PANES):
            rows = 3 * ROWS if pane in RUSH else ROWS
            found = columns(rng, rows, drifted=pane in DRIFT)
            if pane in DRIFT_OF_KIOSKS:
                kiosks = rng.normal(75, 20, ROWS).tolist()
                found["amount"] = [
                    kiosks[row] if channel(row) == "kiosk" else value for row, value in enumerate(found["amount"])
                ]
            for row in range(rows):
                at_ms = T0_MS + pane * PANE_MS + int(rng.integers(PANE_MS))
                value = {
                    "event_id": f"{model}-{pane}-{row}",
                    "model": model,
                    "version": "1",
                    "timestamp": at_ms,
                    "features": {name: values[row] for name, values in found.items()},
                    "segments": {"channel": "telex" if (pane, row) == (9, 9) else channel(row)},
                }
                delay_ms = rng.exponential(2_000) + (30_000 if rng.random() < 0.02 else 0)
                event = (int(rng.integers(SOURCES)), at_ms, orjson.dumps(value))
                arriving += [(at_ms + delay_ms, event)] * (2 if rng.random() < 0.01 else 1)
                if rng.random() < 0.01:
                    arriving.append((at_ms + delay_ms, (event[0], at_ms, event[2][:-7])))
    return [event for _, event in sorted(arriving, key=lambda item: item[0])]


def sentinels() -> list[Event]:
    """Return one event for each partition, far enough behind all others to close their panes."""
    at_ms = T0_MS + (PANES_OF_THE_FIRST + 30) * PANE_MS
    values = (
        {"event_id": f"end-{p}", "model": "sentinel", "timestamp": at_ms, "features": {"x": 1}} for p in range(SOURCES)
    )
    return [(p, at_ms, orjson.dumps(value)) for p, value in enumerate(values)]


@pytest.fixture
def deployment(kafka: str, prefix: str, tmp_path: Path) -> Iterator[Deployment]:
    """Topics of 6 input and 4 judge partitions, with a baseline for every model and its channels; judges write a
    snapshot at each pane, so that every state that an alert can be in is written and read.
    """
    settings: dict[str, Plain] = {**SETTINGS, "models": [{"name": "*", "segments": ["channel"]}]}
    made = Deployment(
        kafka,
        prefix,
        tmp_path,
        input_partitions=SOURCES,
        judges=JUDGES,
        settings=settings,
        main="tests.kafka.impatient_judge",
    )
    try:
        for model in model_names():
            made.activate(reference(model))
        yield made
    finally:
        made.kill_all()


@pytest.mark.timeout(300)
def test_workers_that_come_go_and_die_publish_what_a_replay_does(deployment: Deployment, tmp_path: Path) -> None:
    """3 profile and 2 judge processes, a rebalance in the middle, one kill -9 of each role: every alert partition is
    byte for byte that of the exported topics in a backtest.
    """
    events = traffic(1)
    deployment.feed.rejects = sum(not value.endswith(b"}}") for _, _, value in events)
    third = len(events) // 3
    workers = [deployment.start("profile", "a"), deployment.start("profile", "b"), deployment.start("judge", "a")]
    deployment.send(events[:third])
    deployment.wait_until(lambda: bool(deployment.offsets.committed("judge")), "the first commit of a judge")

    workers += [deployment.start("profile", "c"), deployment.start("judge", "b")]
    deployment.send(events[third : 2 * third])
    deployment.wait_until(lambda: deployment.offsets.is_caught_up("profile"), "everything sent is profiled")

    killed = [workers.pop(1), workers.pop(1)]
    deployment.send(events[2 * third :])
    for worker in killed:
        worker.kill()
    left = [not deployment.offsets.is_caught_up(role) for role in ("profile", "judge")]
    deployment.send(sentinels())
    workers += [deployment.start("profile", "b"), deployment.start("judge", "a")]
    deployment.wait_until(lambda: deployment.offsets.is_caught_up("profile"), "all events are profiled")
    codes = [worker.stop() for worker in workers if worker.name.startswith("profile")]
    deployment.wait_until(lambda: deployment.offsets.is_caught_up("judge"), "all profiles are judged")
    codes += [worker.stop() for worker in workers if worker.name.startswith("judge")]

    assert (codes, left) == ([0] * 5, [True, True]), "a kill that left no work proves nothing"
    found = committed_alerts(deployment, JUDGES)
    assert found == replayed_alerts(deployment, tmp_path / "export.jsonl", JUDGES)
    alerts = [[decode_alert(value) for _, value, *_ in own] for own in found]
    assert all({"firing", "resolved"} <= {alert.status for alert in own} for own in alerts)
    assert {alert.labels.get("segment", "") for own in alerts for alert in own} >= {"", "channel=kiosk"}
    demand = [(alert.status, alert.reason) for own in alerts for alert in own if alert.labels["series"] == "demand"]
    assert ("firing", "fired") in demand
    assert snapshots_of(deployment) > PANES


def test_a_replay_that_is_restored_at_every_pane_says_the_same(
    deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without Kafka: the judge of the local pipeline is written down and built anew after each pane."""
    deployment.send([*traffic(2), *sentinels()])
    plain = replayed_alerts(deployment, tmp_path / "export.jsonl", JUDGES)
    monkeypatch.setattr(local, "Judge", RestoringJudge)

    assert replayed_alerts(deployment, tmp_path / "export.jsonl", JUDGES) == plain
    assert all(plain)


@pytest.mark.timeout(200)
def test_a_model_without_a_baseline_gets_one_from_its_first_events(
    kafka: str, prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The judge publishes a baseline of the warm-up rows and activates it in a pane that no worker has reached; from
    there on a drift alarms, and a replay of the exported topics says the same.
    """
    monkeypatch.setattr(schedule, past_lead.CONSTANT, past_lead.PROPAGATION_MS)
    settings: dict[str, Plain] = {
        **SETTINGS,
        "time": {"idle_after": "off", "allowed_lateness": "1s", "max_future": "1s"},
        "models": [{"name": "*", "baseline": {"from": "first_events", "events": 255}}],
    }
    main = "tests.kafka.past_lead"
    made = Deployment(kafka, prefix, tmp_path, input_partitions=1, judges=1, settings=settings, main=main)
    try:
        workers = [made.start(role, "a") for role in ("profile", "judge")]
        warm_up = steady(instants.ago_ms(instants.HOUR_S), panes=20, seed=1)
        made.send(warm_up)
        activations = baselines_of(made)
        made.wait_until(lambda: bool(activations()), "a baseline is activated")
        (activation,) = activations()
        made.wait_until(lambda: is_known(made, activation, warm_up[-1]), "the profile worker knows the baseline")
        made.send(steady(activation.from_ms, panes=40, seed=2, drift=range(15, 25)))
        made.wait_until(lambda: made.offsets.is_caught_up("profile"), "all events are profiled")
        codes = [workers[0].stop()]
        made.wait_until(lambda: made.offsets.is_caught_up("judge"), "all profiles are judged")
        codes.append(workers[1].stop())
    finally:
        made.kill_all()

    assert codes == [0, 0]
    (found,) = committed_alerts(made, 1)
    assert [found] == replayed_alerts(made, tmp_path / "export.jsonl", 1)
    events = [decode_alert(value) for _, value, *_ in found]
    drift = [e for e in events if e.labels["alertname"] == "FeatureDrift" and e.labels["series"] == "feature:amount"]
    assert (drift[0].status, drift[-1].reason) == ("firing", "recovered")
    assert len({e.alert_id for e in drift if e.status == "resolved"}) == len({e.alert_id for e in drift})
    assert 15 * PANE_MS < drift[0].time_ms - activation.from_ms < 25 * PANE_MS
    assert activation.baseline.encode() in drift[0].event


def steady(start_ms: int, *, panes: int, seed: int, drift: range = range(0)) -> list[Event]:
    """Return 40 events a pane of one model in partition 0, and one more that closes the last pane."""
    rng = np.random.default_rng(seed)
    found: list[Event] = []
    for pane in range(panes):
        values = columns(rng, 40, drifted=pane in drift)
        for row, at_ms in enumerate(np.sort(rng.integers(0, PANE_MS, 40)) + start_ms + pane * PANE_MS):
            value = {
                "event_id": f"{seed}-{pane}-{row}",
                "model": "new",
                "timestamp": int(at_ms),
                "features": {name: column[row] for name, column in values.items()},
            }
            found.append((0, int(at_ms), orjson.dumps(value)))
    end_ms = start_ms + panes * PANE_MS + 2_000
    end = {"event_id": f"{seed}-end", "model": "new", "timestamp": end_ms, "features": {}}
    return [*found, (0, end_ms, orjson.dumps(end))]


def baselines_of(made: Deployment) -> Callable[[], tuple[Activation, ...]]:
    """Return a question for the activations that are committed now."""
    log = BaselineLog(Consumer(reader(made.kafka)), made.settings.topics.baselines, Schedule())

    def ask() -> tuple[Activation, ...]:
        log.refresh()
        return log.schedule.activations

    return ask


def is_known(made: Deployment, activation: Activation, event: Event) -> bool:
    """Say whether a chunk was counted that knows an activation; one more event makes one more chunk.

    In life two minutes pass before an event can lie behind the activation; here event time runs ahead of the broker's.
    """
    made.send([event])
    entries = read_profiles(made.kafka, made.settings.topics.profiles, 0)
    records = (decode(entry.value) for entry in entries if entry.key is None)
    return any(isinstance(r, ProgressRecord) and r.baselines_next > activation.offset for r in records)


def snapshots_of(deployment: Deployment) -> int:
    """Return how many snapshots the judges have written."""
    manifests = {manifest_key(slot) for slot in Slot}
    topic = deployment.settings.topics.judge_state
    return sum(r.key in manifests for p in range(JUDGES) for r in read_partition(deployment.kafka, topic, p))
