"""The worker's own /metrics, read back for the screen: what Prometheus would see is what the operator sees."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.error import URLError
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

PREFIX = "stream_monitor_"


@dataclass(frozen=True, slots=True)
class SeriesReading:
    """One watched series: log evidence over its threshold (1 is an alarm), and the window against the baseline."""

    series: str
    evidence_ratio: float
    psi: float | None = None
    missing_ratio: float | None = None


@dataclass(frozen=True, slots=True)
class Readings:
    """One scrape."""

    series: tuple[SeriesReading, ...] = ()
    events: int = 0
    rejected: int = 0
    panes: int = 0
    lag: int = 0
    firing: int = 0


def scrape(address: str) -> Readings | None:
    """Return what `http://ADDRESS/metrics` says, None while nobody answers there."""
    try:
        with urlopen(f"http://{address}/metrics", timeout=2.0) as answer:
            return parse(answer.read().decode())
    except (URLError, OSError):
        return None


def parse(text: str) -> Readings:
    """Read an exposition in Prometheus' text format."""
    per_series: dict[str, dict[str, float]] = {}
    totals: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            name = sample.name.removeprefix(PREFIX)
            series = sample.labels.get("series")
            if series is None or name == "alert_start_timestamp_seconds":
                totals[name] = totals.get(name, 0.0) + sample.value
            elif not sample.labels.get("segment"):
                per_series.setdefault(series, {})[name] = sample.value
    return Readings(
        series=tuple(
            SeriesReading(
                series=series,
                evidence_ratio=values["evidence_ratio"],
                psi=values.get("psi"),
                missing_ratio=values.get("missing_ratio"),
            )
            for series, values in sorted(per_series.items())
            if "evidence_ratio" in values
        ),
        events=int(totals.get("events_total", 0)),
        rejected=int(totals.get("records_rejected_total", 0)),
        panes=int(totals.get("panes_closed_total", 0)),
        lag=int(totals.get("consumer_lag_records", 0)),
        firing=int(totals.get("alerts_firing", 0)),
    )
