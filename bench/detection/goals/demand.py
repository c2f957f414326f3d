"""Overdispersed demand: false alarms, a rise by half, silence."""

from __future__ import annotations

import math

import numpy as np

from bench.detection.goals.outcome import Outcome, median_at_most, share_at_most
from bench.detection.tables import SEED
from stream_monitor.core.detectors import NegativeBinomial, SeriesReference
from stream_monitor.lab.generators import Demand


def demand(size: int) -> list[Outcome]:
    """Return false alarms of overdispersed demand and the delay of a rise by half."""
    streams, panes, budget = 100 * size, 1_000, 10_000
    quiet = [_demand_alarm(Demand(200.0, 10.0), 1.0, panes, budget, SEED + 200_000 + i) for i in range(streams)]
    alarmed = sum(t is not None for t in quiet)
    bound = panes / budget + 1e-3
    risen = [
        math.inf if t is None else t
        for t in (_demand_alarm(Demand(200.0, 10.0), 1.5, 200, budget, SEED + 210_000 + i) for i in range(80 * size))
    ]
    zero = [_demand_alarm(Demand(200.0, 10.0), 0.0, 200, budget, SEED + 220_000 + i) for i in range(10)]
    seen = sum(t is not None for t in zero)
    return [
        share_at_most(f"demand, κ = 10: P(alarm in 1,000 panes), A = 10,000 <= {bound:.3f}", alarmed, streams, bound),
        median_at_most("demand of 200 rises by half: panes <= 25", risen, 25),
        Outcome("demand falls to nothing: found", f"{seen} of 10", seen == 10),
    ]


def _demand_alarm(law: Demand, factor: float, panes: int, budget: int, seed: int) -> int | None:
    rng = np.random.default_rng(seed)
    warm = law.draw(205, rng)
    later = Demand(law.mean * factor, law.dispersion).draw(panes, rng) if factor else np.zeros(panes)
    group = NegativeBinomial().build(1)
    row = np.array([group.add(SeriesReference(np.empty(0, dtype=np.int64)))])
    for count in warm:
        group.step(row, np.array([[count]], dtype=np.int64))
    for i, count in enumerate(later, start=1):
        if group.step(row, np.array([[count]], dtype=np.int64))[0] >= math.log(budget):
            return i
    return None
