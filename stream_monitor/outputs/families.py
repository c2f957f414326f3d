"""Every metric family that is exported: name, type, labels, help. A metric that is not in this list cannot be emitted.

`FAMILIES` is in the order of the exposition. Names are constants and never made from a feature's name; base units;
labels are the product's vocabulary (`model`, `version`, `segment`, `series`, `rule`, `severity`).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

PREFIX: Final = "stream_monitor_"


class FamilyType(StrEnum):
    """Prometheus' metric types that we use."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


class Rank(StrEnum):
    """Who keeps its time series when there are too many: the earlier in this list."""

    PROCESS = "process"
    MODEL = "model"
    ALERT = "alert"
    SERIES = "series"


@dataclass(frozen=True, slots=True)
class Family:
    """One metric family.

    Attributes:
        name: without prefix, with its unit and, for a counter, `_total`.
        help: one sentence.
        buckets: upper bounds of a histogram, in the unit of the name, without +Inf.
    """

    name: str
    type: FamilyType
    labels: tuple[str, ...]
    help: str
    rank: Rank
    buckets: tuple[float, ...] = ()

    @property
    def full_name(self) -> str:
        """Name as Prometheus sees it."""
        return PREFIX + self.name


DURATIONS_S: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""From a chunk of a few records to one that exceeds its second."""

LATENCIES_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
"""From a lookup table to a large language model."""


def _counter(name: str, rank: Rank, labels: tuple[str, ...], help_text: str) -> Family:
    return Family(name, FamilyType.COUNTER, labels, help_text, rank)


def _gauge(name: str, rank: Rank, labels: tuple[str, ...], help_text: str) -> Family:
    return Family(name, FamilyType.GAUGE, labels, help_text, rank)


def _histogram(name: str, rank: Rank, labels: tuple[str, ...], help_text: str, buckets: tuple[float, ...]) -> Family:
    return Family(name, FamilyType.HISTOGRAM, labels, help_text, rank, buckets)


_P, _M, _A, _S = Rank.PROCESS, Rank.MODEL, Rank.ALERT, Rank.SERIES
_SERIES = ("model", "version", "segment", "series")

BUILD_INFO: Final = _gauge(
    "build_info",
    _P,
    ("version", "config"),
    "Constant 1, labelled with the software version and the digest of the configuration.",
)
RECORDS_CONSUMED: Final = _counter(
    "records_consumed_total", _P, ("topic",), "Kafka records received from an input topic."
)
CONSUMED_BYTES: Final = _counter(
    "consumed_bytes_total", _P, ("topic",), "Bytes of record values received from an input topic."
)
RECORDS_REJECTED: Final = _counter(
    "records_rejected_total",
    _P,
    ("topic", "reason"),
    "Records that could not be read and went to the dead letters.",
)
EVENTS: Final = _counter("events_total", _M, ("model", "version", "kind"), "Events counted into profiles.")
EVENTS_LATE: Final = _counter("events_late_total", _M, ("model", "version"), "Events later than the allowed lateness.")
EVENTS_AHEAD: Final = _counter(
    "events_ahead_total",
    _P,
    ("topic",),
    "Events stamped further ahead of the broker's clock than time.max_future; the watermark does not follow them.",
)
VALUES_REJECTED: Final = _counter(
    "values_rejected_total", _M, ("model", "reason"), "Single values left out of an otherwise good event."
)
CHUNK_DURATION: Final = _histogram(
    "chunk_duration_seconds", _P, ("stage",), "Time one chunk of records spends in a stage.", DURATIONS_S
)
CONSUMER_LAG: Final = _gauge(
    "consumer_lag_records",
    _P,
    ("topic", "partition"),
    "Records between the committed offset and the end of the partition.",
)
WATERMARK: Final = _gauge(
    "watermark_timestamp_seconds",
    _P,
    ("topic", "partition"),
    "Event time up to which the partition is complete.",
)
CHUNK_LIMIT: Final = _gauge(
    "chunk_limit_records",
    _P,
    ("topic", "partition"),
    "Records that the next chunk of the partition may hold: 200,000, fewer for a while after workers crashed on it.",
)
LAST_PROGRESS: Final = _gauge(
    "last_progress_timestamp_seconds", _P, ("loop",), "Wall clock time of the last completed step of a loop."
)
COMMITS: Final = _counter("commits_total", _P, ("loop", "outcome"), "Offset commits and transactions by outcome.")
CHUNKS_DROPPED: Final = _counter(
    "chunks_dropped_total",
    _P,
    ("reason",),
    "Chunks in the log that no successor named, or that were not whole.",
)
CHAIN_GAPS: Final = _counter(
    "chain_gaps_total",
    _P,
    ("topic",),
    "Chunks that name an unknown predecessor; judging of that partition stops.",
)
INPUT_GAP_OFFSETS: Final = _counter(
    "input_gap_offsets_total",
    _P,
    ("topic",),
    "Input offsets that were deleted before they were counted, and passed over because on_data_loss is continue.",
)
CLOSED_PANE_RECORDS: Final = _counter(
    "closed_pane_records_total", _P, ("cause",), "Records for panes that were already judged."
)
JUDGE_DIVERGED: Final = _counter(
    "judge_diverged_total", _P, (), "Restores whose state differed from what was committed."
)
BASELINES_MIXED: Final = _counter(
    "baselines_mixed_total", _M, ("model",), "Panes whose events were counted with two baselines."
)
PANES_UNFIT: Final = _counter(
    "panes_unfit_total",
    _M,
    ("model",),
    "Panes with events counted in panes of another length, after a change of `detection.pane`: only demand is judged.",
)
REBALANCES: Final = _counter("rebalances_total", _P, ("event",), "Changes of partition ownership.")
KAFKA_ERRORS: Final = _counter("kafka_errors_total", _P, ("code",), "Errors reported by the Kafka client.")
RESTARTS: Final = _counter("restarts_total", _P, ("reason",), "Times a worker rebuilt its producer and state.")
RESTORE_DURATION: Final = _gauge("restore_duration_seconds", _P, (), "Time the last restore of state took.")
PANES_CLOSED: Final = _counter("panes_closed_total", _M, ("model",), "Panes judged.")
UNJUDGED: Final = _counter(
    "events_unjudged_total",
    _P,
    ("reason",),
    "Events in judged panes that no series but demand was judged by: `no_baseline`; `over_limits`: not even that.",
)
LAST_PANE: Final = _gauge("last_pane_timestamp_seconds", _M, ("model",), "End of the last judged pane, in event time.")
SERIES: Final = _gauge("series", _M, ("model", "state"), "Series by state of their monitoring.")
NOT_WATCHED: Final = _gauge(
    "series_not_watched", _M, ("model", "version", "reason"), "Series that nothing watches, by the reason."
)
UNWATCHED_SINCE: Final = _gauge(
    "version_unwatched_timestamp_seconds",
    _M,
    ("model", "version"),
    "Event time since when nothing of a version is watched; gone once something is.",
)
DETECTIONS: Final = _counter(
    "detections_total", _M, ("model", "detector"), "Detector alarms, before rules are applied."
)
DETECTOR_FAILURES: Final = _counter(
    "detector_failures_total", _M, ("model", "detector"), "Series on which a detector of the user's failed for good."
)
ALERT_EVENTS: Final = _counter(
    "alert_events_total", _M, ("model", "severity", "reason"), "Alert events written to the alert topic."
)
ALERTS_FIRING: Final = _gauge("alerts_firing", _M, ("model", "severity"), "Alerts that are firing now.")
ALERT_START: Final = _gauge(
    "alert_start_timestamp_seconds",
    _A,
    (*_SERIES, "rule", "severity"),
    "Start of an alert; the series exists while the alert is firing.",
)
FALSE_ALARM_INTERVAL: Final = _gauge(
    "false_alarm_interval_seconds",
    _M,
    ("model",),
    "Mean time between false alarms that the configuration asks for.",
)
BASELINE_INFO: Final = _gauge(
    "baseline_info", _M, ("model", "version", "baseline"), "Constant 1, labelled with the baseline in use."
)
BASELINE_TIMESTAMP: Final = _gauge(
    "baseline_timestamp_seconds", _M, ("model", "version"), "End of the data the baseline was made of."
)
SERVING_LATENCY: Final = _histogram(
    "serving_latency_seconds",
    _M,
    ("model", "version"),
    "Latency the model server reported in its events.",
    LATENCIES_S,
)
SERVING_ERRORS: Final = _counter(
    "serving_errors_total", _M, ("model", "version"), "Events that carried a serving error."
)
OTHER_SEGMENT_EVENTS: Final = _counter(
    "events_other_segment_total",
    _M,
    ("model", "version", "segment"),
    "Events whose value of a segment is not in the baseline: judged with all events, with no segment.",
)
EVIDENCE_RATIO: Final = _gauge(
    "evidence_ratio", _S, _SERIES, "Log evidence of drift over its alarm threshold; 1 means alarm."
)
GUARANTEE: Final = _gauge(
    "series_guarantee_info",
    _S,
    (*_SERIES, "guarantee"),
    "Constant 1, labelled with what the false-alarm budget promises for the series.",
)
PSI: Final = _gauge("psi", _S, _SERIES, "Population stability index of the last window against the baseline.")
JENSEN_SHANNON: Final = _gauge(
    "jensen_shannon_distance",
    _S,
    _SERIES,
    "Jensen-Shannon distance of the last window to the baseline, 0 to 1.",
)
KOLMOGOROV_SMIRNOV: Final = _gauge(
    "kolmogorov_smirnov_distance",
    _S,
    _SERIES,
    "Largest gap of the distribution functions of the last window and the baseline, 0 to 1.",
)
WASSERSTEIN: Final = _gauge(
    "wasserstein_distance",
    _S,
    _SERIES,
    "Wasserstein distance of the last window to the baseline in baseline standard deviations.",
)
MISSING_RATIO: Final = _gauge("missing_ratio", _S, _SERIES, "Share of missing values in the last window.")
SUPPRESSED: Final = _gauge("metric_series_suppressed", _P, (), "Time series left out because of the series limit.")

FAMILIES: Final = (
    BUILD_INFO,
    RECORDS_CONSUMED,
    CONSUMED_BYTES,
    RECORDS_REJECTED,
    EVENTS,
    EVENTS_LATE,
    EVENTS_AHEAD,
    VALUES_REJECTED,
    CHUNK_DURATION,
    CONSUMER_LAG,
    WATERMARK,
    CHUNK_LIMIT,
    LAST_PROGRESS,
    COMMITS,
    CHUNKS_DROPPED,
    CHAIN_GAPS,
    INPUT_GAP_OFFSETS,
    CLOSED_PANE_RECORDS,
    JUDGE_DIVERGED,
    BASELINES_MIXED,
    PANES_UNFIT,
    REBALANCES,
    KAFKA_ERRORS,
    RESTARTS,
    RESTORE_DURATION,
    PANES_CLOSED,
    UNJUDGED,
    LAST_PANE,
    SERIES,
    NOT_WATCHED,
    UNWATCHED_SINCE,
    DETECTIONS,
    DETECTOR_FAILURES,
    ALERT_EVENTS,
    ALERTS_FIRING,
    ALERT_START,
    FALSE_ALARM_INTERVAL,
    BASELINE_INFO,
    BASELINE_TIMESTAMP,
    SERVING_LATENCY,
    SERVING_ERRORS,
    OTHER_SEGMENT_EVENTS,
    EVIDENCE_RATIO,
    GUARANTEE,
    PSI,
    JENSEN_SHANNON,
    KOLMOGOROV_SMIRNOV,
    WASSERSTEIN,
    MISSING_RATIO,
    SUPPRESSED,
)

COMPARISONS: Final = {
    "psi": PSI,
    "jensen_shannon": JENSEN_SHANNON,
    "kolmogorov_smirnov": KOLMOGOROV_SMIRNOV,
    "wasserstein": WASSERSTEIN,
}
"""Comparisons that can be exported, by their name in `metrics.comparisons`."""
