"""Files of a few regimes: where their level or spread jumps, so that a regime is not taken for dependence.

Ten regimes look like slow dependence, and a reference that holds two of them like nothing that comes after. Intervals
of many lengths are searched for the jump that explains them best, the narrowest first, for in a narrow interval there
is one jump at most. Jumps are believed only if they are few, abrupt, and leave rows that hardly depend on each other:
a season or a slow series moves between its levels step by step, and goes on to depend on itself within them.

>>> noise = np.random.default_rng(1).standard_normal(1_000)
>>> regimes(np.repeat([0.0, 2.0, 0.0, 2.0], 250) + noise)
Regimes(jumps=array([250, 500, 751]), effect=1.0)
>>> regimes(noise), regimes(noise.cumsum())
(None, None)

Sources: Baranowski, Chen & Fryzlewicz (2019), doi:10.1111/rssb.12322 (narrowest over threshold); Kovács, Bühlmann, Li &
Munk (2023), doi:10.1093/biomet/asac052 (seeded intervals).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from stream_monitor.core.arrays import Float64, Int64, Intp
from stream_monitor.core.baseline.course import RANKS, course_effect, holding_effect, ranked
from stream_monitor.core.baseline.dependence import design_effect, numeric_scores
from stream_monitor.core.baseline.season import normal_scores

FEW_JUMPS, MOST_JUMPS = 12, 24
"""Jumps of a short and of a long file, above which a series is one that jumps: that is how it depends on itself."""

_ROWS_PER_JUMP = 500  # of a file that may have more than a few
_SCORES = numeric_scores(np.ones(RANKS, np.int64))
_CLEAR = 5.5  # standard errors of a jump
_EFFECTS = (1.0, 2.0, 4.0, 6.0)  # of rows within regimes: slower ones wander between levels of their own
_SHORTEST = 60  # rows of an interval
_MOST_PLACES = 2_000  # of a jump in a long interval
_NARROWEST = 64  # of the file, an interval at least
_FEWEST_OF_EACH = 30  # of two values, in an interval
_CATEGORIES = 5  # that are looked at
_OFTEN = 0.05  # share of such a category
_MOST_VALUES = 260  # twenty in each of thirteen regimes
_MARGIN = 15  # rows of a regime at least
_NEAR = 8  # of the shorter regime beside a jump, what is near to it
_FEWEST_NEAR = 8  # rows
_GAP = 4  # of what is near, left out on each side: a jump is not located to the row
_ABRUPT = 0.6  # of a jump that must have happened where it is, a standard error aside


class Regimes(NamedTuple):
    """A series of a few regimes.

    Attributes:
        jumps: rows before which its level or spread jumps, ascending, at most as many as `most_jumps` allows.
        effect: design effect of its rows within the regimes.
    """

    jumps: Int64
    effect: float


def regimes(values: Float64, *, places: Int64 | None = None, period: int = 1) -> Regimes | None:
    """Return the regimes of a series, None if it does not jump, or not in the way of regimes.

    Args:
        values: in the order of time, without missing ones, shape (rows,).
        places: where each row is, counted from 0 and ascending; None for row after row.
        period: places after which the series repeats itself, 1 for none.
    """
    _, counts = np.unique(values, return_counts=True)
    if counts.size > 2 and holding_effect(values) > 1.0:
        return None  # a value that is held is one observation, however many rows it stands in
    at = np.arange(values.size) if places is None else places
    scores, shortest = _scores(values, at % period), max(_shortest_interval(counts), 2 * period)
    for effect_allowed in _EFFECTS:  # dependent rows pass for jumps more easily: then these must be the clearer
        found = _narrowest(scores, shortest, _CLEAR * math.sqrt(effect_allowed))
        if not found.size:
            return None
        if found.size <= most_jumps(values.size) and _are_abrupt(scores, found) and not _is_held(values, found):
            effect = _effect(_within(scores[:, 0], found), at, period)
            if effect <= effect_allowed:
                return Regimes(found, effect)
    return None


def most_jumps(rows: int) -> int:
    """Return how many jumps are a few in a file: twelve, in one of 10,000 rows twenty."""
    return min(MOST_JUMPS, max(FEW_JUMPS, rows // _ROWS_PER_JUMP))


def category_regimes(codes: Intp, *, places: Int64, period: int = 1) -> Regimes | None:
    """Return the regimes of a series of categories, None if the share of none of the frequent ones jumps.

    Args:
        codes: of the category of each row, in the order of time, shape (rows,).
        places: where each row is, as of `regimes`.
        period: places after which the series repeats itself, 1 for none.
    """
    counts = np.bincount(codes)
    frequent = [
        code for code in np.argsort(-counts, kind="stable")[:_CATEGORIES] if counts[code] >= _OFTEN * codes.size
    ]
    shares = [(codes == code).astype(np.float64) for code in frequent]
    found = [own for share in shares if (own := regimes(share, places=places, period=period)) is not None]
    if not found:
        return None
    jumps = _apart(np.sort(np.concatenate([own.jumps for own in found])), codes.size)
    # A share may jump less clearly than another one: all of them are looked at between the jumps of all.
    within = [_within(_scores(share, places % period)[:, 0], jumps) for share in shares]
    effect = max(_effect(own, places, period) for own in within)
    return Regimes(jumps, effect) if jumps.size <= most_jumps(codes.size) and effect <= _EFFECTS[-1] else None


def _is_held(values: Float64, found: Int64) -> bool:
    """Say whether a series stands still in two regimes or more: then its jumps are all that it does."""
    ends = [0, *found.tolist(), values.size]
    return sum(bool((values[start:end] == values[start]).all()) for start, end in pairwise(ends)) > 1


def _apart(jumps: Int64, rows: int) -> Int64:
    """Return the first of jumps that are the same one, located twice."""
    far = max(_MARGIN, rows // _NARROWEST)
    kept = [int(jumps[0])]
    for jump in jumps[1:].tolist():
        if jump - kept[-1] >= far:
            kept.append(jump)
    return np.array(kept, dtype=np.int64)


def _effect(within: Float64, places: Int64, period: int) -> float:
    """Return the design effect of what a series does within its regimes."""
    known, bins = np.unique(within, return_inverse=True)
    scores = known[:, None]
    if known.size > _MOST_VALUES:  # of a few values every regime has its own, and their ranks would tell which it is
        bins, scores = ranked(within), _SCORES
    own = design_effect(bins, scores)
    # Runs so long that their end is not in sight have seen a jump that was not found, or not located well.
    return max(own.value if own.settled else 1.0, course_effect(bins, scores, places=places, period=period))


def _within(scores: Float64, found: Int64) -> Float64:
    """Return scores less the mean of their regime, in its standard deviations, shape (rows,)."""
    result = np.empty(scores.size)
    for start, end in zip([0, *found], [*found, scores.size], strict=True):
        own = scores[start:end]
        spread = own.std()
        result[start:end] = (own - own.mean()) / (spread if spread > 0.0 else 1.0)
    return result


def _shortest_interval(counts: Int64) -> int:
    """Return the rows of the shortest interval: enough for the normal law to hold for the rarer of two values."""
    rows = int(counts.sum())
    shortest = max(_SHORTEST, math.ceil(rows / _NARROWEST))
    return shortest if counts.size != 2 else max(shortest, math.ceil(_FEWEST_OF_EACH * rows / int(counts.min())))


def _scores(values: Float64, phase: Int64) -> Float64:
    """Return what jumps: the normal score and its square, less their means in each phase of a season, of variance 1."""
    z = normal_scores(values)
    rows = np.maximum(np.bincount(phase), 1)
    z -= (np.bincount(phase, z) / rows)[phase]
    both = np.column_stack([z, z * z])
    both -= np.column_stack([np.bincount(phase, own) / rows for own in both.T])[phase]
    spread = both.std(axis=0)
    scaled: Float64 = both / np.where(spread > 0.0, spread, 1.0)
    return scaled


def _intervals(rows: int, shortest: int) -> Iterator[tuple[int, Int64]]:
    """Yield seeded intervals, the shortest first, as a length and their starts: each length √2 times the one before,
    half overlapping.
    """
    length = float(shortest)
    while length < rows * math.sqrt(2.0):
        whole = min(rows, math.ceil(length))
        count = max(1, math.ceil(2.0 * (rows - whole) / whole) + 1)
        yield whole, np.unique(np.linspace(0, rows - whole, count).round().astype(np.int64))
        length *= math.sqrt(2.0)


def _narrowest(scores: Float64, shortest: int, clear: float) -> Int64:
    """Return jumps, each from the narrowest interval that shows one clearly and holds no other."""
    rows = scores.shape[0]
    total = np.concatenate([np.zeros((1, scores.shape[1])), scores.cumsum(axis=0)])
    squares = np.concatenate([np.zeros((1, scores.shape[1])), (scores**2).cumsum(axis=0)])
    found: list[int] = []
    for length, starts in _intervals(rows, shortest):
        if length < 2 * _MARGIN + 1:
            continue
        clearest = _clearest(total, squares, starts, length)
        for start, (place, ratio) in zip(starts.tolist(), clearest, strict=True):
            if len(found) > most_jumps(rows):
                break
            if ratio > clear and not any(start < jump < start + length for jump in found):
                found.append(start + place)
    return np.array(sorted(found), dtype=np.int64)


def _clearest(total: Float64, squares: Float64, starts: Int64, length: int) -> list[tuple[int, float]]:
    """Return for each interval of a length the place in it before which the rows differ most from those behind, and by
    how many standard errors.
    """
    places = np.arange(_MARGIN, length - _MARGIN + 1, max(1, length // _MOST_PLACES))
    # One score after the other: an axis of two scores, the innermost one, would make each step of NumPy two numbers.
    ratio = np.maximum.reduce(
        [_ratios(own, of_squares, starts, length, places) for own, of_squares in zip(total.T, squares.T, strict=True)]
    )
    best = ratio.argmax(axis=1)
    return list(zip(places[best].tolist(), ratio[np.arange(starts.size), best].tolist(), strict=True))


def _ratios(total: Float64, squares: Float64, starts: Int64, length: int, places: Int64) -> Float64:
    """Return by how many standard errors the rows of intervals differ before and behind places, (starts, places)."""
    mean = (total[starts + length] - total[starts]) / length
    variance = (squares[starts + length] - squares[starts]) / length - mean**2
    own = total[starts[:, None] + places] - total[starts][:, None]
    spread = np.where(variance > 0.0, variance, np.inf)[:, None]
    ratios: Float64 = np.abs(own - places * mean[:, None]) / np.sqrt(spread * places * (length - places) / length)
    return ratios


def _are_abrupt(scores: Float64, found: Int64) -> bool:
    """Say whether most of what the regimes differ by happens near the jumps between them."""
    ends = np.array([0, *found, scores.shape[0]])
    means = np.array([scores[start:end].mean(axis=0) for start, end in pairwise(ends)])
    steps = np.diff(means, axis=0)
    near, error = np.empty_like(steps), np.empty_like(steps)
    for place, jump in enumerate(found):
        size = max(_FEWEST_NEAR, int(min(jump - ends[place], ends[place + 2] - jump)) // _NEAR)
        gap = size // _GAP
        after = scores[jump + gap : jump + gap + size]
        before = scores[max(0, jump - gap - size) : max(1, jump - gap)]
        near[place] = after.mean(axis=0) - before.mean(axis=0)
        error[place] = math.sqrt(2.0 / size)
    share, chance = float((near * steps).sum()), float(np.sqrt((error**2 * steps**2).sum()))
    return share + chance >= _ABRUPT * float((steps**2).sum())
