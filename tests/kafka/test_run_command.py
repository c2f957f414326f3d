"""The whole product by its command line on a real broker: topics, baseline, worker, alerts, export, replay."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import orjson
import pytest

from stream_monitor.config import Settings, load
from stream_monitor.core.time import format_instant
from stream_monitor.kafka.event_producer import EventProducer
from stream_monitor.kafka.readers import read_topics
from stream_monitor.lab.broker import BrokerUnavailable, free_ports
from stream_monitor.runtimes.connection import kafka_settings
from tests import instants, needs
from tests.kafka.conftest import NEED
from tests.kafka.members import make_topic
from tests.kafka.offsets import GroupOffsets
from tests.runtimes.stories import SCENARIO, traffic

pytestmark = pytest.mark.timeout(300)  # the story runs in the first test's time, on a machine that may be busy

SECONDS, PARTITIONS = 28, 2
PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Deployment:
    """A worker that has judged a drifting scenario and was stopped."""

    config: Path
    settings: Settings
    folder: Path
    exit_code: int
    log: str
    ready: bool
    status: dict[str, object]


def command(*arguments: str, config: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run one command in a process of its own."""
    given = [] if config is None else ["-c", str(config)]
    return subprocess.run(
        [sys.executable, "-m", "stream_monitor.cli.main", *given, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )


def _configuration(bootstrap: str, name: str, port: int) -> dict[str, object]:
    topics = ("profiles", "baselines", "alerts", "alert_state", "judge_state", "dead_letters")
    return {
        "group": name,
        "kafka": {"bootstrap.servers": bootstrap, "consumer": {"session.timeout.ms": 6000}},
        "inputs": [{"topic": f"{name}-events"}],
        "topics": {**{topic: f"{name}-{topic}" for topic in topics}, "partitions": 2, "replication": 1},
        "time": {"allowed_lateness": "2s", "idle_after": "off"},
        "detection": {"pane": "1s", "window": "10s"},
        "models": [{"name": "fraud", "baseline": {"from": "published"}}],
        "http": {"address": f"127.0.0.1:{port}"},
    }


def _until(done: Callable[[], bool], what: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not done():
        assert process.poll() is None, f"the worker ended: {log.read_text()}"
        assert time.monotonic() < deadline, f"{what} took too long: {log.read_text()[-3000:]}"
        time.sleep(0.2)


def _answers(address: str) -> bool:
    try:
        with urlopen(f"http://{address}", timeout=2) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def _send(settings: Settings) -> None:
    """Send the traffic an hour late, a broken record, and in each partition an event that ends it."""
    start_ms = instants.ago_ms(instants.HOUR_S)
    producer = EventProducer(kafka_settings(settings), settings.plan.inputs[0].topic)
    for partition, records in enumerate(traffic(SECONDS, partitions=PARTITIONS, start_ms=start_ms)):
        for at_ms, value in records:
            producer.send(value, timestamp_ms=at_ms, partition=partition)
        last_ms, sentinel = SCENARIO.second(SECONDS + 30, start_ms=start_ms)[partition]
        producer.send(sentinel, timestamp_ms=last_ms, partition=partition)
    producer.send(b"{broken", timestamp_ms=start_ms, partition=0)
    producer.flush()


@pytest.fixture(scope="module")
def deployment(_broker: str | BrokerUnavailable, tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """Run the story once: the tests look at what it left."""
    if isinstance(_broker, BrokerUnavailable):
        needs.missing(NEED, str(_broker))
    folder = tmp_path_factory.mktemp("deployment")
    name = f"t{folder.name}-{uuid.uuid4().hex[:10]}"
    config = folder / "monitor.yaml"
    config.write_text(json.dumps(_configuration(_broker, name, free_ports(1)[0])))
    settings = load(config, environ={})
    make_topic(_broker, f"{name}-events", PARTITIONS)
    assert command("topics", "create", config=config).returncode == 0
    reference = folder / "reference.jsonl"
    reference.write_bytes(b"".join(value + b"\n" for _, value in SCENARIO.reference(2_000, start_ms=0)))
    built = command("baseline", "build", str(reference), "--activate", config=config)
    assert built.returncode == 0, built.stderr
    log = folder / "worker.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "stream_monitor.cli.main", "-c", str(config), "run"], stdout=output, stderr=output
        )
    try:
        address = f"{settings.http.host}:{settings.http.port}"
        _until(lambda: _answers(f"{address}/readyz"), "getting ready", process, log)
        _send(settings)
        kafka, topic = kafka_settings(settings), settings.topics.alerts
        _until(lambda: bool(list(read_topics(kafka, [topic]))), "alerting", process, log)
        with closing(GroupOffsets(settings, input_partitions=PARTITIONS)) as offsets:
            _until(offsets.is_judged, "judging everything", process, log)
        with urlopen(f"http://{address}/status", timeout=5) as answer:
            status = orjson.loads(answer.read())
        process.send_signal(signal.SIGTERM)
        code = process.wait(PATIENCE_S)
    finally:
        process.kill()
        process.wait()
    return Deployment(config, settings, folder, code, log.read_text(), ready=True, status=status)


def test_sigterm_drains_and_ends_well(deployment: Deployment) -> None:
    """The worker finishes its round and leaves with exit code 0; its log is JSON lines."""
    assert deployment.exit_code == 0
    for line in deployment.log.splitlines():
        assert orjson.loads(line)["level"] in ("info", "warning")


def test_the_status_page_knows_the_plan(deployment: Deployment) -> None:
    """What runs is what the configuration stands for."""
    assert deployment.status["config"] == deployment.settings.plan.short_hash
    assert deployment.status["roles"] == ["profile", "judge"]


def test_a_replay_of_the_export_gives_the_committed_bytes(deployment: Deployment) -> None:
    """Every alert of every partition, byte for byte, from the exported topics and no broker."""
    settings, export = deployment.settings, deployment.folder / "export.jsonl"
    topics = settings.topics
    done = command(
        "export", f"{settings.group}-events", topics.baselines, "--to", str(export), config=deployment.config
    )
    assert done.returncode == 0, done.stderr
    replayed = command("backtest", str(export), "--format", "json", config=deployment.config)
    committed = [record.value for record in read_topics(kafka_settings(settings), [topics.alerts])]

    assert committed
    assert sorted(replayed.stdout.encode().splitlines()) == sorted(value for value in committed if value)


def test_the_profiles_on_kafka_can_be_judged_again(deployment: Deployment) -> None:
    """The log alone gives the same alerts; with a floor that nothing reaches, none."""
    topics = deployment.settings.topics
    again = command("backtest", topics.profiles, "--format", "json", config=deployment.config)
    never = command(
        *("backtest", topics.profiles, "--format", "json"),
        *("--set", "rules=[{name: never, series: [demand], evidence: negative_binomial, effect: {ratio: 1000}}]"),
        config=deployment.config,
    )
    committed = [record.value for record in read_topics(kafka_settings(deployment.settings), [topics.alerts])]

    assert sorted(again.stdout.encode().splitlines()) == sorted(value for value in committed if value)
    assert "" == never.stdout
    assert never.returncode == 0


def test_alerts_are_listed_and_shown(deployment: Deployment) -> None:
    """An operator sees the alert, then all its events and its evidence."""
    listed = command("alerts", "list", "--format", "json", config=deployment.config)
    first = orjson.loads(listed.stdout.splitlines()[0])
    shown = command("alerts", "show", first["data"]["alert_id"], config=deployment.config)

    assert "feature:amount" in {orjson.loads(line)["data"]["labels"]["series"] for line in listed.stdout.splitlines()}
    assert first["id"] in shown.stdout
    assert "amount rose: median" in shown.stdout


def test_the_broken_record_is_a_dead_letter(deployment: Deployment) -> None:
    """One record could not be read: it is listed with its position and reason, not with its content."""
    listed = command("dead-letters", "list", config=deployment.config)

    assert "1 dead letter: 1 invalid_json" in listed.stdout
    assert "broken" not in listed.stdout


def test_a_dead_letter_is_shown_and_put_back(deployment: Deployment, kafka: str) -> None:
    """Its value is shown by position; put back, it is the record that it was, without our headers."""
    listed = command("dead-letters", "list", "--format", "json", config=deployment.config)
    letter = orjson.loads(listed.stdout)
    position = "{topic}/{partition}/{offset}".format_map(letter)
    shown = command("dead-letters", "show", position, config=deployment.config)
    raw = command("dead-letters", "show", position, "--raw", config=deployment.config)
    target = make_topic(kafka, f"{deployment.settings.group}-again", 1)
    asked = command("dead-letters", "requeue", "--to", target, config=deployment.config)
    done = command(
        "dead-letters", "requeue", "--to", target, "--yes", "--reason", "invalid_json", config=deployment.config
    )
    (record,) = read_topics(kafka_settings(deployment.settings), [target])

    assert ("value      {broken", "{broken") == (shown.stdout.splitlines()[-1], raw.stdout)
    assert (2, True) == (asked.returncode, "1 record to" in asked.stderr)
    assert (0, "1 record written\n") == (done.returncode, done.stdout)
    assert (b"{broken", ()) == (record.value, tuple(record.headers))
    assert (
        record.timestamp_ms
        == orjson.loads(command("dead-letters", "show", position, "--format", "json", config=deployment.config).stdout)[
            "original_ms"
        ]
    )


def test_a_position_that_is_none_is_refused(deployment: Deployment) -> None:
    """Exit code 2, and what a position looks like or where it stands."""
    answers = [
        command("dead-letters", "show", text, config=deployment.config) for text in ("17", "nowhere/0/1", "a/b/c")
    ]

    assert [2, 2, 2] == [answer.returncode for answer in answers]
    assert "must be like inference-events/0/17" in answers[0].stderr
    assert "'dead-letters list' shows positions" in answers[1].stderr


def test_verify_and_check_agree_with_the_cluster(deployment: Deployment) -> None:
    """After `topics create` nothing would stop a worker."""
    assert command("topics", "verify", config=deployment.config).returncode == 0
    assert command("check", "--connect", config=deployment.config).returncode == 0


def test_the_active_baseline_is_shown(deployment: Deployment) -> None:
    """The schedule names model, id and since when; before the group's start a baseline counts from the beginning."""
    shown = command("baseline", "show", config=deployment.config).stdout

    assert "fraud" in shown
    assert "the beginning" in shown


def test_a_second_activation_lies_ahead(deployment: Deployment) -> None:
    """Once the group has started, a baseline can only become active later; an instant in the past is refused."""
    identity = command("baseline", "show", "--format", "json", config=deployment.config).stdout
    baseline_id = orjson.loads(identity.splitlines()[0])["id"]
    passed = format_instant(instants.ago_ms(instants.HOUR_S))
    written = baseline_log_end(deployment)
    late = command("baseline", "activate", baseline_id, "--from", passed, config=deployment.config)
    assert baseline_log_end(deployment) == written, "a refused instant must write nothing"
    ahead = command("baseline", "activate", baseline_id, config=deployment.config)
    scheduled = activations(deployment)
    cancelled = command("baseline", "cancel", baseline_id, config=deployment.config)
    retired = command("baseline", "retire", baseline_id, config=deployment.config)
    again = command("baseline", "cancel", baseline_id, config=deployment.config)

    assert late.returncode == 1
    assert "too soon" in late.stderr
    assert "8 min; until then" in ahead.stderr
    assert "is the reference of fraud 7 from 2" in ahead.stderr
    assert scheduled == [("active", False), ("scheduled", True)]
    assert (cancelled.returncode, retired.returncode, again.returncode) == (0, 0, 1)
    assert "counts for fraud 7 until 2" in retired.stderr
    assert "see 'stream-monitor baseline list'" in again.stderr


def baseline_log_end(deployment: Deployment) -> int:
    """Return how far the topic of baselines goes."""
    topic = deployment.settings.topics.baselines
    return max((record.offset for record in read_topics(kafka_settings(deployment.settings), [topic])), default=-1)


def activations(deployment: Deployment) -> list[tuple[str, bool]]:
    """Return state of each activation of an operator, and whether it begins later than the beginning."""
    listed = command("baseline", "list", "--format", "json", config=deployment.config)
    rows = [orjson.loads(line) for line in listed.stdout.splitlines()]
    return [(row["state"], row["from_ms"] > 0) for row in rows if not row["automatic"]]


def test_missing_topics_stop_the_start(kafka: str, prefix: str, tmp_path: Path) -> None:
    """Exit code 2 and one line that names the topics and the command that makes them."""
    config = tmp_path / "monitor.yaml"
    config.write_text(json.dumps(_configuration(kafka, f"{prefix}none", 0)))
    done = command("run", config=config)

    assert done.returncode == 2
    assert "stream-monitor topics create" in done.stderr


def test_a_broker_that_is_not_there_is_told(tmp_path: Path) -> None:
    """No traceback: what was asked, and that nobody answered."""
    config = tmp_path / "monitor.yaml"
    config.write_text(json.dumps(_configuration(f"127.0.0.1:{free_ports(1)[0]}", "nobody", 0)))
    done = command("topics", "verify", config=config)

    assert done.returncode == 3
    assert "Traceback" not in done.stderr
