"""Autocorrelated streams with the automatic design effect, and independent ones."""

from __future__ import annotations

import numpy as np

from bench.detection.goals.outcome import Outcome, share_at_most
from bench.detection.goals.simulation import M
from bench.detection.ours import RankSetup, rank_alarms
from bench.detection.streams import Case
from bench.detection.tables import SEED
from stream_monitor.core.baseline.dependence import design_effect, numeric_scores
from stream_monitor.core.grid import build_numeric_grid, spacings
from stream_monitor.lab.generators import Autoregressive


def dependence(size: int) -> list[Outcome]:
    """Return false alarms of autocorrelated streams with the automatic design effect, and how often independent ones
    are taken for dependent.
    """
    found = []
    for rho in (0.0, 0.3, 0.5, 0.8):
        for n in (10, 50):
            case = Case("", Autoregressive(rho), rows=5_000, reference=200 * n)
            streams = case.draw(100 * size, seed=SEED + 150_000 + int(1_000 * rho) + n)
            alarms = rank_alarms(streams, RankSetup(n, 1e5, tempered=True, stops=True), seed=SEED)
            goal = f"AR(1) {rho:g}, panes of {n}, tempered: P(alarm in 5,000) <= .05"
            found.append(share_at_most(goal, sum(map(bool, alarms)), len(alarms), 0.05))
    independent = sum(_looks_independent(SEED + 170_000 + i) for i in range(200 * size))
    found.append(
        Outcome(
            "independent series that are taken as such >= 95 %",
            f"{independent / (200 * size):.1%}",
            independent >= 0.95 * 200 * size,
        )
    )
    return found


def _looks_independent(seed: int) -> bool:
    rng = np.random.default_rng(seed)
    reference = rng.standard_normal(M)
    grid, _ = build_numeric_grid(reference, rng.permutation(M).astype(np.uint64), rng.integers(0, 2**53, M))
    bins = grid.assign(reference, rng.integers(0, 2**53, M))
    return design_effect(bins, numeric_scores(spacings(M))).value == 1.0
