"""Laws behind the ranks: bin masses are Dirichlet for every distribution, and only with independent hashes."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_monitor.core.arrays import Float64, Int64, UInt64
from stream_monitor.core.grid import build_numeric_grid, spacings
from stream_monitor.core.keys import TIE_BITS, file_row_hashes, row_hashes

M = 63
REFERENCE = 900
DRAWS = 600


def misfit(counts: Int64, *, m: int, per_reference: int) -> float:
    """Return Pearson's statistic of counts against the spacings of m over its expectation: about 1 when they follow.

    New rows of one reference share its masses, so counts vary more than a multinomial's: a Dirichlet-multinomial.
    """
    expected = counts.sum() * spacings(m) / (m + 1)
    inflation = (m + 1 + per_reference) / (m + 2)
    return float((((counts - expected) ** 2) / expected).sum() / (counts.size - 1) / inflation)


def pooled_counts(values: Float64, select: UInt64, ties: Int64, *, rows: int) -> Int64:
    """Count `rows` new rows after each of many references of REFERENCE rows, over all references."""
    total = np.zeros(spacings(M).size, np.int64)
    step = REFERENCE + rows
    for start in range(0, values.size - step + 1, step):
        old, new = slice(start, start + M), slice(start + REFERENCE, start + step)
        grid, _ = build_numeric_grid(values[old], select[old], ties[old])
        total += grid.count(values[new], ties[new])
    return total


def smallest(select: UInt64, size: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    return np.argsort(select, kind="stable")[:size]


@pytest.mark.parametrize(
    "law", ["normal", "constant", "zero_inflated", "integers", "heavy"], ids=lambda law: law.replace("_", " ")
)
def test_a_new_value_falls_into_a_bin_by_its_spacings(law: str) -> None:
    """Averaged over references, bin j takes a_j of m + 1 new values: for atoms as for continuous values."""
    rng = np.random.default_rng(7)
    size = DRAWS * (REFERENCE + 30)
    values = {
        "normal": rng.normal(size=size),
        "constant": np.zeros(size),
        "zero_inflated": np.where(rng.random(size) < 0.6, 0.0, rng.normal(size=size)),
        "integers": rng.integers(0, 5, size).astype(np.float64),
        "heavy": rng.standard_cauchy(size),
    }[law]
    select, ties = file_row_hashes("m", range(size))

    assert misfit(pooled_counts(values, select, ties, rows=30), m=M, per_reference=30) < 2.2


def test_rows_selected_by_one_hash_keep_fair_ties_of_the_other() -> None:
    """The rows of smallest selection hash have the tie-breakers of any row: a constant column shows no drift."""
    select, ties = row_hashes("fraud", [f"event-{number}" for number in range(40_000)])
    counts = counts_after_selection(select, ties)

    assert misfit(counts, m=1023, per_reference=20_000) < 2.2


def test_one_hash_for_both_would_see_drift_everywhere() -> None:
    """With one salt the selected rows win every tie: all new rows of a constant column pile up in the last bin."""
    select, _ = row_hashes("fraud", [f"event-{number}" for number in range(40_000)])
    counts = counts_after_selection(select, (select >> np.uint64(64 - TIE_BITS)).astype(np.int64))

    assert misfit(counts, m=1023, per_reference=20_000) > 100.0


def counts_after_selection(select: UInt64, ties: Int64) -> Int64:
    """Take the 1,023 smallest of 20,000 rows of a constant column as reference, and count the 20,000 rows after."""
    reference = smallest(select[:20_000], 1023)
    grid, _ = build_numeric_grid(np.zeros(1023), select[reference], ties[reference])
    return grid.count(np.zeros(20_000), ties[20_000:])


@given(
    st.lists(st.integers(0, 40), min_size=63, max_size=140),
    st.lists(st.integers(-3, 44), max_size=60),
    st.lists(st.floats(-1e300, 1e300), min_size=48, max_size=48, unique=True),
    st.integers(0, 2**32),
)
def test_a_monotone_change_of_units_changes_no_count(
    reference: list[int], rows: list[int], scale: list[float], seed: int
) -> None:
    """Degrees or logarithms, cents or euros: any increasing map of the values leaves every count as it was."""
    steps = np.array(sorted(scale))
    rng = np.random.default_rng(seed)
    select = rng.integers(0, 1 << 63, len(reference)).astype(np.uint64)
    ties = rng.integers(0, 1 << TIE_BITS, len(reference))
    row_ties = rng.integers(0, 1 << TIE_BITS, len(rows))
    plain = np.array(reference, np.float64)
    mapped = steps[np.array(reference) + 3]
    grid, seen = build_numeric_grid(plain, select, ties)
    other_grid, other_seen = build_numeric_grid(mapped, select, ties)
    counts = grid.count(np.array(rows, np.float64), row_ties)
    other_counts = other_grid.count(steps[np.array(rows, np.intp) + 3], row_ties)

    assert (seen.tolist(), counts.tolist()) == (other_seen.tolist(), other_counts.tolist())


@given(st.data())
def test_counting_adds_up_over_any_cut(data: st.DataObject) -> None:
    """Counting a column whole, or in pieces of any size, gives the same sums."""
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    values = np.where(rng.random(200) < 0.4, 0.0, rng.normal(size=200).round(1))
    select, ties = file_row_hashes("m", range(200))
    grid, _ = build_numeric_grid(values[:63], select[:63], ties[:63])
    cuts = sorted(data.draw(st.lists(st.integers(0, 200), max_size=6)))
    pieces = itertools.pairwise([0, *cuts, 200])
    summed = sum(grid.count(values[start:stop], ties[start:stop]) for start, stop in pieces)

    assert grid.count(values, ties).tolist() == np.asarray(summed).tolist()
