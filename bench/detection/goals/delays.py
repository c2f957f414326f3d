"""How quickly changes are found: against the oracle, in panes, and of other shapes.

A delay counts from the last row before the change, of streams that were silent until then.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from bench.detection import oracle
from bench.detection.goals import simulation
from bench.detection.goals.outcome import Outcome, median_at_most
from bench.detection.ours import RankSetup, rank_alarms
from bench.detection.seeds import SEED
from bench.detection.streams import CHANGE, SHAPES, SHIFTS, delays, first_alarms
from stream_monitor.core.grid import spacings
from stream_monitor.lab.counts import draw_masses, drifted, pane_counts
from stream_monitor.lab.scores.delay import quantile

_QUIET = 20
"""Panes before the change, in panes of 1,000 events."""


def delays_one_by_one(size: int) -> list[Outcome]:
    """Return median delays at panes of one event and a budget of 100,000, over those of the oracle."""
    found = []
    for place, (case, shift) in enumerate(zip(SHIFTS, (0.25, 0.5, 1.0), strict=True)):
        streams = case.draw(200 * size, seed=SEED + 50_000 + 5_000 * place)
        late = delays(first_alarms(rank_alarms(streams, RankSetup(1, 1e5, stops=True), seed=SEED)), change=CHANGE)
        known = oracle.first_alarms(streams.values, shift=shift, run_length=1e5)
        best = quantile(sorted(delays(known, change=CHANGE)), 0.5)
        told = median_at_most(f"{shift:g} σ, single events: delay <= 1.5 x oracle", late, 1.5 * best)
        ratio = quantile(sorted(late), 0.5) / best
        found.append(replace(told, measured=f"{ratio:.2f}; {told.measured}, the oracle {best:.0f}"))
    return found


def delays_in_panes(size: int) -> list[Outcome]:
    """Return median delays at panes of 50, and of 1,000 with references of 1,023 to 65,535 values."""
    found = []
    for place, (case, most) in enumerate(zip(SHIFTS, (350, 100, 50), strict=True)):
        streams = case.draw(300 * size, seed=SEED + 70_000 + 5_000 * place)
        late = delays(first_alarms(rank_alarms(streams, RankSetup(50, 1e5, stops=True), seed=SEED)), change=CHANGE)
        found.append(median_at_most(f"{case.name}, panes of 50: delay <= {most}", late, most))
    for shift, most in ((0.25, 1), (0.05, 6)):
        for m in (1_023, 4_095, 16_383, 65_535):
            panes = _panes_to_alarm(shift, m=m, streams=400 * size)
            found.append(
                median_at_most(f"{shift:g} σ, panes of 1,000, A = 100, m = {m:,}: panes <= {most}", panes, most)
            )
    return found


def _panes_to_alarm(shift: float, *, m: int, streams: int) -> list[float]:
    """Return panes of 1,000 events from a shift to the alarm, at A = 100 panes."""
    rng = np.random.default_rng([SEED, 6, m])
    masses = draw_masses(spacings(m), rng, streams)
    group, rows = simulation.rank_group(1_000, m, streams)
    quiet = np.zeros(streams, dtype=np.bool_)
    for _ in range(_QUIET):
        quiet |= group.step(rows, pane_counts(masses, events=1_000, panes=1, generator=rng)[0]) >= math.log(100)
    silent = np.flatnonzero(~quiet)
    after = drifted(masses[silent], shift=shift)
    first = simulation.first_alarms(group, rows[silent], after, n=1_000, panes=60, log_threshold=math.log(100), rng=rng)
    return [math.inf if t is None else float(t) for t in first]


def shapes(size: int) -> list[Outcome]:
    """Return median delays of a wider spread and of two humps with equal moments, event by event."""
    found = []
    for place, case in enumerate(case for case in SHAPES if case.name in {"sd x1.25", "equal moments, bimodal"}):
        streams = case.draw(200 * size, seed=SEED + 110_000 + 5_000 * place)
        late = delays(first_alarms(rank_alarms(streams, RankSetup(1, 1e5, stops=True), seed=SEED)), change=CHANGE)
        found.append(median_at_most(f"{case.name}, single events: delay <= 200", late, 200))
    return found
