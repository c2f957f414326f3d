"""The valid values of a column: which type most of them have, and which rows hold none."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from stream_monitor.core.arrays import Bool, Float64
from stream_monitor.core.baseline.table import CategoryColumn, Column
from stream_monitor.core.names import SERVING_ERROR, SeriesKind


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """The valid values of one column: which rows hold one, and which hold none at all; the others are invalid."""

    kind: SeriesKind
    present: Bool
    absent: Bool
    numbers: Float64 = field(default_factory=lambda: np.empty(0))
    categories: CategoryColumn = field(default_factory=lambda: CategoryColumn(np.empty(0, np.intp), ()))
    integral: bool = False

    def of(self, rows: Bool) -> Bool:
        """Return which of these rows hold a valid value."""
        return self.present & rows

    def missing(self, rows: Bool) -> int:
        """Return how many of these rows hold none at all."""
        return int(np.count_nonzero(self.absent & rows))


def values_of(name: str, column: Column) -> Values:
    """Return the values of a column; of mixed types the most frequent one is valid, a failure has no other type."""
    match column:
        case CategoryColumn():
            present = column.codes >= 0
            return Values(SeriesKind.CATEGORICAL, present, ~present, categories=column)
        case np.ndarray() if column.dtype == np.bool_:
            return _booleans(column.astype(np.bool_), *_all_present(column.size))
        case np.ndarray() if np.issubdtype(column.dtype, np.number):
            numbers = column.astype(np.float64)
            return _numeric_values(numbers, np.isnan(numbers))
        case np.ndarray():
            return _mixed(name, column.tolist())
        case _:
            return _mixed(name, column)


def _mixed(name: str, column: Sequence[object]) -> Values:
    """Sort the values of a column of objects out by the type that most of them have."""
    if name == SERVING_ERROR:  # a text is the class of a failure
        return _booleans(np.array([bool(value) for value in column], np.bool_), *_all_present(len(column)))
    types = [_type(value) for value in column]
    absent = np.array([own is None for own in types], np.bool_)
    kinds = (SeriesKind.NUMERIC, SeriesKind.CATEGORICAL, SeriesKind.BINARY)
    kind = max(kinds, key=types.count)  # the first of equals
    chosen = [value if own is kind else None for value, own in zip(column, types, strict=True)]
    present = np.array([own is kind for own in types], np.bool_)
    match kind:
        case SeriesKind.NUMERIC:
            return _numeric_values(np.array(chosen, dtype=np.float64), absent)
        case SeriesKind.BINARY:
            return _booleans(np.array([bool(value) for value in chosen], np.bool_), present, absent)
        case _:
            names = sorted({value for value in chosen if isinstance(value, str)})
            code_of = {value: code for code, value in enumerate(names)}
            codes = np.array([code_of.get(value, -1) if isinstance(value, str) else -1 for value in chosen], np.intp)
            return Values(kind, present, absent, categories=CategoryColumn(codes, names))


def _type(value: object) -> SeriesKind | None:
    match value:
        case None:
            return None
        case bool():
            return SeriesKind.BINARY
        case str():
            return SeriesKind.CATEGORICAL
        case float() if math.isnan(value):
            return None
        case int() | float():
            return SeriesKind.NUMERIC
        case _:
            return SeriesKind.COUNT  # an array or an object: no kind of a feature


def _all_present(rows: int) -> tuple[Bool, Bool]:
    return np.ones(rows, np.bool_), np.zeros(rows, np.bool_)


def _numeric_values(numbers: Float64, absent: Bool) -> Values:
    present = np.isfinite(numbers)
    valid = numbers[present]
    return Values(SeriesKind.NUMERIC, present, absent, numbers=numbers, integral=bool((valid == np.floor(valid)).all()))


def _booleans(values: Bool, present: Bool, absent: Bool) -> Values:
    return Values(SeriesKind.BINARY, present, absent, numbers=values.astype(np.float64))
