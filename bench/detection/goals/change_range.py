"""The range of the change point: how often it holds the true one."""

from __future__ import annotations

import math

import numpy as np

from bench.detection.goals.outcome import Outcome
from bench.detection.goals.simulation import M, rank_group
from bench.detection.seeds import SEED
from stream_monitor.core.grid import spacings
from stream_monitor.lab.counts import draw_masses, drifted, pane_counts

_QUIET, _CHANGED = 100, 4_000  # panes before the change, events after it


def change_ranges(size: int) -> list[Outcome]:
    """Return how often the 90 % range of the change point holds it."""
    found = []
    for n in (10, 50):
        for shift in (0.25, 0.5, 1.0):
            held, told = _ranges(n, shift, 150 * size, np.random.default_rng([SEED, 16, n, int(100 * shift)]))
            goal = f"90 % range of the change point, {shift:g} σ, panes of {n}: coverage >= .85"
            found.append(Outcome(goal, f"{held / told:.3f} of {told}", held >= 0.85 * told))
    return found


def _ranges(n: int, shift: float, streams: int, rng: np.random.Generator) -> tuple[int, int]:
    """Return how many ranges held the change, and how many streams told one after it."""
    masses = draw_masses(spacings(M), rng, streams)
    panes = np.concatenate(
        [
            pane_counts(masses, events=n, panes=_QUIET, generator=rng),
            pane_counts(drifted(masses, shift=shift), events=n, panes=_CHANGED // n, generator=rng),
        ]
    )
    group, rows = rank_group(n, M, streams)
    live, held, told = np.arange(streams), 0, 0
    for i, counts in enumerate(panes):
        alarmed = np.flatnonzero(group.step(rows[live], counts[live]) >= math.log(1e5 / n))
        for stream in live[alarmed].tolist() if i >= _QUIET else ():
            found = group.change_range(int(rows[stream]), panes[: i + 1, stream])
            held += found.first <= _QUIET <= found.last
            told += 1
        live = np.delete(live, alarmed)
        if not live.size:
            break
    return held, told
