"""A file of rows as batches for the local runtime, and as reference rows for a baseline.

The offset of a row is its number in the file, its record time is its event time. Rows are identified by their event
id, or without one by their number, so that the same file always gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from stream_monitor.core.arrays import Bool, Int64, Intp
from stream_monitor.core.batch import Batch, Cell, Column, Group, ObjectColumn, Reject
from stream_monitor.core.keys import file_row_hashes, row_hashes
from stream_monitor.core.names import NamedField, RejectReason, Stage, check_name, feature_series
from stream_monitor.core.profile.columns import take_rows
from stream_monitor.formats.tables.by_itself import settled
from stream_monitor.formats.tables.cells import BadRow, Block, Cells, Columns
from stream_monitor.formats.tables.clock import dated
from stream_monitor.formats.tables.errors import TableError
from stream_monitor.formats.tables.files import TableFile, open_file
from stream_monitor.formats.tables.layout import SERIES_OF_ROLE, Role, TableLayout, TableOptions, choose_layout
from stream_monitor.formats.tables.numbers import NumberForm, number_form
from stream_monitor.formats.tables.reference import Reference, ReferenceRows
from stream_monitor.formats.tables.values import column_of, plain_cells, text_column

_FORM_ROWS = 2_000
"""Rows that tell how the numbers of a column are written."""


@dataclass(frozen=True, slots=True)
class TableBatch:
    """A block of rows, decoded: rows `[first, next_offset)` of the file."""

    first: int
    next_offset: int
    batch: Batch


@dataclass(frozen=True, slots=True)
class Table:
    """A file whose columns are understood; see `open_table`.

    Attributes:
        file: where the rows are.
        layout: what its columns are.
        options: what the user said.
    """

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
        for block in self.file.blocks(self.options.batch_rows):
            yield TableBatch(block.first, block.next, self._batch(block))

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
        return [own.reference(*key, timed=timed, ordered=timed) for key, own in sorted(gathered.items())]

    def _batch(self, block: Block) -> Batch:
        cells, numbers = self._settled(_plain(block.columns, self.layout.forms)), block.numbers
        event_ms, bad = self._times(cells, numbers)
        rows = _Rows(cells, numbers, np.flatnonzero(~bad), self._columns(cells, numbers.size))
        groups = [self._group(rows, model, version, own) for (model, version), own in self._by_model(rows)]
        rejects = [_reject(own, block.first) for own in block.bad]
        rejects += [_reject(own, block.first) for own in self._untimed(cells, numbers, np.flatnonzero(bad))]
        rejects.sort(key=lambda own: own.index)
        event_ms, read = event_ms[rows.good], block.next - block.first
        empty = read - rows.good.size - len(rejects)
        return Batch(read, numbers[rows.good], event_ms, event_ms, groups, rejects, tombstones=empty)

    def _settled(self, cells: Columns) -> Columns:
        """Return cells without labels that are still awaited, in a file that is judged by itself."""
        label, prediction = (self.layout.roles.get(role) for role in (Role.LABEL, Role.PREDICTION))
        if not self.options.by_itself or label is None or label not in cells:
            return cells
        return {**cells, label: settled(cells[label], cells.get(prediction or "", []))}

    def _times(self, cells: Columns, numbers: Int64) -> tuple[Int64, Bool]:
        name = self.layout.roles.get(Role.TIMESTAMP)
        if name is None:
            return self.options.start_ms + numbers * self.options.row_ms, np.zeros(numbers.size, np.bool_)
        return self.layout.stamps.read(self._clock(cells, name, numbers.size))

    def _clock(self, cells: Columns, name: str, size: int) -> Cells:
        """Return the cells of the time stamp, with the time of day where that has a column of its own."""
        dates, other = _cells(cells, name, size), self.layout.time_of_day
        return dated(dates, _cells(cells, other[0], size)) if other else dates

    def _untimed(self, cells: Columns, numbers: Int64, rows: Intp) -> Iterator[BadRow]:
        """Yield the rows whose time stamp cannot be read."""
        name = self.layout.roles.get(Role.TIMESTAMP)
        stamps = None if name is None else self._clock(cells, name, numbers.size)
        for row in rows.tolist():
            cell = None if stamps is None else plain_cells(stamps[row : row + 1])[0]
            what = f"{name}: must be a time stamp, got " + ("none" if cell is None else repr(cell)[:60])
            yield BadRow(int(numbers[row]), RejectReason.INVALID_TIMESTAMP, f"row {int(numbers[row]):,}: {what}")

    def _columns(self, block: Columns, size: int) -> dict[str, Column]:
        text = self.file.kind == "csv"
        columns: dict[str, Column] = {
            feature_series(name): column_of(block[name], kind, text=text)
            for name, kind in self.layout.kinds.items()
            if name in block
        }
        for role, series in SERIES_OF_ROLE.items():
            name = self.layout.roles.get(role)
            if name is not None:
                column = column_of(_cells(block, name, size), self.layout.role_kinds[role], text=text)
                columns[series] = _failures(column) if role is Role.ERROR else column
        errors = self.layout.errors
        if errors is not None:
            truth, prediction = (_cells(block, self.layout.roles[role], size) for role in (Role.LABEL, Role.PREDICTION))
            columns[feature_series(errors.name)] = errors.column(truth, prediction, self.layout.compared)
        return columns

    def _by_model(self, rows: _Rows) -> Iterator[tuple[tuple[str, str], Intp]]:
        """Yield (model, version) and the positions in the block of its good rows, in order of the names."""
        default = (self.options.model or self.file.path.name.split(".")[0], self.options.version)
        columns = (self.layout.roles.get(Role.MODEL), self.layout.roles.get(Role.VERSION))
        if columns == (None, None):
            yield self._checked(*default), rows.good
            return
        names = [
            [fallback] * rows.size if column is None else [str(cell or fallback) for cell in rows.texts(column)]
            for fallback, column in zip(default, columns, strict=True)
        ]
        places: dict[tuple[str, str], list[int]] = {}
        for row in rows.good.tolist():
            places.setdefault((names[0][row], names[1][row]), []).append(row)
        for pair in sorted(places):
            yield self._checked(*pair), np.array(places[pair], np.intp)

    def _checked(self, model: str, version: str) -> tuple[str, str]:
        fields: tuple[tuple[NamedField, str], ...] = (("model", model), ("version", version))
        for name, text in fields:
            rule = check_name(text, name)
            if rule is not None:
                raise TableError(f"{self.file.path}: {name} {rule}, got {text!r}")
        return model, version

    def _group(self, rows: _Rows, model: str, version: str, own: Intp) -> Group:
        column = self.layout.roles.get(Role.EVENT_ID)
        numbers = rows.offsets[own].tolist()
        if column is None:
            event_ids = [str(number) for number in numbers]
            select, tie = file_row_hashes(model, numbers)
        else:
            texts = _taken(rows.texts(column), own)
            event_ids = [str(text or number) for text, number in zip(texts, numbers, strict=True)]
            select, tie = row_hashes(model, event_ids)
        everything = own.size == rows.size
        return Group(
            model=model,
            version=version,
            rows=np.searchsorted(rows.good, own),
            event_ids=event_ids,
            select=select,
            tie=tie,
            sampled_rate=None,
            columns=rows.columns if everything else {name: take_rows(c, own) for name, c in rows.columns.items()},
            segments={
                segment: [_segment_value(value) for value in _taken(rows.texts(segment), own)]
                for segment in self.options.segments
            },
        )


def open_table(path: Path, options: TableOptions | None = None) -> Table:
    """Open a CSV, Parquet or JSON lines file and find out what its columns are.

    Raises:
        TableError: the file cannot be read or an option does not fit; it names file, column, rule and value.
    """
    options = TableOptions() if options is None else options
    file = open_file(path)
    block = next(file.blocks(options.batch_rows), None)
    if block is None or (not block.numbers.size and not block.bad):
        raise TableError(f"{path}: holds no rows")
    sample = block.columns
    forms = _forms(sample, options) if options.by_itself else {}
    layout = choose_layout(file, _plain(sample, forms), options)
    return Table(file, replace(layout, forms=forms), options)


def _forms(sample: Columns, options: TableOptions) -> dict[str, NumberForm]:
    """Return how the numbers of a file that is judged by itself are written, where they need to be rewritten."""
    texts = {name: plain_cells(cells[:_FORM_ROWS]) for name, cells in sample.items() if name not in options.segments}
    return {name: form for name, cells in texts.items() if (form := number_form(cells)) is not None}


def _plain(block: Columns, forms: Mapping[str, NumberForm]) -> Columns:
    """Return a block with numbers as a program writes them."""
    return {name: forms[name].plain(cells) if name in forms else cells for name, cells in block.items()}


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """A block of the file: its cells, row numbers, rows with an instant, and the columns of its series."""

    block: Columns
    offsets: Int64
    good: Intp
    columns: Mapping[str, Column]

    @property
    def size(self) -> int:
        return self.offsets.size

    def texts(self, name: str) -> Sequence[Cell]:
        return text_column(_cells(self.block, name, self.size)).values


def _cells(block: Columns, name: str, size: int) -> Cells:
    """Return a column of a block; a JSON column that no row of it has is empty."""
    return block[name] if name in block else [None] * size


def _taken(cells: Sequence[Cell], rows: Intp) -> list[Cell]:
    return [cells[row] for row in rows.tolist()]


def _segment_value(cell: Cell) -> str | None:
    """Return the value of a segment; what could not be a label is none."""
    text = None if cell is None else str(cell)
    return None if text is None or check_name(text, "segment") is not None else text


def _failures(column: Column) -> ObjectColumn:
    """Return an error column as booleans: true, a number but zero, or a text, the class of the error, is a failure."""
    return ObjectColumn([cell is not None and cell is not False and cell != 0 for cell in column.cells()])


def _reject(own: BadRow, first: int) -> Reject:
    return Reject(
        index=own.number - first,
        offset=own.number,
        stage=Stage.TRANSFORMATION if own.reason is RejectReason.INVALID_TIMESTAMP else Stage.VALUE,
        reason=own.reason,
        error="ValueError",
        message=own.message,
    )
