"""The proven effect: a lower bound of the true gap that is right at every look."""

from __future__ import annotations

import numpy as np

from bench.detection.goals.outcome import Outcome
from bench.detection.seeds import SEED
from stream_monitor.core.comparisons import Reference
from stream_monitor.core.grid import spacings
from stream_monitor.core.names import SeriesKind
from stream_monitor.core.rules import EffectWindow, measure
from stream_monitor.lab.counts import draw_masses, drifted, pane_counts

_LOOKS, _PANE = 40, 50


def proven(size: int) -> list[Outcome]:
    """Return the share of episodes in which the bound of any of 40 looks exceeds the true gap; half of the episodes
    have no change, half one of .25 σ.
    """
    bound = measure("kolmogorov_smirnov_proven")
    found = []
    for m in (1_023, 16_383):
        rng = np.random.default_rng([SEED, 9, m])
        wrong, runs = 0, 100 * size
        for run in range(runs):
            before = draw_masses(spacings(m), rng)
            after = drifted(before, shift=0.25 * (run % 2))
            gap = float(np.abs(after.cumsum() - before.cumsum()).max())
            seen = pane_counts(after, events=_PANE, panes=_LOOKS, generator=rng).cumsum(axis=0)
            wrong += any(bound.value(_window(counts, m)) > gap + 1e-12 for counts in seen)
        words = f"{wrong} of {runs}"
        found.append(Outcome(f"proven effect, m = {m:,}: too large in <= 1 % of runs", words, wrong <= 0.01 * runs))
    return found


def _window(counts: np.typing.NDArray[np.int64], m: int) -> EffectWindow:
    return EffectWindow("m", "", "", "s", SeriesKind.NUMERIC, None, Reference(spacings(m)), counts, 1, 0, 1)
