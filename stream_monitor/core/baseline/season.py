"""Whether a series repeats itself, and after how many rows: a day of hourly rows, a week of daily ones.

A season is a line in the spectrum: of ranks turned into normal scores, some frequency has far more power than its
neighbours, which the slope of a slow series or the edge of a change has not. The period is the number of rows whose
mean course explains most; it must say the same in both halves of the rows.

>>> rows = np.arange(2_000)
>>> noise = np.random.default_rng(1).standard_normal(2_000)
>>> season(np.sin(rows * (2 * np.pi / 24)) + noise), season(noise), season(noise.cumsum())
(24, 1, 1)

Source: Priestley (1981), Spectral Analysis and Time Series, chapter 8 (lines in mixed spectra).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import ndtri

from stream_monitor.core.arrays import Float64

FEWEST_SEASONS = 8
"""Repeats, below which a season cannot be told from a slow series: nor would enough of them be left to judge."""

_ERROR = 1e-4  # of seeing a line in noise, all frequencies together
_NARROW = 2  # frequencies on each side of a line that belong to it
_WIDEST = 100  # frequencies on each side that are its surroundings
_FEWEST_NEIGHBOURS = 6
_FEW_NEIGHBOURS = 2.0  # how much more a line must stand out for each neighbour that its surroundings lack
_STRONGEST = 100  # frequencies that are looked at: a line that matters is one of them
_SHARE = 0.1  # of the variance that the course explains: less disturbs no detector
_GAIN = 0.1  # of that share, by which a multiple of the period must be better
_MULTIPLES = (2, 3, 4, 5, 7)
_STEPS = 50  # of a course, at most, when its rows are put together
_NEAR = 0.05  # by which a period may miss a likely one
_AGREEMENT = 0.7  # correlation of the courses of both halves


def season(values: Float64, likely: Sequence[int] = ()) -> int:
    """Return the rows after which a series repeats itself, 1 if it does not.

    Args:
        values: numbers at even distances, in the order of time, NaN where one is missing, shape (rows,).
        likely: periods that nobody is surprised by, such as a day and a week; a course that is only seen when its
            neighbouring rows are put together is believed of them alone.
    """
    scores = normal_scores(values)
    rows = scores.size
    if rows < 4 * FEWEST_SEASONS or not scores.any():
        return 1
    frequency = _line(scores)
    if frequency is None:
        return 1
    longest = rows // FEWEST_SEASONS
    around = range(math.ceil(rows / (frequency + 0.7)), math.floor(rows / (frequency - 0.7)) + 1)
    candidates = [period for period in around if 2 <= period <= longest]
    if not candidates:
        return 1
    best = max(candidates, key=lambda period: explained(scores, period))
    share = explained(scores, best)
    for multiple in _MULTIPLES:
        if best * multiple <= longest and explained(scores, best * multiple) > share + _GAIN:
            share, best = explained(scores, best * multiple), best * multiple
    if share < _SHARE:
        return 1
    for period in likely:
        near = abs(period - best) <= _NEAR * best and period <= longest
        if near and _halves_agree(scores, period, together=-(-period // _STEPS)):
            return period
    return best if _halves_agree(scores, best) else 1


def explained(scores: Float64, period: int) -> float:
    """Return the share of the variance that the mean course of a period explains, less what chance explains."""
    phase = np.arange(scores.size) % period
    course = np.bincount(phase, scores, period) / np.bincount(phase, minlength=period)
    rest = scores - course[phase]
    free = max(1, scores.size - period)
    return 1.0 - float(rest @ rest) / free / (float(scores @ scores) / scores.size)


def normal_scores(values: Float64) -> Float64:
    """Return Φ⁻¹ of the mid ranks, centred; 0 where a value is missing or all are equal."""
    held = np.isfinite(values)
    scores = np.zeros(values.size)
    if held.any():
        _, position, counts = np.unique(values[held], return_inverse=True, return_counts=True)
        ranks = (counts.cumsum() - counts / 2.0) / counts.sum()
        own = ndtri(ranks)[position]
        scores[held] = own - own.mean()
    return scores


def _line(scores: Float64) -> int | None:
    """Return the frequency, in periods per file, that stands out most from those around it, None if none does."""
    taper = np.hanning(scores.size)
    power = np.abs(np.fft.rfft(scores * taper)) ** 2
    strongest = FEWEST_SEASONS + np.argsort(-power[FEWEST_SEASONS:-1], kind="stable")[:_STRONGEST]
    for frequency in strongest.tolist():
        reach = min(max(8, frequency // 2), _WIDEST)
        low, high = max(2, frequency - reach), min(power.size, frequency + reach + 1)
        around = np.concatenate([power[low : frequency - _NARROW], power[frequency + _NARROW + 1 : high]])
        if around.size < _FEWEST_NEIGHBOURS:
            continue
        usual = float(np.median(around)) / math.log(2.0)
        needed = math.log(power.size / _ERROR) * (1.0 + _FEW_NEIGHBOURS / math.sqrt(around.size))
        if power[frequency] > needed * usual:
            return int(frequency)
    return None


def _halves_agree(scores: Float64, period: int, *, together: int = 1) -> bool:
    """Say whether both halves have the same course, so many neighbouring rows of it put together."""
    middle = scores.size // 2 // period * period
    courses = []
    for half in (scores[:middle], scores[middle:]):
        phase = np.arange(half.size) % period // together
        courses.append(np.bincount(phase, half) / np.bincount(phase))
    return float(np.corrcoef(courses[0], courses[1])[0, 1]) >= _AGREEMENT
