"""What a worker's loops tell: numbers for Prometheus, and lines for its log."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from stream_monitor.core.judge.view.judge_view import JudgeView
from stream_monitor.kafka.observer import Loop
from stream_monitor.outputs.families import DETECTOR_FAILURES
from stream_monitor.outputs.health import Health
from stream_monitor.outputs.prometheus import Metrics, MetricsOptions
from stream_monitor.runtimes.narrator import Narrator

_LOG = logging.getLogger("stream_monitor.runtime")


class WorkerMetrics(Metrics):
    """The metrics of a worker, which also says in its log what has changed; arguments as of `Metrics`.

    Args:
        segments_warn: a model with more segments is said in the log, once.
    """

    def __init__(
        self,
        *,
        version: str,
        config: str,
        topics: Iterable[str],
        health: Health,
        options: MetricsOptions,
        segments_warn: int,
    ) -> None:
        super().__init__(version=version, config=config, topics=topics, health=health, options=options)
        self._segments_warn = segments_warn
        self._narrator = Narrator()
        self._warned: set[str] = set()
        self._failed: set[tuple[str, ...]] = set()

    def dead_letter(self, topic: str, reason: str) -> None:
        """Count a dead letter."""
        super().dead_letter(topic, reason)
        self._narrator.dead_letter(topic, reason)

    def released(self, loop: str, topic: str, partition: int) -> None:
        """Forget a partition that another worker owns now."""
        super().released(loop, topic, partition)
        if loop == Loop.JUDGE:
            self._narrator.released(partition)

    def progress(self, loop: str) -> None:
        """Note that a loop came round."""
        super().progress(loop)
        if loop == Loop.PROFILE:
            self._narrator.tick()

    def judged(self, view: JudgeView) -> None:
        """Count a committed state of a judge partition."""
        super().judged(view)
        self._narrator.judged(view)
        for family, *labels in view.counters:
            if family == DETECTOR_FAILURES.name and tuple(labels) not in self._failed:
                self._failed.add(tuple(labels))
                _LOG.error("model %r: detector %s failed on a series, which it watches no more", *labels)
        segments: dict[str, set[str]] = {}
        for series in view.series:
            segments.setdefault(series.model, set()).add(series.segment)
        for model, found in segments.items():
            if len(found) > self._segments_warn and model not in self._warned:
                self._warned.add(model)
                _LOG.warning(
                    "limits.segments_warn: model %r has %d segments, more than %d",
                    model,
                    len(found),
                    self._segments_warn,
                )
