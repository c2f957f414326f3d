"""Autocorrelated streams with the automatic design effect, independent ones, and seasons."""

from __future__ import annotations

import math

import numpy as np

from bench.detection.goals.outcome import Outcome, share_at_most, share_surely_at_most
from bench.detection.goals.simulation import M
from bench.detection.ours import RankSetup, rank_alarms
from bench.detection.seeds import SEED
from bench.detection.streams import Case
from stream_monitor.core.baseline.dependence import design_effect, numeric_scores
from stream_monitor.core.detectors import Mixture, RankShiryaevRoberts, SeriesReference
from stream_monitor.core.grid import build_numeric_grid, spacings
from stream_monitor.lab.counts import draw_masses, pane_counts
from stream_monitor.lab.generators import Autoregressive


def dependence(size: int) -> list[Outcome]:
    """Return false alarms of autocorrelated streams with the automatic design effect of 200 panes."""
    found = []
    for rho in (0.0, 0.3, 0.5, 0.8):
        for n in (10, 50):
            case = Case("", Autoregressive(rho), rows=5_000, reference=200 * n)
            streams = case.draw(400 * size, seed=SEED + 150_000 + int(1_000 * rho) + n)
            alarms = rank_alarms(streams, RankSetup(n, 1e5, tempered=True, stops=True), seed=SEED)
            goal = f"AR(1) {rho:g}, panes of {n}, automatic d: P(alarm in 5,000) <= .05"
            found.append(share_at_most(goal, sum(map(bool, alarms)), len(alarms), 0.05))
    return found


def independence(size: int) -> list[Outcome]:
    """Return how often independent streams are taken as such."""
    streams = 400 * size
    kept = sum(_looks_independent(np.random.default_rng([SEED, 8, i])) for i in range(streams))
    share = kept / streams
    return [Outcome("d = 1 in at least 95 % of independent series", f"{share:.1%} of {streams:,}", share >= 0.95)]


def strata(size: int) -> list[Outcome]:
    """Return false alarms of a series whose law differs from hour to hour, with a reference of 255 values an hour."""
    hours, m, n, panes, budget, streams = 24, 255, 50, 90, 300, 200 * size
    rng = np.random.default_rng([SEED, 15])
    masses = [draw_masses(spacings(m), rng, streams) for _ in range(hours)]
    group = RankShiryaevRoberts(Mixture.for_events(n), strata=hours).build(m)
    rows = np.array([group.add(*[SeriesReference(spacings(m))] * hours) for _ in range(streams)])
    alarmed = np.zeros(streams, dtype=np.bool_)
    for pane in range(panes):
        hour = pane % hours
        counts = pane_counts(masses[hour], events=n, panes=1, generator=rng)[0]
        alarmed |= group.step(rows, counts, hour) >= math.log(budget)
    bound = panes / budget
    goal = f"a series with {hours} strata: P(alarm in {panes} panes), A = {budget} <= {bound:g}"
    return [share_surely_at_most(goal, int(alarmed.sum()), streams, bound)]


def _looks_independent(rng: np.random.Generator) -> bool:
    reference = rng.standard_normal(M)
    grid, _ = build_numeric_grid(reference, rng.permutation(M).astype(np.uint64), rng.integers(0, 2**53, M))
    bins = grid.assign(reference, rng.integers(0, 2**53, M))
    return design_effect(bins, numeric_scores(spacings(M))).value == 1.0
