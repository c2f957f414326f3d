"""Monte-Carlo p-values of the comparisons: uniform without drift."""

from __future__ import annotations

import numpy as np
from scipy.stats import kstest

from bench.detection.goals.outcome import Outcome
from bench.detection.goals.simulation import M
from bench.detection.seeds import SEED
from stream_monitor.core.arrays import Int64
from stream_monitor.core.comparisons import Comparison, Reference, comparison
from stream_monitor.core.comparisons.monte_carlo import DRAWS, null_windows, p_value
from stream_monitor.core.grid import spacings
from stream_monitor.lab.counts import draw_masses, pane_counts

_MEASURES = ("psi", "jensen_shannon", "hellinger")
_REFERENCES, _WINDOWS = 100, 40
"""4,000 windows. Each reference has null draws of its own: one set of them would share its chance error with all."""


def p_values(_size: int) -> list[Outcome]:
    """Return whether a Kolmogorov-Smirnov test takes the p-values of 4,000 undrifted windows for uniform."""
    found = []
    for n in (50, 500, 5_000):
        rng = np.random.default_rng([SEED, 10, n])
        values: dict[str, list[float]] = {name: [] for name in _MEASURES}
        for _ in range(_REFERENCES):
            seen = spacings(M) + pane_counts(draw_masses(spacings(M), rng), events=500, panes=1, generator=rng)[0]
            windows = pane_counts(draw_masses(seen, rng, _WINDOWS), events=n, panes=1, generator=rng)[0]
            for name, own in values.items():
                own += _p_values(comparison(name), Reference(seen), windows)
        for name, own in values.items():
            p = float(kstest(own, "uniform").pvalue)
            goal = f"p-values of {name}, windows of {n:,}: uniform, p > .001 over 4,000"
            found.append(Outcome(goal, f"p = {p:.3f}", p > 0.001))
    return found


def _p_values(measure: Comparison, reference: Reference, windows: Int64) -> list[float]:
    """Return what `p_value` gives for each window, from one drawing of the null windows, and see that it is that."""
    null = np.sort(measure.distances(reference, null_windows(reference, int(windows[0].sum()))))
    below = np.searchsorted(null, measure.distances(reference, windows), side="left")
    found: list[float] = ((1 + DRAWS - below) / (DRAWS + 1)).tolist()
    if found[0] != p_value(measure, reference, windows[0]):
        raise AssertionError(f"{measure.name}: p_value is no longer what is measured here")
    return found
