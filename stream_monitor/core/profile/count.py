"""Counting one column against the baseline of its series: bins, missing, absent, invalid, minimum, maximum.

What a value is worth depends on the baseline alone: a text is a category in a categorical series and a value of the
wrong type in a numeric one. Every row ends in exactly one of bins, missing and invalid.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

from stream_monitor.core.arrays import Bool, Float64, Int64
from stream_monitor.core.baseline import (
    BinaryBaseline,
    CategoricalBaseline,
    Constraint,
    NumericBaseline,
    SeriesBaseline,
)
from stream_monitor.core.batch import ABSENT, INVALID, Cell, CodedColumn, Column, NumericColumn
from stream_monitor.core.names import CATEGORY_BYTES, ValueKind, ValueReject, cut_category
from stream_monitor.core.profile.columns import as_codes, as_numbers
from stream_monitor.core.profile.record import SeriesCounts

_SPARSE_BELOW = 3
"""Bins are written one by one when fewer than one in this many is filled."""

_SURELY_SHORT = CATEGORY_BYTES // 4
"""Characters that fit into the bytes of a category, whatever they are."""


_KINDS: Mapping[type, ValueKind] = {float: ValueKind.NUMBER, str: ValueKind.TEXT, bool: ValueKind.BOOLEAN}


@dataclass(frozen=True, slots=True)
class Counted:
    """Counts of a column, and the values that were left out of the bins only now."""

    counts: SeriesCounts
    rejects: Mapping[ValueReject, int] = field(default_factory=dict)


def count_column(column: Column, ties: Int64, *, baseline: SeriesBaseline, constraint: Constraint | None) -> Counted:
    """Return the counts of a column.

    Args:
        column: k cells.
        ties: tie-breakers of the k rows.
        baseline: reference of the series.
        constraint: its domain, if it has one.
    """
    match baseline:
        case NumericBaseline():
            return _count_numbers(as_numbers(column), ties, baseline, constraint)
        case CategoricalBaseline() | BinaryBaseline():
            return _count_codes(as_codes(column), baseline, constraint)


def never_named(baseline: SeriesBaseline, rows: int) -> SeriesCounts:
    """Return the counts of a series that none of the rows names."""
    return _series_counts(np.zeros(baseline.bins, dtype=np.int64), missing=rows, absent=rows)


def count_without_baseline(column: Column) -> SeriesCounts:
    """Return what can be said of a column in warm-up: explicit nulls, and values that no series could count."""
    if isinstance(column, NumericColumn):
        invalid = _true(column.invalid)
        nulls = int(np.isnan(column.values).sum()) - _true(column.absent) - invalid
        return SeriesCounts(None, missing=nulls, absent=None, invalid=invalid - len(column.others))
    coded = as_codes(column)
    found = np.bincount(coded.codes, minlength=len(coded.distinct)).tolist()
    nulls = sum(count for cell, count in zip(coded.distinct, found, strict=True) if cell is None)
    invalid = sum(count for cell, count in zip(coded.distinct, found, strict=True) if cell is INVALID)
    return SeriesCounts(None, missing=nulls, absent=None, invalid=invalid)


def occurrences(column: Column) -> int:
    """Return how many rows name the series, with whatever value."""
    if isinstance(column, NumericColumn):
        return column.values.size - _true(column.absent)
    coded = as_codes(column)
    absent = np.array([cell is ABSENT for cell in coded.distinct], dtype=np.bool_)
    return coded.codes.size - int(absent[coded.codes].sum()) if absent.any() else coded.codes.size


def strange_kinds(types: Iterable[type]) -> tuple[ValueKind, ...]:
    """Return the kinds of values of these types, sorted."""
    return tuple(sorted(_KINDS[found] for found in types))


def kinds_of(column: Column) -> tuple[ValueKind, ...]:
    """Return the kinds of the values of a column, sorted; of cells without a value there is none."""
    if isinstance(column, NumericColumn):
        numbers = {float} if not np.isnan(column.values).all() else set()
        return strange_kinds({*numbers, *map(type, column.others.values())})
    coded = as_codes(column)
    found = np.bincount(coded.codes, minlength=len(coded.distinct)).tolist()
    return strange_kinds(
        {type(cell) for cell, count in zip(coded.distinct, found, strict=True) if count} & _KINDS.keys()
    )


def _count_numbers(
    column: NumericColumn, ties: Int64, baseline: NumericBaseline, constraint: Constraint | None
) -> Counted:
    values, strange = column.values, _outside(column.values, constraint)
    outside = 0
    if strange is not None:
        outside = int(strange.sum())
        values = np.where(strange, np.nan, values)
    bins = baseline.grid.count(values, ties)
    absent, invalid = _true(column.absent), _true(column.invalid)
    minimum, maximum = _bounds(values)
    counts = _series_counts(
        bins,
        missing=values.size - int(bins.sum()) - invalid - outside,
        absent=absent,
        invalid=invalid + outside,
        minimum=minimum,
        maximum=maximum,
        strange=strange_kinds(set(map(type, column.others.values()))),
    )
    rejects = {ValueReject.WRONG_TYPE: len(column.others), ValueReject.OUT_OF_DOMAIN: outside}
    return Counted(counts, {reason: count for reason, count in rejects.items() if count})


def _outside(values: Float64, constraint: Constraint | None) -> Bool | None:
    """Return where values lie outside the domain; None when nowhere."""
    if constraint is None or (constraint.minimum is None and constraint.maximum is None):
        return None
    outside = np.zeros(values.size, dtype=np.bool_)
    if constraint.minimum is not None:
        outside |= values < constraint.minimum
    if constraint.maximum is not None:
        outside |= values > constraint.maximum
    return outside if outside.any() else None


def _bounds(values: Float64) -> tuple[float | None, float | None]:
    """Return the smallest and the largest number; -0.0 is 0.0, so that equal values are equal bytes."""
    if not values.size:
        return None, None
    minimum, maximum = float(values.min()), float(values.max())
    if minimum != minimum:
        minimum, maximum = float(np.fmin.reduce(values)), float(np.fmax.reduce(values))
        if minimum != minimum:
            return None, None
    return minimum + 0.0, maximum + 0.0


def _count_codes(
    column: CodedColumn, baseline: CategoricalBaseline | BinaryBaseline, constraint: Constraint | None
) -> Counted:
    bins = np.zeros(baseline.bins, dtype=np.int64)
    nulls = absent = invalid = 0
    strange = set[type]()
    rejects = Counter[ValueReject]()
    allowed = None if constraint is None or constraint.allowed is None else frozenset(constraint.allowed)
    found = np.bincount(column.codes, minlength=len(column.distinct))
    for code in np.flatnonzero(found).tolist():
        cell, count = column.distinct[code], int(found[code])
        if cell is None:
            nulls += count
        elif cell is ABSENT:
            absent += count
        elif cell is INVALID:
            invalid += count
        elif isinstance(place := _place(cell, baseline, allowed), ValueReject):
            rejects[place] += count
            invalid += count
            if place is ValueReject.WRONG_TYPE:
                strange.add(type(cell))
        else:
            bins[place] += count
            if _is_cut(cell):
                rejects[ValueReject.TOO_LONG] += count
    counts = _series_counts(
        bins, missing=nulls + absent, absent=absent, invalid=invalid, strange=strange_kinds(strange)
    )
    return Counted(counts, rejects)


def _place(
    cell: Cell, baseline: CategoricalBaseline | BinaryBaseline, allowed: frozenset[str] | None
) -> int | ValueReject:
    """Return the bin of a value, or why it has none."""
    if isinstance(baseline, BinaryBaseline):
        return int(cell) if isinstance(cell, bool) else ValueReject.WRONG_TYPE
    if not isinstance(cell, str):
        return ValueReject.WRONG_TYPE
    category = cell if cell in baseline.bin_of else cut_category(cell)
    if allowed is not None and category not in allowed:
        return ValueReject.OUT_OF_DOMAIN
    return baseline.bin_of.get(category, baseline.unknown_bin)


def _is_cut(cell: Cell) -> bool:
    return isinstance(cell, str) and len(cell) > _SURELY_SHORT and len(cell.encode("utf-8", "replace")) > CATEGORY_BYTES


def _series_counts(
    bins: Int64,
    *,
    missing: int = 0,
    absent: int = 0,
    invalid: int = 0,
    minimum: float | None = None,
    maximum: float | None = None,
    strange: tuple[ValueKind, ...] = (),
) -> SeriesCounts:
    sparse = int(np.count_nonzero(bins)) * _SPARSE_BELOW < bins.size
    if sparse:
        filled = np.flatnonzero(bins)
        bins = bins[: int(filled[-1]) + 1 if filled.size else 0]
    return SeriesCounts(bins, sparse, missing, absent, invalid, minimum, maximum, strange=strange)


def _true(mask: Bool | None) -> int:
    return 0 if mask is None else int(np.count_nonzero(mask))
