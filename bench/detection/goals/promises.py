"""What the budget promises without drift: run lengths, alarms in a horizon, deployments, silence."""

from __future__ import annotations

import math

import numpy as np

from bench.detection.goals.outcome import (
    Outcome,
    alarms_at_most,
    run_length_at_least,
    share_surely_at_most,
)
from bench.detection.goals.simulation import M, alarm_panes, first_alarms, rank_group
from bench.detection.laws import SEVEN
from bench.detection.ours import RankSetup, rank_alarms
from bench.detection.seeds import SEED
from bench.detection.streams import Streams
from stream_monitor.core.detectors import Mixture, RankShiryaevRoberts, SeriesReference
from stream_monitor.core.grid import spacings
from stream_monitor.core.judge.watch.weights import slot_weight
from stream_monitor.lab.counts import draw_masses

_HORIZON, _BUDGET = 200, 1_000
_PROMISED = _HORIZON / _BUDGET
_PANE = 10


def run_lengths(size: int) -> list[Outcome]:
    """Return the average run length against its target for seven laws, by pane size, at A = 100 panes."""
    return [_run_length(n, 100, streams * size) for n, streams in ((1, 150), (10, 80), (100, 50), (1_000, 30))]


def long_run_lengths(size: int) -> list[Outcome]:
    """Return the same at A = 1,000; panes of 100 and more only where there is time for them."""
    plan = ((1, 150), (10, 60)) if size == 1 else ((1, 600), (10, 200), (100, 60), (1_000, 40))
    return [_run_length(n, 1_000, streams) for n, streams in plan]


def _run_length(n: int, budget: int, streams: int) -> Outcome:
    first = []
    for place, marginal in enumerate(SEVEN):
        rng = np.random.default_rng([SEED, 1, n, budget, place])
        masses = np.array([marginal.reference(M, rng)[1] for _ in range(streams)])
        group, rows = rank_group(n, M, streams)
        first.append(first_alarms(group, rows, masses, n=n, panes=3 * budget, log_threshold=math.log(budget), rng=rng))
    goal = f"run length at A = {budget:,}, panes of {n:,}, seven laws: >= A"
    names = [marginal.name for marginal in SEVEN]
    return run_length_at_least(goal, first, names=names, horizon=3.0 * budget, least=budget)


def alarms_in_a_horizon(size: int) -> list[Outcome]:
    """Return the number of alarms with restarts in 2,000 panes at A = 100, the promise in its own words."""
    found = []
    for n in (1, 10, 100):
        rng = np.random.default_rng([SEED, 2, n])
        group, rows = rank_group(n, M, 30 * size)
        masses = draw_masses(spacings(M), rng, 30 * size)
        counts = [len(own) for own in alarm_panes(group, rows, masses, n=n, panes=2_000, budget=100, rng=rng)]
        found.append(alarms_at_most(f"alarms in 2,000 panes of {n} at A = 100, restarts included: <= 20", counts, 20))
    return found


def deployments(size: int) -> list[Outcome]:
    """Return the probability of any alarm of p series within 200 panes of 10 at A = 1,000, for independent and for
    strongly correlated series.
    """
    found = []
    for series, count in ((1, 500), (10, 120), (100, 80)):
        for correlation in (0.0, 0.8):
            alarmed = _any_alarm(series, correlation, count * size, np.random.default_rng([SEED, 3, series]))
            goal = f"P(any alarm of {series} series in 200 panes), A = 1,000, correlation {correlation:g}: <= .2"
            found.append(share_surely_at_most(goal, alarmed, count * size, _PROMISED))
    return found


def _any_alarm(series: int, correlation: float, count: int, rng: np.random.Generator) -> int:
    """Return how many of `count` deployments had an alarm."""
    alarmed = 0
    together = max(1, 500 // series)
    for first in range(0, count, together):
        some = min(together, count - first)
        rows = M + _HORIZON * _PANE
        shared, own = rng.standard_normal((some, 1, rows)), rng.standard_normal((some, series, rows))
        values = (math.sqrt(correlation) * shared + math.sqrt(1.0 - correlation) * own).reshape(some * series, -1)
        setup = RankSetup(_PANE, _BUDGET * _PANE * series, stops=True)
        alarms = rank_alarms(Streams(values[:, :M], values[:, M:]), setup, seed=SEED + first)
        alarmed += sum(any(alarms[place * series : (place + 1) * series]) for place in range(some))
    return alarmed


def newcomers(size: int) -> list[Outcome]:
    """Return the probability of any alarm of ten series and of five newcomers, the i-th 20 i panes later, each with the
    weight that the judge gives to the i-th.
    """
    streams, series, late = 250 * size, 10, 5
    rng = np.random.default_rng([SEED, 4])
    weights = [slot_weight(0) / series] * series + [slot_weight(i) for i in range(1, late + 1)]
    lengths = [_HORIZON] * series + [_HORIZON - 20 * i for i in range(1, late + 1)]
    alarmed = np.zeros(streams, dtype=np.bool_)
    for weight, panes in zip(weights, lengths, strict=True):
        group, rows = rank_group(_PANE, M, streams)
        masses = draw_masses(spacings(M), rng, streams)
        threshold = math.log(_BUDGET / weight)
        first = first_alarms(group, rows, masses, n=_PANE, panes=panes, log_threshold=threshold, rng=rng)
        alarmed |= np.array([t is not None for t in first])
    goal = "P(any alarm of 10 series and 5 newcomers in 200 panes), A = 1,000: <= .2"
    return [share_surely_at_most(goal, int(alarmed.sum()), streams, _PROMISED)]


def segments(size: int) -> list[Outcome]:
    """Return the probability of any alarm of a series or of its four segments: half of the weight for the whole, the
    other half by share. Segments and whole see the same events.
    """
    streams, shares = 300 * size, (0.4, 0.3, 0.2, 0.1)
    rng = np.random.default_rng([SEED, 5])
    sizes = [round(20 * share) for share in shares]
    past = rng.standard_normal((streams, M))
    panes = rng.standard_normal((streams, _HORIZON, 20))
    ends = np.cumsum([round((M + 1) * share) for share in shares])
    parts = [(past, panes, 0.5)]
    for size_in_pane, last, share in zip(sizes, np.cumsum(sizes), shares, strict=True):
        end = ends[len(parts) - 1]
        own = past[:, end - round((M + 1) * share) : end]
        parts.append((own, panes[:, :, last - size_in_pane : last], 0.5 * share))
    alarmed = np.zeros(streams, dtype=np.bool_)
    for reference, own, weight in parts:
        n = own.shape[2]
        setup = RankSetup(n, _BUDGET * n / weight, stops=True)
        alarms = rank_alarms(Streams(reference, own.reshape(streams, -1)), setup, seed=SEED)
        alarmed |= np.array([bool(found) for found in alarms])
    goal = "P(any alarm of a series or of its 4 segments in 200 panes), A = 1,000: <= .2"
    return [share_surely_at_most(goal, int(alarmed.sum()), streams, _PROMISED)]


def silence(_size: int) -> list[Outcome]:
    """Return whether a series that is silent for ten budgets alarms."""
    group = RankShiryaevRoberts(Mixture.BASE).build(M)
    row = np.array([group.add(SeriesReference(spacings(M)))])
    empty = np.zeros((1, spacings(M).size), dtype=np.int64)
    most = max(float(group.step(row, empty)[0]) for _ in range(1_000))
    return [Outcome("a series silent for 10 A panes, A = 100: no alarm", f"log M {most:g}", most < math.log(100))]
