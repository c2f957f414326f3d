"""The demo without a broker: the same events, core and metrics, through the pipeline that keeps its log in memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from importlib.metadata import version
from types import TracebackType
from typing import Self

import numpy as np

from stream_monitor.config import load
from stream_monitor.core.batch import RawChunk
from stream_monitor.core.profile import ProfiledChunk
from stream_monitor.kafka.observer import Loop
from stream_monitor.lab.demo.backend import Events
from stream_monitor.lab.demo.configuration import configuration
from stream_monitor.lab.demo.training import ROWS, baseline_of
from stream_monitor.lab.scenario import Scenario
from stream_monitor.outputs.endpoints import Identity, pages
from stream_monitor.outputs.health import Health
from stream_monitor.outputs.http import HttpServer
from stream_monitor.outputs.prometheus import Metrics, MetricsOptions
from stream_monitor.runtimes.local import LocalPipeline

GROUP = "stream-monitor-demo"
STALL_S = 60.0


class LocalBackend:
    """Both stages in this process."""

    name = "no broker"

    def __init__(self, scenario: Scenario) -> None:
        settings = load(
            overrides=configuration(prefix=GROUP, bootstrap="none:0", address="127.0.0.1:0"),
            environ={},  # nothing of the user's configuration belongs into the demo
        )
        self._plan = settings.plan
        self._topic = self._plan.inputs[0].topic
        baseline = baseline_of(scenario.reference(ROWS, start_ms=int(time.time() - 86_400) * 1000), self._plan)
        loops = [str(Loop.PROFILE), str(Loop.JUDGE)]
        health = Health(loops, stall_after_s=STALL_S)
        software = version("stream-monitor")
        own = settings.metrics
        self._metrics = Metrics(
            version=software,
            config=self._plan.short_hash,
            topics=[self._topic],
            health=health,
            options=MetricsOptions(own.per_series, own.top_k, own.max_series, own.comparisons),
        )
        self._pipeline = LocalPipeline(
            self._plan,
            group=GROUP,
            partitions=1,
            sources={self._topic: 1},
            baselines=[(baseline, 0)],
            on_chunk=self._note_chunk,
        )
        for loop in loops:
            self._metrics.readiness(loop, ready=True, detail="")
        identity = Identity(GROUP, "demo", tuple(loops), software, self._plan.short_hash)
        self._http = HttpServer("127.0.0.1", 0, pages(identity, self._metrics, health))
        self._next = 0
        self._arrived: list[bytes] = []
        self._lock = threading.Lock()
        self._stack = ExitStack()

    @property
    def address(self) -> str:
        """Host and port of the metrics."""
        return self._http.address

    def __enter__(self) -> Self:
        self._http.start()
        self._stack.callback(self._http.stop)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def send(self, events: Events) -> None:
        """Count and judge events at once."""
        times = np.asarray([at_ms for at_ms, _ in events], dtype=np.int64)
        offsets = np.arange(self._next, self._next + times.size, dtype=np.int64)
        self._next += times.size
        alerts = self._pipeline.feed(RawChunk(self._topic, 0, offsets, times, [value for _, value in events]))
        for loop in (Loop.PROFILE, Loop.JUDGE):
            self._metrics.progress(str(loop))
        for view in self._pipeline.views:
            self._metrics.judged(view)
        with self._lock:
            self._arrived += [alert.event.value for alert in alerts]

    def alerts(self) -> Sequence[bytes]:
        """Return alert events since the last call."""
        with self._lock:
            arrived, self._arrived = self._arrived, []
        return arrived

    def check(self) -> None:
        """Nothing to look after: what fails, fails in `send`."""

    def _note_chunk(self, topic: str, partition: int, chunk: ProfiledChunk) -> None:
        self._metrics.chunk(topic, partition, value_bytes=0, chunk=chunk)
