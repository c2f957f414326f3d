"""How quickly changes are found: against the oracle, in panes, other shapes, rare errors."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from bench.detection import oracle
from bench.detection.goals.outcome import Outcome, median_at_most
from bench.detection.goals.simulation import panes_to_alarm
from bench.detection.ours import RankSetup, bernoulli_alarms, rank_alarms
from bench.detection.streams import CHANGE, SHAPES, SHIFTS, Streams, error_rates
from bench.detection.tables import SEED
from stream_monitor.lab.scores import delay
from stream_monitor.lab.scores.delay import quantile


def delays_one_by_one(size: int) -> list[Outcome]:
    """Return median delays at panes of one event and a budget of 100,000, over those of the oracle."""
    found = []
    for place, (case, shift) in enumerate(zip(SHIFTS, (0.25, 0.5, 1.0), strict=True)):
        streams = case.draw(120 * size, seed=SEED + 50_000 + 5_000 * place)
        delays = _delays(rank_alarms(streams, RankSetup(1, 1e5, stops=True), seed=SEED))
        best = delay(oracle.first_alarms(streams.values, shift=shift, run_length=1e5), change=CHANGE).median
        told = median_at_most(f"{shift:g} σ, single events: delay <= 1.5 x oracle", delays, 1.5 * best)
        ratio = quantile(sorted(delays), 0.5) / best
        found.append(replace(told, measured=f"{ratio:.2f}; {told.measured}, the oracle {best:.0f}"))
    return found


def delays_in_panes(size: int) -> list[Outcome]:
    """Return median delays at panes of 50 and of 1,000 events."""
    found = []
    for place, (case, most) in enumerate(zip(SHIFTS, (350, 100, 50), strict=True)):
        streams = case.draw(120 * size, seed=SEED + 70_000 + 5_000 * place)
        delays = _delays(rank_alarms(streams, RankSetup(50, 1e5, stops=True), seed=SEED))
        found.append(median_at_most(f"{case.name}, panes of 50: delay <= {most}", delays, most))
    for shift, most in ((0.25, 1), (0.05, 6)):
        panes = panes_to_alarm(shift, n=1_000, budget=100, streams=100 * size, seed=SEED + 90_000)
        found.append(median_at_most(f"{shift:g} σ, panes of 1,000, A = 100: panes <= {most}", panes, most))
    return found


def shapes(size: int) -> list[Outcome]:
    """Return median delays of a wider spread, of two humps with equal moments, and of a rare error rate."""
    found = []
    for place, case in enumerate(case for case in SHAPES if case.name in {"sd x1.25", "equal moments, bimodal"}):
        streams = case.draw(160 * size, seed=SEED + 110_000 + 5_000 * place)
        delays = _delays(rank_alarms(streams, RankSetup(1, 1e5, stops=True), seed=SEED))
        found.append(median_at_most(f"{case.name}, single events: delay <= 200", delays, 200))
    for place, (case, most) in enumerate(zip(error_rates(0.02)[1:], (650, 200, 100), strict=True)):
        streams = case.draw(160 * size, seed=SEED + 130_000 + 5_000 * place)
        rng = np.random.default_rng(SEED + place)
        references = (rng.random((160 * size, 4_095)) < 0.02).astype(np.float64)
        alarms = bernoulli_alarms(Streams(references, streams.values), pane=50, budget_events=1e5)
        goal = f"error rate .02 + {case.name}, m = 4,095: delay <= {most}"
        found.append(median_at_most(goal, _delays(alarms), most))
    return found


def _delays(alarms: list[list[int]]) -> list[float]:
    """Return the delay of every stream that was silent before the change."""
    quiet = [own for own in alarms if not own or own[0] >= CHANGE]
    return [float(own[0] - CHANGE) if own else math.inf for own in quiet]
