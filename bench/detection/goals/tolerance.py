"""The tolerance detector: silent below its tolerance, quick above it."""

from __future__ import annotations

import math

import numpy as np

from bench.detection.goals.outcome import Outcome, median_at_most
from bench.detection.goals.simulation import first_alarms
from bench.detection.seeds import SEED
from stream_monitor.core.detectors import SeriesReference, ToleranceShiryaevRoberts
from stream_monitor.core.grid import spacings
from stream_monitor.lab.counts import draw_masses, drifted, pane_counts


def tolerance(size: int) -> list[Outcome]:
    """Return false alarms below and delays above a tolerance of .02, panes of 1,000, a reference of 20,479."""
    found = []
    for shift in (0.0, 0.05):
        streams = 20 * size
        first = _tolerance_alarms(shift, panes=1_000, streams=streams, seed=SEED + 180_000 + int(1_000 * shift))
        alarmed = sum(t is not None for t in first)
        words = f"{alarmed} of {streams} streams alarm"
        found.append(Outcome(f"tolerance .02: no alarm in 1e6 events at {shift:g} σ", words, not alarmed))
    late = _tolerance_alarms(0.25, panes=40, streams=200 * size, seed=SEED + 180_250)
    panes = [math.inf if t is None else float(t) for t in late]
    return [*found, median_at_most("tolerance .02: 0.25 σ within 3 panes of 1,000", panes, 3)]


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
