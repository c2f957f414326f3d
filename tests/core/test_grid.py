"""The grid: layout, edges and counting, against a naive oracle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_monitor.core.arrays import Float64, Int64
from stream_monitor.core.grid import NumericGrid, build_numeric_grid, reference_size, spacings

LAYOUT_OF_63 = [1, 1, *[2] * 30, 1, 1]

BIG_TIE = (1 << 53) - 1

awkward = st.sampled_from(
    [0.0, -0.0, 5e-324, -5e-324, 2.2250738585072014e-308, 1.0, -1.0, 2.0, 0.5, 999.0, 1000.0, 1001.0, -1000.0, 1.5e308]
)
floats = st.floats(allow_nan=False, allow_infinity=False)
small_integers = st.integers(-1100, 1100).map(float)
few_atoms = st.integers(0, 4).map(float)
halves = st.integers(-30, 30).map(lambda k: k / 2)
ties = st.sampled_from([0, 1, 2, BIG_TIE - 1, BIG_TIE]) | st.integers(0, BIG_TIE)


def pairs(values: st.SearchStrategy[float], least: int, most: int) -> st.SearchStrategy[list[tuple[float, int]]]:
    return st.lists(st.tuples(values, ties), min_size=least, max_size=most)


@st.composite
def grids_and_rows(draw: st.DrawFn) -> tuple[NumericGrid, Float64, Int64]:
    """Draw a grid of 63 reference values and rows that often hit its edges."""
    values = draw(st.sampled_from([floats, awkward, small_integers, few_atoms, halves, awkward | floats]))
    sample = sorted(draw(pairs(values, 63, 63)))
    ranks = spacings(63).cumsum()[:-1] - 1
    edges = [sample[rank] for rank in ranks]
    grid = NumericGrid(63, np.array([e[0] for e in edges]), np.array([e[1] for e in edges]))
    rows = draw(pairs(values | halves | st.sampled_from([e[0] for e in edges]), 0, 40)) + draw(
        st.lists(st.sampled_from(edges))
    )
    return grid, np.array([r[0] for r in rows], np.float64), np.array([r[1] for r in rows], np.int64)


def naive_bins(grid: NumericGrid, values: Float64, row_ties: Int64) -> list[int]:
    edges = list(zip(grid.edges.tolist(), grid.ties.tolist(), strict=True))
    return [sum(edge <= row for edge in edges) for row in zip(values.tolist(), row_ties.tolist(), strict=True)]


@given(grids_and_rows())
def test_a_row_falls_into_the_bin_of_the_edges_below_it(case: tuple[NumericGrid, Float64, Int64]) -> None:
    """The bin of a pair is the number of edges at or below it, whatever the ties, signs of zero and sizes."""
    grid, values, row_ties = case

    assert naive_bins(grid, values, row_ties) == grid.assign(values, row_ties).tolist()


@given(grids_and_rows())
def test_counting_a_column_is_counting_its_rows(case: tuple[NumericGrid, Float64, Int64]) -> None:
    """The sorted count equals the count of single rows."""
    grid, values, row_ties = case
    expected = np.bincount(naive_bins(grid, values, row_ties), minlength=grid.bins) if values.size else [0] * grid.bins

    assert list(expected) == grid.count(values, row_ties).tolist()


@given(grids_and_rows(), st.integers(1, 5))
def test_nan_falls_into_no_bin(case: tuple[NumericGrid, Float64, Int64], missing: int) -> None:
    """NaN is no value: a column with missing values counts like one without them."""
    grid, values, row_ties = case
    padded = np.append(values, [np.nan] * missing)
    padded_ties = np.append(row_ties, [7] * missing)

    assert grid.count(values, row_ties).tolist() == grid.count(padded, padded_ties).tolist()


@given(pairs(floats | few_atoms | awkward, 63, 200), st.sampled_from([1 << 63, 40, 2]))
def test_a_reference_fills_its_grid_in_any_order(rows: list[tuple[float, int]], hashes: int) -> None:
    """The sample makes the edges, the others are seen, and row order is nothing: even if events are there twice."""
    rng = np.random.default_rng(len(rows))
    values = np.array([r[0] for r in rows])
    row_ties = np.array([r[1] for r in rows], np.int64)
    select = rng.integers(0, hashes, len(rows)).astype(np.uint64)
    order = rng.permutation(len(rows))

    grid, seen = build_numeric_grid(values, select, row_ties)
    again, seen_again = build_numeric_grid(values[order], select[order], row_ties[order])

    assert (grid.edges.tolist(), grid.ties.tolist(), seen.tolist()) == (
        again.edges.tolist(),
        again.ties.tolist(),
        seen_again.tolist(),
    )
    assert len(rows) == reference_size(len(rows)) + seen.sum()


@pytest.mark.parametrize(
    ("atoms", "unit"),
    [
        pytest.param(40, 1.0, id="integers"),
        pytest.param(1, 1.0, id="one integer"),
        pytest.param(40, 0.99, id="many prices"),
        pytest.param(3, 0.99, id="few prices"),
        pytest.param(2000, 1.0, id="integers too large for one key"),
        pytest.param(2, 1000.0, id="the largest that fits"),
    ],
)
def test_atoms_are_counted_exactly(atoms: int, unit: float) -> None:
    """Rows on the edges, between them and beyond, with ties below and above those of the edges, fall as they should."""
    rng = np.random.default_rng(11)
    sample = np.sort(rng.integers(0, atoms, 63)) * unit
    edges = sample[spacings(63).cumsum()[:-1] - 1]
    grid = NumericGrid(63, edges, np.arange(33, dtype=np.int64) * 1000)
    values: Float64 = rng.integers(-4, 2 * atoms + 4, 3000) / 2 * unit
    row_ties = rng.integers(0, 33_000, 3000)

    assert (
        np.bincount(naive_bins(grid, values, row_ties), minlength=34).tolist() == grid.count(values, row_ties).tolist()
    )


def test_a_negative_zero_is_a_zero() -> None:
    """Equal values have equal bytes in a baseline."""
    grid = NumericGrid(63, np.array([-0.0] * 33), np.arange(33, dtype=np.int64))

    assert [1.0] * 33 == np.copysign(1.0, grid.edges).tolist()


@pytest.mark.parametrize(("m", "bins"), [(63, 34), (127, 36), (255, 38), (1023, 42), (4095, 46), (65_535, 54)], ids=str)
def test_the_layout_is_a_function_of_m_alone(m: int, bins: int) -> None:
    """Fine tails, thirty equal cells in the middle, m + 1 spacings in all."""
    layout = spacings(m)

    assert (bins, m + 1, layout[::-1].tolist()) == (layout.size, layout.sum(), layout.tolist())
    assert {(m + 1) // 32} == set(layout[(bins - 30) // 2 : (bins + 30) // 2].tolist())


def test_the_smallest_layout_is_the_one_in_the_format() -> None:
    """63 values give 34 bins."""
    assert LAYOUT_OF_63 == spacings(63).tolist()


@pytest.mark.parametrize("m", [0, 62, 64, 100, 131_071])
def test_no_layout_for_another_number(m: int) -> None:
    """Only a power of two less one has a layout."""
    with pytest.raises(ValueError, match="m must be"):
        spacings(m)


def test_edges_out_of_order_are_refused() -> None:
    """A grid whose pairs descend would count nonsense."""
    with pytest.raises(ValueError, match="must ascend"):
        NumericGrid(63, np.zeros(33), np.arange(33, dtype=np.int64)[::-1])
