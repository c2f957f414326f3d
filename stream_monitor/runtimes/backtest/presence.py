"""Columns that are empty in the reference: whether there is a value is judged, since of values nothing is known.

A column that comes to life is news, as one that dies: its missing share has all the rows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from stream_monitor.core.baseline import Baseline
from stream_monitor.core.batch import ABSENT, Column, NumericColumn, ObjectColumn
from stream_monitor.core.names import feature_series
from stream_monitor.core.study.survey import Survey
from stream_monitor.formats.tables import Reference, TableBatch, TableLayout
from stream_monitor.runtimes.backtest.surveying import Rows

MISSING: Final = "missing"
PRESENT: Final = "present"


@dataclass(frozen=True, slots=True)
class Presence:
    """Rows in which some series say only whether there is a value.

    Attributes:
        rows: as they are.
        series: by name.
    """

    rows: Rows
    series: frozenset[str]

    def batches(self) -> Iterator[TableBatch]:
        """Yield all rows."""
        for piece in self.rows.batches():
            groups = [
                replace(
                    group,
                    columns={
                        name: _presence(column) if name in self.series else column
                        for name, column in group.columns.items()
                    },
                )
                for group in piece.batch.groups
            ]
            yield replace(piece, batch=replace(piece.batch, groups=groups))


@dataclass(frozen=True, slots=True)
class Without:
    """Rows without some series.

    Attributes:
        rows: as they are.
        series: by name.
    """

    rows: Rows
    series: frozenset[str]

    def batches(self) -> Iterator[TableBatch]:
        """Yield all rows."""
        for piece in self.rows.batches():
            groups = [
                replace(group, columns={name: own for name, own in group.columns.items() if name not in self.series})
                for group in piece.batch.groups
            ]
            yield replace(piece, batch=replace(piece.batch, groups=groups))


def empty_in_reference(layout: TableLayout | None, seen: Survey, built: Sequence[Baseline]) -> frozenset[str]:
    """Return the columns of a table that have values in the file, but too few of them in every reference."""
    known = {name for baseline in built for name in baseline.series}
    names = [] if layout is None or not built else [feature_series(name) for name in layout.kinds]
    return frozenset(name for name in names if name not in known and seen.values.get(name))


def presence_in(reference: Reference, series: Collection[str]) -> Reference:
    """Return reference rows in which some series say only whether there is a value."""
    table = reference.table
    columns = {name: _words(_is_there(column)) if name in series else column for name, column in table.columns.items()}
    return replace(reference, table=replace(table, columns=columns))


def _presence(column: Column) -> ObjectColumn:
    if isinstance(column, NumericColumn):
        there = np.isfinite(column.values) if column.invalid is None else np.isfinite(column.values) | column.invalid
        return ObjectColumn(_words(there.tolist()))
    return ObjectColumn(_words([cell is not None and cell is not ABSENT for cell in column.cells()]))


def _is_there(column: object) -> list[bool]:
    cells = column.tolist() if isinstance(column, np.ndarray) else list(column)  # type: ignore[call-overload]
    return [cell is not None and cell == cell for cell in cells]  # NaN is not itself


def _words(there: Collection[bool]) -> list[str | None]:
    return [PRESENT if own else MISSING for own in there]
