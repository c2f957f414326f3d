"""The tolerance detector: silent below its tolerance, quick above it."""

from __future__ import annotations

import math

import numpy as np

from bench.detection.goals.outcome import Outcome
from bench.detection.goals.simulation import first_alarms
from bench.detection.tables import SEED
from stream_monitor.core.detectors import SeriesReference, ToleranceShiryaevRoberts
from stream_monitor.core.grid import spacings
from stream_monitor.lab.counts import draw_masses, drifted, pane_counts


def tolerance(size: int) -> list[Outcome]:
    """Return false alarms below and delays above a tolerance of .02, panes of 1,000, a reference of 20,479."""
    found = []
    for shift, goal in ((0.0, None), (0.05, None), (0.25, 3)):
        panes, streams = (1_000, 5 * size) if goal is None else (40, 25)
        first = _tolerance_alarms(shift, panes=panes, streams=streams, seed=SEED + 180_000 + int(1_000 * shift))
        alarmed = [t for t in first if t is not None]
        if goal is None:
            words = f"{len(alarmed)} alarms in {streams} streams"
            found.append(Outcome(f"tolerance .02: no alarm in 1e6 events at {shift:g} σ", words, not alarmed))
        else:
            median = sorted(math.inf if t is None else t for t in first)[len(first) // 2]
            found.append(Outcome(f"tolerance .02: {shift:g} σ within {goal} panes", f"{median:.0f}", median <= goal))
    return found


def _tolerance_alarms(shift: float, *, panes: int, streams: int, seed: int) -> list[int | None]:
    m, rows = 16_383, 20_479
    rng = np.random.default_rng(seed)
    layout = spacings(m)
    masses = draw_masses(layout, rng, streams)
    group = ToleranceShiryaevRoberts(0.02).build(m)
    seen = pane_counts(masses, events=rows - m, panes=1, generator=rng)[0]
    where = np.array([group.add(SeriesReference(layout + extra)) for extra in seen])
    after = drifted(masses, shift=shift)
    return first_alarms(group, where, after, n=1_000, panes=panes, log_threshold=math.log(1e4), rng=rng)
