"""A prepared file judged to its end, as `backtest FILE` does it."""

from __future__ import annotations

from stream_monitor.core.alerts.event import AlertCloudEvent, decode
from stream_monitor.runtimes.backtest.prepared import Prepared
from stream_monitor.runtimes.backtest.renewal import Renewal
from stream_monitor.runtimes.backtest.rows import run_rows


def fired_events(prepared: Prepared, *, renews: bool = True) -> list[tuple[int, AlertCloudEvent]]:
    """Return the alerts that fired, each with its row; with a new reference behind each, or the first to the end."""
    baselines, plan = prepared.baselines, prepared.settings.plan
    renewal = (
        Renewal(plan, rows=prepared.renewal_rows, timed=prepared.timed, baselines=prepared.measured) if renews else None
    )
    run = run_rows(
        prepared.rows,
        plan,
        topic="file",
        group="g",
        partitions=1,
        baselines=baselines,
        renewal=renewal,
        piece_rows=prepared.pane_rows,
    )
    events = [(prepared.row(alert.event.timestamp_ms), decode(alert.event.value)) for alert in run.alerts]
    return [(row, event) for row, event in events if event.data.reason == "fired"]
