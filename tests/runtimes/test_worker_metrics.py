"""What a worker says in its log about the judges' states."""

from __future__ import annotations

import logging

import pytest

from stream_monitor.core.judge import JudgeView
from stream_monitor.outputs.health import Health
from stream_monitor.outputs.prometheus import MetricsOptions
from stream_monitor.runtimes.worker_metrics import WorkerMetrics


def test_a_detector_that_fails_is_named_once(caplog: pytest.LogCaptureFixture) -> None:
    """Model and detector, as an error, the first time that the counter is seen."""
    metrics = WorkerMetrics(
        version="0",
        config="c",
        topics=["t"],
        health=Health(["judge"], stall_after_s=60.0),
        options=MetricsOptions(),
        segments_warn=200,
    )
    with caplog.at_level(logging.WARNING, logger="stream_monitor.runtime"):
        for count in (1, 1, 2):
            metrics.judged(JudgeView(0, counters={("detector_failures_total", "fraud", "mine:Cusum"): count}))

    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("ERROR", "model 'fraud': detector mine:Cusum failed on a series, which it watches no more")
    ]
