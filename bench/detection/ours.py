"""Our detectors on the streams of the tables, many streams at once."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from bench.detection.streams import Streams
from stream_monitor.core.arrays import Int64
from stream_monitor.core.baseline.dependence import design_effect, numeric_scores
from stream_monitor.core.detectors import (
    DetectorGroup,
    IntervalBernoulli,
    Mixture,
    RankShiryaevRoberts,
    SeriesReference,
)
from stream_monitor.core.grid import NumericGrid, build_numeric_grid, spacings


@dataclass(frozen=True, slots=True)
class RankSetup:
    """RankShiryaevRoberts as a bench runs it.

    Attributes:
        pane: events of a pane.
        budget_events: events to one expected false alarm; A is this over the pane.
        tempered: the design effect is estimated on the reference, in its order.
        stops: only the first alarm counts; the others cost time.
    """

    pane: int
    budget_events: float
    tempered: bool = False
    stops: bool = False

    @property
    def log_threshold(self) -> float:
        """Ln A, of one series with the whole budget."""
        return math.log(self.budget_events / self.pane)


def rank_alarms(streams: Streams, setup: RankSetup, *, seed: int) -> list[list[int]]:
    """Return the rows seen at each alarm of each stream; after an alarm the detector restarts."""
    rng = np.random.default_rng(seed)
    grids = [_grid(reference, rng) for reference in streams.references]
    group = RankShiryaevRoberts(Mixture.for_events(setup.pane)).build(grids[0][0].m)
    rows = []
    for (grid, seen), reference in zip(grids, streams.references, strict=True):
        d = _design_effect(grid, reference, rng) if setup.tempered else 1.0
        rows.append(group.add(SeriesReference(spacings(grid.m) + seen, design_effect=d)))
    ties = rng.integers(0, 2**53, streams.values.shape)
    bins = np.array(
        [grid.assign(v, t) for (grid, _), v, t in zip(grids, streams.values, ties, strict=True)], dtype=np.int64
    )
    return _alarms(group, np.array(rows), bins, grids[0][0].bins, setup)


def bernoulli_alarms(streams: Streams, *, pane: int, budget_events: float, miss: float = 1e-3) -> list[list[int]]:
    """Return the rows seen at each alarm of the interval Bernoulli test on zeros and ones."""
    group = IntervalBernoulli(miss=miss).build(2)
    rows = [
        group.add(SeriesReference(np.bincount(reference.astype(np.int64), minlength=2)))
        for reference in streams.references
    ]
    setup = RankSetup(pane, budget_events)
    return _alarms(group, np.array(rows), streams.values.astype(np.int64), 2, setup)


def _alarms(
    group: DetectorGroup, rows: np.typing.NDArray[np.intp], bins: Int64, width: int, setup: RankSetup
) -> list[list[int]]:
    found: list[list[int]] = [[] for _ in rows]
    live = np.arange(rows.size)
    for start in range(0, bins.shape[1] - setup.pane + 1, setup.pane):
        counts = _counts(bins[live, start : start + setup.pane], width)
        alarmed = np.flatnonzero(group.step(rows[live], counts) >= setup.log_threshold)
        for place in alarmed.tolist():
            found[live[place]].append(start + setup.pane)
            group.restart(int(rows[live[place]]))
        if setup.stops and alarmed.size:
            live = np.delete(live, alarmed)
            if not live.size:
                break
    return found


def _counts(bins: Int64, width: int) -> Int64:
    streams = bins.shape[0]
    flat = (bins + np.arange(streams)[:, None] * width).ravel()
    return np.bincount(flat, minlength=streams * width).reshape(streams, width)


def _grid(reference: np.typing.NDArray[np.float64], rng: np.random.Generator) -> tuple[NumericGrid, Int64]:
    select = rng.permutation(reference.size).astype(np.uint64)
    return build_numeric_grid(reference, select, rng.integers(0, 2**53, reference.size))


def _design_effect(grid: NumericGrid, reference: np.typing.NDArray[np.float64], rng: np.random.Generator) -> float:
    bins = grid.assign(reference, rng.integers(0, 2**53, reference.size))
    return design_effect(bins, numeric_scores(spacings(grid.m))).value
