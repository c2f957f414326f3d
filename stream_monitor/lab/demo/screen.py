"""The live terminal view: series with evidence against budget, alerts opening and resolving, lag, the schedule."""

from __future__ import annotations

from dataclasses import dataclass, field

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from stream_monitor.lab.demo.exposition import Readings, SeriesReading
from stream_monitor.lab.demo.story import AlertNotice
from stream_monitor.lab.drifts import Drift

BAR = 24
SPEAKS = 0.2
"""Share of the budget's evidence from which a series moves to the top."""
SEVERITY_STYLE = {"info": "cyan", "warning": "yellow", "critical": "bold red"}


@dataclass(frozen=True, slots=True)
class Frame:
    """Everything one picture of the demo shows.

    Attributes:
        broker: where the events go, in words.
        address: host and port of the worker's HTTP server.
        second: seconds since the first event.
        sent: events sent so far.
    """

    broker: str
    address: str
    second: float
    sent: int
    rate: int
    readings: Readings
    drifts: tuple[Drift, ...]
    schedule: tuple[Drift, ...]
    notices: tuple[AlertNotice, ...]
    open: frozenset[str] = field(default_factory=frozenset)


def render(frame: Frame, *, height: int) -> RenderableType:
    """Return the picture, at most `height` lines high."""
    alerts = _alerts(frame, rows=max(4, min(9, height // 4)))
    rows = max(5, height - 12 - max(4, min(9, height // 4)))
    return Group(_header(frame), _series(frame, rows=rows), alerts, _schedule(frame))


def _header(frame: Frame) -> Panel:
    readings = frame.readings
    text = Text.assemble(
        ("stream-monitor", "bold"),
        f"  {frame.broker}   metrics ",
        (f"http://{frame.address}/metrics", "underline"),
        "\n",
        f"{frame.second:5.0f} s   {frame.rate:,} events/s   sent {frame.sent:,}   judged {readings.events:,}",
        f"   panes {readings.panes:,}   lag {readings.lag:,}   dead letters {readings.rejected:,}   ",
        (f"firing {readings.firing}", "bold red" if readings.firing else "green"),
    )
    return Panel(text, border_style="blue")


def _series(frame: Frame, *, rows: int) -> Table:
    table = Table(expand=True, box=None, header_style="bold", pad_edge=False)
    table.add_column("series", no_wrap=True, ratio=3)
    table.add_column("evidence against budget", no_wrap=True, width=BAR + 8)
    table.add_column("PSI", justify="right", width=7)
    table.add_column("missing", justify="right", width=8)
    ranked = sorted(frame.readings.series, key=_interest)
    changed = frozenset().union(*(drift.changes for drift in frame.drifts)) if frame.drifts else frozenset()
    for series in ranked[:rows]:
        name = Text(series.series, style="bold magenta" if series.series in changed else "")
        table.add_row(name, _bar(series), _number(series.psi, "{:.3f}"), _number(series.missing_ratio, "{:.1%}"))
    if not ranked:
        table.add_row(Text("waiting for the first judged pane ...", style="dim"), "", "", "")
    return table


def _interest(series: SeriesReading) -> tuple[bool, float, bool, str]:
    """Order: what shows evidence, by how much; then the series themselves; last the watch over their missing values."""
    speaks = series.evidence_ratio >= SPEAKS
    companion = series.series.startswith(("missing:", "invalid:", "unseen:"))
    return (not speaks, -series.evidence_ratio if speaks else 0.0, companion, series.series)


def _bar(series: SeriesReading) -> Text:
    share = min(max(series.evidence_ratio, 0.0), 1.0)
    filled = round(share * BAR)
    style = "bold red" if share >= 1.0 else "yellow" if share >= 0.5 else "green"
    return Text.assemble(
        ("█" * filled, style), ("·" * (BAR - filled), "dim"), f" {max(series.evidence_ratio, 0.0):5.2f}"
    )


def _number(value: float | None, form: str) -> str:
    return "" if value is None else form.format(value)


def _alerts(frame: Frame, *, rows: int) -> Panel:
    lines = []
    for notice in frame.notices[-rows:]:
        style = "green" if notice.status == "resolved" else SEVERITY_STYLE.get(notice.severity, "")
        mark = "●" if notice.alert_id in frame.open else "○"
        lines.append(
            Text(f"{mark} {notice.time[11:19]} {notice.status:8} {notice.summary} [{notice.rule}]", style=style)
        )
    body: RenderableType = Group(*lines) if lines else Text("none so far", style="dim")
    return Panel(body, title="alerts", title_align="left", border_style="blue")


def _schedule(frame: Frame) -> Text:
    text = Text()
    for drift in frame.schedule:
        active = drift.at_s <= frame.second < drift.until_s
        style = "bold magenta" if active else "dim" if drift.until_s <= frame.second else ""
        text.append(f" {drift.at_s:.0f}-{drift.until_s:.0f} s {drift.title} ", style=style)
        text.append("|", style="dim")
    text.append("  Ctrl-C ends it", style="dim")
    return text
