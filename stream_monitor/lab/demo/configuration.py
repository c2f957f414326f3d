"""The configuration of the demo's worker: a short clock and quick alerts, a whole life of an alert within a minute.

The budget is the default one, one false alarm in 30 days: what is hurried is the clock, not the caution.
"""

from __future__ import annotations

from typing import Final

from stream_monitor.config.yaml_text import Plain
from stream_monitor.lab.fraud import MODEL

PARTITIONS: Final = 2
"""Partitions of the input: two, so that watermarks and merging are at work."""

ALLOWED_LATENESS: Final = "1s"


def configuration(*, prefix: str, bootstrap: str, address: str) -> dict[str, Plain]:
    """Return the worker's configuration, as its YAML file would say it.

    Args:
        prefix: of the names of group and topics, so that two demos on one cluster do not meet.
        bootstrap: the broker.
        address: host and port of the worker's HTTP server.
    """
    return {
        "version": 1,
        "group": prefix,
        "instance": "demo",
        "kafka": {"bootstrap.servers": bootstrap},
        "inputs": [{"topic": f"{prefix}.inference-events", "format": "native"}],
        "topics": {
            "profiles": f"{prefix}.drift-profiles",
            "baselines": f"{prefix}.drift-baselines",
            "alerts": f"{prefix}.drift-alerts",
            "alert_state": f"{prefix}.drift-alert-state",
            "judge_state": f"{prefix}.drift-judge-state",
            "dead_letters": f"{prefix}.drift-dead-letters",
            "partitions": 1,
            "replication": 1,
        },
        "time": {"allowed_lateness": ALLOWED_LATENESS},
        "detection": {"pane": "1s", "window": "10s"},
        "models": [{"name": MODEL, "baseline": {"from": "published"}}],
        "alerts": {"open_after": 2, "resolve_after": 5, "cooldown": "0s"},
        "metrics": {"per_series": "all", "comparisons": ["psi"]},
        "http": {"address": address},
        "logging": {"level": "warning", "format": "text"},
    }
