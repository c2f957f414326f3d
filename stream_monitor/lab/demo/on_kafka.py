"""The demo on a real broker: topics, a published baseline, and the worker as a process of its own."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.error import URLError
from urllib.request import urlopen

from stream_monitor.config import Settings, load
from stream_monitor.core.baseline import Baseline
from stream_monitor.core.plan import Plan
from stream_monitor.kafka.baseline_log import BaselineWriter
from stream_monitor.kafka.clients import open_admin, open_producer
from stream_monitor.kafka.errors import Stop
from stream_monitor.kafka.event_producer import EventProducer
from stream_monitor.kafka.readers import follow_alerts
from stream_monitor.kafka.topics import TopicSpec, create_topics, delete_topics
from stream_monitor.lab.broker import Broker, free_ports
from stream_monitor.lab.demo.backend import DemoError, Events
from stream_monitor.lab.demo.configuration import PARTITIONS, configuration
from stream_monitor.lab.demo.training import ROWS, baseline_of
from stream_monitor.lab.scenario import Scenario
from stream_monitor.runtimes.connection import kafka_settings, topic_names, topic_specs

READY_S = 60.0
STOP_S = 25.0


class KafkaBackend:
    """A broker (given, or started for the demo), and a worker on it.

    Args:
        bootstrap: address of a running broker, None to start one.
        say: told each step of the start, for the one who waits.
    """

    def __init__(self, scenario: Scenario, *, bootstrap: str | None, say: Callable[[str], None]) -> None:
        self._scenario = scenario
        self._given = bootstrap
        self._say = say
        self._prefix = f"stream-monitor-demo-{uuid.uuid4().hex[:8]}"
        self._address = f"127.0.0.1:{free_ports(1)[0]}"
        self._stack = ExitStack()
        self._arrived: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._ending = threading.Event()
        self._follower_failed: Exception | None = None
        self._bootstrap = bootstrap or ""

    @property
    def name(self) -> str:
        """Where the events go."""
        return f"Kafka {self._bootstrap}"

    @property
    def address(self) -> str:
        """Host and port of the worker's HTTP server."""
        return self._address

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self._stack.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def send(self, events: Events) -> None:
        """Send events, each keyed by nothing, to the partitions in turn."""
        for at_ms, value in events:
            self._producer.send(value, timestamp_ms=at_ms)

    def alerts(self) -> Sequence[bytes]:
        """Return alert events that have been committed since the last call."""
        values = []
        while not self._arrived.empty():
            values.append(self._arrived.get())
        return values

    def check(self) -> None:
        """Raise when the worker or the reader of alerts has ended."""
        code = self._worker.poll()
        if code is not None:
            raise DemoError(f"the worker ended with exit code {code}:\n{self._log.read_text()[-2_000:]}")
        if self._follower_failed is not None:
            raise DemoError(f"alerts cannot be read: {self._follower_failed}") from self._follower_failed

    def _start(self) -> None:
        pool = self._stack.enter_context(ThreadPoolExecutor(max_workers=1, thread_name_prefix="demo-training"))
        training = pool.submit(self._train)  # while the broker starts
        if self._given is None:
            self._say("starting Apache Kafka ...")
            self._bootstrap = self._stack.enter_context(Broker()).bootstrap
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="stream-monitor-demo-")))
        file = folder / "demo.yml"
        text = configuration(prefix=self._prefix, bootstrap=self._bootstrap, address=self._address)
        file.write_text(json.dumps(text))  # JSON is YAML
        settings = load(file)
        self._say(f"making topics {self._prefix}.* on {self._bootstrap} ...")
        self._make_topics(settings)
        self._say(f"publishing the baseline of {ROWS:,} training rows ...")
        self._publish_baseline(settings, training.result())
        self._say("starting the worker ...")
        self._start_worker(file, folder / "worker.log")
        self._follow(settings)
        self._producer = EventProducer(kafka_settings(settings), settings.plan.inputs[0].topic)
        self._stack.callback(self._producer.flush)

    def _make_topics(self, settings: Settings) -> None:
        admin = open_admin(kafka_settings(settings))
        events = TopicSpec(settings.plan.inputs[0].topic, PARTITIONS, 1, {"message.timestamp.type": "LogAppendTime"})
        specs = (events, *topic_specs(settings))
        create_topics(admin, specs)
        if self._given is not None:  # on a cluster of the user's nothing stays behind
            self._stack.callback(delete_topics, admin, [spec.name for spec in specs])

    def _train(self) -> Baseline:
        events = self._scenario.reference(ROWS, start_ms=int(time.time() - 86_400) * 1000)
        return baseline_of(events, Plan())

    def _publish_baseline(self, settings: Settings, baseline: Baseline) -> None:
        producer = open_producer(kafka_settings(settings).producer_config(), lambda _: None)
        writer = BaselineWriter(producer, topic_names(settings).baselines)
        writer.document(baseline)
        writer.activation(baseline, from_ms=0)  # before the group's start any pane may be named

    def _start_worker(self, file: Path, log: Path) -> None:
        self._log = log
        with log.open("wb") as output:
            self._worker = subprocess.Popen(
                [sys.executable, "-m", "stream_monitor.cli.main", "-c", str(file), "run"],
                stdout=output,
                stderr=output,
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the demo, which ends its worker in order
            )
        self._stack.callback(self._end_worker)
        deadline = time.monotonic() + READY_S
        while not self._is_ready():
            self.check()
            if time.monotonic() > deadline:
                raise DemoError(f"the worker was not ready after {READY_S:g} s:\n{log.read_text()[-2_000:]}")
            time.sleep(0.1)

    def _is_ready(self) -> bool:
        try:
            with urlopen(f"http://{self._address}/readyz", timeout=2.0) as answer:
                return bool(answer.status == 200)
        except (URLError, OSError):
            return False

    def _end_worker(self) -> None:
        self._worker.terminate()
        try:
            self._worker.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._worker.kill()
            self._worker.wait()

    def _follow(self, settings: Settings) -> None:
        thread = threading.Thread(target=self._read_alerts, args=(settings,), name="demo-alerts", daemon=True)
        thread.start()
        self._stack.callback(thread.join, 5.0)
        self._stack.callback(self._ending.set)

    def _read_alerts(self, settings: Settings) -> None:
        topic = topic_names(settings).alerts
        try:
            for alert in follow_alerts(
                kafka_settings(settings), topic, from_beginning=True, is_stopping=self._ending.is_set
            ):
                self._arrived.put(alert.event)
        except Stop as error:
            self._follower_failed = error
