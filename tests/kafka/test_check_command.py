"""`check --connect` on a real broker: the active baseline, the traffic of now, and states of another plan."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from confluent_kafka import Producer

from stream_monitor.cli.failures import Exit
from stream_monitor.cli.main import run_command
from stream_monitor.kafka.judge.state_records import COMMIT_KEY, Commit, encode
from tests.instants import now_ms
from tests.kafka.members import make_topic, write


def event(number: int) -> bytes:
    """Return an event of now."""
    features = {"amount": number % 97}
    return orjson.dumps({"event_id": str(number), "model": "fraud", "timestamp": now_ms(), "features": features})


@pytest.fixture
def config(kafka: str, prefix: str, tmp_path: Path) -> Path:
    """Return a configuration with its topics made, one of them an input with traffic."""
    topics = ("profiles", "baselines", "alerts", "alert_state", "judge_state", "dead_letters")
    file = tmp_path / "monitor.yaml"
    settings = {
        "group": f"{prefix}group",
        "kafka": {"bootstrap.servers": kafka},
        "inputs": [{"topic": f"{prefix}events"}],
        "topics": {**{topic: f"{prefix}{topic}" for topic in topics}, "partitions": 1, "replication": 1},
    }
    file.write_bytes(orjson.dumps(settings))
    make_topic(kafka, f"{prefix}events", 2)
    write(kafka, f"{prefix}events", 0, [event(number) for number in range(300)])
    assert run_command(["-c", str(file), "topics", "create"]) == 0
    return file


def test_the_report_speaks_of_the_active_baseline_and_the_traffic_of_now(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Records written within the last seconds are a rate, and the activated baseline is the reference."""
    rows = tmp_path / "rows.csv"
    rows.write_text("\n".join(["amount", *(str(i % 97) for i in range(500))]) + "\n")
    run_command(["-c", str(config), "baseline", "build", str(rows), "--model", "fraud", "--activate"])
    capsys.readouterr()
    assert run_command(["-c", str(config), "check", "--connect", "--format", "json"]) == 0
    report = orjson.loads(capsys.readouterr().out)["models"][0]

    assert report["model"] == "fraud"
    assert report["events_per_s"] in (300 / 600, 300 / 60, 300 / 10)
    assert "feature:amount" in {item["series"] for item in report["series"]}


def test_a_state_of_another_plan_is_a_finding(
    config: Path, kafka: str, prefix: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its text is lost, so a worker would not start: the report says so, and the exit code is that of findings."""
    commit = Commit(77, 1, "ab" * 32, "", {}, "", {})
    producer = Producer({"bootstrap.servers": kafka, "log_level": 0})
    producer.produce(f"{prefix}judge_state", encode(commit), COMMIT_KEY, partition=0)
    assert producer.flush(20) == 0
    capsys.readouterr()

    assert run_command(["-c", str(config), "check", "--connect"]) == Exit.UNEXPECTED
    assert "partition 0: plan ababababab judges up to offset 77" in (text := capsys.readouterr().out)
    assert "a worker would stop" in text
    assert "its text is not stored" in text
