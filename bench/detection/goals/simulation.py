"""Simulated panes of counts: bin masses are Dirichlet for every law, so that ranks need no values."""

from __future__ import annotations

import math

import numpy as np

from stream_monitor.core.arrays import Float64, Int64, Intp
from stream_monitor.core.detectors import DetectorGroup, Mixture, RankShiryaevRoberts, SeriesReference
from stream_monitor.core.grid import spacings
from stream_monitor.lab.counts import pane_counts

M = 1_023
"""Reference values behind a grid."""


def rank_group(n: int, m: int, streams: int) -> tuple[DetectorGroup, Intp]:
    """Return rank detectors for panes of n events over m reference values, and their rows."""
    group = RankShiryaevRoberts(Mixture.for_events(n)).build(m)
    return group, np.array([group.add(SeriesReference(spacings(m))) for _ in range(streams)])


def first_alarms(
    group: DetectorGroup,
    rows: Intp,
    masses: Float64,
    *,
    n: int,
    panes: int,
    log_threshold: float,
    rng: np.random.Generator,
) -> list[int | None]:
    """Return the pane of the first alarm of each row, whose panes of n events have these bin masses."""
    first: list[int | None] = [None] * rows.size
    live = np.arange(rows.size)
    for pane in range(1, panes + 1):
        counts: Int64 = pane_counts(masses[live], events=n, panes=1, generator=rng)[0]
        alarmed = np.flatnonzero(group.step(rows[live], counts) >= log_threshold)
        for place in alarmed.tolist():
            first[live[place]] = pane
        if alarmed.size:
            live = np.delete(live, alarmed)
            if not live.size:
                break
    return first


def alarm_panes(
    group: DetectorGroup, rows: Intp, masses: Float64, *, n: int, panes: int, budget: int, rng: np.random.Generator
) -> list[list[int]]:
    """Return the panes of all alarms of each row; after an alarm the detector restarts."""
    found: list[list[int]] = [[] for _ in rows]
    for pane in range(1, panes + 1):
        log_m = group.step(rows, pane_counts(masses, events=n, panes=1, generator=rng)[0])
        for place in np.flatnonzero(log_m >= math.log(budget)).tolist():
            found[place].append(pane)
            group.restart(int(rows[place]))
    return found
