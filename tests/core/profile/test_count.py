"""What each kind of cell counts as in each kind of series."""

from __future__ import annotations

import numpy as np
import pytest

from stream_monitor.core.baseline import Constraint
from stream_monitor.core.batch import ABSENT, INVALID, Cell, CodedColumn, Column, NumericColumn, ObjectColumn
from stream_monitor.core.names import ValueReject
from stream_monitor.core.profile.columns import as_codes, as_numbers, take_rows
from stream_monitor.core.profile.count import Counted, count_column, count_without_baseline, occurrences
from stream_monitor.formats.rows import column_of
from tests.core.profile.builders import small_baseline

BASELINE = small_baseline()
CELLS: list[Cell] = [3.0, 0.0, -1.5, None, ABSENT, INVALID, "DE", "XX", True, False, 1.0, "y" * 300]


def representations(cells: list[Cell]) -> list[Column]:
    """Return the same cells in every form a column can have."""
    plain = ObjectColumn(cells, mixed=True)
    return [column_of(cells), plain, as_codes(plain), as_numbers(plain)]


def count(series: str, column: Column, constraint: Constraint | None = None) -> Counted:
    ties = np.arange(len(column.cells()), dtype=np.int64)
    return count_column(column, ties, baseline=BASELINE.series[series], constraint=constraint)


@pytest.mark.parametrize(
    ("series", "in_bins", "missing", "absent", "invalid", "rejects"),
    [
        ("feature:amount", 4, 2, 1, 6, {ValueReject.WRONG_TYPE: 5}),
        ("feature:country", 3, 2, 1, 7, {ValueReject.WRONG_TYPE: 6, ValueReject.TOO_LONG: 1}),
        ("feature:night", 2, 2, 1, 8, {ValueReject.WRONG_TYPE: 7}),
    ],
)
def test_every_cell_is_in_a_bin_missing_or_invalid(
    series: str, in_bins: int, missing: int, absent: int, invalid: int, rejects: dict[ValueReject, int]
) -> None:
    """Booleans and texts are no numbers, numbers no categories; null and absent are missing, absent is told apart."""
    for column in (ObjectColumn(CELLS, mixed=True), as_codes(ObjectColumn(CELLS, mixed=True)), column_of(CELLS)):
        counted = count(series, column)
        counts = counted.counts
        assert counts.bins is not None
        found = (int(counts.bins.sum()), counts.missing, counts.absent, counts.invalid, dict(counted.rejects))

        assert found == (in_bins, missing, absent, invalid, rejects)


@pytest.mark.parametrize("series", ["feature:amount", "feature:country", "feature:night", "prediction"])
def test_the_form_of_a_column_does_not_matter(series: str) -> None:
    """Numbers with masks, codes and plain cells are counted alike, save that numbers cannot tell their values apart."""
    counted = [count(series, column) for column in representations(CELLS)]

    assert all(counts == counted[0] for counts in counted[1:])


def test_zero_has_one_form() -> None:
    """A minimum of -0.0 and one of 0.0 would be different bytes for equal values."""
    counted = count("feature:amount", NumericColumn(np.array([-0.0, np.nan])))

    assert str(counted.counts.minimum) == "0.0"


def test_values_outside_the_domain_are_invalid() -> None:
    """A constraint of the baseline takes a value out of the bins, whatever the grid would say."""
    numbers = count("feature:amount", column_of([1.0, 99.0, -7.0]), Constraint(minimum=0.0, maximum=50.0))
    texts = count("feature:country", column_of(["DE", "XX", "AT"]), Constraint(allowed=("DE", "AT")))

    assert (numbers.counts.invalid, numbers.counts.maximum) == (2, 1.0)
    assert (texts.counts.invalid, dict(texts.rejects)) == (1, {ValueReject.OUT_OF_DOMAIN: 1})


def test_an_unknown_category_is_unseen() -> None:
    """The last bin of a categorical series holds what the baseline has never met."""
    counts = count("feature:country", column_of(["DE", "XX", "XY"])).counts

    assert counts.dense(5).tolist() == [0, 1, 0, 0, 2]


def test_few_filled_bins_are_written_one_by_one() -> None:
    """One event of many bins must not cost many numbers."""
    counts = count("feature:amount", column_of([0.0])).counts

    assert counts.sparse
    assert counts.dense(34).sum() == 1


def test_warm_up_counts_what_needs_no_baseline() -> None:
    """Explicit nulls and values that no series could count; a text may yet turn out to be a category."""
    for column in (ObjectColumn(CELLS, mixed=True), column_of(CELLS)):
        counts = count_without_baseline(column)

        assert (counts.bins, counts.missing, counts.absent, counts.invalid) == (None, 1, None, 1)
        assert occurrences(column) == len(CELLS) - 1


def test_rows_of_a_column_are_its_cells() -> None:
    """Taking rows keeps every cell, in any form."""
    rows = np.array([11, 3, 0, 6, 8], dtype=np.intp)
    for column in (column_of(CELLS), ObjectColumn(CELLS, mixed=True), as_codes(ObjectColumn(CELLS, mixed=True))):
        assert [CELLS[row] for row in rows] == take_rows(column, rows).cells()


def test_codes_may_name_a_cell_twice() -> None:
    """Two codes of one category are one category."""
    column = CodedColumn(np.array([0, 1, 1], dtype=np.intp), ["DE", "DE"])

    assert count("feature:country", column).counts.dense(5).tolist() == [0, 3, 0, 0, 0]
