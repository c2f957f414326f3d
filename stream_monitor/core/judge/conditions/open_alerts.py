"""Whether an alert about a series is open: what is told once is not told by a condition as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stream_monitor.core.judge.watch.watch import Watch


def is_firing(watch: Watch, series: str) -> bool:
    """Say whether some rule has an alert about a series of a watch that fires."""
    return any(life.firing and watch.series[place].name == series for (place, _), life in watch.lives.items())
