"""A role of the list, run by the runtime on a real broker."""

from __future__ import annotations

import threading
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

from stream_monitor.config import load
from stream_monitor.kafka.clients import open_admin
from stream_monitor.kafka.observer import Loop, Observer
from stream_monitor.kafka.permissions import Principal
from stream_monitor.kafka.topics import create_topics
from stream_monitor.runtimes.connection import kafka_settings, topic_specs
from stream_monitor.runtimes.kafka import KafkaRuntime
from stream_monitor.runtimes.roles import Role, Worker, WorkerNeeds
from tests.kafka.profiling import wait_until


class Toy:
    """A worker that is ready when the test lets it."""

    def __init__(self, observer: Observer, ready: threading.Event) -> None:
        self._observer, self._ready, self._ended = observer, ready, threading.Event()

    def run(self) -> None:
        self._ready.wait(60)
        self._observer.readiness(Loop.RELAY, ready=True, detail="reads")
        self._ended.wait(60)

    def stop(self) -> None:
        self._ended.set()


def _is_ready(runtime: KafkaRuntime) -> bool | None:
    """Return what `/readyz` answers; None while nobody listens yet."""
    try:
        with urlopen(f"http://{runtime.address}/readyz", timeout=10) as answer:  # our own loopback
            return bool(answer.status == 200)
    except HTTPError:
        return False
    except OSError:
        return None


def test_a_role_of_one_line_is_made_watched_and_stopped(kafka: str, prefix: str, tmp_path: Path) -> None:
    """The runtime makes its worker from what every role is given, and `/readyz` waits for its loop and no other."""
    config = tmp_path / "monitor.yaml"
    config.write_text(
        f"group: {prefix}\nkafka: {{bootstrap.servers: '{kafka}'}}\ninputs: [{{topic: {prefix}-in}}]\n"
        f"topics: {{alerts: {prefix}-alerts, partitions: 1, replication: 1}}\nhttp: {{address: '127.0.0.1:0'}}\n"
    )
    settings = load(config, environ={})
    alerts = [spec for spec in topic_specs(settings) if spec.name == f"{prefix}-alerts"]
    create_topics(open_admin(kafka_settings(settings)), alerts)
    given: list[WorkerNeeds] = []
    ready = threading.Event()

    def make(needs: WorkerNeeds) -> Worker:
        given.append(needs)
        return Toy(needs.observer, ready)

    runtime = KafkaRuntime(settings, (Role("toy", (Loop.RELAY,), Principal.RELAY, make),))
    thread = threading.Thread(target=runtime.run, daemon=True)
    thread.start()
    try:
        wait_until(lambda: bool(given))
        before = _is_ready(runtime)
        ready.set()
        wait_until(lambda: _is_ready(runtime) is True)
    finally:
        runtime.stop()
        thread.join(30)

    assert (False, False) == (before, thread.is_alive())
    assert [(settings, f"{prefix}-alerts")] == [(needs.settings, needs.topics.alerts) for needs in given]
