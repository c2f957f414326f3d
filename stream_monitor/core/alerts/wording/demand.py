"""Phrases about demand: events per pane, and how many there are normally."""

from __future__ import annotations

from stream_monitor.core.alerts.event import Level
from stream_monitor.core.alerts.wording.numbers import count, number, percent, span

EVENTS = "events"
"""What the level of a demand is of."""

_TIMES_FROM = 2.0
"""A rise to this many times and more is a factor, below it is a percentage."""


def changed(own: Level, pane_ms: int) -> str:
    """Return by how much traffic has changed, and from what to what."""
    counts = f"{now(own, pane_ms)}, normally {count(own.baseline)}"
    if not own.window:
        return f"traffic stopped: {counts}"
    if not own.baseline:
        return f"traffic began: {counts}"
    times = own.window / own.baseline
    if times == 1.0:
        return f"traffic is as it was: {counts}"
    if times < 1.0:
        return f"traffic fell {_by(1.0 - times)}: {counts}"
    how = _by(times - 1.0) if times < _TIMES_FROM else f"to {number(times, 2)} times"
    return f"traffic rose {how}: {counts}"


def _by(share: float) -> str:
    """Return a change in whole percent, finer where that would read as nothing or as everything.

    >>> _by(0.8284), _by(0.995), _by(0.004)
    ('83 %', '99.5 %', '0.4 %')
    """
    return percent(round(share, 2) if 0.01 <= share <= 0.99 else share)


def now(own: Level, pane_ms: int) -> str:
    """Return how many events come."""
    return f"{count(own.window)} events per {span(pane_ms)}"


def figures(own: Level, pane_ms: int) -> str:
    """Return the mean, and how many events a pane has normally."""
    low, high = own.baseline_range or (None, None)
    usual = "" if low is None or high is None else f" ({count(low)} to {count(high)} in 95 % of panes)"
    return f"{count(own.baseline)}{usual} → {now(own, pane_ms)} on average"
