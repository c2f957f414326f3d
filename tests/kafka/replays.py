"""What a deployment committed, and what a replay of its exported topics says."""

from __future__ import annotations

import io
from pathlib import Path

from stream_monitor.core.judge import ALERT_HEADERS
from stream_monitor.kafka.readers import export_topics, read_partition
from stream_monitor.runtimes.local import LocalAlert
from stream_monitor.runtimes.replay import replay, survey
from tests.kafka.deployment import Deployment

Written = tuple[bytes | None, bytes, int, tuple[tuple[str, bytes | None], ...]]
"""Key, value, record time and headers of an alert."""


def committed_alerts(deployment: Deployment, judges: int) -> list[list[Written]]:
    """Return the alert records of every partition, as a reader sees them."""
    topic = deployment.settings.topics.alerts
    return [
        [(r.key, r.value or b"", r.timestamp_ms, r.headers) for r in read_partition(deployment.kafka, topic, p)]
        for p in range(judges)
    ]


def replayed_alerts(deployment: Deployment, file: Path, judges: int) -> list[list[Written]]:
    """Export input and baselines, replay the file without Kafka, and return the alerts of every partition."""
    buffer = io.BytesIO()
    export_topics(deployment.kafka, [deployment.input, deployment.settings.topics.baselines], buffer)
    file.write_bytes(buffer.getvalue())
    alerts: list[LocalAlert] = []
    replay(file, deployment.settings, contents=survey(file), partitions={}, on_alert=alerts.append)
    return [
        [(a.event.key, a.event.value, a.event.timestamp_ms, ALERT_HEADERS) for a in alerts if a.partition == p]
        for p in range(judges)
    ]
