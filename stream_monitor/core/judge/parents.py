"""Parents and children: an alert that another one explains waits, and is named there instead.

* Five or more columns whose values go missing (or turn invalid, or unseen) in the same panes are one story: the first
  of them is told, the others wait as long as it fires.
* Values that drift while the same column loses values drift because of that: `feature:x` waits for `missing:x`.

A child that is still above its floor when its parent is over is told then. Nothing is lost: every alert lists the other
series that drift (`drift_list`).
"""

from __future__ import annotations

from collections.abc import Iterator

from stream_monitor.core.alerts.lifecycle import Life
from stream_monitor.core.judge.series import Counted
from stream_monitor.core.judge.watch import Episode, Watch

STORM_OF = 5
"""Columns that change together from which on they are one story."""

_STORMS = (Counted.MISSING, Counted.INVALID, Counted.UNSEEN)
_CAUSES = (Counted.MISSING, Counted.INVALID)


def waits(watch: Watch, use: int, rule: str) -> bool:
    """Say whether an alert about a series that is about to fire is explained by another one of its watch."""
    own = watch.series[watch.uses[use].series]
    if own.counted in _STORMS:
        alike = [
            other
            for other, _ in _at_the_same_time(watch, use)
            if watch.series[watch.uses[other].series].counted is own.counted and rule in watch.rules[other]
        ]
        return len(alike) + 1 >= STORM_OF and any(_life(watch, other, rule).firing for other in alike)
    if own.counted is Counted.VALUES and own.feature is not None:
        return any(
            watch.series[watch.uses[other].series].counted in _CAUSES
            and watch.series[watch.uses[other].series].feature == own.feature
            and any(_life(watch, other, name).open for name in watch.rules[other])
            for other, _ in _at_the_same_time(watch, use)
        )
    return False


def _at_the_same_time(watch: Watch, use: int) -> Iterator[tuple[int, Episode]]:
    """Yield the other open episodes that may have begun in the same pane."""
    own = watch.episodes[use]
    for other, episode in watch.episodes.items():
        overlap = episode.change_from_ms < own.change_to_ms and own.change_from_ms < episode.change_to_ms
        if other != use and overlap:
            yield other, episode


def _life(watch: Watch, use: int, rule: str) -> Life:
    return watch.lives.get((watch.uses[use].series, rule), Life())
