"""CSV in blocks of text columns; a row of another width is left out with its line, and the rest is read.

What a column is, is decided from its values, not from the first megabyte of the file.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from stream_monitor.core.arrays import Bool, Int64
from stream_monitor.core.names import RejectReason
from stream_monitor.formats.packed import unpacked
from stream_monitor.formats.tables.cells import BadRow, Block
from stream_monitor.formats.tables.csv_writing import COMMENT, START_BYTES, CsvWriting, writing_of
from stream_monitor.formats.tables.quotes import UNCLOSED, ClosedQuotes
from stream_monitor.formats.texts import Utf8, decoder_of, encoding_of

_BLOCK_BYTES = 1 << 20
_COMMA_NUMBER = re.compile(r"[+-]?(\d{1,3}(\.\d{3})+|\d+)(,\d+)?")
_COMMA_SHARE = 0.95
_COMMA_ROWS = 1_000
_LONGEST_CELL = 1 << 30
_UNCLOSED = UNCLOSED.decode()


def csv_writing(path: Path) -> CsvWriting:
    """Return how a file is written.

    Raises:
        one of `packed.DAMAGE`, or PackedError.
    """
    with unpacked(path) as stream:
        start = stream.read(START_BYTES)
        is_whole = not stream.read(1)
    encoding = encoding_of(start)
    text = decoder_of(encoding).decode(start, is_whole)
    if not is_whole:
        text = text[: text.rfind("\n") + 1] or text
    writing = writing_of(text, encoding)
    if len({*writing.names}) == len(writing.names):
        return replace(writing, commas=_decimal_commas(path, writing))
    return writing


def csv_blocks(path: Path, writing: CsvWriting, rows: int) -> Iterator[Block]:
    """Yield blocks of at most about `rows` rows.

    Raises:
        pa.ArrowException or one of `packed.DAMAGE`: the file is damaged as a whole.
    """
    numbering = _Numbering(path, writing)
    with _reader(path, writing, numbering.refuse) as reader:
        for batch in reader:
            for start in range(0, batch.num_rows, rows):
                yield _block(batch.slice(start, rows), writing, numbering)
    rest = numbering.rest()
    if rest is not None:
        yield rest


@dataclass(slots=True)
class _Numbering:
    """Numbers of the rows that are read, with those between them that cannot be.

    The reader does not say where a row of another width stands. Only once there is one, the file is read a second time,
    slowly, to find out.
    """

    path: Path
    writing: CsvWriting
    _refused: bool = False
    _bad: list[BadRow] | None = None
    _good: int = 0
    _next: int = 0

    def refuse(self, row: pacsv.InvalidRow) -> str:
        """Leave a row out."""
        self._refused = self._refused or not row.text.lstrip().startswith(COMMENT)
        return "skip"

    def take(self, count: int) -> tuple[Int64, int, int, list[BadRow]]:
        """Return the numbers of the next rows, the span that they and the bad ones among them fill, and those."""
        if self._refused and self._bad is None:
            self._bad = list(_bad_rows(self.path, self.writing))
        bad = np.array([own.number for own in self._bad or ()], dtype=np.int64)
        good = np.arange(self._good, self._good + count, dtype=np.int64)
        numbers = good + np.searchsorted(bad - np.arange(bad.size), good, side="right")
        first, self._next = self._next, int(numbers[-1]) + 1 if count else self._next
        self._good += count
        return numbers, first, self._next, [own for own in self._bad or () if first <= own.number < self._next]

    def rest(self) -> Block | None:
        """Return the bad rows behind the last good one, None if there are none."""
        if self._refused and self._bad is None:
            self._bad = list(_bad_rows(self.path, self.writing))
        behind = tuple(own for own in self._bad or () if own.number >= self._next)
        if not behind:
            return None
        nothing: dict[str, pa.Array] = {name: pa.array([], pa.string()) for name in self.writing.names}
        return Block(nothing, np.empty(0, np.int64), self._next, behind[-1].number + 1, behind)


def _block(batch: pa.RecordBatch, writing: CsvWriting, numbering: _Numbering) -> Block:
    numbers, first, end, bad = numbering.take(batch.num_rows)
    heads, empty = _heads(batch, writing), _empty(batch)
    if heads.any():
        bad += [
            BadRow(number, RejectReason.BAD_SHAPE, f"row {number:,}: holds the names of the columns again")
            for number in numbers[heads].tolist()
        ]
        bad.sort(key=lambda own: own.number)
    kept = ~(heads | empty)
    if not kept.all():
        batch, numbers = batch.filter(pa.array(kept)), numbers[kept]
    columns = {
        name: _with_points(cells) if name in writing.commas else cells
        for name, cells in zip(batch.schema.names, batch.columns, strict=True)
    }
    return Block(columns, numbers, first, end, tuple(bad))


def _heads(batch: pa.RecordBatch, writing: CsvWriting) -> Bool:
    """Return which rows repeat the head, as files do that were written one behind the other."""
    alike = np.full(batch.num_rows, writing.headed)
    for name, cells in zip(batch.schema.names, batch.columns, strict=True):
        if not alike.any():
            break
        if not name:
            continue
        alike &= pc.fill_null(pc.equal(cells, name), False).to_numpy(zero_copy_only=False)
    return alike


def _empty(batch: pa.RecordBatch) -> Bool:
    """Return which rows hold nothing but separators; of one column, an empty line is a missing value."""
    alike = np.full(batch.num_rows, batch.num_columns > 1)
    for cells in batch.columns:
        if not alike.any():
            break
        alike &= cells.is_null().to_numpy(zero_copy_only=False)
    return alike


@contextmanager
def _text(path: Path, writing: CsvWriting) -> Iterator[io.BufferedReader]:
    """Give the text of a file in UTF-8, every quote closed."""
    with unpacked(path) as stream:
        text = io.BufferedReader(Utf8(stream, writing.encoding), _BLOCK_BYTES)
        yield io.BufferedReader(ClosedQuotes(text, writing.delimiter, len(writing.names)), _BLOCK_BYTES)


@contextmanager
def _reader(path: Path, writing: CsvWriting, refuse: object) -> Iterator[pacsv.CSVStreamingReader]:
    with (
        _text(path, writing) as text,
        pacsv.open_csv(
            pa.PythonFile(text, "r"),
            read_options=pacsv.ReadOptions(
                block_size=_BLOCK_BYTES, column_names=writing.names, skip_rows=writing.skipped_lines
            ),
            parse_options=pacsv.ParseOptions(
                delimiter=writing.delimiter,
                newlines_in_values=True,
                ignore_empty_lines=len(writing.names) > 1,  # of one column, an empty line is a missing value
                invalid_row_handler=refuse,
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(writing.names, pa.string()),
                null_values=[""],  # NA is a country; numbers take more texts for missing
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        ) as reader,
    ):
        yield reader


def _bad_rows(path: Path, writing: CsvWriting) -> Iterator[BadRow]:
    """Yield the rows of another width with their lines."""
    width = len(writing.names)
    csv.field_size_limit(_LONGEST_CELL)
    with _text(path, writing) as stream:
        text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
        for _ in islice(text, writing.skipped_lines):
            pass
        lines = csv.reader(text, delimiter=writing.delimiter)
        number, before = 0, writing.skipped_lines
        for cells in lines:
            line, before = before + 1, writing.skipped_lines + lines.line_num
            if (not cells and width > 1) or (len(cells) != width and cells[:1] and _is_comment(cells)):
                continue
            if len(cells) != width and (cells or width > 1):
                wrong = f"must hold {width} cells, as most rows do, got {len(cells)}"
                if cells[:1] and cells[0].startswith(_UNCLOSED):
                    wrong = "a quote is opened and not closed"
                yield BadRow(number, RejectReason.BAD_SHAPE, f"line {line:,}: {wrong}")
            number += 1


def _is_comment(cells: Sequence[str]) -> bool:
    return cells[0].lstrip().startswith(COMMENT)


def _decimal_commas(path: Path, writing: CsvWriting) -> frozenset[str]:
    """Return the columns of numbers with a decimal comma; where commas part the cells there are none."""
    if writing.delimiter == ",":
        return frozenset()
    with _reader(path, writing, lambda _: "skip") as reader:
        batch = next(iter(reader), None)
    found = set()
    for name, cells in () if batch is None else zip(batch.schema.names, batch.columns, strict=True):
        texts = [text.strip() for text in cells.slice(0, _COMMA_ROWS).to_pylist() if text]
        fitting = [text for text in texts if _COMMA_NUMBER.fullmatch(text)]
        if any("," in text for text in fitting) and len(fitting) >= _COMMA_SHARE * len(texts):
            found.add(name)
    return frozenset(found)


def _with_points(cells: pa.Array) -> pa.Array:
    return pc.replace_substring(pc.replace_substring(cells, ".", ""), ",", ".")
