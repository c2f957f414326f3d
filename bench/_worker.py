"""A worker as a process of its own, on topics of its own, as `stream-monitor run` starts it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import URLError
from urllib.request import urlopen

from stream_monitor.config import Settings, load
from stream_monitor.config.yaml_text import Plain
from stream_monitor.core.baseline import Baseline
from stream_monitor.kafka.client_settings import KafkaSettings
from stream_monitor.kafka.clients import open_admin
from stream_monitor.kafka.readers import read_dead_letters
from stream_monitor.kafka.topics import TopicSpec, create_topics, delete_topics
from stream_monitor.lab.broker import Broker, free_ports
from stream_monitor.runtimes.connection import baseline_writer, kafka_settings, topic_specs

READY_S = 60.0
STOP_S = 30.0


@contextmanager
def broker(given: str | None) -> Iterator[str]:
    """Give the address of a broker: the one named, else one that is started here."""
    if given is not None:
        yield given
        return
    with Broker() as own:
        yield own.bootstrap


@contextmanager
def deployment(
    bootstrap: str, sections: Mapping[str, Plain], *, partitions: int, baselines: Sequence[Baseline]
) -> Iterator[Settings]:
    """Make topics, publish baselines, run a worker of both roles, and give its settings; no event may be rejected.

    Args:
        bootstrap: of the broker.
        sections: of the configuration, beside those that name group, topics and addresses.
        partitions: of the input topic and of the profiles.
        baselines: active for all event time.
    """
    prefix = f"bench-{uuid.uuid4().hex[:8]}"
    address = f"127.0.0.1:{free_ports(1)[0]}"
    with TemporaryDirectory(prefix="stream-monitor-bench-") as name:
        file = Path(name) / "bench.yml"
        file.write_text(json.dumps(_configuration(prefix, bootstrap, address, partitions) | dict(sections)))
        settings = load(file)
        admin = open_admin(kafka_settings(settings))
        source = settings.plan.inputs[0].topic
        events = TopicSpec(source, partitions, 1, {"message.timestamp.type": "LogAppendTime"})
        specs = (events, *topic_specs(settings))
        create_topics(admin, specs)
        writer = baseline_writer(settings)
        for baseline in baselines:
            writer.document(baseline)
            writer.activation(baseline, from_ms=0)
        try:
            with _process(file, address, Path(name) / "worker.log"):
                yield settings
            require_no_rejects(kafka_settings(settings), settings.topics.dead_letters)
        finally:
            delete_topics(admin, [spec.name for spec in specs])


def require_no_rejects(settings: KafkaSettings, dead_letters: str) -> None:
    """Check that everything a bench has sent was counted: what was rejected costs less, and measures nothing.

    Raises:
        RuntimeError: there are dead letters.
    """
    found = Counter(letter.reason for letter in read_dead_letters(settings, dead_letters))
    if found:
        raise RuntimeError(f"{found.total():,} events of the bench were rejected: {dict(found)}")


def _configuration(prefix: str, bootstrap: str, address: str, partitions: int) -> dict[str, Plain]:
    ours = ("profiles", "baselines", "alerts", "alert_state", "judge_state", "dead_letters")
    topics: dict[str, Plain] = {name: f"{prefix}.{name}" for name in ours}
    return {
        "version": 1,
        "group": prefix,
        "instance": "bench",
        "kafka": {"bootstrap.servers": bootstrap},
        "inputs": [{"topic": f"{prefix}.events", "format": "native"}],
        "topics": {**topics, "partitions": partitions, "replication": 1},
        "http": {"address": address},
        "logging": {"level": "warning", "format": "text"},
    }


@contextmanager
def _process(file: Path, address: str, log: Path) -> Iterator[None]:
    with log.open("wb") as output:
        worker = subprocess.Popen(
            [sys.executable, "-m", "stream_monitor.cli.main", "-c", str(file), "run"],
            stdout=output,
            stderr=output,
            stdin=subprocess.DEVNULL,
        )
    try:
        deadline = time.monotonic() + READY_S
        while not _is_ready(address):
            if worker.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the worker is not ready:\n{log.read_text()[-2_000:]}")
            time.sleep(0.1)
        yield
        if worker.poll() is not None:
            raise RuntimeError(f"the worker ended with {worker.returncode}:\n{log.read_text()[-2_000:]}")
    finally:
        worker.terminate()
        try:
            worker.wait(STOP_S)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait()
        said = log.read_text()
        if said:
            print(f"the worker said:\n{said[-2_000:]}", file=sys.stderr)


def _is_ready(address: str) -> bool:
    try:
        with urlopen(f"http://{address}/readyz", timeout=2.0) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False
