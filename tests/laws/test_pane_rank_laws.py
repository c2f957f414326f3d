"""One rank a pane: exact for any dependence inside panes, and honest about dependence between them."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import numpy as np
import pytest
from scipy.signal import lfilter

from stream_monitor.core.arrays import Float64, Int64
from stream_monitor.core.detectors import PaneRank, SeriesReference
from stream_monitor.core.detectors.pane_rank import REFERENCE_PANES, PaneRankGroup
from stream_monitor.core.grid import NumericGrid, build_numeric_grid, spacings

M, JUDGED, BUDGET_EVENTS = 1023, 5000, 1e5


def panes_of(values: Float64, n: int, rng: np.random.Generator) -> Int64:
    """Counts of panes of n values each, against a baseline of independent normal values."""
    grid, _ = build_numeric_grid(rng.standard_normal(M), rng.integers(0, 2**63, M).astype(np.uint64), np.arange(M))
    bins = grid.assign(values, rng.integers(0, 2**53, values.size)).reshape(-1, n)
    return np.array([np.bincount(pane, minlength=grid.bins) for pane in bins])


def autocorrelated(rho: float, size: int, rng: np.random.Generator) -> Float64:
    values: Float64 = lfilter([1.0], [1.0, -rho], rng.standard_normal(size + 500) * np.sqrt(1.0 - rho * rho))[500:]
    return values


class Seen(NamedTuple):
    """Share of streams that alarmed, events to the alarm (infinite for none), and what was promised."""

    alarmed: float
    delays: Float64
    promises: Counter[str]


def seen(rho: float, n: int, *, streams: int, shift: float = 0.0) -> Seen:
    """Judge 5,000 events of each stream after its 255 panes."""
    rng = np.random.default_rng(5)
    group = PaneRank().build(M)
    rows = np.array([group.add(SeriesReference(spacings(M))) for _ in range(streams)])
    quiet, judged = REFERENCE_PANES * n, JUDGED
    panes = []
    for _ in range(streams):
        values = autocorrelated(rho, quiet + judged, rng)
        values[quiet:] += shift
        panes.append(panes_of(values, n, rng))
    first = np.full(streams, np.inf)
    for pane, counts in enumerate(np.stack(panes, axis=1), 1 - REFERENCE_PANES):
        alarms = group.step(rows, counts) >= np.log(BUDGET_EVENTS / n)
        first[alarms & np.isinf(first)] = pane * n
    return Seen(float(np.isfinite(first).mean()), first, Counter(group.promise(row) for row in rows.tolist()))


@pytest.mark.parametrize(("rho", "n"), [(0.0, 50), (0.5, 50), (0.5, 10)])
def test_dependence_inside_panes_costs_no_false_alarms(rho: float, n: int) -> None:
    """At most one in twenty streams alarms in 5,000 events of a budget of 100,000, without any tempering of events."""
    found = seen(rho, n, streams=60)

    assert found.alarmed <= 0.05
    assert found.promises["bound_panes"] >= 50 or n == 10


def test_dependence_across_panes_is_seen_and_told() -> None:
    """Values that depend on each other for a pane's length: nine in ten streams say that the bound does not hold."""
    found = seen(0.9, 10, streams=40)

    assert found.promises["bound_panes"] <= 4
    assert found.alarmed <= 0.1


def test_a_shift_of_half_a_standard_deviation_is_found_in_some_panes() -> None:
    """AR(1) with rho = .5 in panes of 50: half of the streams alarm within 300 events."""
    assert np.median(seen(0.5, 50, streams=30, shift=0.5).delays) <= 300


def learnt(group: PaneRankGroup, row: int) -> Int64:
    """Counts that the null of a row's ranks has learnt."""
    inner = int(group._rows.ints["rank_row"][row])
    found: Int64 = group._ranks._rows.ints["alpha"][inner, 0] - spacings(63)
    return found


@pytest.mark.parametrize("values", [2, 5, 34], ids=lambda values: f"{values} values")
def test_the_next_pane_falls_into_a_bin_by_its_spacings(values: int) -> None:
    """Panes of equal events, dependence at its worst, and nearly all of them ties: ranks are fair all the same."""
    rng = np.random.default_rng(2)
    later, series = 8, 400
    group = PaneRank(63).build(63)
    rows = np.array([group.add(SeriesReference(spacings(63) + i)) for i in range(series)])
    for _ in range(63 + later):
        counts = np.zeros((series, spacings(63).size), dtype=np.int64)
        counts[np.arange(series), rng.integers(0, values, series) * (34 // values)] = 30
        group.step(rows, counts)
    independent = [row for row in rows.tolist() if group.design_effect(row).value == 1.0]
    found = sum(learnt(group, row) for row in independent)
    expected = len(independent) * later * spacings(63) / 64.0
    inflation = (64 + later) / 65

    assert len(independent) > 0.95 * series
    assert float(((found - expected) ** 2 / expected).sum() / (expected.size - 1) / inflation) < 1.7


def test_grids_are_those_of_the_reference() -> None:
    """Edges are order statistics of the panes' own means: layout and size follow from the number of panes alone."""
    group = PaneRank(63).build(63)
    row = group.add(SeriesReference(spacings(63)))
    rng = np.random.default_rng(4)
    assert group.warming_up(row)
    for _ in range(63):
        group.step(np.array([row]), rng.multinomial(20, spacings(63) / 64.0)[None])

    assert not group.warming_up(row)
    assert isinstance(group._grid(row), NumericGrid)
    assert group._grid(row).has_standard_layout


def test_what_a_change_taught_is_forgotten_pane_by_pane() -> None:
    """Forgetting the events of the last panes takes their ranks out, and nothing else."""
    rng = np.random.default_rng(6)
    panes = rng.multinomial(20, spacings(63) / 64.0, size=80)
    whole, cut = PaneRank(63).build(63), PaneRank(63).build(63)
    for group in (whole, cut):
        group.add(SeriesReference(spacings(63)))
    for pane in panes[:75]:
        cut.step(np.array([0]), pane[None])
    for pane in panes:
        whole.step(np.array([0]), pane[None])
    whole.forget(0, panes[75:].sum(axis=0))

    assert learnt(whole, 0).tolist() == learnt(cut, 0).tolist()
