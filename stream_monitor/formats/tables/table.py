"""A file of rows as batches for the local runtime, and as reference rows for a baseline.

The offset of a row is its number in the file, its record time is its event time. Rows are identified by their event
id, or without one by their number, so that the same file always gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stream_monitor.core.arrays import Bool, Int64, Intp
from stream_monitor.core.batch import Batch, Cell, Column, Group, NumericColumn, ObjectColumn, Reject
from stream_monitor.core.keys import file_row_hashes, row_hashes
from stream_monitor.core.names import RejectReason, Stage, check_name, feature_series
from stream_monitor.formats.tables.errors import TableError
from stream_monitor.formats.tables.files import Block, Cells, TableFile, open_file
from stream_monitor.formats.tables.layout import SERIES_OF_ROLE, Role, TableLayout, TableOptions, choose_layout
from stream_monitor.formats.tables.reference import Reference, ReferenceRows
from stream_monitor.formats.tables.values import boolean_column, column_of, instants, numeric_column, text_column


@dataclass(frozen=True, slots=True)
class TableBatch:
    """A block of rows, decoded: rows `[first, next_offset)` of the file."""

    first: int
    next_offset: int
    batch: Batch


@dataclass(frozen=True, slots=True)
class Table:
    """A file whose columns are understood; see `open_table`."""

    file: TableFile
    layout: TableLayout
    options: TableOptions

    @property
    def rows(self) -> int | None:
        """Number of rows, None if only reading tells."""
        return self.file.rows

    def batches(self) -> Iterator[TableBatch]:
        """Yield the rows in the order of the file.

        Raises:
            TableError: the file is damaged, or a model or version has an impossible name.
        """
        first = 0
        for block in self.file.blocks(self.options.batch_rows):
            size = len(next(iter(block.values())))
            yield TableBatch(first, first + size, self._batch(block, first, size))
            first += size

    def references(self) -> list[Reference]:
        """Return the rows of every model and version, by name; of more than a million rows, a fair sample.

        Raises:
            TableError: as `batches`, or no row has a time stamp that can be read.
        """
        gathered: dict[tuple[str, str], ReferenceRows] = {}
        for piece in self.batches():
            for group in piece.batch.groups:
                own = gathered.setdefault((group.model, group.version), ReferenceRows())
                own.add(group, piece.batch.event_ms[group.rows])
        timed = Role.TIMESTAMP in self.layout.roles
        if not gathered:
            raise TableError(f"{self.file.path}: holds no row with a time stamp")
        return [own.reference(model, version, timed=timed) for (model, version), own in sorted(gathered.items())]

    def _batch(self, block: Block, first: int, size: int) -> Batch:
        offsets = np.arange(first, first + size, dtype=np.int64)
        event_ms, bad = self._times(block, offsets)
        good = np.flatnonzero(~bad)
        rejects = [_untimed(row, first) for row in np.flatnonzero(bad).tolist()]
        columns = self._columns(block, size)
        groups = [
            self._group(model, version, rows, columns=columns, block=block, offsets=offsets, good=good)
            for (model, version), rows in self._by_model(block, size, good)
        ]
        event_ms = event_ms[good]
        return Batch(size, offsets[good], event_ms, event_ms, groups, rejects)

    def _times(self, block: Block, offsets: Int64) -> tuple[Int64, Bool]:
        name = self.layout.roles.get(Role.TIMESTAMP)
        if name is None:
            return self.options.start_ms + offsets * self.options.row_ms, np.zeros(offsets.size, np.bool_)
        cells = _cells(block, name, offsets.size)
        return instants(cells, unit=self.options.time_unit, zone=self.options.zone)

    def _columns(self, block: Block, size: int) -> dict[str, Column]:
        text = self.file.kind == "csv"
        columns = {
            feature_series(name): column_of(_cells(block, name, size), kind, text=text)
            for name, kind in self.layout.kinds.items()
            if name in block
        }
        for role, series in SERIES_OF_ROLE.items():
            name = self.layout.roles.get(role)
            if name is None:
                continue
            cells = _cells(block, name, size)
            match role:
                case Role.LATENCY | Role.CONFIDENCE:
                    columns[series] = numeric_column(cells)
                case Role.ERROR:
                    columns[series] = ObjectColumn([_is_failure(value) for value in boolean_column(cells).values])
                case _:
                    columns[series] = column_of(cells, self.options.kinds.get(name), text=text)
        return columns

    def _by_model(self, block: Block, size: int, good: Intp) -> Iterator[tuple[tuple[str, str], Intp]]:
        """Yield (model, version) and the positions in the block of its good rows, in order of the names."""
        default = (self.options.model or self.file.path.name.split(".")[0], self.options.version)
        named = [
            [fallback] * size if column is None else [str(cell or fallback) for cell in _texts(block, column, size)]
            for fallback, column in zip(
                default, (self.layout.roles.get(Role.MODEL), self.layout.roles.get(Role.VERSION)), strict=True
            )
        ]
        if self.layout.roles.keys().isdisjoint((Role.MODEL, Role.VERSION)):
            yield self._checked(*default), good
            return
        pairs = list(zip(*named, strict=True))
        for pair in sorted({pairs[row] for row in good.tolist()}):
            yield self._checked(*pair), np.array([row for row in good.tolist() if pairs[row] == pair], np.intp)

    def _checked(self, model: str, version: str) -> tuple[str, str]:
        for field_, text in (("model", model), ("version", version)):
            rule = check_name(text, "model" if field_ == "model" else "version")
            if rule is not None:
                raise TableError(f"{self.file.path}: {field_} {rule}, got {text!r}")
        return model, version

    def _group(
        self,
        model: str,
        version: str,
        rows: Intp,
        *,
        columns: Mapping[str, Column],
        block: Block,
        offsets: Int64,
        good: Intp,
    ) -> Group:
        name = self.layout.roles.get(Role.EVENT_ID)
        numbers = offsets[rows].tolist()
        if name is None:
            event_ids: Sequence[str] = [str(number) for number in numbers]
            select, tie = file_row_hashes(model, numbers)
        else:
            texts = _texts(block, name, offsets.size)
            event_ids = [str(texts[row] or number) for row, number in zip(rows.tolist(), numbers, strict=True)]
            select, tie = row_hashes(model, event_ids)
        segments = {
            segment: [
                None if value is None else str(value) for value in _taken(_texts(block, segment, offsets.size), rows)
            ]
            for segment in self.options.segments
            if segment in block
        }
        everything = rows.size == offsets.size
        return Group(
            model=model,
            version=version,
            rows=np.searchsorted(good, rows),
            event_ids=event_ids,
            select=select,
            tie=tie,
            sampled_rate=None,
            columns=columns if everything else {name: _rows_of(column, rows) for name, column in columns.items()},
            segments=segments,
        )


def open_table(path: Path, options: TableOptions | None = None) -> Table:
    """Open a CSV, Parquet or JSON lines file and find out what its columns are.

    Raises:
        TableError: the file cannot be read or an option does not fit; it names file, column, rule and value.
    """
    options = TableOptions() if options is None else options
    file = open_file(path)
    sample = next(file.blocks(options.batch_rows), None)
    if sample is None:
        raise TableError(f"{path}: holds no rows")
    return Table(file, choose_layout(file, sample, options), options)


def _cells(block: Block, name: str, size: int) -> Cells:
    """Return a column of a block; a JSON column that no row of it has is empty."""
    return block[name] if name in block else [None] * size


def _texts(block: Block, name: str, size: int) -> Sequence[Cell]:
    return text_column(_cells(block, name, size)).values


def _taken(cells: Sequence[Cell], rows: Intp) -> list[Cell]:
    return [cells[row] for row in rows.tolist()]


def _rows_of(column: Column, rows: Intp) -> Column:
    if isinstance(column, ObjectColumn):
        return ObjectColumn(_taken(column.values, rows), column.mixed)
    place = {row: position for position, row in enumerate(rows.tolist())} if column.others else {}
    return NumericColumn(
        column.values[rows],
        None if column.absent is None else column.absent[rows],
        None if column.invalid is None else column.invalid[rows],
        {place[row]: value for row, value in column.others.items() if row in place},
    )


def _is_failure(value: Cell) -> bool:
    """Say whether an error column names a failure: true, or the class of the error."""
    return value is not None and value is not False and value != 0


def _untimed(row: int, first: int) -> Reject:
    return Reject(
        index=row,
        offset=first + row,
        stage=Stage.TRANSFORMATION,
        reason=RejectReason.INVALID_TIMESTAMP,
        error="ValueError",
        message="the time stamp is missing or cannot be read",
    )
