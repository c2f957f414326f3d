"""Rare errors: how quickly a rise of an error rate of .02 is found, by the size of the reference."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.special import betaincinv

from bench.detection.goals.outcome import Outcome, median_at_most
from bench.detection.seeds import SEED
from stream_monitor.core.arrays import Bool, Float64, Int64
from stream_monitor.core.detectors import IntervalBernoulli, SeriesReference
from stream_monitor.lab.scores.delay import quantile

_RATE, _MISS = 0.02, 1e-3
_PANE, _BUDGET = 50, 100_000
_QUIET, _MOST = 100, 400  # panes before and after the change

_Judge = Callable[[Int64], Bool]
"""Takes true events of a pane, shape (streams,); says which streams alarm."""


def error_rates(size: int) -> list[Outcome]:
    """Return median delays of rises by .25, .5 and 1 standard deviation, references of 4,095 values and more.

    Beside the figure stands what the same test takes that is told the new rate and has no other alternative: what is
    lost to not knowing where the rate goes.
    """
    found = []
    for m in (4_095, 16_383, 65_535):
        for shift, most in ((0.25, 650), (0.5, 200), (1.0, 100)):
            rate = _RATE + shift * math.sqrt(_RATE * (1.0 - _RATE))
            rng = np.random.default_rng([SEED, 7, m, int(100 * shift)])
            references = rng.binomial(m, _RATE, 800 * size)
            panes = np.concatenate(
                [rng.binomial(_PANE, p, (count, references.size)) for p, count in ((_RATE, _QUIET), (rate, _MOST))]
            )
            late = _delays(_bernoulli(references, m), panes)
            told = quantile(sorted(_delays(_knows(references, m, rate), panes)), 0.5)
            goal = f"error rate .02 + {shift:g} sd, m = {m:,}, panes of 50: delay <= {most}"
            found.append(median_at_most(goal, late, most, more=f"; told the new rate {told:.0f}"))
    return found


def _delays(judge: _Judge, panes: Int64) -> list[float]:
    """Return events from the change to the first alarm of the streams that were silent until it."""
    first = np.full(panes.shape[1], math.inf)
    for place, counts in enumerate(panes, start=1):
        first[judge(counts) & np.isinf(first)] = place
    return [_PANE * (float(t) - _QUIET) for t in first if t > _QUIET]


def _bernoulli(references: Int64, m: int) -> _Judge:
    group = IntervalBernoulli(miss=_MISS).build(2)
    rows = np.array([group.add(SeriesReference(np.array([m - k, k]))) for k in references.tolist()])
    limit = math.log(_BUDGET / _PANE)
    return lambda true: group.step(rows, np.stack([_PANE - true, true], axis=1)) >= limit


def _knows(references: Int64, m: int, rate: float) -> _Judge:
    """Return the test of one alternative, the new rate, against the upper limit of the reference."""
    upper: Float64 = np.asarray(betaincinv(references + 1.0, m - references, 1.0 - _MISS / 2.0), dtype=np.float64)
    inside, outside = np.log(rate / upper), np.log((1.0 - rate) / (1.0 - upper))
    log_r = np.full(references.size, -np.inf)

    def judge(true: Int64) -> Bool:
        nonlocal log_r
        log_r = np.logaddexp(0.0, log_r) + true * inside + (_PANE - true) * outside
        alarms: Bool = log_r >= math.log(_BUDGET / _PANE)
        return alarms

    return judge
