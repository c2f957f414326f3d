"""Somebody else's data through the whole product: the car-loan set as events on a real broker, by our commands."""

from __future__ import annotations

import csv
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest
import yaml

from stream_monitor.cli.main import run_command
from stream_monitor.config import Settings, load
from stream_monitor.kafka.event_producer import EventProducer
from stream_monitor.kafka.readers import AlertRecord, alert_events
from stream_monitor.lab.demo import exposition
from stream_monitor.runtimes.connection import kafka_settings
from stream_monitor.runtimes.kafka import KafkaRuntime
from tests import car_loan, instants, needs
from tests.kafka.feeds import feed_of
from tests.kafka.members import QUICK, make_topic

ROW_MS = 100
PANE_MS = 10_000
PATIENCE_S = 150.0
NUMBERS = {"car_value", "debt_to_income_ratio", "loan_length", "driver_tenure"}
SERIES = {"y_pred_proba": "confidence", "y_pred": "prediction"}


def series_of(columns: tuple[str, ...]) -> set[str]:
    """Return the names under which columns of the file are watched."""
    return {SERIES.get(column, f"feature:{column}") for column in columns}


def event(row: dict[str, str], at_ms: int) -> bytes:
    """Return a row of the file as a native event."""
    features: dict[str, object] = {
        name: float(text) if name in NUMBERS else text == "True" if text in {"True", "False"} else text
        for name, text in row.items()
        if name not in {"id", "timestamp", *SERIES}
    }
    return orjson.dumps(
        {
            "event_id": row["id"],
            "model": "car-loan",
            "timestamp": at_ms,
            "features": features,
            "prediction": int(row["y_pred"]),
            "confidence": float(row["y_pred_proba"]),
        }
    )


def settings_file(folder: Path, *, bootstrap: str, prefix: str) -> Path:
    """Write the configuration of the worker."""
    names = ("profiles", "baselines", "alerts", "alert_state", "judge_state", "dead_letters")
    file = folder / "car-loan.yml"
    file.write_text(
        yaml.safe_dump(
            {
                "version": 1,
                "group": f"{prefix}car-loan",
                "instance": "one",
                "kafka": {"bootstrap.servers": bootstrap, "consumer": QUICK},
                "inputs": [{"topic": f"{prefix}events", "format": "native"}],
                "topics": {name: f"{prefix}{name}" for name in names} | {"partitions": 1, "replication": 1},
                "time": {"idle_after": "off"},
                "detection": {"pane": "10s"},
                "models": [{"name": "car-loan", "baseline": {"from": "published"}}],
                "http": {"address": "127.0.0.1:0"},
            }
        )
    )
    return file


def send(settings: Settings, start_ms: int) -> None:
    """Send the analysis file, a row every 100 ms of event time, and a sentinel that ends the partition."""
    producer = EventProducer(kafka_settings(settings), settings.plan.inputs[0].topic)
    with car_loan.analysis_csv().open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for number, row in enumerate(rows):
        at_ms = start_ms + ROW_MS * number
        producer.send(event(row, at_ms), timestamp_ms=at_ms)
    end_ms = start_ms + ROW_MS * len(rows) + settings.plan.time.allowed_lateness_ms + 2 * PANE_MS
    sentinel = {"event_id": "sentinel", "model": "car-loan", "timestamp": end_ms, "error": "sentinel"}
    producer.send(orjson.dumps(sentinel), timestamp_ms=end_ms)
    producer.flush()


@contextmanager
def worker(settings: Settings) -> Iterator[KafkaRuntime]:
    """Run both roles in this process."""
    runtime = KafkaRuntime(settings)
    failed: list[BaseException] = []

    def run() -> None:
        try:
            runtime.run()
        except BaseException as error:  # noqa: BLE001  # raised again where the test can see it
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield runtime
    finally:
        runtime.stop()
        thread.join(30)
    if failed:
        raise failed[0]


def judged(settings: Settings, panes: int) -> list[AlertRecord]:
    """Return the alert events of a worker that has judged so many panes."""
    deadline = time.monotonic() + PATIENCE_S
    readings = exposition.Readings()
    with worker(settings) as runtime:
        while time.monotonic() < deadline:
            readings = exposition.parse(runtime.metrics.exposition("")[0].decode())
            if readings.panes >= panes:
                return alert_events(kafka_settings(settings), settings.topics.alerts)
            time.sleep(0.2)
    raise AssertionError(f"{readings.panes} of {panes} panes judged after {PATIENCE_S:g} s")


@pytest.mark.timeout(260)
def test_the_five_drifted_columns_alarm_and_nothing_else(kafka: str, prefix: str, tmp_path: Path) -> None:
    """Each drifted column fires within 1,000 rows of the drift, none before it, and no stable column ever."""
    try:
        reference = car_loan.reference_csv()
    except car_loan.NotToBeHad as error:
        needs.missing("car-loan data", str(error))
    file = settings_file(tmp_path, bootstrap=kafka, prefix=prefix)
    make_topic(kafka, f"{prefix}events", 1)
    build = ["baseline", "build", str(reference), "--model", "car-loan", "--column", "label=repaid"]
    for command in (["topics", "create"], [*build, "--publish", "--activate"]):
        assert run_command(["-c", str(file), *command]) == 0
    settings = load(file)
    own = settings.topics
    feed_of(kafka_settings(settings), dead_letters=own.dead_letters, profiles=own.profiles)
    start_ms = instants.ago_ms(2 * instants.HOUR_S)
    send(settings, start_ms)

    alerts = judged(settings, panes=50_000 * ROW_MS // PANE_MS)

    first: dict[str, float] = {}
    for alert in alerts:
        if alert.reason == "fired":
            first.setdefault(alert.labels["series"], (alert.time_ms - start_ms) / ROW_MS)
    delays = {series: row - car_loan.DRIFT_ROW for series, row in first.items()}
    assert set(delays) == series_of(car_loan.DRIFTED)
    assert {series for series, rows in delays.items() if not 0 < rows <= 1_000} == set()
