"""HDDM_A and HDDM_W on many streams at once, formula for formula as river has them.

river takes five microseconds an event, which is an hour for a table; a step of 300 streams takes thirty. A test holds
them to river's classes, alarm by alarm.
"""

from __future__ import annotations

import math

import numpy as np

from stream_monitor.core.arrays import Bool, Float64
from stream_monitor.core.detectors.calibration import RUNS, SEED, RunLength, Search

STREAMS = 300
_LAMBDA = 0.05  # river's default weight of the newest event


class HddmA:
    """Averages with Hoeffding's bound: the mean of all events against its lowest, each with its margin."""

    def __init__(self, confidence: float, streams: int) -> None:
        self._margin = math.log(1.0 / confidence) / 2.0
        self._bound = math.log(2.0 / confidence) / 2.0
        self._n = 0
        self._mean = np.zeros(streams)
        self._lowest_n, self._lowest = np.zeros(streams), np.zeros(streams)

    def step(self, errors: Float64) -> Bool:
        """Take one event of every stream and say which alarm."""
        self._n += 1
        self._mean += (errors - self._mean) / self._n
        if self._n == 1:
            self._lowest_n[:], self._lowest[:] = 1, self._mean
        margin = math.sqrt(self._margin / self._n)
        cut = self._lowest + np.sqrt(self._margin / self._lowest_n) >= self._mean + margin
        self._lowest_n[cut], self._lowest[cut] = self._n, self._mean[cut]
        share = (self._n - self._lowest_n) / self._lowest_n / self._n
        return (self._lowest_n < self._n) & (self._mean - self._lowest >= np.sqrt(share * self._bound))


class HddmW:
    """Weighted averages with McDiarmid's bound: the events since the lowest average against those before."""

    def __init__(self, confidence: float, streams: int) -> None:
        self._bound = math.log(1.0 / confidence) / 2.0
        self._n = 0
        self._mean, self._weight = np.zeros(streams), 1.0
        self._cut = np.full(streams, np.inf)
        self._before, self._before_weight = np.zeros(streams), np.ones(streams)
        self._since, self._since_weight = np.zeros(streams), np.ones(streams)
        self._begun = np.zeros(streams, dtype=np.bool_)

    def step(self, errors: Float64) -> Bool:
        """Take one event of every stream and say which alarm."""
        self._n += 1
        self._mean = errors.copy() if self._n == 1 else _LAMBDA * errors + (1.0 - _LAMBDA) * self._mean
        self._weight = _LAMBDA**2 + (1.0 - _LAMBDA) ** 2 * self._weight
        margin = math.sqrt(self._weight * self._bound)
        lower = self._mean + margin < self._cut
        since = np.where(self._begun, _LAMBDA * errors + (1.0 - _LAMBDA) * self._since, errors)
        self._cut = np.where(lower, self._mean + margin, self._cut)
        self._before = np.where(lower, self._mean, self._before)
        self._before_weight = np.where(lower, self._weight, self._before_weight)
        self._since = np.where(lower, 0.0, since)
        grown = _LAMBDA**2 + (1.0 - _LAMBDA) ** 2 * self._since_weight
        self._since_weight = np.where(lower, 1.0, grown)
        self._begun = ~lower
        bound = np.sqrt((self._before_weight + self._since_weight) * self._bound)
        return self._begun & (self._since - self._before > bound)


def measured(kind: type[HddmA | HddmW], rate: float, confidence: float, search: Search) -> RunLength:
    """Return what `STREAMS` streams of three run lengths show."""
    generator = np.random.default_rng((SEED, round(1e6 * rate)))
    longest = math.ceil(RUNS * search.target)
    detectors = kind(confidence, STREAMS)
    first = np.full(STREAMS, longest)
    alarmed = np.zeros(STREAMS, dtype=np.bool_)
    for event in range(1, longest + 1):
        new = detectors.step((generator.random(STREAMS) < rate).astype(np.float64)) & ~alarmed
        first[new] = event
        alarmed |= new
        if alarmed.all():
            break
    return RunLength(int(first.sum()), int(alarmed.sum()), int((first[alarmed] <= longest // 30).sum()))
