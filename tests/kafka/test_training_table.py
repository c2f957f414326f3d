"""The way of the README with a model of one's own: a training table of features and label, live events with more."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import numpy as np
import orjson
import pytest
from confluent_kafka import Consumer

from stream_monitor.config.yaml_text import Plain
from stream_monitor.core.baseline import Activation, Schedule, schedule
from stream_monitor.core.profile import ProgressRecord, decode
from stream_monitor.kafka.baseline_log import BaselineLog
from stream_monitor.kafka.client_settings import reader
from stream_monitor.kafka.readers import decode_alert, read_profiles
from tests import instants
from tests.kafka import past_lead
from tests.kafka.deployment import Deployment
from tests.kafka.replays import committed_alerts, replayed_alerts
from tests.kafka.test_run_command import command

PANE_MS = 10_000
ROWS = 40
"""Events of a pane."""

SETTINGS: dict[str, Plain] = {
    "time": {"idle_after": "off", "allowed_lateness": "1s", "max_future": "1s"},
    "detection": {"window": "1m", "budget": {"false_alarms": 1, "per": "1d"}},
    "models": [{"name": "churn", "baseline": {"events": 511}, "segments": ["channel"]}],
}

Event = tuple[int, int, bytes]


def training_table(path: Path) -> None:
    """Write the table that a model was trained on: features, a segment, the label."""
    random = np.random.default_rng(7)
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["tenure", "monthly_charges", "contract", "channel", "churned"])
        for tenure, charges, contract, channel, churned in zip(*columns(random, 4_095), strict=True):
            table.writerow([tenure, charges, contract, channel, churned])


def columns(random: np.random.Generator, rows: int) -> tuple[list[object], ...]:
    """Return tenure, charges, contract, channel and label of customers."""
    return (
        random.integers(1, 72, rows).tolist(),
        random.normal(65.0, 12.0, rows).round(2).tolist(),
        random.choice(["month", "year", "two years"], rows, p=[0.55, 0.25, 0.2]).tolist(),
        random.choice(["web", "app"], rows, p=[0.6, 0.4]).tolist(),
        (random.random(rows) < 0.27).tolist(),
    )


def live(start_ms: int, *, panes: int, seed: int, failing: range = range(0)) -> list[Event]:
    """Return what the service sends: probabilities, latencies, failures, and an event that closes the last pane."""
    random = np.random.default_rng(seed)
    found: list[Event] = []
    for pane in range(panes):
        times = np.sort(random.integers(0, PANE_MS, ROWS)) + start_ms + pane * PANE_MS
        shares, latencies = random.beta(2, 5, ROWS), random.gamma(4.0, 3.0, ROWS)
        failed = random.random(ROWS) < (0.2 if pane in failing else 0.0)
        for row, (tenure, charges, contract, channel, _) in enumerate(zip(*columns(random, ROWS), strict=True)):
            event: dict[str, object] = {
                "event_id": f"{seed}-{pane}-{row}",
                "model": "churn",
                "version": "7",
                "timestamp": int(times[row]),
                "features": {"tenure": tenure, "monthly_charges": charges, "contract": contract},
                "segments": {"channel": channel},
                "prediction": {"stays": round(1.0 - float(shares[row]), 6), "churns": round(float(shares[row]), 6)},
                "latency_ms": round(float(latencies[row]), 3),
            }
            if failed[row]:
                event["error"] = "timeout"
            found.append((0, int(times[row]), orjson.dumps(event)))
    end_ms = start_ms + panes * PANE_MS + 2_000
    last = {**orjson.loads(found[-1][2]), "event_id": f"{seed}-end", "timestamp": end_ms}
    return [*found, (0, end_ms, orjson.dumps(last))]


@pytest.fixture
def made(kafka: str, prefix: str, tmp_path: Path) -> Deployment:
    """Topics and a configuration."""
    return Deployment(
        kafka, prefix, tmp_path, input_partitions=1, judges=1, settings=SETTINGS, main="tests.kafka.past_lead"
    )


def supplements_of(made: Deployment) -> Callable[[], tuple[Activation, ...]]:
    """Return a question for the supplements that are committed now."""
    log = BaselineLog(Consumer(reader(made.kafka)), made.settings.topics.baselines, Schedule())

    def ask() -> tuple[Activation, ...]:
        log.refresh()
        return log.schedule.supplements

    return ask


def is_known(made: Deployment, activation: Activation, event: Event) -> bool:
    """Say whether a chunk was counted that knows an activation; one more event makes one more chunk."""
    made.send([event])
    entries = read_profiles(made.kafka, made.settings.topics.profiles, 0)
    records = (decode(entry.value) for entry in entries if entry.key is None)
    return any(isinstance(own, ProgressRecord) and own.baselines_next > activation.offset for own in records)


@pytest.mark.timeout(200)
def test_what_a_training_table_lacks_is_watched_after_its_warm_up(
    made: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The label is asked about; predictions, latencies and failures get a reference from live events, in segments too;
    failures that never occurred before raise an alert; a replay of the exported topics says the same.
    """
    monkeypatch.setattr(schedule, past_lead.CONSTANT, past_lead.PROPAGATION_MS)
    table = tmp_path / "training.csv"
    training_table(table)
    build = ("baseline", "build", str(table), "--model", "churn", "--version", "7", "--publish", "--activate")
    asked = command(*build, config=made.config)
    nothing = command("baseline", "list", config=made.config)
    built = command(*build, "--label", "churned", config=made.config)
    listed = command("baseline", "list", config=made.config)

    assert (asked.returncode, built.returncode) == (2, 0), built.stderr
    assert "--label churned leaves it out, --feature churned takes it for a feature" in asked.stderr
    assert "no activations" in nothing.stdout
    assert "prediction, confidence, latency, serving_error: not watched: not in the baseline" in built.stdout
    assert "the beginning" in listed.stdout
    try:
        workers = [made.start(role, "a") for role in ("profile", "judge")]
        warm_up = live(instants.ago_ms(instants.HOUR_S), panes=16, seed=1)
        made.send(warm_up)
        supplements = supplements_of(made)
        made.wait_until(lambda: bool(supplements()), "a supplement is activated")
        (supplement,) = supplements()
        made.wait_until(lambda: is_known(made, supplement, warm_up[-1]), "the profile worker knows the supplement")
        made.send(live(supplement.from_ms, panes=40, seed=2, failing=range(10, 25)))
        made.wait_until(lambda: made.offsets.is_caught_up("profile"), "all events are profiled")
        codes = [workers[0].stop()]
        made.wait_until(lambda: made.offsets.is_caught_up("judge"), "all profiles are judged")
        codes.append(workers[1].stop())
    finally:
        made.kill_all()

    assert codes == [0, 0]
    (found,) = committed_alerts(made, 1)
    assert [found] == replayed_alerts(made, tmp_path / "export.jsonl", 1)
    alerts = [decode_alert(value) for _, value, *_ in found]
    fired = {(own.labels["series"], own.labels.get("segment", "")) for own in alerts if own.status == "firing"}
    assert {("serving_error", ""), ("serving_error", "channel=web"), ("serving_error", "channel=app")} >= fired
    assert ("serving_error", "") in fired
    log = workers[1].log()
    assert "prediction, serving_error (warming up: its reference is made of live events)" in log
    watched = [line for line in log.splitlines() if "coverage: churn 7: " in line]
    assert "not watched" not in watched[-1], watched
