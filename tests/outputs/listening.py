"""A `Metrics` with clocks in hand, and the things it hears."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from prometheus_client.parser import text_string_to_metric_families

from stream_monitor.core.alerts.lifecycle import AlertStatus
from stream_monitor.core.chain import ChainState
from stream_monitor.core.judge import Blind, Coverage
from stream_monitor.core.judge.view.judge_view import (
    AlertView,
    BaselineView,
    JudgeView,
    ModelView,
    SeriesState,
    SeriesView,
    WarmUpView,
)
from stream_monitor.core.names import ValueReject
from stream_monitor.core.plan import Severity
from stream_monitor.core.profile import ChunkCounts, ModelCounts, ProfiledChunk
from stream_monitor.outputs.health import Health
from stream_monitor.outputs.prometheus import Metrics, MetricsOptions

PREFIX = "stream_monitor_"


@dataclass(slots=True)
class Clock:
    """Time by hand."""

    now_s: float = 1_795_331_967.0

    def __call__(self) -> float:
        """Return the instant."""
        return self.now_s


@dataclass(slots=True)
class Listener:
    """Metrics of a worker with one input topic."""

    options: MetricsOptions = field(default_factory=MetricsOptions)
    clock: Clock = field(default_factory=Clock)
    health: Health = field(init=False)
    metrics: Metrics = field(init=False)

    def __post_init__(self) -> None:
        self.health = Health(("profile", "judge"), stall_after_s=60, monotonic=self.clock)
        self.metrics = Metrics(
            version="0.1.0",
            config="9f2b0c61d8",
            topics=("inference-events",),
            health=self.health,
            options=self.options,
            wall=self.clock,
            monotonic=self.clock,
        )

    def text(self) -> str:
        """Return a scrape in Prometheus' text format."""
        body, _ = self.metrics.exposition("")
        return body.decode("utf-8")

    def samples(self) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
        """Return a scrape, ours only: value by sample name (without prefix) and labels."""
        return {
            (sample.name.removeprefix(PREFIX), tuple(sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(self.text())
            for sample in family.samples
            if sample.name.startswith(PREFIX)
        }

    def value(self, name: str, **labels: str) -> float | None:
        """Return one sample of a scrape, None when it is not there."""
        return self.samples().get((name, tuple(sorted(labels.items()))))

    def names(self, name: str, label: str = "series") -> list[str]:
        """Return the values of a label among the samples of a name, sorted."""
        return sorted(dict(labels)[label] for found, labels in self.samples() if found == name)


def chunk(
    models: Mapping[tuple[str, str], ModelCounts] | None = None,
    *,
    read: int = 10,
    value_rejects: Mapping[tuple[str, ValueReject], int] | None = None,
) -> ProfiledChunk:
    """Return a committed chunk."""
    return ProfiledChunk(
        entries=(),
        chain=ChainState(topic="gW9K2u3ZQSGRrHkG9mJKLg"),
        counts=ChunkCounts(read=read, counted=read),
        watermark_ms=None,
        models=models if models is not None else {("fraud", "7"): ModelCounts(events={"inference": read})},
        value_rejects=value_rejects or {},
    )


def series(
    name: str = "feature:amount", evidence: float | None = 0.5, *, model: str = "fraud", psi: float = 0.1
) -> SeriesView:
    """Return a watched series."""
    return SeriesView(
        model=model,
        version="7",
        segment="",
        series=name,
        kind="numeric",
        state=SeriesState.WATCHED,
        evidence_ratio=evidence,
        guarantee="bound",
        comparisons={"psi": psi, "kolmogorov_smirnov": 0.2, "jensen_shannon": 0.3, "wasserstein": 0.4},
        missing_ratio=0.01,
        detectors={"rank_shiryaev_roberts": 0.5},
    )


def alert(
    name: str = "feature:amount", *, model: str = "fraud", alertname: str = "FeatureDrift", starts_ms: int = 1_000
) -> AlertView:
    """Return a firing alert."""
    labels = {"alertname": alertname, "model": model, "version": "7", "series": name, "rule": "drift"}
    return AlertView(
        alert_id="b371c53ded674fc8-1000",
        labels={**labels, "severity": "warning"},
        status=AlertStatus.FIRING,
        severity=Severity.WARNING,
        starts_ms=starts_ms,
        sequence=1,
    )


def view(
    all_series: Sequence[SeriesView] = (),
    *,
    partition: int = 0,
    model: str = "fraud",
    panes: int = 3,
    alerts: Sequence[AlertView] = (),
    counters: Mapping[tuple[str, ...], int] | None = None,
) -> JudgeView:
    """Return a committed judge partition with one model."""
    baseline = BaselineView("7", "sha256:e3b0c44298fc", 1_795_000_000_000)
    waiting = (WarmUpView("8", 1_795_331_950_000, 12, 4095),)
    lacking = [Coverage(model, "7", "", name, reason=Blind.NOT_IN_BASELINE) for name in ("latency", "confidence")]
    return JudgeView(
        partition=partition,
        models=(ModelView(model, panes, 1_795_331_960_000, 2_592_000.0, (baseline,), unwatched=waiting),),
        coverage=(Coverage(model, "7", "", "feature:amount", ("rank_shiryaev_roberts",), ("drift",)), *lacking),
        series=tuple(all_series),
        alerts=tuple(alerts),
        counters=counters or {},
        watermark_ms={"inference-events": 1_795_331_968_000},
    )


def eventful() -> Listener:
    """Return a listener that has heard everything once."""
    every = MetricsOptions(comparisons=("psi", "jensen_shannon", "kolmogorov_smirnov", "wasserstein"))
    listener = Listener(every)
    hear_everything(listener)
    return listener


def hear_everything(listener: Listener, times: int = 1) -> None:
    """Tell a listener everything once more; `times` is how often it was told before, and this time."""
    metrics = listener.metrics
    counts = ModelCounts(events={"inference": 10}, late=1, serving_errors=2, latency_ms=np.array([0.4, 12.0, 30_000.0]))
    rejects = {("fraud", ValueReject.NON_FINITE): 4}
    counted = chunk({("fraud", "7"): counts}, value_rejects=rejects)
    metrics.chunk("inference-events", 2, value_bytes=4_710, chunk=counted)
    counters = {
        ("chunks_dropped_total", "rival"): 1 * times,
        ("closed_pane_records_total", "idle"): 2 * times,
        ("baselines_mixed_total", "fraud"): 3 * times,
        ("detections_total", "fraud", "rank_shiryaev_roberts"): 4 * times,
        ("detector_failures_total", "fraud", "mine:Detector"): 1 * times,
        ("alert_events_total", "fraud", "warning", "fired"): 5 * times,
        ("serving_errors_total", "fraud", "7"): 2 * times,
        ("events_other_segment_total", "fraud", "7", "channel"): 6 * times,
    }
    metrics.judged(view([series(), series("prediction")], panes=3 * times, alerts=[alert()], counters=counters))
    for loop in ("profile", "judge"):
        metrics.commit(loop, "done")
        metrics.progress(loop)
        metrics.readiness(loop, ready=True, detail="")
    metrics.rebalance("assigned")
    metrics.lag("inference-events", 2, 17)
    metrics.watermark("inference-events", 2, 1_795_331_968_000)
    metrics.chunk_limit("inference-events", 2, 12_500)
    metrics.input_gap("inference-events", 30)
    metrics.dead_letter("inference-events", "invalid_json")
    metrics.duration("decode", 0.02)
    metrics.kafka_error("_TRANSPORT")
    metrics.restart("fenced")
    metrics.restored(1.5)
    metrics.chain_gap("inference-events")
    metrics.diverged()
