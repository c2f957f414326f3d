"""What may be shown of a judge: frozen values for metrics, `/status` and screens.

A view is a copy: the judge goes on, the view stays. Nothing in it feeds back into a decision.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from stream_monitor.core.alerts.lifecycle import AlertStatus
from stream_monitor.core.judge.watch.coverage import Coverage
from stream_monitor.core.plan import Severity


class SeriesState(StrEnum):
    """How well a series is watched; the label `state` of the metric `series`."""

    WATCHED = "watched"
    WARMING_UP = "warming_up"
    NO_GUARANTEE = "no_guarantee"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True, slots=True)
class SeriesView:
    """One series after the last closed pane.

    Attributes:
        segment: "" is all traffic, else `name=value`.
        kind: numeric, categorical, binary or count.
        evidence_ratio: log evidence over its threshold, 1 is an alarm; None while warming up.
        log10_evidence: log10 of M of the leading detector, None without one.
        log10_threshold: log10 of A / w_i, None without evidence.
        guarantee: what the budget promises here (`bound`, `calibrated`, `approximate:<reason>`, `none:<reason>`).
        comparisons: distance of the last window to the baseline, by measure.
        missing_ratio: share of missing values in the last window, None where missing is not counted.
        events: values in the last closed pane.
        window_events: values in the last window.
        detectors: evidence over threshold of every detector, by name.
        baseline: id of the baseline, "" without one.
    """

    model: str
    version: str
    segment: str
    series: str
    kind: str
    state: SeriesState
    evidence_ratio: float | None = None
    log10_evidence: float | None = None
    log10_threshold: float | None = None
    guarantee: str = ""
    comparisons: Mapping[str, float] = field(default_factory=dict)
    missing_ratio: float | None = None
    events: int = 0
    window_events: int = 0
    detectors: Mapping[str, float] = field(default_factory=dict)
    baseline: str = ""


@dataclass(frozen=True, slots=True)
class AlertView:
    """An alert that is pending or firing.

    Attributes:
        labels: identity of the alert (alertname, model, version, segment, series, rule, severity, constants).
        starts_ms: start of the pane that opened it.
        sequence: of the last published event, 0 while nothing was published.
    """

    alert_id: str
    labels: Mapping[str, str]
    status: AlertStatus
    severity: Severity
    starts_ms: int
    summary: str = ""
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class BaselineView:
    """A baseline in use: `to_ms` is the end of the data that it was made of, None when its origin does not say."""

    version: str
    id: str
    to_ms: int | None


@dataclass(frozen=True, slots=True)
class WarmUpView:
    """A version that nothing watches yet.

    Attributes:
        since_ms: start of the first pane with events that were not watched.
        rows, wanted: gathered rows, and how many make a reference; 0 where the baseline is to be published.
        attempts: how often there were enough rows.
        failure: why the last attempt gave no reference, in words; empty if it gave one or there was none.
    """

    version: str
    since_ms: int
    rows: int = 0
    wanted: int = 0
    attempts: int = 0
    failure: str = ""


@dataclass(frozen=True, slots=True)
class ModelView:
    """One model after the last closed pane.

    Attributes:
        panes_closed: panes judged since the judge was built or `clear_counters` was called.
        last_pane_end_ms: end of the last judged pane, None before the first.
        false_alarm_interval_s: mean time between false alarms that the budget asks for.
        warming_up: gathered rows over wanted rows of automatic baselines in the making, by version.
        unwatched: versions that nothing watches yet, by name.
        compared: what the comparison with the version before found, by version.
    """

    model: str
    panes_closed: int
    last_pane_end_ms: int | None
    false_alarm_interval_s: float
    baselines: tuple[BaselineView, ...] = ()
    warming_up: Mapping[str, float] = field(default_factory=dict)
    unwatched: tuple[WarmUpView, ...] = ()
    compared: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class JudgeView:
    """A judge partition after the last folded entry.

    Attributes:
        counters: increments since the judge was built or `clear_counters` was called, keyed by family and label
            values: (`chunks_dropped_total`, reason), (`closed_pane_records_total`, cause),
            (`baselines_mixed_total`, model), (`panes_unfit_total`, model), (`detections_total`, model, detector),
            (`detector_failures_total`, model, detector),
            (`alert_events_total`, model, severity, reason), (`serving_errors_total`, model, version),
            (`events_total`, model, version, kind), (`events_late_total`, model, version),
            (`values_rejected_total`, model, reason), (`events_unjudged_total`, reason).
        watermark_ms: smallest watermark over the roster of each stream, None while a partition is awaited.
        awaited: source partitions that hold panes open because they never reported: (topic, partition).
        waiting_chunks: complete chunks that no successor has named yet.
        coverage: of every series, what watches it or why nothing does.
    """

    partition: int
    models: tuple[ModelView, ...] = ()
    series: tuple[SeriesView, ...] = ()
    alerts: tuple[AlertView, ...] = ()
    counters: Mapping[tuple[str, ...], int] = field(default_factory=dict)
    watermark_ms: Mapping[str, int | None] = field(default_factory=dict)
    awaited: tuple[tuple[str, int], ...] = ()
    waiting_chunks: int = 0
    coverage: tuple[Coverage, ...] = ()
