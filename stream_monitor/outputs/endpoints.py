"""The pages of a worker: /metrics, /healthz, /readyz and /status. Read-only, without secrets."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from stream_monitor.core.alerts.lifecycle import AlertStatus
from stream_monitor.core.canonical import Json, canonical_json
from stream_monitor.core.judge.view.judge_view import JudgeView, WarmUpView
from stream_monitor.core.time import instant_words
from stream_monitor.outputs import families
from stream_monitor.outputs.health import Health
from stream_monitor.outputs.prometheus import Metrics

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a page answers."""

    status: int
    content_type: str
    body: bytes


Page = Callable[[str], Answer]
"""Makes the answer to a request with this `Accept` header."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who answers: nothing secret in it.

    Attributes:
        config: digest of the configuration.
    """

    group: str
    instance: str
    roles: tuple[str, ...]
    version: str
    config: str


def pages(identity: Identity, metrics: Metrics, health: Health) -> Mapping[str, Page]:
    """Return the pages by path."""

    def exposition(accept: str) -> Answer:
        body, content_type = metrics.exposition(accept)
        return Answer(200, content_type, body)

    def healthz(_accept: str) -> Answer:
        stalled = {loop: round(seconds) for loop, seconds in health.stalled().items()}
        return _json(503, {"status": "stalled", "silent_s": stalled}) if stalled else _json(200, {"status": "ok"})

    def readyz(_accept: str) -> Answer:
        waiting = health.waiting()
        return _json(503, {"status": "waiting", "loops": waiting}) if waiting else _json(200, {"status": "ready"})

    def status(_accept: str) -> Answer:
        return _json(200, _status(identity, metrics, health))

    return {"/metrics": exposition, "/healthz": healthz, "/readyz": readyz, "/status": status}


def _json(status: int, body: Json) -> Answer:
    return Answer(status, JSON, canonical_json(body) + b"\n")


def _status(identity: Identity, metrics: Metrics, health: Health) -> Json:
    return {
        "group": identity.group,
        "instance": identity.instance,
        "roles": identity.roles,
        "version": identity.version,
        "config": identity.config,
        "waiting": health.waiting(),
        "stalled_s": health.stalled(),
        "partitions": [
            {
                "topic": topic,
                "partition": partition,
                "lag_records": values.get(families.CONSUMER_LAG.name),
                "watermark": _instant(values.get(families.WATERMARK.name)),
                "chunk_limit_records": values.get(families.CHUNK_LIMIT.name),
            }
            for (topic, partition), values in metrics.partitions().items()
        ],
        "judge": [_judge_status(view) for view in metrics.views()],
    }


def _judge_status(view: JudgeView) -> Json:
    return {
        "partition": view.partition,
        "watermarks": {topic: None if ms is None else instant_words(ms) for topic, ms in view.watermark_ms.items()},
        "awaited": [f"{topic}/{partition}" for topic, partition in view.awaited],
        "waiting_chunks": view.waiting_chunks,
        "alerts_firing": sum(alert.status is AlertStatus.FIRING for alert in view.alerts),
        "models": [
            {
                "model": model.model,
                "panes_closed": model.panes_closed,
                "last_pane": None if model.last_pane_end_ms is None else instant_words(model.last_pane_end_ms),
                "baselines": {baseline.version: baseline.id for baseline in model.baselines},
                "warming_up": model.warming_up,
                "unwatched": {own.version: _unwatched(own) for own in model.unwatched},
                "coverage": _coverage(view, model.model),
                "compared": model.compared,
                "series": sum(series.model == model.model for series in view.series),
                "guarantees": _guarantees(view, model.model),
            }
            for model in view.models
        ],
    }


def _unwatched(own: WarmUpView) -> Json:
    """Return since when, and why, nothing of a version is watched."""
    return {
        "since": instant_words(own.since_ms),
        "rows": own.rows,
        "wanted": own.wanted,
        "attempts": own.attempts,
        "failure": own.failure or None,
    }


def _coverage(view: JudgeView, model: str) -> Json:
    """Return how many series of a model are watched, and of the others which are not and why."""
    own = [item for item in view.coverage if item.model == model]
    blind: dict[str, list[str]] = {}
    for item in own:
        if item.reason is not None:
            name = "/".join(part for part in (item.version, item.segment, item.series) if part)
            blind.setdefault(item.words, []).append(name)
    return {
        "watched": sum(item.reason is None for item in own),
        "not_watched": {words: list[Json](sorted(names)) for words, names in sorted(blind.items())},
    }


def _guarantees(view: JudgeView, model: str) -> Json:
    """Return the judged series of a model by what is promised for them: `version/series`, or with a segment between."""
    found: dict[str, list[str]] = {}
    for series in view.series:
        if series.model == model and series.guarantee:
            name = "/".join(part for part in (series.version, series.segment, series.series) if part)
            found.setdefault(series.guarantee, []).append(name)
    return {guarantee: list[Json](sorted(names)) for guarantee, names in sorted(found.items())}


def _instant(seconds: float | None) -> str | None:
    return None if seconds is None else instant_words(round(seconds * 1000))
