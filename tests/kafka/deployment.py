"""A deployment of the product for tests: a configuration, its topics, and workers as processes of the command line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import yaml
from confluent_kafka import Producer

from stream_monitor.config import load
from stream_monitor.config.yaml_text import Plain
from stream_monitor.core.baseline import Baseline
from stream_monitor.kafka.clients import open_admin
from stream_monitor.kafka.topics import create_topics
from stream_monitor.runtimes.connection import baseline_writer, kafka_settings, topic_specs
from tests.kafka.feeds import feed_of
from tests.kafka.members import make_topic
from tests.kafka.offsets import GroupOffsets

OURS = ("profiles", "baselines", "alerts", "alert_state", "judge_state", "dead_letters")

_UP = b"metrics and probes on"
"""Stands in the log of a worker that runs."""


class Deployment:
    """Topics and settings under one prefix, and the processes that were started.

    Args:
        bootstrap: of a broker.
        prefix: of all names.
        folder: for configuration and logs.
        input_partitions: of the one input topic.
        judges: partitions of the topics of the judge.
        settings: sections of the configuration beside those of Kafka.
        main: module that a worker process runs.

    Attributes:
        feed: what is sent; at the test's end `feed.rejects` of its records must be dead letters, none unless it is set.
    """

    def __init__(
        self,
        bootstrap: str,
        prefix: str,
        folder: Path,
        *,
        input_partitions: int,
        judges: int,
        settings: Mapping[str, Plain],
        main: str = "stream_monitor.cli.entry",
    ) -> None:
        self._main = main
        self.input = f"{prefix}events"
        names: dict[str, Plain] = {name: f"{prefix}{name}" for name in OURS}
        config: dict[str, Plain] = {
            "version": 1,
            "group": f"{prefix}monitor",
            "kafka": {
                "bootstrap.servers": bootstrap,
                "consumer": {"session.timeout.ms": "6000", "max.poll.interval.ms": "12000"},
            },
            "inputs": [{"topic": self.input, "format": "native"}],
            "topics": {**names, "partitions": judges, "replication": 1},
            "http": {"address": "127.0.0.1:0"},
            **settings,
        }
        self.config = folder / "stream-monitor.yaml"
        self.config.write_text(yaml.safe_dump(config), encoding="utf-8")
        self.settings = load(self.config, environ={})
        self.kafka = kafka_settings(self.settings)
        self._producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 5, "log_level": 0})
        self._folder = folder
        self._processes: list[Worker] = []
        make_topic(bootstrap, self.input, input_partitions)
        create_topics(open_admin(self.kafka), topic_specs(self.settings))
        self.offsets = GroupOffsets(self.settings, input_partitions=input_partitions)
        own = self.settings.topics
        self.feed = feed_of(self.kafka, dead_letters=own.dead_letters, profiles=own.profiles)

    def activate(self, baseline: Baseline) -> None:
        """Publish a baseline that is active for all event time: the group has not started yet."""
        writer = baseline_writer(self.settings)
        writer.document(baseline)
        writer.activation(baseline, 0)

    def send(self, events: Sequence[tuple[int, int, bytes]]) -> None:
        """Write input records, each with its partition and record time, and wait until they are safe."""
        for partition, at_ms, value in events:
            self._producer.produce(self.input, value, partition=partition, timestamp=at_ms)
            self._producer.poll(0)
        assert self._producer.flush(30) == 0

    def start(self, role: str, instance: str) -> Worker:
        """Start a worker of one role."""
        log = self._folder / f"{role}-{instance}-{len(self._processes)}.log"
        worker = Worker(self.config, role, instance, log, main=self._main)
        self._processes.append(worker)
        return worker

    def wait_until(self, done: Callable[[], bool], what: str, *, timeout_s: float = 90.0) -> None:
        """Return when something is so, while every worker that was not killed lives.

        Raises:
            AssertionError: it was not in time, or a worker ended; with the last lines of its log.
        """
        deadline = time.monotonic() + timeout_s
        while not done():
            for worker in self._processes:
                assert worker.lives(), f"{worker.name} ended: {worker.last_lines()}"
            assert time.monotonic() < deadline, f"{what}: not in {timeout_s:g} s"
            time.sleep(0.05)

    def kill_all(self) -> None:
        """End what still runs."""
        for worker in self._processes:
            worker.kill()
        self.offsets.close()


class Worker:
    """A worker process, as an operator starts it."""

    def __init__(self, config: Path, role: str, instance: str, log: Path, *, main: str) -> None:
        self.name = f"{role} {instance}"
        self._log = log
        self._is_expected_to_live = True
        command = [sys.executable, "-m", main, "-c", str(config), "--instance", instance, "run", "--role", role]
        with log.open("wb") as output:
            self._process = subprocess.Popen(command, stdout=output, stderr=output, env={**os.environ, "NO_COLOR": "1"})

    def lives(self) -> bool:
        """Say whether it runs as it should; a killed one is no concern."""
        return not self._is_expected_to_live or self._process.poll() is None

    def kill(self) -> None:
        """End it at once (SIGKILL)."""
        self._is_expected_to_live = False
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """End it as a deployment does (SIGTERM) and return its exit code.

        It is up by then: while Python still imports, nobody handles a signal.
        """
        deadline = time.monotonic() + 60
        while _UP not in self._log.read_bytes():
            assert self._process.poll() is None, f"{self.name} ended: {self.last_lines()}"
            assert time.monotonic() < deadline, f"{self.name} did not come up: {self.last_lines()}"
            time.sleep(0.05)
        self._is_expected_to_live = False
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(60)

    def log(self) -> str:
        """Return its log so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def last_lines(self) -> str:
        """Return the end of its log."""
        return "\n".join(self.log().splitlines()[-15:])
