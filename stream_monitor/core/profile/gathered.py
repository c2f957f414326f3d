"""Rows gathered for a baseline, written straight from their columns.

While a reference is wanted, a chunk writes thousands of rows with all their values. Objects for each of these values
would cost many times what counting costs, so a column is turned into JSON at once, and a row is the join of its pieces.
The bytes are those of an `Example` with the same values.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat

import numpy as np
import orjson

from stream_monitor.core.arrays import Float64, Int64, Intp
from stream_monitor.core.batch import INVALID, Cell, CodedColumn, Column, Group, NumericColumn, ObjectColumn, Sentinel
from stream_monitor.core.names import cut_category
from stream_monitor.core.profile.record import Profile

_BLOCK = 512
"""Rows whose pieces are made together: those of a wide table still fit the processor's cache."""


@dataclass(frozen=True, slots=True)
class WrittenProfile:
    """A profile, and the rows that it gathers.

    Attributes:
        profile: without examples where rows are gathered.
        gathered: each row as JSON, as an `Example` with values is written.
    """

    profile: Profile
    gathered: tuple[bytes, ...] = ()


def gathered_rows(
    group: Group, rows: Intp, *, offsets: Int64, columns: Mapping[str, Column], segments: Sequence[str]
) -> tuple[bytes, ...]:
    """Return rows with their raw values, from which an automatic baseline is made, each as canonical JSON.

    Args:
        group: the rows of a model and version.
        rows: n positions in it, in the order of the result.
        offsets: offset of every row of the group.
        columns: cells of the n rows, by series that wants a reference.
        segments: names of the watched segments.

    Raises:
        ValueError: a number is infinite.
    """
    uniform = {name: _uniform(columns[name]) for name in sorted(columns)}
    written: list[bytes] = []
    for first in range(0, rows.size, _BLOCK):
        block = rows[first : first + _BLOCK]
        cells = {name: _between(column, first, first + block.size) for name, column in uniform.items()}
        written += map(
            _row,
            [group.event_ids[row] for row in block.tolist()],
            zip(group.select[block].tolist(), offsets[block].tolist(), group.tie[block].tolist(), strict=True),
            _invalid(cells, block.size),
            _segments(group, block, segments),
            _values(cells, block.size),
        )
    return tuple(written)


def _row(event_id: str, place: tuple[int, int, int], invalid: Sequence[str], segments: bytes, values: bytes) -> bytes:
    """Return the members of a row in the order of canonical JSON."""
    identity, offset, tie = place
    return b'{"event_id":%b,"hash":"%016x",%b"offset":%d,%b"tie":%d,"values":{%b}}' % (
        orjson.dumps(event_id),
        identity,
        b'"invalid":%b,' % orjson.dumps(invalid) if invalid else b"",
        offset,
        segments,
        tie,
        values,
    )


def _uniform(column: Column) -> Column:
    """Return a column in which no texts are kept beside the numbers: it is cut into blocks."""
    if not isinstance(column, NumericColumn):
        return column
    if np.isinf(column.values).any():
        raise ValueError("record of drift-profiles: an infinite value is not a JSON number")
    return ObjectColumn(column.cells()) if column.others else column


def _between(column: Column, first: int, end: int) -> Column:
    """Return a run of rows of a uniform column, without a copy of its numbers."""
    match column:
        case NumericColumn():
            absent, invalid = column.absent, column.invalid
            return NumericColumn(
                column.values[first:end],
                None if absent is None else absent[first:end],
                None if invalid is None else invalid[first:end],
            )
        case CodedColumn():
            return CodedColumn(column.codes[first:end], column.distinct)
        case ObjectColumn():
            return ObjectColumn(column.values[first:end], column.mixed)


def _segments(group: Group, rows: Intp, names: Sequence[str]) -> list[bytes]:
    """Return the member `segments` of each row, with its comma; nothing for a row that has none."""
    watched = [(name, group.segments[name]) for name in sorted(names) if name in group.segments]
    found = [{name: text for name, texts in watched if (text := texts[row]) is not None} for row in rows.tolist()]
    return [b'"segments":%b,' % orjson.dumps(own) if own else b"" for own in found]


def _invalid(columns: Mapping[str, Column], rows: int) -> list[list[str]]:
    """Return the series of each row whose value cannot be counted."""
    invalid: list[list[str]] = [[] for _ in range(rows)]
    for name, column in columns.items():
        for row in _invalid_rows(column):
            invalid[row].append(name)
    return invalid


def _invalid_rows(column: Column) -> Sequence[int]:
    match column:
        case NumericColumn():
            return () if column.invalid is None else np.flatnonzero(column.invalid).tolist()
        case CodedColumn() if INVALID not in column.distinct:
            return ()
        case _:
            return [row for row, cell in enumerate(column.cells()) if cell is INVALID]


def _values(columns: Mapping[str, Column], rows: int) -> list[bytes]:
    """Return the members of the object `values` of each row; series without a value there are left out."""
    pieces = [piece for name, column in columns.items() for piece in _pieces(b",%b:" % orjson.dumps(name), column)]
    if not pieces:
        return [b""] * rows
    return [b"".join(row)[1:] for row in zip(*pieces, strict=False)]  # a key is endless; no comma before the first one


def _pieces(key: bytes, column: Column) -> Iterator[Iterable[bytes]]:
    """Yield what a column adds to each row: its key and its text, or both in one where some rows have neither."""
    texts = _texts(column)
    if all(texts):
        yield repeat(key)
        yield texts
    else:
        yield [key + text if text else b"" for text in texts]


def _texts(column: Column) -> list[bytes]:
    """Return each cell as JSON, empty where it is absent or invalid."""
    match column:
        case NumericColumn():
            texts = _number_texts(column.values)
            for mask in (column.absent, column.invalid):
                for row in () if mask is None else np.flatnonzero(mask).tolist():
                    texts[row] = b""
            return texts
        case CodedColumn():
            codes = column.codes.tolist()
            text_of = {code: _text(column.distinct[code]) for code in set(codes)}
            return [text_of[code] for code in codes]
        case ObjectColumn():
            return [_text(cell) for cell in column.values]


def _number_texts(values: Float64) -> list[bytes]:
    """Return numbers as JSON, NaN as null: all in one call, because a call for each costs more than its digits."""
    return orjson.dumps(np.ascontiguousarray(values), option=orjson.OPT_SERIALIZE_NUMPY)[1:-1].split(b",")


def _text(cell: Cell) -> bytes:
    if isinstance(cell, Sentinel):
        return b""
    return orjson.dumps(cut_category(cell) if isinstance(cell, str) else cell)
