"""By how much rows depend on each other, from the whole course of a file: changes and seasons are left out.

A reference of a few hundred rows holds too few stretches of a slow series to tell how slow it is. A file that is there
from its first row to its last tells more, but holds what is looked for: a change of level would pass for dependence.
Sums of neighbouring runs are subtracted from each other, so that a level shows at its edges only, and the mean of their
squares leaves the largest fifth out, where the edges are. Where rows repeat themselves the runs are whole periods, in
which all that a season does cancels, before a change and after it.

>>> events = np.random.default_rng(1).integers(0, 4, size=4000)
>>> events[2000:] //= 2
>>> course_effect(events, np.eye(4))
1.0
>>> holding_effect(np.repeat(np.random.default_rng(2).standard_normal(40), 50))
25.0

Sources: von Neumann (1941), doi:10.1214/aoms/1177731677 (differences see no level); Huber (1964),
doi:10.1214/aoms/1177703732 (trimmed means); Kish (1965), Survey Sampling (design effect).
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import chdtr, chdtri, ndtri

from stream_monitor.core.arrays import Float64, Int64
from stream_monitor.core.baseline.dependence import DesignEffect, is_worth_a_promise

RANKS = 64
"""Bins of equal size in which the values of a file are ranked."""

_FEWEST_RUNS = 12
_FEWEST_PERIODS = 8
_SHORT_RUNS = 32  # runs, from which on a run is short
_SHORTEST_RUN = 16  # rows; shorter dependence shows in these, too
_KEPT = 0.8  # of the squared differences: one change touches two of twelve runs
_KEPT_MEAN = float(chdtr(3, chdtri(1, 1.0 - _KEPT)) / _KEPT)  # what trimming leaves of a χ² of one degree
_SPREAD = 1.8  # variance of the logarithm of a trimmed mean, times the runs; simulated for 12 to 200 runs
_ERROR = 0.1  # of seeing dependence in independent rows, if scores and lengths were independent: in fact 0.02
_TAILED = 0.25  # excess kurtosis of a run's sum, above which its squares say little
_LONG_RUNS = 4.0  # design effects, of a run, from which on the course alone is believed
_AGREEMENT = 2.0  # how much larger than the course's the reference's design effect may be by chance
_MOST_UNITS = 4_096
_STUCK = 4.0  # standard errors of the equal neighbours of independent rows
_FROZEN = 5  # longest stretches within a file, from which on one at its beginning or end is a change


def course_effect(bins: Int64, scores: Float64, *, places: Int64 | None = None, period: int = 1) -> float:
    """Return the design effect of the rows of a file, 1 where no dependence is clear.

    Args:
        bins: bin of each row, in the order of time, -1 for a row without a value, shape (rows,).
        scores: what is summed, shape (bins, scores).
        places: where each row is, counted from 0 and ascending; None for row after row.
        period: places after which the series repeats itself, 1 for none: only runs of whole periods are compared.
    """
    if not bins.size:
        return 1.0
    at = np.arange(bins.size) if places is None else places
    size = _unit(int(at[-1]) + 1, period)
    units = (int(at[-1]) + 1) // size
    if units < _FEWEST_RUNS:
        return 1.0
    used = (bins >= 0) & (at < units * size)
    held, unit = bins[used], at[used] // size
    pooled = np.bincount(held, minlength=scores.shape[0])
    events = max(1, int(pooled.sum()))
    centred = scores - (pooled @ scores) / events
    variance = (pooled @ centred**2) / events
    safe = np.where(variance > 0.0, variance, np.inf)
    tails = np.maximum((pooled @ centred**4) / events / safe**2 - 3.0, 0.0)
    sums = np.column_stack([np.bincount(unit, column[held], units) for column in centred.T])
    lengths = _lengths(units, size, period)
    if not lengths:
        return 1.0
    total = np.concatenate([np.zeros((1, sums.shape[1])), sums.cumsum(axis=0)])
    inflation = np.array([_squares(total, length) / length for length in lengths]) * units / events / safe
    runs = units / np.array(lengths)[:, None]
    told = tails <= _TAILED * np.array(lengths)[:, None] * events / units
    limit = np.exp(-ndtri(_ERROR / max(1, int(told.sum()))) * np.sqrt(_SPREAD / runs))
    clear = told & (inflation > limit)
    # Three or four changes look like slow dependence in long runs, but not in short ones, where dependence begins.
    if period <= 1 and not clear[runs[:, 0] >= min(_SHORT_RUNS, runs[0, 0])].any():
        return 1.0
    return float(np.where(clear, inflation, 1.0).max())


def ranked(values: Float64) -> Int64:
    """Return the rank of each value in sixty-fourths of the file; equal values have the middle of their ranks.

    Ranks among the reference would not do: after a large change all values lie beyond it, and nothing seems to vary.
    """
    _, position, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (counts.cumsum() - counts / 2.0) / max(1, values.size)
    return np.floor(ranks * RANKS).astype(np.int64)[position]


def holding_effect(values: Float64) -> float:
    """Return half of the rows in the stretch of equal values that a row is in, 1 if chance explains such stretches.

    A stretch of equal values is one observation. A row meets long ones more often: where stretches end by chance it is
    in one of twice their mean. A column that freezes for good, or that begins to move, is a change and left out.

    Args:
        values: in the order of time, shape (rows,).
    """
    lengths = _stretches(values)
    inner = _FROZEN * int(lengths[1:-1].max(initial=1))
    start = int(lengths[0]) if lengths.size and lengths[0] > inner else 0
    end = values.size - (int(lengths[-1]) if lengths.size and lengths[-1] > inner else 0)
    if start >= end:
        return 1.0
    values = values[start:end]
    lengths = _stretches(values)
    _, counts = np.unique(values, return_counts=True)
    shares = counts / values.size
    equal = float(shares @ shares)
    excess = values.size - lengths.size - values.size * equal
    if excess <= _STUCK * math.sqrt(values.size * equal + 1.0):
        return 1.0
    return max(1.0, float(lengths @ lengths) / values.size / 2.0)


def with_course(
    reference: DesignEffect | None, course: float, *, rows: int, observed: int, seasonal: bool
) -> DesignEffect:
    """Return what is known of a series of which both the reference and the whole course were measured.

    Args:
        reference: measured on the reference; None where its rows have no order.
        course: design effect of the whole file, at least 1.
        rows: of the file.
        observed: rows of the reference with a value.
        seasonal: the series repeats itself and is judged in whole seasons, which the reference's measure knows not.
    """
    if reference is None:
        return DesignEffect(course, is_worth_a_promise(observed, course))
    # A walk passes for slow on all of its rows and for endless on the first of them: they must agree.
    long = rows >= _FEWEST_RUNS * _LONG_RUNS * course and reference.value <= _AGREEMENT * course
    if seasonal or (course > 1.0 and long):
        return DesignEffect(course, is_worth_a_promise(observed, course))
    known = max(course, reference.value)
    return DesignEffect(known, reference.settled and is_worth_a_promise(observed, known))


def _stretches(values: Float64) -> Int64:
    """Return the lengths of the stretches of equal values, in their order."""
    ends = np.flatnonzero(np.diff(values, append=np.nan) != 0.0)
    return np.diff(ends, prepend=-1)


def _unit(rows: int, period: int) -> int:
    """Return the rows of a unit: few enough units, and the period a whole number of them, or they of it."""
    size = max(1, -(-rows // _MOST_UNITS))
    if period <= 1:
        return size
    if size >= period:
        return -(-size // period) * period
    return max(step for step in range(1, size + 1) if period % step == 0)


def _lengths(units: int, size: int, period: int) -> list[int]:
    """Return run lengths in units, whole periods, each about √2 times the one before."""
    lengths: list[int] = []
    whole, fewest = max(1, period // size), _FEWEST_RUNS if period <= 1 else _FEWEST_PERIODS
    length = max(float(whole), _SHORTEST_RUN / size)
    while units / length >= fewest:
        lengths.append(math.ceil(length / whole) * whole)
        length *= math.sqrt(2.0)
    return sorted(set(lengths))


def _squares(total: Float64, length: int) -> Float64:
    """Return half the trimmed mean of the squared differences of neighbouring runs, in units of a normal variable's."""
    runs = total[length:] - total[:-length]
    squares = (runs[length:] - runs[:-length]) ** 2
    kept = math.ceil(_KEPT * squares.shape[0])
    smallest = np.partition(squares, kept - 1, axis=0)[:kept]
    found: Float64 = smallest.mean(axis=0) / (2.0 * _KEPT_MEAN)
    return found
