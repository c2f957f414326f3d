"""Points that exist as long as what they describe: partitions, models, firing alerts, monitored series.

They are made anew for each scrape, so a series ends with its alert, its model or its partition.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from stream_monitor.core.alerts.lifecycle import AlertStatus
from stream_monitor.core.judge.view.judge_view import JudgeView, SeriesState, SeriesView
from stream_monitor.core.names import safe_label
from stream_monitor.core.plan import Severity
from stream_monitor.outputs import families
from stream_monitor.outputs.families import Family
from stream_monitor.outputs.points import Point

MANY_PARTITIONS: Final = 100
"""A topic with more of them is exported as one series: largest lag, smallest watermark."""


def partition_points(
    family: Family,
    by_partition: Mapping[Family, Mapping[tuple[str, int], float]],
    worst: Callable[[Iterable[float]], float],
) -> Iterator[tuple[Point, ...]]:
    """Yield a gauge of each partition, or one a topic, the worst, where partitions are many."""
    topics: dict[str, dict[int, float]] = {}
    for (topic, partition), value in by_partition.get(family, {}).items():
        topics.setdefault(topic, {})[partition] = value
    for topic, values in sorted(topics.items()):
        if len(values) > MANY_PARTITIONS:
            yield (Point(family, (safe_label(topic), ""), worst(values.values())),)
        else:
            for partition, value in sorted(values.items()):
                yield (Point(family, (safe_label(topic), str(partition)), value),)


def model_points(view: JudgeView) -> Iterator[tuple[Point, ...]]:
    """Yield the gauges of each model of a judge partition."""
    states = Counter((series.model, series.state) for series in view.series)
    firing = Counter(
        (alert.labels.get("model", ""), alert.severity) for alert in view.alerts if alert.status is AlertStatus.FIRING
    )
    blind = Counter((item.model, item.version, item.reason) for item in view.coverage if item.reason is not None)
    for (model_name, version, reason), count in sorted(blind.items()):
        labels = (safe_label(model_name), safe_label(version), reason.value)
        yield (Point(families.NOT_WATCHED, labels, count),)
    for model in view.models:
        name = safe_label(model.model)
        for own in model.unwatched:
            yield (Point(families.UNWATCHED_SINCE, (name, safe_label(own.version)), own.since_ms / 1000),)
        yield from ((Point(families.SERIES, (name, each), states[model.model, each]),) for each in SeriesState)
        yield from ((Point(families.ALERTS_FIRING, (name, each), firing[model.model, each]),) for each in Severity)
        yield (Point(families.FALSE_ALARM_INTERVAL, (name,), model.false_alarm_interval_s),)
        if model.last_pane_end_ms is not None:
            yield (Point(families.LAST_PANE, (name,), model.last_pane_end_ms / 1000),)
        for baseline in model.baselines:
            version = safe_label(baseline.version)
            yield (Point(families.BASELINE_INFO, (name, version, safe_label(baseline.id)), 1),)
            if baseline.to_ms is not None:
                yield (Point(families.BASELINE_TIMESTAMP, (name, version), baseline.to_ms / 1000),)


def alert_points(views: Iterable[JudgeView]) -> Iterator[tuple[Point, ...]]:
    """Yield the start of each firing alert."""
    starts: dict[tuple[str, ...], int] = {}  # alerts that differ in other labels share a series: the older start
    for view in views:
        for alert in view.alerts:
            if alert.status is AlertStatus.FIRING:
                labels = tuple(safe_label(alert.labels.get(label, "")) for label in families.ALERT_START.labels)
                starts[labels] = min(starts.get(labels, alert.starts_ms), alert.starts_ms)
    yield from ((Point(families.ALERT_START, labels, ms / 1000),) for labels, ms in sorted(starts.items()))


def series_points(series: SeriesView, comparisons: Iterable[str]) -> Iterator[Point]:
    """Yield the gauges of one monitored series that have a value."""
    labels = tuple(map(safe_label, (series.model, series.version, series.segment, series.series)))
    values = [
        (families.EVIDENCE_RATIO, series.evidence_ratio),
        (families.MISSING_RATIO, series.missing_ratio),
        *((families.COMPARISONS[name], series.comparisons.get(name)) for name in comparisons),
    ]
    for family, value in values:
        if value is not None and math.isfinite(value):
            yield Point(family, labels, value)
    if series.guarantee:
        yield Point(families.GUARANTEE, (*labels, safe_label(series.guarantee)), 1)
