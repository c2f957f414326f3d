"""Overdispersed demand: false alarms, a rise by half, silence."""

from __future__ import annotations

import math

import numpy as np

from bench.detection.goals.outcome import Outcome, median_at_most, share_at_most
from bench.detection.seeds import SEED
from stream_monitor.core.detectors import NegativeBinomial
from stream_monitor.lab.generators import Demand

_MEAN, _DISPERSION, _BUDGET, _MISS = 200.0, 10.0, 10_000, 1e-3
_WARM = 205  # panes; the first 201 make the limits


def demand(size: int) -> list[Outcome]:
    """Return false alarms of overdispersed demand and the delay of a rise by half."""
    streams, panes = 500 * size, 1_000
    bound = panes / _BUDGET + _MISS
    quiet = sum(t is not None for t in _first_alarms(1.0, panes, streams, np.random.default_rng([SEED, 12])))
    risen = _first_alarms(1.5, 200, 1_000 * size, np.random.default_rng([SEED, 13]))
    zero = _first_alarms(0.0, 200, 100, np.random.default_rng([SEED, 14]))
    seen = sum(t is not None for t in zero)
    return [
        share_at_most(f"demand, κ = 10: P(alarm in 1,000 panes), A = 10,000 <= {bound:.3f}", quiet, streams, bound),
        median_at_most("demand of 200 rises by half: panes <= 25", [math.inf if t is None else t for t in risen], 25),
        Outcome("demand falls to nothing: found", f"{seen} of {len(zero)}", seen == len(zero)),
    ]


def _first_alarms(factor: float, panes: int, streams: int, rng: np.random.Generator) -> list[int | None]:
    """Return the pane of the first alarm of each stream, counted from where its mean is multiplied."""
    law, later = Demand(_MEAN, _DISPERSION), Demand(_MEAN * factor, _DISPERSION)
    group = NegativeBinomial(miss=_MISS).build(1)
    rows = np.array([group.add() for _ in range(streams)])
    first: list[int | None] = [None] * streams
    live = np.arange(streams)
    for pane in range(1 - _WARM, panes + 1):
        counts = (law if pane < 1 else later).draw(live.size, rng).astype(np.int64)
        alarmed = np.flatnonzero(group.step(rows[live], counts[:, None]) >= math.log(_BUDGET))
        for place in alarmed.tolist():
            first[live[place]] = pane
        live = np.delete(live, alarmed)
    return [t for t in first if t is None or t > 0]
