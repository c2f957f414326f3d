"""What a step of the rank detector costs, and how large its state is."""

from __future__ import annotations

import time

import numpy as np

from bench.detection.goals.outcome import Outcome
from bench.detection.seeds import SEED
from stream_monitor.core.arrays import Int64, Intp
from stream_monitor.core.detectors import DetectorGroup, Mixture, RankShiryaevRoberts, SeriesReference
from stream_monitor.core.grid import spacings
from stream_monitor.lab.counts import draw_masses, pane_counts

_SERIES, _PANES, _MOST_US, _MOST_BYTES = 100, 30, 150.0, 2_048


def cost(size: int) -> list[Outcome]:
    """Return time and bytes per series, in groups of a hundred over 1,023 reference values; portable arithmetic."""
    found = []
    for n in (10, 100, 1_000):
        layout, rng = spacings(1_023), np.random.default_rng(SEED)
        group = RankShiryaevRoberts(Mixture.for_events(n)).build(1_023)
        rows = np.array([group.add(SeriesReference(layout)) for _ in range(_SERIES)])
        panes = pane_counts(draw_masses(layout, rng, _SERIES), events=n, panes=_PANES, generator=rng)
        best = min(_seconds(group, rows, panes) for _ in range(3 * size))
        spent = best / _PANES / _SERIES * 1e6
        found.append(
            Outcome(f"a step, panes of {n:,}: <= {_MOST_US:g} µs a series", f"{spent:.0f} µs of CPU", spent <= _MOST_US)
        )
        state = len(group.dump()) / _SERIES
        found.append(
            Outcome(f"state, panes of {n:,}: <= {_MOST_BYTES:,} bytes a series", f"{state:,.0f}", state <= _MOST_BYTES)
        )
    return found


def _seconds(group: DetectorGroup, rows: Intp, panes: Int64) -> float:
    started = time.process_time()
    for pane in panes:
        group.step(rows, pane)
    return time.process_time() - started
