"""The range of the change point: how often it holds the true one."""

from __future__ import annotations

import math

import numpy as np

from bench.detection.goals.outcome import Outcome
from bench.detection.goals.simulation import M
from bench.detection.tables import SEED
from stream_monitor.core.detectors import Mixture, RankShiryaevRoberts, SeriesReference
from stream_monitor.core.grid import spacings
from stream_monitor.lab.counts import draw_masses, drifted, pane_counts


def change_ranges(size: int) -> list[Outcome]:
    """Return how often the 90 % range of the change point holds it."""
    found = []
    for n in (10, 50):
        for shift in (0.25, 0.5, 1.0):
            hits = [_range_holds(n, shift, SEED + 190_000 + i) for i in range(80 * size)]
            told = [hit for hit in hits if hit is not None]
            share = sum(told) / len(told)
            words = f"{share:.2f} of {len(told)}"
            found.append(
                Outcome(
                    f"90 % range of the change point, {shift:g} σ, panes of {n}: coverage >= .85", words, share >= 0.85
                )
            )
    return found


def _range_holds(n: int, shift: float, seed: int) -> bool | None:
    rng = np.random.default_rng(seed)
    layout = spacings(M)
    masses = draw_masses(layout, rng)
    before, after = 100, 4_000 // n
    panes = np.concatenate(
        [
            pane_counts(masses, events=n, panes=before, generator=rng),
            pane_counts(drifted(masses, shift=shift), events=n, panes=after, generator=rng),
        ]
    )
    group = RankShiryaevRoberts(Mixture.for_events(n)).build(M)
    row = np.array([group.add(SeriesReference(layout))])
    threshold = math.log(1e5 / n)
    for i, pane in enumerate(panes):
        if group.step(row, pane[None])[0] >= threshold:
            if i < before:
                return None
            found = group.change_range(int(row[0]), panes[: i + 1])
            return found.first <= before <= found.last
    return None
