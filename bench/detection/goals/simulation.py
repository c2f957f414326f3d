"""Simulated panes of counts: bin masses are Dirichlet for every law, so that ranks need no values."""

from __future__ import annotations

import math

import numpy as np

from stream_monitor.core.arrays import Float64, Int64, Intp
from stream_monitor.core.detectors import DetectorGroup, Mixture, RankShiryaevRoberts, SeriesReference
from stream_monitor.core.grid import spacings
from stream_monitor.lab.counts import draw_masses, drifted, pane_counts

M = 1_023
"""Reference values behind a grid."""


def rank_first_alarms(n: int, budget: int, *, panes: int, streams: int, seed: int) -> list[float | None]:
    """Return the pane of the first alarm of each stream of panes of n events without drift, at A = `budget` panes."""
    rng = np.random.default_rng(seed)
    layout = spacings(M)
    masses = draw_masses(layout, rng, streams)
    group = RankShiryaevRoberts(Mixture.for_events(n)).build(M)
    rows = np.array([group.add(SeriesReference(layout)) for _ in range(streams)])
    return list(first_alarms(group, rows, masses, n=n, panes=panes, log_threshold=math.log(budget), rng=rng))


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


def rank_alarm_panes(n: int, budget: int, *, panes: int, streams: int, seed: int) -> list[list[int]]:
    """Return the panes of all alarms of each stream without drift; after an alarm the detector restarts."""
    rng = np.random.default_rng(seed)
    layout = spacings(M)
    masses = draw_masses(layout, rng, streams)
    group = RankShiryaevRoberts(Mixture.for_events(n)).build(M)
    rows = np.array([group.add(SeriesReference(layout)) for _ in range(streams)])
    found: list[list[int]] = [[] for _ in range(streams)]
    for pane in range(1, panes + 1):
        log_m = group.step(rows, pane_counts(masses, events=n, panes=1, generator=rng)[0])
        for place in np.flatnonzero(log_m >= math.log(budget)).tolist():
            found[place].append(pane)
            group.restart(int(rows[place]))
    return found


def panes_to_alarm(shift: float, *, n: int, budget: int, streams: int, seed: int) -> list[float]:
    """Return panes to the alarm of a shift after twenty panes without one, infinite for a miss."""
    rng = np.random.default_rng(seed)
    layout = spacings(M)
    masses = draw_masses(layout, rng, streams)
    group = RankShiryaevRoberts(Mixture.for_events(n)).build(M)
    rows = np.array([group.add(SeriesReference(layout)) for _ in range(streams)])
    for _ in range(20):
        group.step(rows, pane_counts(masses, events=n, panes=1, generator=rng)[0])
    for row in rows.tolist():
        group.restart(row)
    after = drifted(masses, shift=shift)
    first = first_alarms(group, rows, after, n=n, panes=100, log_threshold=math.log(budget), rng=rng)
    return [math.inf if t is None else float(t) for t in first]
