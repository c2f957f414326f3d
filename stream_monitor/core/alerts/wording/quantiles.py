"""Phrases about numbers: how their quantiles have moved, in their own units."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stream_monitor.core.alerts.event import Level
from stream_monitor.core.alerts.wording.numbers import pair, within

QUANTILES = {"p5": 0.05, "p50": 0.5, "p95": 0.95}
"""Those that are published, by name."""

_WORDS = {"p5": "p5", "p50": "median", "p95": "p95"}

_UNKNOWN = (None, None)

Levels = Mapping[str, Level]
"""Levels by what they are of."""


def verb(levels: Levels) -> str:
    """Say in a word or two what the values did."""
    low, middle, high = (_direction(levels[name]) if name in levels else 0 for name in QUANTILES)
    if middle or low == high != 0:
        return "rose" if (middle or high) > 0 else "fell"
    if low <= 0 <= high and (low or high):
        return "is more spread out"
    return "is less spread out" if low or high else "is distributed differently"


def changed(levels: Levels, unit: str) -> str:
    """Return from where to where the median and the tail that moved with it have gone."""
    shown = [levels[name] for name in _shown(levels)]
    return ", ".join(f"{_WORDS[own.of]} {_arrow(own)}{unit}" for own in shown)


def now(levels: Levels, unit: str) -> str:
    """Return median and upper tail as they are."""
    shown = [levels[name] for name in ("p50", "p95") if name in levels]
    texts = [f"{_WORDS[own.of]} {_beyond(own)}{within(own.window, *(own.window_range or _UNKNOWN))}" for own in shown]
    return ", ".join(f"{text}{unit}" for text in texts)


def figures(levels: Levels, unit: str) -> str:
    """Return all quantiles with the ranges that hold them."""
    return "; ".join(
        f"{_WORDS[own.of]} {_held(own.baseline, own.baseline_range or _UNKNOWN, unit)} → "
        f"{_beyond(own)}{_held(own.window, own.window_range or _UNKNOWN, unit)}"
        for own in levels.values()
    )


def _shown(levels: Levels) -> Sequence[str]:
    middle = _direction(levels["p50"]) if "p50" in levels else 0
    tails = [name for name in ("p95", "p5") if name in levels and _direction(levels[name])]
    if middle:
        with_it = [name for name in tails if _direction(levels[name]) == middle]
        return ["p50", *with_it[:1]]
    return sorted(tails, key=QUANTILES.__getitem__) if tails else [name for name in ("p50", "p95") if name in levels]


def _direction(own: Level) -> int:
    """Return 1 or -1 where the window lies outside of what the baseline may be, else 0."""
    low, high = own.baseline_range or (own.baseline, own.baseline)
    if high is not None and own.window > high:
        return 1
    return -1 if low is not None and own.window < low else 0


def _arrow(own: Level) -> str:
    before, after = pair(own.baseline, own.window)
    return f"{before} → {_beyond(own)}{after}"


def _beyond(own: Level) -> str:
    """Say that a quantile lies beyond the outermost values of the baseline, where nothing is counted apart."""
    low, high = own.window_range or (own.window, own.window)
    if high is None and low == own.window:
        return "above "
    return "below " if low is None and high == own.window else ""


def _held(value: float, ends: tuple[float | None, float | None], unit: str) -> str:
    """Return a value with its range, where both ends of it are known."""
    low, high = ends
    text = f"{within(value, low, high)}{unit}"
    if low is None or high is None or low == high:
        return text
    return f"{text} ({within(low, low, high)} to {within(high, low, high)})"
