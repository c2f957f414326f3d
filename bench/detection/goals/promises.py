"""What the budget promises without drift: run lengths, alarms in a horizon, deployments, silence."""

from __future__ import annotations

import math

import numpy as np

from bench.detection.goals.outcome import Outcome
from bench.detection.goals.simulation import M, rank_alarm_panes, rank_first_alarms
from bench.detection.ours import RankSetup, rank_alarms
from bench.detection.streams import Case, Streams
from bench.detection.tables import SEED
from stream_monitor.core.arrays import Float64
from stream_monitor.core.detectors import Mixture, RankShiryaevRoberts, SeriesReference
from stream_monitor.core.grid import spacings
from stream_monitor.lab.generators import (
    Bernoulli,
    Categorical,
    CategoryStream,
    Law,
    LogNormal,
    Normal,
    StudentT3,
    Uniform,
    ZeroInflated,
)
from stream_monitor.lab.scores import alarms_per_horizon, run_length, share_limits


def run_lengths(size: int) -> list[Outcome]:
    """Return the average run length against its target, by pane size and budget; and by law."""
    found = []
    plan = [(n, 100) for n in (1, 10, 100, 1_000)] + [
        (n, 1_000) for n in ((1, 10) if size <= 2 else (1, 10, 100, 1_000))
    ]
    for n, budget in plan:
        streams = 300 * size
        first = rank_first_alarms(n, budget, panes=3 * budget, streams=streams, seed=SEED + n + budget)
        length = run_length(first, horizon=3.0 * budget)
        found.append(
            Outcome(
                f"run length at A = {budget:,} panes of {n:,} >= A",
                f"{length.mean:,.0f} (95 % from {length.lower:,.0f})",
                length.lower >= budget,
            )
        )
    return found


def run_lengths_by_law(size: int) -> list[Outcome]:
    """Return the run length for seven laws, ties and atoms included, at A = 100 panes of 10."""
    laws: tuple[Law, ...] = (Normal(), LogNormal(), StudentT3(), Uniform(), Bernoulli(0.2), ZeroInflated())
    found = []
    for place, law in enumerate(laws):
        streams = Case("", law, rows=3_000).draw(300 * size, seed=SEED + 11_000 + 1_000 * place)
        found.append(_law_outcome(type(law).__name__, streams, place))
    names = Categorical.zipf(8)
    coded = [_codes(names, rows, SEED + 21_000 + i) for i, rows in enumerate([M, 3_000] * (300 * size))]
    streams = Streams(np.array(coded[0::2]), np.array(coded[1::2]))
    return [*found, _law_outcome("eight categories, as numbers", streams, len(laws))]


def _law_outcome(name: str, streams: Streams, place: int) -> Outcome:
    alarms = rank_alarms(streams, RankSetup(10, 1_000, stops=True), seed=SEED + place)
    length = run_length([own[0] / 10 if own else None for own in alarms], horizon=300.0)
    measured = f"{length.mean:,.0f} (95 % from {length.lower:,.0f})"
    return Outcome(f"run length at A = 100 panes of 10, {name} >= A", measured, length.lower >= 100)


def _codes(names: Categorical, rows: int, seed: int) -> Float64:
    order = {name: float(i) for i, name in enumerate(names.names)}
    return np.array([order[name] for name in CategoryStream(names, rows, seed).values().tolist()])


def alarms_in_a_horizon(size: int) -> list[Outcome]:
    """Return the number of alarms with restarts in 2,000 panes at A = 100, the promise in its own words."""
    found = []
    for n in (1, 10, 100):
        counts = [len(own) for own in rank_alarm_panes(n, 100, panes=2_000, streams=40 * size, seed=SEED + 30_000 + n)]
        mean = alarms_per_horizon(counts)
        measured = f"{mean.mean:.1f} (95 % to {mean.upper:.1f})"
        found.append(
            Outcome(f"alarms in 2,000 panes of {n} at A = 100, restarts included <= 20", measured, mean.upper <= 20)
        )
    return found


def deployments(size: int) -> list[Outcome]:
    """Return the probability of any alarm of p series within 200 panes of 10 at A = 1,000, for independent and for
    strongly correlated series.
    """
    found = []
    for series in (1, 10) if size <= 2 else (1, 10, 100):
        for correlation in (0.0, 0.8):
            count = max(600 * size // series, 120)
            alarmed = _any_alarm(series, correlation, count, SEED + 40_000 + series)
            limit = share_limits(alarmed, count, level=0.98).upper
            found.append(
                Outcome(
                    f"P(any alarm of {series} series in 200 panes), A = 1,000, correlation {correlation:g} <= .2",
                    f"{alarmed / count:.3f} (99 % to {limit:.3f})",
                    limit <= 0.2,
                )
            )
    return found


def _any_alarm(series: int, correlation: float, count: int, seed: int) -> int:
    """Return how many of `count` deployments had an alarm."""
    rng = np.random.default_rng(seed)
    alarmed = 0
    together = max(1, 200 // series)
    for first in range(0, count, together):
        some = min(together, count - first)
        shared = rng.standard_normal((some, 1, M + 2_000))
        own = rng.standard_normal((some, series, M + 2_000))
        values = (math.sqrt(correlation) * shared + math.sqrt(1.0 - correlation) * own).reshape(some * series, -1)
        setup = RankSetup(10, 10_000.0 * series, stops=True)
        alarms = rank_alarms(Streams(values[:, :M], values[:, M:]), setup, seed=seed + first)
        alarmed += sum(any(alarms[place * series : (place + 1) * series]) for place in range(some))
    return alarmed


def silence(_size: int) -> list[Outcome]:
    """Return whether a series that is silent for ten budgets alarms."""
    group = RankShiryaevRoberts(Mixture.BASE).build(M)
    row = np.array([group.add(SeriesReference(spacings(M)))])
    empty = np.zeros((1, spacings(M).size), dtype=np.int64)
    most = max(float(group.step(row, empty)[0]) for _ in range(1_000))
    return [Outcome("a series silent for 10 A panes does not alarm", f"log M {most:g}", most < math.log(100))]
