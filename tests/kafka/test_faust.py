"""The profile stage inside a Faust app, on a real broker: the same bytes, whatever happens to the process."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from stream_monitor.config import Settings, load
from stream_monitor.kafka.event_producer import EventProducer
from stream_monitor.kafka.readers import read_topics
from stream_monitor.lab.broker import free_ports
from stream_monitor.runtimes.connection import kafka_settings
from tests import instants
from tests.kafka.feeds import feed_of
from tests.kafka.members import make_topic
from tests.kafka.offsets import GroupOffsets
from tests.kafka.test_run_command import PARTITIONS, _answers, _configuration, command
from tests.runtimes.stories import SCENARIO, Records, traffic

pytestmark = pytest.mark.timeout(300)  # eight processes start one after the other, on a machine that may be busy

SECONDS = 28
PATIENCE_S = 90.0


def _start(config: Path, log: Path, *extra: str) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "stream_monitor.cli.main", "-c", str(config), "run", "--engine", "faust", *extra],
            stdout=output,
            stderr=output,
        )


def _send(settings: Settings, placed: list[Records], first: int, last: int) -> None:
    """Send a slice of each partition's records."""
    producer = EventProducer(kafka_settings(settings), settings.plan.inputs[0].topic)
    for partition, records in enumerate(placed):
        for at_ms, value in records[first:last]:
            producer.send(value, timestamp_ms=at_ms, partition=partition)
    producer.flush()


def test_a_faust_app_that_is_killed_counts_exactly(kafka: str, prefix: str, tmp_path: Path) -> None:
    """Killed in the middle and started again: the committed alerts are those of a replay, byte for byte."""
    config, log = tmp_path / "monitor.yaml", tmp_path / "worker.log"
    text = _configuration(kafka, f"{prefix}faust", free_ports(1)[0])
    # Faust's client reads compressed records with a package of its own, which is no dependency of ours.
    text["kafka"] = {
        "bootstrap.servers": kafka,
        "producer": {"compression.type": "none"},
        "consumer": {"session.timeout.ms": 6000},
    }
    config.write_text(json.dumps(text))
    settings = load(config, environ={})
    own = settings.topics
    feed_of(kafka_settings(settings), dead_letters=own.dead_letters, profiles=own.profiles)
    make_topic(kafka, settings.plan.inputs[0].topic, PARTITIONS)
    assert command("topics", "create", config=config).returncode == 0
    reference = tmp_path / "reference.jsonl"
    reference.write_bytes(b"".join(value + b"\n" for _, value in SCENARIO.reference(2_000, start_ms=0)))
    assert command("baseline", "build", str(reference), "--activate", config=config).returncode == 0

    start_ms = instants.ago_ms(instants.HOUR_S)
    placed = traffic(SECONDS, partitions=PARTITIONS, start_ms=start_ms)
    for partition, records in enumerate(placed):
        records.append(SCENARIO.second(SECONDS + 30, start_ms=start_ms)[partition])
    address = f"{settings.http.host}:{settings.http.port}/readyz"
    process = _start(config, log)
    try:
        _wait(lambda: _answers(address), process, log)
        _send(settings, placed, 0, 700)
        time.sleep(3)
        process.kill()
        process.wait()
        _send(settings, placed, 700, 10_000)
        process = _start(config, log)
        topic, kafka_of = settings.topics.alerts, kafka_settings(settings)
        _wait(lambda: len(list(read_topics(kafka_of, [topic]))) >= 1, process, log)
        with closing(GroupOffsets(settings, input_partitions=PARTITIONS)) as offsets:
            _wait(offsets.is_judged, process, log)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0, log.read_text()[-3000:]
    finally:
        process.kill()
        process.wait()
    export = tmp_path / "export.jsonl"
    inputs = settings.plan.inputs[0].topic
    assert command("export", inputs, settings.topics.baselines, "--to", str(export), config=config).returncode == 0
    replayed = command("backtest", str(export), "--format", "json", config=config)
    committed = [record.value for record in read_topics(kafka_settings(settings), [settings.topics.alerts])]

    assert sorted(replayed.stdout.encode().splitlines()) == sorted(value for value in committed if value)


def _wait(done: Callable[[], bool], process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not done():
        assert process.poll() is None, f"the worker ended: {log.read_text()[-3000:]}"
        assert time.monotonic() < deadline, f"took too long: {log.read_text()[-3000:]}"
        time.sleep(0.2)
