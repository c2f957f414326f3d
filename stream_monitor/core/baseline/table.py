"""Reference rows as columns, with what selects and orders them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from stream_monitor.core.arrays import Int64, Intp, UInt64
from stream_monitor.core.names import segment_label


@dataclass(frozen=True, slots=True, eq=False)
class CategoryColumn:
    """A column of categories as codes.

    Attributes:
        codes: position in `names` of each row's category, -1 for none, shape (n,).
        names: the categories; a name may be there twice.
    """

    codes: Intp
    names: Sequence[str]


Column = npt.NDArray[np.float64] | npt.NDArray[np.int64] | npt.NDArray[np.bool_] | CategoryColumn | Sequence[object]
"""Values of one series, one per row. Missing is NaN, code -1 or None; a list may hold numbers, booleans and strings."""


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceTable:
    """Reference rows: a column per series, and the two hashes of each row.

    Attributes:
        columns: values by name of series (`feature:x`, `prediction`, ...), each of length n.
        select: hashes that select rows, uint64 of shape (n,).
        tie: tie-breakers, int64 of shape (n,).
        happened: a number that grows with the time of each row, shape (n,); None when that is not known. Rows of the
            same number are taken as given.
        share: of the rows that there were, if these are a fair sample of them.
        segments: value of each segment in each row, by the segment's name; None where a row has none.
        event_ms: when each row happened, shape (n,); None when that is not known.
    """

    columns: Mapping[str, Column]
    select: UInt64
    tie: Int64
    happened: Int64 | None = None
    share: float = 1.0
    segments: Mapping[str, Sequence[str | None]] = field(default_factory=dict)
    event_ms: Int64 | None = None

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.select.size

    def by_segment(self) -> dict[str, Intp]:
        """Return the rows of every segment, by its label, sorted."""
        rows_of: dict[str, list[int]] = {}
        for name, values in self.segments.items():
            for row, value in enumerate(values):
                if value is not None:
                    rows_of.setdefault(segment_label(name, value), []).append(row)
        return {label: np.array(rows, dtype=np.intp) for label, rows in sorted(rows_of.items())}

    def at(self, rows: Intp) -> ReferenceTable:
        """Return some of the rows, without their segments."""
        return ReferenceTable(
            {name: _taken(column, rows) for name, column in self.columns.items()},
            self.select[rows],
            self.tie[rows],
            None if self.happened is None else self.happened[rows],
            self.share,
            event_ms=None if self.event_ms is None else self.event_ms[rows],
        )


def _taken(column: Column, rows: Intp) -> Column:
    match column:
        case CategoryColumn():
            return CategoryColumn(column.codes[rows], column.names)
        case np.ndarray():
            return column[rows]
        case _:
            return [column[row] for row in rows.tolist()]
