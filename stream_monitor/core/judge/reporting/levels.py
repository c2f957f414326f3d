"""Levels: what a window and its reference say in the user's own units, with the range that holds each number.

A quantile lies in the bin in which the counts reach it, and is interpolated between the edges of that bin; its range
is that of the quantiles 1.96 standard errors of the share below it to either side. Beyond the outermost edges nothing
is known of a window but how much lies there. Of categories those that moved most have levels; shares have the range of
Wilson (1927), doi:10.2307/2276774. Dependence makes all ranges wider, as so many fewer events would.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from stream_monitor.core.alerts.event import MAX_LEVELS, Level
from stream_monitor.core.alerts.wording.demand import EVENTS
from stream_monitor.core.alerts.wording.quantiles import QUANTILES
from stream_monitor.core.alerts.wording.shares import YES
from stream_monitor.core.arrays import Int64
from stream_monitor.core.canonical import round_significant
from stream_monitor.core.comparisons import Reference
from stream_monitor.core.rules import EffectWindow

_Z_95 = 1.959963985
_Range = tuple[float | None, float | None]


def levels(window: EffectWindow, categories: Sequence[str]) -> tuple[Level, ...]:
    """Return the levels of a window.

    Args:
        window: what the rules look at.
        categories: names of the bins of a series that is not numeric; two are those of no and of yes.
    """
    if window.reference is None:
        return _demand(window)
    if not window.n:
        return ()
    if window.reference.edges is not None:
        return tuple(_quantile(of, p, window.reference, window.counts) for of, p in QUANTILES.items())
    return _shares(window.reference, window.counts, categories)


def _demand(window: EffectWindow) -> tuple[Level, ...]:
    """Return the mean of events per pane; the range of the reference is that of single panes."""
    if window.reference_mean is None or not window.panes:
        return ()
    mean, usual = window.reference_mean, None
    if window.reference_variance is not None:
        spread = _Z_95 * math.sqrt(window.reference_variance)
        usual = (round_significant(max(0.0, mean - spread)), round_significant(mean + spread))
    return (
        Level(
            of=EVENTS,
            baseline=round_significant(mean),
            window=round_significant(window.n / window.panes),
            baseline_range=usual,
        ),
    )


def _quantile(of: str, p: float, reference: Reference, counts: Int64) -> Level:
    d, whole = reference.design_effect, _is_whole(reference)
    before = _Cumulated(reference.counts, reference, whole=whole)
    after = _Cumulated(counts, reference, whole=whole, ends_known=False)
    return Level(
        of=of,
        baseline=before.at(p),
        window=after.at(p),
        baseline_range=before.around(p, d),
        window_range=after.around(p, d),
    )


class _Cumulated:
    """Counts of ordered bins, from the bottom up.

    Args:
        counts: events per bin, at least one.
        reference: whose edges they lie between.
        whole: all values are whole numbers.
        ends_known: nothing lies beyond minimum and maximum of the reference.
    """

    def __init__(self, counts: Int64, reference: Reference, *, whole: bool, ends_known: bool = True) -> None:
        assert reference.edges is not None
        self._counts, self._below = counts, counts.cumsum() - counts
        self._n = int(counts.sum())
        self._limits = np.concatenate([[reference.minimum], reference.edges, [reference.maximum]])
        self._whole, self._ends_known = whole, ends_known

    def at(self, p: float) -> float:
        """Return the quantile; where it lies beyond the outermost edges, the edge."""
        place = self._bin(p)
        if self._is_beyond(place):
            return float(self._limits[1] if place == 0 else self._limits[-2])
        low, high = float(self._limits[place]), float(self._limits[place + 1])
        within = (p * self._n - int(self._below[place])) / int(self._counts[place])
        value = low + (high - low) * within
        return float(round(value)) if self._whole else round_significant(value)

    def around(self, p: float, d: float) -> _Range:
        """Return the range of a quantile; None where its end lies beyond the outermost edges."""
        error = _Z_95 * math.sqrt(p * (1.0 - p) * d / self._n)
        return self._end(max(0.0, p - error), p, 0), self._end(min(1.0, p + error), p, self._counts.size - 1)

    def _end(self, end: float, p: float, outer: int) -> float | None:
        """Return one end, None if it is outside; a quantile beyond an edge has that edge as its other end."""
        place = self._bin(end)
        if self._is_beyond(place) and place == outer:
            return None
        return self.at(end)

    def _bin(self, p: float) -> int:
        """Return the bin with events in which the counts reach a share."""
        filled = np.flatnonzero(self._counts)
        reached = (self._below + self._counts)[filled] >= p * self._n
        return int(filled[reached.argmax()] if reached.any() else filled[-1])

    def _is_beyond(self, place: int) -> bool:
        return not self._ends_known and place in (0, self._counts.size - 1)


def _is_whole(reference: Reference) -> bool:
    edges = reference.edges
    return edges is not None and bool((edges == np.floor(edges)).all())


def _shares(reference: Reference, counts: Int64, categories: Sequence[str]) -> tuple[Level, ...]:
    before, n, d = reference.shares, int(counts.sum()), reference.design_effect
    after = counts / n
    if counts.size == 2:
        return (_share(YES, float(before[1]), float(after[1]), reference.total / d, n / d),)
    moved = np.argsort(-np.abs(after - before).round(12), kind="stable")[:MAX_LEVELS].tolist()
    return tuple(
        _share(categories[i], float(before[i]), float(after[i]), reference.total / d, n / d)
        for i in moved
        if before[i] or after[i]
    )


def _share(of: str, before: float, after: float, rows: float, events: float) -> Level:
    return Level(
        of=of,
        baseline=round_significant(before),
        window=round_significant(after),
        baseline_range=_wilson(before, rows),
        window_range=_wilson(after, events),
    )


def _wilson(share: float, n: float) -> tuple[float, float]:
    """Return the 95 % range of a share seen in n independent events.

    >>> _wilson(0.5, 100.0)
    (0.403832, 0.596168)
    """
    z2 = _Z_95 * _Z_95
    middle = (share + z2 / (2.0 * n)) / (1.0 + z2 / n)
    half = _Z_95 * math.sqrt(share * (1.0 - share) / n + z2 / (4.0 * n * n)) / (1.0 + z2 / n)
    low = 0.0 if share == 0.0 else max(0.0, middle - half)
    high = 1.0 if share == 1.0 else min(1.0, middle + half)
    return round_significant(low), round_significant(high)
