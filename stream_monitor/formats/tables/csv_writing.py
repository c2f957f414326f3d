r"""How a CSV file is written: encoding, separator, what stands before the table, whether a row names the columns.

Spreadsheets put `sep=;` or a title above the table, loggers comment lines; some files have no head. All of it follows
from the first megabyte.

>>> found = writing_of("sep=;\nDatum;Betrag\n1.2.2026;3,5\n2.2.2026;4,5\n", "utf-8")
>>> found.delimiter, found.names, found.skipped_lines
(';', ('Datum', 'Betrag'), 2)
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from stream_monitor.formats.tables.missing import MISSING_TEXTS

START_BYTES = 1 << 20
COMMENT = "#"
_DELIMITERS = "\t|;,"
"""Commas last: of two marks that part all rows alike, they are the decimal ones."""

_ROWS = 500
_NUMBER = re.compile(r"\s*[+-]?(\d[\d.,]*|[.,]\d+)([eE][+-]?\d+)?\s*%?\s*")
_STAMP = re.compile(r"\s*\d{1,4}[-/.]\d{1,2}([-/.]\d{1,4})?([T ,].*)?\s*|\s*\d{1,2}:\d{2}(:\d{2}.*)?\s*")
_SEPARATOR_LINE = re.compile(r"\s*\"?sep=(?P<mark>\\t|.)\"?[;,\s]*", re.IGNORECASE)
_YEARS = range(1900, 2101)
_SHARE = 0.95
_BROKEN = csv.Error


@dataclass(frozen=True, slots=True)
class CsvWriting:
    """How a CSV file is written.

    Attributes:
        encoding: UTF-8, UTF-16 with its mark, or what Windows writes in western Europe.
        delimiter: between cells.
        names: of the columns.
        headed: a row of the file names them.
        skipped_lines: before the first row of data, the head among them.
        commas: columns in which a comma stands before the decimals, and dots between thousands.
    """

    encoding: str
    delimiter: str
    names: tuple[str, ...] = ()
    headed: bool = True
    skipped_lines: int = 1
    commas: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of cells, the number of lines before it and those up to its end."""

    cells: tuple[str, ...]
    before: int
    after: int

    @property
    def is_comment(self) -> bool:
        return self.cells[0].lstrip().startswith(COMMENT)

    @property
    def filled(self) -> int:
        return sum(bool(cell.strip()) for cell in self.cells)


def writing_of(text: str, encoding: str) -> CsvWriting:
    """Return how a file is written from its first text, which ends behind a line unless it is all of the file."""
    stated = _SEPARATOR_LINE.fullmatch(text.split("\n", 1)[0])
    if stated is not None:
        marks = "\t" if stated["mark"] == "\\t" else stated["mark"]
        rows = [row for row in _rows(text, marks) if row.before]
    else:
        by_mark = {mark: _rows(text, mark) for mark in _DELIMITERS}
        marks = max(_DELIMITERS, key=lambda mark: _fit(by_mark[mark]))
        rows = by_mark[marks]
        if _fit(rows) == 0:
            marks, rows = ",", by_mark[","]
    if not rows:
        return CsvWriting(encoding, marks, skipped_lines=0)
    width = _width(rows)
    first = next(place for place, row in enumerate(rows) if _begins_table(row, width, rows[place + 1 :]))
    head, body = rows[first], rows[first + 1 :]
    if len(head.cells) < width or _is_head(head.cells, [row.cells for row in body if len(row.cells) == width]):
        return CsvWriting(encoding, marks, _named(head.cells, width, body), True, head.after)
    above = rows[first - 1] if first else None
    if above is not None and above.is_comment and len(above.cells) == width:
        bare = (above.cells[0].lstrip().lstrip(COMMENT).strip(), *above.cells[1:])
        if _is_head(bare, [row.cells for row in rows[first:] if len(row.cells) == width], certain=True):
            return CsvWriting(encoding, marks, _named(bare, width, rows[first:]), True, above.after)
    names = tuple(f"column {place}" for place in range(1, width + 1))
    return CsvWriting(encoding, marks, names, False, head.before)


def _rows(text: str, mark: str) -> list[_Row]:
    """Return the first rows that are not empty."""
    found: list[_Row] = []
    try:
        for row in _read(text, mark):
            found.append(row)
            if len(found) == _ROWS:
                break
    except _BROKEN:
        pass  # a cell of more than 128 KiB: what stands before it tells enough
    return found


def _read(text: str, mark: str) -> Iterator[_Row]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark)
    before = 0
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield _Row(tuple(cells), before, reader.line_num)
        before = reader.line_num


def _fit(rows: Sequence[_Row]) -> float:
    """Return the share of rows that have the most frequent width, 0 for one cell."""
    width = _width(rows)
    return 0.0 if width < 2 else sum(len(row.cells) == width for row in rows) / len(rows)


def _width(rows: Sequence[_Row]) -> int:
    """Return the most frequent number of cells; of two equally frequent ones the larger."""
    plain = [row for row in rows if not row.is_comment] or rows
    counts = Counter(len(row.cells) for row in plain)
    return max(counts, key=lambda width: (counts[width], width), default=0)


def _begins_table(row: _Row, width: int, rest: Sequence[_Row]) -> bool:
    """Say whether a row is the first of the table: as wide as the others, or one name short, and filled by half."""
    if row.is_comment and any(not other.is_comment for other in rest):
        return False
    if len(row.cells) == width - 1 and width > 2:
        # R leaves out the name above row names; some programs end each row, but not the head, with a separator.
        shorter = sum(len(other.cells) != width for other in rest)
        return row.filled == len(row.cells) and not shorter and not any(_NUMBER.fullmatch(cell) for cell in row.cells)
    return not rest or (len(row.cells) == width and 2 * row.filled >= width)


def _named(cells: Sequence[str], width: int, body: Sequence[_Row]) -> tuple[str, ...]:
    """Return a name for each column; what has none is called by its place, but for an index in front."""
    names = [cell.strip() for cell in cells]
    if len(names) < width:
        ends_empty = all(not row.cells[-1].strip() for row in body if len(row.cells) == width)
        names = [*names, ""] if ends_empty else ["", *names]
    return tuple(name or ("" if place == 0 else f"column {place + 1}") for place, name in enumerate(names))


def _is_head(first: Sequence[str], body: Sequence[Sequence[str]], *, certain: bool = False) -> bool:
    """Say whether a row names the columns below it.

    A text above numbers does. A number above numbers, a date above dates, and a text that its column holds again do
    not, unless the numbers are years or count the columns.

    Args:
        first: the row.
        body: rows below it; those that repeat it say nothing.
        certain: a row that could be either is none.
    """
    body = [row for row in body if list(row) != list(first)]
    if not body:
        return not certain
    names, numbers, data = 0, list[str](), 0
    for place, own in enumerate(cell.strip() for cell in first):
        below = [text for row in body if (text := row[place].strip()).lower() not in MISSING_TEXTS]
        if own.lower() in MISSING_TEXTS or not below:
            continue
        is_number = _NUMBER.fullmatch(own) is not None
        if sum(_NUMBER.fullmatch(text) is not None for text in below) >= _SHARE * len(below):
            names += not is_number
            numbers += [own] if is_number else []
        elif is_number or own in below or (_STAMP.fullmatch(own) and _STAMP.fullmatch(below[0])):
            data += 1
        elif _STAMP.fullmatch(below[0]):
            names += 1
    if not _count_up(numbers):
        data += len(numbers)
    return names > data if data or certain else True


def _count_up(numbers: Sequence[str]) -> bool:
    """Say whether numbers are names of columns: 0, 1, 2 ..., or years."""
    if not all(number.isdecimal() for number in numbers):
        return False
    found = [int(number) for number in numbers]
    if found == list(range(len(found))):
        return True
    return len(found) > 1 and all(year in _YEARS for year in found) and len({*found}) == len(found)
