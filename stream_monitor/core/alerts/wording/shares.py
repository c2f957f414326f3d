"""Phrases about shares: of yes among yes and no, of categories by their names."""

from __future__ import annotations

from collections.abc import Mapping

from stream_monitor.core.alerts.event import Level
from stream_monitor.core.alerts.wording.numbers import percent

YES = "yes"
"""What a level of a yes/no series is of."""

_SHOWN = 2
_WORDS = {"<other>": "other categories", "<unseen>": "unseen categories"}


def changed(levels: Mapping[str, Level]) -> str:
    """Return from where to where the shares that moved most have gone."""
    return ", ".join(f"{_name(own)} {_arrow(own)}" for own in list(levels.values())[:_SHOWN])


def now(levels: Mapping[str, Level]) -> str:
    """Return the same shares as they are."""
    return ", ".join(f"{_name(own)} {percent(own.window)}" for own in list(levels.values())[:_SHOWN])


def figures(levels: Mapping[str, Level], word: str = "") -> str:
    """Return all published shares with the ranges that hold them; `word` says what yes means."""
    return "; ".join(
        f"{word or _name(own)} {_held(own.baseline, own.baseline_range)} → {_held(own.window, own.window_range)}"
        for own in levels.values()
    )


def _name(own: Level) -> str:
    return _WORDS.get(own.of, own.of)


def _arrow(own: Level) -> str:
    return f"{percent(own.baseline).removesuffix(' %')} → {percent(own.window)}"


def _held(share: float, ends: tuple[float | None, float | None] | None) -> str:
    if ends is None or ends[0] is None or ends[1] is None:
        return percent(share)
    return f"{percent(share)} ({percent(ends[0]).removesuffix(' %')} to {percent(ends[1])})"
