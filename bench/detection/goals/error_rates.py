"""Rare errors: how quickly a rise of an error rate of .02 is found, by the size of the reference."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy.special import betaincinv

from bench.detection.goals.outcome import Outcome, median_at_most, run_length_at_least
from bench.detection.seeds import SEED
from stream_monitor.core.arrays import Bool, Float64, Int64
from stream_monitor.core.detectors import BetaBernoulli, IntervalBernoulli, SeriesReference
from stream_monitor.lab.scores.delay import quantile

_RATE, _MISS = 0.02, 1e-3
_PANE, _BUDGET = 50, 100_000
_QUIET, _MOST = 100, 300  # panes before and after the change

_RISES, _RISES_FIRST = "interval_bernoulli of rises", "interval_bernoulli of rises first"
_ALIKE, _LEARNT = "interval_bernoulli", "beta_bernoulli"
_SPECS: dict[str, IntervalBernoulli | BetaBernoulli] = {
    _RISES: IntervalBernoulli(upward=1.0, miss=_MISS),
    _RISES_FIRST: IntervalBernoulli(upward=0.95, miss=_MISS),
    _ALIKE: IntervalBernoulli(miss=_MISS),
    _LEARNT: BetaBernoulli(),
}

_Judge = Callable[[Int64], Bool]
"""Takes true events of a pane, shape (streams,); says which streams alarm."""


def error_rates(size: int) -> list[Outcome]:
    """Return median delays of rises by .25, .5 and 1 standard deviation, references of 4,095 values and more.

    Errors are tested for rises alone, missing values for rises before falls; beside the figure stands that of both
    sides alike, as a yes/no feature is tested, and what a test takes that is told the new rate and has no other
    alternative: no choice of odds ratios beats that.
    """
    found = []
    for name, m in (
        (_RISES, 4_095),
        (_RISES, 16_383),
        (_RISES, 65_535),
        (_RISES_FIRST, 4_095),
        (_LEARNT, 4_095),
    ):
        for shift, most in ((0.25, 650), (0.5, 200), (1.0, 100)):
            rate = _RATE + shift * math.sqrt(_RATE * (1.0 - _RATE))
            rng = np.random.default_rng([SEED, 7, m, int(100 * shift)])
            references = rng.binomial(m, _RATE, 800 * size)
            panes = np.concatenate(
                [rng.binomial(_PANE, p, (count, references.size)) for p, count in ((_RATE, _QUIET), (rate, _MOST))]
            )
            late = _delays(_steps(name, references, m, _BUDGET), panes)
            alike, told = (
                quantile(sorted(_delays(judge, panes)), 0.5)
                for judge in (_steps(_ALIKE, references, m, _BUDGET), _knows(references, m, rate))
            )
            more = "" if name == _LEARNT else f"; both sides alike {alike:.0f}, told the new rate {told:.0f}"
            goal = f"error rate .02 + {shift:g} sd, {name}, m = {m:,}, panes of 50: delay <= {most}"
            found.append(median_at_most(goal, late, most, more=more))
    return found


def learnt_rates(size: int) -> list[Outcome]:
    """Return the run length of the learnt null, whose promise is not proved, at A = 1,000 panes of 50."""
    m, streams, panes = 4_095, 60 * size, 3_000
    first, names = [], []
    for rate in (0.02, 0.2):
        rng = np.random.default_rng([SEED, 17, int(100 * rate)])
        judge = _steps(_LEARNT, rng.binomial(m, rate, streams), m, 1_000 * _PANE)
        alarms: list[float | None] = [None] * streams
        for pane in range(1, panes + 1):
            for stream in np.flatnonzero(judge(rng.binomial(_PANE, rate, streams))).tolist():
                alarms[stream] = alarms[stream] or pane
        first.append(alarms)
        names.append(f"rate {rate:g}")
    goal = "run length of beta_bernoulli at A = 1,000, panes of 50: >= A"
    return [run_length_at_least(goal, first, names=names, horizon=float(panes), least=1_000)]


def _delays(judge: _Judge, panes: Int64) -> list[float]:
    """Return events from the change to the first alarm of the streams that were silent until it."""
    first = np.full(panes.shape[1], math.inf)
    for place, counts in enumerate(panes, start=1):
        first[judge(counts) & np.isinf(first)] = place
    return [_PANE * (float(t) - _QUIET) for t in first if t > _QUIET]


def _steps(name: str, references: Int64, m: int, budget: int) -> _Judge:
    group = _SPECS[name].build(2)
    rows = np.array([group.add(SeriesReference(np.array([m - k, k]))) for k in references.tolist()])
    limit = math.log(budget / _PANE)
    return lambda true: group.step(rows, np.stack([_PANE - true, true], axis=1)) >= limit


def _knows(references: Int64, m: int, rate: float) -> _Judge:
    """Return the test of one alternative, the new rate, against the upper limit of the reference."""
    upper: Float64 = np.asarray(betaincinv(references + 1.0, m - references, 1.0 - _MISS), dtype=np.float64)
    inside, outside = np.log(rate / upper), np.log((1.0 - rate) / (1.0 - upper))
    log_r = np.full(references.size, -np.inf)

    def judge(true: Int64) -> Bool:
        nonlocal log_r
        log_r = np.logaddexp(0.0, log_r) + true * inside + (_PANE - true) * outside
        alarms: Bool = log_r >= math.log(_BUDGET / _PANE)
        return alarms

    return judge
