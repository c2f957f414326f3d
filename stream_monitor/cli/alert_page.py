"""An alert as a page for a terminal: what it says, a histogram of normally against now, and what became of it."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from stream_monitor.core.alerts.event import Bins
    from stream_monitor.kafka.readers import AlertRecord

_NARROWEST = 48
_WIDEST = 160
_MOST_ROWS = 16
"""Bars that fit beside the text on a small screen; further categories are one bar."""

_PERCENT = 8
"""Columns of a percentage and the space around it."""

_EIGHTHS = " ▏▎▍▌▋▊▉█"


def terminal_width() -> int:
    """Return how many columns a line may have."""
    return max(_NARROWEST, min(_WIDEST, shutil.get_terminal_size((100, 24)).columns))


def page(events: Sequence[AlertRecord], width: int) -> list[str]:
    """Return the lines about one alert.

    Args:
        events: of the alert, at least one, oldest first.
        width: columns of the terminal.
    """
    last = events[-1]
    lines = [*textwrap.wrap(last.summary, width), _standing(last), ""]
    lines += textwrap.wrap(last.annotations.get("description", ""), width)
    shown = next((event for event in reversed(events) if event.status != "resolved"), last)
    bars = _histogram_of(shown, width)
    if bars:
        lines += ["", *bars]
    lines += ["", "labels " + " ".join(f"{name}={value}" for name, value in sorted(last.labels.items())), ""]
    return lines + [line for event in events for line in event_lines(event, width, described=False)]


def event_lines(event: AlertRecord, width: int, *, described: bool = True) -> list[str]:
    """Return an event as a line, and what it says below it."""
    severity = event.labels.get("severity", "")
    head = f"{_instant(event.time_ms)} {event.status} ({event.reason}) {severity}: {event.summary} [{event.id}]"
    if not described:
        return [head]
    return [
        head,
        *textwrap.wrap(
            event.annotations.get("description", ""), width - 4, initial_indent="    ", subsequent_indent="    "
        ),
    ]


def histogram(bins: Bins, width: int) -> list[str]:
    """Return bars of the shares of bins, normally and now; nothing where there are no events.

    >>> from stream_monitor.core.alerts.event import Bins
    >>> for line in histogram(Bins(categories=("false", "true"), baseline=(98, 2), window=(40, 60)), 48): print(line)
        normally              now
    no  █████████████ 98.0% █████▎        40.0%
    yes ▎              2.0% ████████      60.0%
    """
    before, after = sum(bins.baseline), sum(bins.window)
    if not before or not after:
        return []
    shares = zip(_names(bins), bins.baseline, bins.window, strict=True)
    rows = _fitting([(name, normally / before, now / after) for name, normally, now in shares], bins.edges is None)
    label = max(len(name) for name, _, _ in rows)
    bar = max(4, (width - label - 2) // 2 - _PERCENT)
    most = max(max(normally, now) for _, normally, now in rows)
    head = f"{'':{label}} {'normally':{bar + _PERCENT}} now"
    return [head.rstrip()] + [
        f"{name:{label}} {_bar(normally / most, bar)}{normally:>6.1%} {_bar(now / most, bar)}{now:>6.1%}"
        for name, normally, now in rows
    ]


def _histogram_of(event: AlertRecord, width: int) -> list[str]:
    from stream_monitor.core.alerts.event import decode

    try:
        bins = decode(event.event).data.evidence.bins
    except msgspec.MsgspecError:
        return []  # of another version: the text says what it has to say
    return [] if bins is None else histogram(bins, width)


def _standing(last: AlertRecord) -> str:
    rule, severity = last.labels.get("rule", ""), last.labels.get("severity", "")
    since = f"since {_instant(last.starts_ms)}" if last.ends_ms is None else ""
    until = "" if last.ends_ms is None else f"from {_instant(last.starts_ms)} to {_instant(last.ends_ms)}"
    return f"{last.status} ({last.reason}) {since}{until}, {severity}, rule {rule}, alert {last.alert_id}"


def _names(bins: Bins) -> list[str]:
    """Return what each bin holds."""
    from stream_monitor.core.alerts.wording.numbers import number

    if bins.edges is None:
        names = list(bins.categories or ())
        return ["no", "yes"] if names == ["false", "true"] else names
    if not bins.edges:
        return ["all"]
    edges = [number(edge, 4) for edge in bins.edges]
    inner = [low if low == high else f"{low} to {high}" for low, high in pairwise(edges)]
    return [f"below {edges[0]}", *inner, f"from {edges[-1]}"]


_Row = tuple[str, float, float]
"""Name of a bar, and its shares."""


def _fitting(rows: list[_Row], categories: bool) -> list[_Row]:
    """Return as many rows as fit; the smallest categories are one row."""
    if not categories or len(rows) <= _MOST_ROWS:
        return rows
    kept = sorted(rows, key=lambda row: (-max(row[1:]), row[0]))
    rest = kept[_MOST_ROWS - 1 :]
    return [*kept[: _MOST_ROWS - 1], (f"{len(rest)} others", sum(row[1] for row in rest), sum(row[2] for row in rest))]


def _bar(share: float, width: int) -> str:
    """Return a bar of a share of its width, to an eighth of a column."""
    eighths = round(share * width * 8)
    full, part = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[part] if part else "")).ljust(width)


def _instant(ms: int) -> str:
    from stream_monitor.core.time import format_instant

    return format_instant(ms)
