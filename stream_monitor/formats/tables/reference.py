"""Gather the rows of one model version as a reference: columns side by side, memory bounded by a fair sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from stream_monitor.core.arrays import Float64, Int64, UInt64
from stream_monitor.core.baseline import Origin, OriginType, ReferenceTable
from stream_monitor.core.batch import ABSENT, Column, Group, NumericColumn

REFERENCE_ROWS = 1 << 20
"""Most rows of a reference; of more, those of the smallest selection hashes are kept."""

Values = Float64 | npt.NDArray[np.object_]


@dataclass(frozen=True, slots=True)
class Reference:
    """The rows of one model and version, ready to make a baseline of."""

    model: str
    version: str
    table: ReferenceTable
    origin: Origin


@dataclass(frozen=True, slots=True)
class _Piece:
    select: UInt64
    tie: Int64
    event_ms: Int64
    columns: Mapping[str, Values]
    segments: Mapping[str, npt.NDArray[np.object_]]

    def up_to(self, last: np.uint64) -> _Piece:
        """Return the rows whose selection hash is at most `last`."""
        kept = self.select <= last
        columns = {name: column[kept] for name, column in self.columns.items()}
        segments = {name: texts[kept] for name, texts in self.segments.items()}
        return _Piece(self.select[kept], self.tie[kept], self.event_ms[kept], columns, segments)


@dataclass(slots=True)
class ReferenceRows:
    """Rows of one model version, added group by group.

    Attributes:
        most: rows to keep; up to twice as many are held in between.
    """

    most: int = REFERENCE_ROWS
    _pieces: list[_Piece] = field(default_factory=list)
    _rows: int = 0
    _seen: int = 0
    _span: tuple[int, int] | None = None

    def add(self, group: Group, event_ms: Int64) -> None:
        """Add the rows of a group; `event_ms` are theirs, shape (k,)."""
        if not event_ms.size:
            return
        columns = {name: _values(column) for name, column in group.columns.items()}
        segments = {name: _objects(texts) for name, texts in group.segments.items()}
        self._pieces.append(_Piece(group.select, group.tie, event_ms, columns, segments))
        self._rows += group.select.size
        self._seen += group.select.size
        low, high = int(event_ms.min()), int(event_ms.max())
        self._span = (low, high) if self._span is None else (min(low, self._span[0]), max(high, self._span[1]))
        if self._rows > 2 * self.most:
            self._prune()

    def reference(self, model: str, version: str, *, timed: bool, ordered: bool) -> Reference:
        """Return the rows gathered.

        Args:
            model: whose they are.
            version: of the model.
            timed: the file has time stamps: their span belongs to the origin.
            ordered: rows happened in the order of their times, or of their numbers; in a file without time stamps
                that need not be so.
        """
        if self._rows > self.most:
            self._prune()
        select = np.concatenate([np.empty(0, np.uint64), *(piece.select for piece in self._pieces)])
        tie = np.concatenate([np.empty(0, np.int64), *(piece.tie for piece in self._pieces)])
        happened = np.concatenate([np.empty(0, np.int64), *(piece.event_ms for piece in self._pieces)])
        names = sorted({name for piece in self._pieces for name in piece.columns})
        columns = {name: self._column(name) for name in names}
        from_ms, to_ms = self._span if timed and self._span is not None else (None, None)
        origin = Origin(OriginType.DATASET, select.size, from_ms, to_ms)
        share = select.size / max(1, self._seen)
        segments = {name: self._segment(name) for name in sorted({n for piece in self._pieces for n in piece.segments})}
        table = ReferenceTable(
            columns,
            select,
            tie,
            happened=happened if ordered else None,
            share=share,
            segments=segments,
            event_ms=happened if timed else None,
        )
        return Reference(model, version, table, origin)

    def _column(self, name: str) -> Float64 | Sequence[object]:
        pieces = [(piece.columns.get(name), piece.select.size) for piece in self._pieces]
        if all(values is None or values.dtype == np.float64 for values, _ in pieces):
            return np.concatenate([np.full(rows, np.nan) if values is None else values for values, rows in pieces])
        cells: list[object] = []
        for values, rows in pieces:
            cells.extend([None] * rows if values is None else values.tolist())
        return cells

    def _segment(self, name: str) -> list[str | None]:
        texts: list[str | None] = []
        for piece in self._pieces:
            own = piece.segments.get(name)
            texts.extend([None] * piece.select.size if own is None else own.tolist())
        return texts

    def _prune(self) -> None:
        select = np.concatenate([piece.select for piece in self._pieces])
        last = np.partition(select, self.most - 1)[self.most - 1]
        self._pieces = [piece.up_to(last) for piece in self._pieces]
        self._rows = sum(piece.select.size for piece in self._pieces)


def _values(column: Column) -> Values:
    """Return a column with NaN or None where a value is missing, and infinity or a sentinel where it is invalid."""
    if isinstance(column, NumericColumn):
        return column.values if column.invalid is None else np.where(column.invalid, np.inf, column.values)
    return _objects([None if cell is ABSENT else cell for cell in column.cells()])


def _objects(cells: Sequence[object]) -> npt.NDArray[np.object_]:
    values = np.empty(len(cells), dtype=object)
    values[:] = cells
    return values
