"""One column in the two forms that are counted: numbers with masks, and codes of distinct cells."""

from __future__ import annotations

import numpy as np

from stream_monitor.core.arrays import Bool, Intp
from stream_monitor.core.batch import ABSENT, INVALID, Cell, CodedColumn, Column, NumericColumn, ObjectColumn


def as_codes(column: Column) -> CodedColumn:
    """Return a column as codes; numbers become one and the same cell, because no category is a number."""
    match column:
        case CodedColumn():
            return column
        case ObjectColumn():
            return _coded(column)
        case NumericColumn():
            distinct: list[Cell] = [0.0, None, ABSENT, INVALID]
            codes = np.isnan(column.values).astype(np.intp)
            for mask, code in ((column.absent, 2), (column.invalid, 3)):
                if mask is not None:
                    codes[mask] = code
            for row, value in column.others.items():
                codes[row] = len(distinct)
                distinct.append(value)
            return CodedColumn(codes, distinct)


def as_numbers(column: Column) -> NumericColumn:
    """Return a column as numbers; texts and booleans are invalid, and named in `others`."""
    if isinstance(column, NumericColumn):
        return column
    coded = as_codes(column)
    numbers = np.array([cell if type(cell) is float else np.nan for cell in coded.distinct], dtype=np.float64)
    absent = np.array([cell is ABSENT for cell in coded.distinct], dtype=np.bool_)
    other = np.array([isinstance(cell, str | bool) for cell in coded.distinct], dtype=np.bool_)
    invalid = other | np.array([cell is INVALID for cell in coded.distinct], dtype=np.bool_)
    rows = np.flatnonzero(other[coded.codes]) if other.any() else ()
    others: dict[int, str | bool] = {}
    for row in rows:
        cell = coded.distinct[coded.codes[row]]
        assert isinstance(cell, str | bool)
        others[int(row)] = cell
    return NumericColumn(
        numbers[coded.codes] if coded.distinct else np.empty(0),
        absent[coded.codes] if absent.any() else None,
        invalid[coded.codes] if invalid.any() else None,
        others,
    )


def take_rows(column: Column, rows: Intp) -> Column:
    """Return some rows of a column, in the order given."""
    match column:
        case CodedColumn():
            return CodedColumn(column.codes[rows], column.distinct)
        case ObjectColumn():
            return ObjectColumn([column.values[row] for row in rows.tolist()], column.mixed)
        case NumericColumn():
            place = {row: at for at, row in enumerate(rows.tolist())} if column.others else {}
            return NumericColumn(
                column.values[rows],
                _some(column.absent, rows),
                _some(column.invalid, rows),
                {place[row]: value for row, value in column.others.items() if row in place},
            )


def _some(mask: Bool | None, rows: Intp) -> Bool | None:
    return None if mask is None else mask[rows]


def _coded(column: ObjectColumn) -> CodedColumn:
    codes: dict[object, int] = {}
    distinct: list[Cell] = []
    out: list[int] = []
    for cell in column.values:
        key = (type(cell), cell) if column.mixed else cell
        code = codes.get(key)
        if code is None:
            code = codes[key] = len(distinct)
            distinct.append(cell)
        out.append(code)
    return CodedColumn(np.array(out, dtype=np.intp), distinct)
