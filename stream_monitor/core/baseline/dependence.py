"""By how much the dependence of events inflates the variance of their counts, from events in the order of time.

Detectors take events as independent given the past; autocorrelated traffic makes all of them alarm too often (AR(1)
with ρ = .5: ADWIN in 98 % of streams). Scores of the bins are summed over runs of 1, 2, 4, ... units, as long as there
are twelve runs; the largest clear excess of a sum's variance over that of independent events is the design effect d,
or, where the runs are short for it, what the correlation ρ of neighbours predicts, `(1 + ρ)/(1 - ρ)`, if that is more.
Counts and reference divided by d then carry the information they have.

Cost: some milliseconds a series; independent events have d = 1 in more than 95 % of series.

>>> events = np.random.default_rng(1).integers(0, 4, size=4000)
>>> design_effect(events, numeric_scores(np.array([4, 4, 4, 4])))
DesignEffect(value=1.0, settled=True)

Sources: Kish (1965), Survey Sampling (design effect); Politis & Romano (1994), doi:10.1080/01621459.1994.10476870
(blocks of increasing length).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import chdtri, ndtri

from stream_monitor.core.arrays import Float64, Int64, Intp

_FEWEST_RUNS = 12
_ERROR = 0.01  # of seeing dependence in independent events, all scores and run lengths together
_NEIGHBOUR_ERROR = 0.02  # the same for neighbours
_FEWEST_EFFECTIVE = 24  # independent events' worth of reference, below which nothing can be said about d
_GROWTH = 1.3  # from the second longest to the longest runs: above it the end is not in sight
_FEWEST_PAIRS = 5.0  # expected, of neighbours in a rare bin
_LONG_RUNS = 4.0  # design effects, from which on runs are long enough to need no prediction
_OCTANTS = 8
_MOST_UNITS = 16_384
_CATEGORIES = 20


class DesignEffect(NamedTuple):
    """How many dependent events say as much as one independent event.

    Attributes:
        value: d, at least 1.
        settled: the runs were long enough to see the end of the dependence; if not, nothing can be promised.
    """

    value: float
    settled: bool = True


INDEPENDENT = DesignEffect(1.0)
"""No dependence was seen."""


class Dependence(NamedTuple):
    """The design effects of a feature: of its values, and of having no valid value."""

    values: DesignEffect = INDEPENDENT
    absent: DesignEffect = INDEPENDENT


def is_worth_a_promise(events: int, effect: float) -> bool:
    """Say whether reference events of a design effect are worth enough independent ones."""
    return effect == 1.0 or events >= _FEWEST_EFFECTIVE * effect


def design_effect(bins: Intp, scores: Float64, *, share: float = 1.0) -> DesignEffect:
    """Return the design effect of events.

    Args:
        bins: bin of each event, in the order of time, shape (events,).
        scores: what is summed, shape (bins, scores).
        share: of the stream's events that these are, if they were sampled: between them lie others, so that they
            depend less on each other than those that will be judged.
    """
    if not bins.size:
        return DesignEffect(1.0, settled=False)
    size = -(-bins.size // _MOST_UNITS)
    starts = np.arange(0, bins.size, size)
    pooled = np.bincount(bins, minlength=scores.shape[0])
    centred = scores - (pooled @ scores) / bins.size
    sums = np.column_stack([np.add.reduceat(column[bins], starts) for column in centred.T])
    found = _judged(sums, pooled, centred, shortest=2 if size == 1 else 1)
    return found._replace(value=1.0 + (found.value - 1.0) / share)


def design_effect_of_panes(panes: Int64, scores: Float64) -> DesignEffect:
    """Return the design effect of events that are known by pane only.

    Args:
        panes: counts of consecutive panes without drift, shape (panes, bins).
        scores: what is summed, shape (bins, scores).
    """
    pooled = panes.sum(axis=0)
    events = int(pooled.sum())
    if not events:
        return DesignEffect(1.0, settled=False)
    centred = scores - (pooled @ scores) / events
    return _judged(panes @ centred, pooled, centred, shortest=1)


def numeric_scores(spacings: Int64) -> Float64:
    """Return the scores of a grid's bins, shape (bins, 10): normal score, its square, and the octants of the ranks."""
    upper = spacings.cumsum()
    ranks = (2 * upper - spacings) / (2.0 * float(upper[-1]))
    z = ndtri(ranks)
    octants = np.floor(ranks * _OCTANTS).astype(np.int64)
    return np.column_stack([z, z * z - 1.0, *(octants == octant for octant in range(_OCTANTS))]).astype(np.float64)


def category_scores(counts: Int64) -> Float64:
    """Return an indicator of each of the most frequent bins, shape (bins, at most 20)."""
    largest = np.argsort(-counts, kind="stable")[:_CATEGORIES]
    return np.eye(counts.size)[:, np.sort(largest)]


def _judged(sums: Float64, pooled: Int64, centred: Float64, *, shortest: int) -> DesignEffect:
    """Return the largest clear inflation.

    Args:
        sums: centred scores of units of about equal size, in order, shape (units, scores).
        pooled: events per bin.
        centred: centred scores, shape (bins, scores).
        shortest: units of the shortest run.
    """
    units, events = sums.shape[0], float(pooled.sum())
    lengths = [shortest << i for i in range(30) if (shortest << i) * _FEWEST_RUNS <= units]
    if not lengths:
        return DesignEffect(1.0, settled=False)
    variance = (pooled @ centred**2) / events
    safe = np.where(variance > 0.0, variance, np.inf)
    tails = np.maximum((pooled @ centred**4) / events / safe**2 - 3.0, 0.0)
    per_unit = events / units
    total = np.concatenate([np.zeros((1, sums.shape[1])), sums.cumsum(axis=0)])
    inflation = np.empty((len(lengths), sums.shape[1]))
    clear = np.empty(inflation.shape, dtype=np.bool_)
    for i, length in enumerate(lengths):
        scale = length * per_unit * safe
        runs = total[length::length] - total[:-length:length][: units // length]
        apart = (runs * runs).mean(axis=0) / scale
        # Rare bins have heavy tails: the mean of squares scatters more than a χ².
        spread = np.sqrt(1.0 + tails / (2.0 * per_unit * length))
        k = units // length
        clear[i] = apart > 1.0 + (chdtri(k, _ERROR / inflation.size) / k - 1.0) * spread
        overlapping = total[length:] - total[:-length]
        inflation[i] = (overlapping * overlapping).mean(axis=0) / scale
    by_length = np.where(clear, inflation, 1.0).max(axis=1)
    growth = float(by_length[-1] / by_length[:-1].max()) if by_length.size > 1 else 1.0
    settled = growth <= _GROWTH
    d = max(1.0, float(by_length.max()))
    predicted = _by_neighbours(sums, per_unit * safe, tails / per_unit)
    if not clear.any() or lengths[-1] * per_unit < _LONG_RUNS * predicted:
        d = max(d, predicted)
    if not settled:
        d = max(d, float(by_length[-1]) * growth)
    return DesignEffect(d, settled and is_worth_a_promise(int(events), d)) if d > 1.0 else INDEPENDENT


def _by_neighbours(sums: Float64, independent: Float64, tails: Float64) -> float:
    """Return the largest design effect that the correlation of neighbouring units predicts, 1 where it is not clear.

    Args:
        sums: centred scores of units, shape (units, scores).
        independent: variance of a unit of independent events, shape (scores,).
        tails: excess kurtosis of a unit, shape (scores,); of rare bins two neighbours are soon too many to be chance.
    """
    squares = (sums * sums).sum(axis=0)
    correlation = (sums[1:] * sums[:-1]).sum(axis=0) / np.where(squares > 0.0, squares, np.inf)
    clear = correlation > float(ndtri(1.0 - _NEIGHBOUR_ERROR / sums.shape[1])) / np.sqrt(sums.shape[0])
    clear &= tails <= np.sqrt(sums.shape[0] / _FEWEST_PAIRS)
    unbiased = correlation + (1.0 + 4.0 * correlation) / sums.shape[0]  # Kendall (1954): it is estimated too small
    bounded = np.minimum(unbiased, 1.0 - 1.0 / sums.shape[0])
    predicted = squares / sums.shape[0] / independent * (1.0 + bounded) / (1.0 - bounded)
    return float(np.where(clear, predicted, 1.0).max())
