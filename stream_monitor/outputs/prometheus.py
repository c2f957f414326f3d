"""Prometheus metrics of a worker: it listens to the loops and answers scrapes with a snapshot.

`Metrics` is the observer of `kafka/`: it is called after each commit, so no counter runs ahead of what is committed. A
scrape reads the last views of the judge, hence the series of a model that moved to another worker vanish here. At most
`max_series` time series leave the process, whatever events name: those of the process, of models and of firing alerts
first, then the monitored series with most evidence; the rest is counted in `metric_series_suppressed`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

import numpy as np
from prometheus_client import CollectorRegistry, Metric, ProcessCollector
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from stream_monitor.core.alerts.lifecycle import Reason
from stream_monitor.core.judge.log.open_panes import ClosedPaneCause
from stream_monitor.core.judge.log.source_chain import DropReason
from stream_monitor.core.judge.view.judge_view import JudgeView
from stream_monitor.core.names import RejectReason, ValueReject
from stream_monitor.core.plan import Severity
from stream_monitor.core.profile import ProfiledChunk
from stream_monitor.outputs import families
from stream_monitor.outputs.families import Family, FamilyType, Rank
from stream_monitor.outputs.health import Health
from stream_monitor.outputs.points import Accumulated, Point
from stream_monitor.outputs.snapshot import alert_points, model_points, partition_points, series_points
from stream_monitor.outputs.top_series import Choice, TopSeries

MAX_ERROR_CODES: Final = 29
"""Codes of client errors that are told apart; further ones are `other`."""

LOOPS: Final = ("profile", "judge")
OUTCOMES: Final = ("done", "refused", "unknown")
REBALANCES: Final = ("assigned", "revoked", "lost")
RESTARTS: Final = ("fenced", "commit_unknown", "slow_commit", "assignment_lost", "error")
UNJUDGED: Final = ("no_baseline", "over_limits")
STAGES: Final = ("decode", "profile", "commit")

_NOTHING: Final[Mapping[tuple[str, ...], int]] = {}

_JUDGE_COUNTERS: Final[Mapping[str, Family]] = {
    family.name: family
    for family in (
        families.CHUNKS_DROPPED,
        families.CLOSED_PANE_RECORDS,
        families.BASELINES_MIXED,
        families.PANES_UNFIT,
        families.DETECTIONS,
        families.DETECTOR_FAILURES,
        families.ALERT_EVENTS,
        families.OTHER_SEGMENT_EVENTS,
        families.UNJUDGED,
    )
}


@dataclass(frozen=True, slots=True)
class MetricsOptions:
    """What is exported.

    Attributes:
        per_series: which monitored series: `top_k`, `all` or `none`.
        top_k: series a model.
        max_series: time series of the process, hard.
        comparisons: measures exported for each monitored series.
    """

    per_series: Choice = "top_k"
    top_k: int = 20
    max_series: int = 5_000
    comparisons: tuple[str, ...] = ("psi", "kolmogorov_smirnov")


@dataclass(slots=True)
class _Judged:
    """The last view of a judge partition, and the counters that it has handed over."""

    view: JudgeView
    counted: Mapping[tuple[str, ...], int] = field(default_factory=dict)


class Metrics(Collector):
    """Observer of the workers of one process, and its /metrics.

    Args:
        version: of the software.
        config: digest of the configuration.
        topics: input topics, whose counters start at 0.
        options: what is exported.
        health: is told of progress and readiness.
        wall: wall clock in seconds since 1970.
        monotonic: a clock that never goes back, in seconds.
    """

    def __init__(
        self,
        *,
        version: str,
        config: str,
        topics: Iterable[str],
        health: Health,
        options: MetricsOptions | None = None,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._options = options or MetricsOptions()
        self._build = (version, config)
        self._health = health
        self._wall = wall
        self._monotonic = monotonic
        self._lock = Lock()
        self._accumulated = Accumulated(limit=self._options.max_series)
        self._gauges: dict[Family, dict[tuple[str, ...], float]] = {}
        self._by_partition: dict[Family, dict[tuple[str, int], float]] = {}
        self._judged: dict[int, _Judged] = {}
        self._error_codes: set[str] = set()
        self._top = TopSeries(self._options.per_series, self._options.top_k)
        self._start_at_zero(topics)
        self._registry = CollectorRegistry()
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    # --- what the loops say -------------------------------------------------------------------------------------------

    def chunk(self, topic: str, partition: int, *, value_bytes: int, chunk: ProfiledChunk) -> None:
        """Count a committed chunk."""
        with self._lock:
            add, observe = self._accumulated.add, self._accumulated.observe
            add(families.RECORDS_CONSUMED, topic, amount=chunk.counts.read)
            add(families.CONSUMED_BYTES, topic, amount=value_bytes)
            if chunk.ahead is not None:
                add(families.EVENTS_AHEAD, topic, amount=chunk.ahead.events)
            for (model, version), counts in chunk.models.items():
                for kind, events in counts.events.items():
                    add(families.EVENTS, model, version, kind, amount=events)
                add(families.EVENTS_LATE, model, version, amount=counts.late)
                add(families.SERVING_ERRORS, model, version, amount=counts.serving_errors)
                if counts.latency_ms.size:
                    observe(families.SERVING_LATENCY, model, version, values=counts.latency_ms / 1000)
            for model in {model for model, _ in chunk.models}:
                for reason in ValueReject:
                    add(families.VALUES_REJECTED, model, reason, amount=chunk.value_rejects.get((model, reason), 0))

    def judged(self, view: JudgeView) -> None:
        """Take the state of a committed judge partition; its counters are handed over as increments."""
        with self._lock:
            before = self._judged.get(view.partition)
            handed = before.counted if before else _NOTHING
            counted = dict(view.counters)
            counted.update({(families.PANES_CLOSED.name, model.model): model.panes_closed for model in view.models})
            if any(counted.get(key, 0) < value for key, value in handed.items()):
                handed = _NOTHING  # the judge was built anew and counts from 0
            for key, value in counted.items():
                self._count_judged(key, value - handed.get(key, 0))
            self._know(view)
            self._judged[view.partition] = _Judged(view, counted)

    def commit(self, loop: str, outcome: str) -> None:
        """Count the answer to a commit."""
        self._add(families.COMMITS, loop, outcome)

    def rebalance(self, event: str) -> None:
        """Count a change of ownership."""
        self._add(families.REBALANCES, event)

    def released(self, loop: str, topic: str, partition: int) -> None:
        """Forget a partition that another worker owns now."""
        with self._lock:
            for values in self._by_partition.values():
                values.pop((topic, partition), None)
            if loop == "judge":
                self._judged.pop(partition, None)

    def lag(self, topic: str, partition: int, records: int) -> None:
        """Take the lag of a partition."""
        with self._lock:
            self._by_partition.setdefault(families.CONSUMER_LAG, {})[topic, partition] = records

    def watermark(self, topic: str, partition: int, ms: int | None) -> None:
        """Take the watermark of a partition."""
        if ms is not None:
            with self._lock:
                self._by_partition.setdefault(families.WATERMARK, {})[topic, partition] = ms / 1000

    def chunk_limit(self, topic: str, partition: int, records: int) -> None:
        """Take how many records the next chunk of a partition may hold."""
        with self._lock:
            self._by_partition.setdefault(families.CHUNK_LIMIT, {})[topic, partition] = records

    def input_gap(self, topic: str, offsets: int) -> None:
        """Count input offsets that were lost and passed over."""
        with self._lock:
            self._accumulated.add(families.INPUT_GAP_OFFSETS, topic, amount=offsets)

    def dead_letter(self, topic: str, reason: str) -> None:
        """Count a dead letter."""
        self._add(families.RECORDS_REJECTED, topic, reason)

    def duration(self, stage: str, seconds: float) -> None:
        """Take the time of a stage."""
        with self._lock:
            self._accumulated.observe(families.CHUNK_DURATION, stage, values=np.array([seconds]))

    def kafka_error(self, code: str) -> None:
        """Count an error of the client."""
        with self._lock:
            if code not in self._error_codes and len(self._error_codes) >= MAX_ERROR_CODES:
                code = "other"
            self._error_codes.add(code)
            self._accumulated.add(families.KAFKA_ERRORS, code)

    def restart(self, reason: str) -> None:
        """Count a restart of the clients."""
        self._add(families.RESTARTS, reason)

    def progress(self, loop: str) -> None:
        """Note that a loop came round."""
        self._health.progress(loop)
        self._set(families.LAST_PROGRESS, loop, value=self._wall())

    def readiness(self, loop: str, *, ready: bool, detail: str) -> None:
        """Pass on to the probes."""
        self._health.readiness(loop, ready=ready, detail=detail)

    def restored(self, seconds: float) -> None:
        """Take the time of a restore."""
        self._set(families.RESTORE_DURATION, value=seconds)

    def chain_gap(self, topic: str) -> None:
        """Count a gap that stopped the judging of a partition."""
        self._add(families.CHAIN_GAPS, topic)

    def diverged(self) -> None:
        """Count a restore that came out otherwise than it was committed."""
        self._add(families.JUDGE_DIVERGED)

    # --- what a scrape gets -------------------------------------------------------------------------------------------

    def exposition(self, accept: str) -> tuple[bytes, str]:
        """Return the body and content type of /metrics: Prometheus' text format, or OpenMetrics when asked for it."""
        encode, content_type = choose_encoder(accept)
        return encode(self._registry), content_type

    def views(self) -> tuple[JudgeView, ...]:
        """Return the last view of every judge partition of this process."""
        with self._lock:
            return tuple(self._judged[partition].view for partition in sorted(self._judged))

    def partitions(self) -> Mapping[tuple[str, int], Mapping[str, float]]:
        """Return lag (records) and watermark (seconds since 1970) of each partition, by the name of their family."""
        with self._lock:
            found: dict[tuple[str, int], dict[str, float]] = {}
            for family, values in self._by_partition.items():
                for place, value in values.items():
                    found.setdefault(place, {})[family.name] = value
            return dict(sorted(found.items()))

    def describe(self) -> Iterable[Metric]:
        """Return nothing: names are checked by the table, and a scrape at registration would be wasted."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Return the families of one scrape, in the order of the table."""
        with self._lock:
            kept, suppressed = _capped(self._groups(), limit=self._options.max_series - 1)
        kept.append(Point(families.SUPPRESSED, (), suppressed))
        points: dict[Family, list[Point]] = {}
        for point in kept:
            points.setdefault(point.family, []).append(point)
        return [_metric(family, points[family]) for family in families.FAMILIES if family in points]

    def _groups(self) -> Iterator[tuple[Point, ...]]:
        """Yield what could be exported, most important first."""
        accumulated = sorted(self._accumulated.groups(), key=lambda group: group[0].labels)
        yield (Point(families.BUILD_INFO, self._build, 1),)
        yield from (group for group in accumulated if group[0].family.rank is Rank.PROCESS)
        for family, gauges in self._gauges.items():
            yield from ((Point(family, labels, value),) for labels, value in gauges.items())
        yield from partition_points(families.CONSUMER_LAG, self._by_partition, max)
        yield from partition_points(families.WATERMARK, self._by_partition, min)
        yield from partition_points(families.CHUNK_LIMIT, self._by_partition, min)
        views = [self._judged[partition].view for partition in sorted(self._judged)]
        for view in views:
            yield from model_points(view)
        yield from (group for group in accumulated if group[0].family.rank is Rank.MODEL)
        yield from alert_points(views)
        every = (series for view in views for series in view.series)
        for series in self._top.choose(every, now_s=self._monotonic()):
            yield tuple(series_points(series, self._options.comparisons))

    # --- how it is kept -----------------------------------------------------------------------------------------------

    def _start_at_zero(self, topics: Iterable[str]) -> None:
        add = self._accumulated.add
        for topic in topics:
            add(families.RECORDS_CONSUMED, topic, amount=0)
            add(families.CONSUMED_BYTES, topic, amount=0)
            add(families.EVENTS_AHEAD, topic, amount=0)
            add(families.CHAIN_GAPS, topic, amount=0)
            add(families.INPUT_GAP_OFFSETS, topic, amount=0)
            for reject in RejectReason:
                add(families.RECORDS_REJECTED, topic, reject, amount=0)
        for loop in LOOPS:
            for outcome in OUTCOMES:
                add(families.COMMITS, loop, outcome, amount=0)
        for family, values in (
            (families.REBALANCES, REBALANCES),
            (families.RESTARTS, RESTARTS),
            (families.CHUNKS_DROPPED, tuple(DropReason)),
            (families.CLOSED_PANE_RECORDS, tuple(ClosedPaneCause)),
            (families.UNJUDGED, UNJUDGED),
        ):
            for value in values:
                add(family, value, amount=0)
        for stage in STAGES:
            self._accumulated.observe(families.CHUNK_DURATION, stage, values=np.empty(0))
        add(families.JUDGE_DIVERGED, amount=0)

    def _know(self, view: JudgeView) -> None:
        """Let the counters of a judge's models start at 0."""
        add = self._accumulated.add
        for model in view.models:
            add(families.BASELINES_MIXED, model.model, amount=0)
            add(families.PANES_UNFIT, model.model, amount=0)
            for severity in Severity:
                for reason in Reason:
                    add(families.ALERT_EVENTS, model.model, severity, reason, amount=0)
        for name, detector in sorted({(series.model, each) for series in view.series for each in series.detectors}):
            add(families.DETECTIONS, name, detector, amount=0)
            if ":" in detector:
                add(families.DETECTOR_FAILURES, name, detector, amount=0)

    def _count_judged(self, key: tuple[str, ...], amount: int) -> None:
        name, *labels = key
        if name == families.PANES_CLOSED.name:
            self._accumulated.add(families.PANES_CLOSED, *labels, amount=amount)
        elif name in _JUDGE_COUNTERS:  # what is not in the list is counted by the profile stage, or for `/status` only
            self._accumulated.add(_JUDGE_COUNTERS[name], *labels, amount=amount)

    def _add(self, family: Family, *labels: str) -> None:
        with self._lock:
            self._accumulated.add(family, *labels)

    def _set(self, family: Family, *labels: str, value: float) -> None:
        with self._lock:
            self._gauges.setdefault(family, {})[labels] = value


def _capped(groups: Iterable[tuple[Point, ...]], *, limit: int) -> tuple[list[Point], int]:
    """Return the points up to the limit, and how many were left out."""
    kept: list[Point] = []
    suppressed = 0
    for group in groups:
        if suppressed or len(kept) + len(group) > limit:
            suppressed += len(group)
        else:
            kept.extend(group)
    return kept, suppressed


def _metric(family: Family, points: Iterable[Point]) -> Metric:
    name = family.full_name
    metric = Metric(
        name.removesuffix("_total") if family.type is FamilyType.COUNTER else name, family.help, family.type
    )
    for point in points:
        labels = dict(zip(family.labels, point.labels, strict=True))
        if point.bound is not None:
            labels["le"] = point.bound
        metric.add_sample(name + point.suffix, labels, point.value)
    return metric
