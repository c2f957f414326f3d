"""Where the values of one series gather while a chunk is decoded block by block.

A sink is chosen by the types its events have shown: numbers, texts or booleans, or a mixture. Any single cell can be
put right afterwards, so one odd event in a thousand costs only itself.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Literal, Protocol

import numpy as np

from stream_monitor.core.arrays import Bool, Float64, Intp
from stream_monitor.core.batch import ABSENT, Cell, CodedColumn, Column, NumericColumn
from stream_monitor.formats.rows import column_of

NOT_NAMED = math.inf
"""Stands for an absent number while a chunk is decoded: no JSON number is infinite."""

_ABSENT_CODE = 0


class Sink(Protocol):
    """Gathers the cells of one series."""

    def put(self, start: int, cells: Sequence[Cell]) -> None:
        """Set the cells of the rows from `start` on; they have the types that the sink was chosen for."""

    def patch(self, row: int, cell: Cell) -> None:
        """Set one cell of any type."""

    def column(self, rows: Intp | None) -> Column | None:
        """Return the cells of some rows, or of all and for the last time; None when none of them names the series."""


class NumberSink:
    """Gathers numbers: 5 ns each where no null is among them, twice that otherwise.

    Attributes:
        has_nulls: the block put last had a null, so packing, which refuses None, is not worth trying.
    """

    def __init__(self, size: int) -> None:
        self.values: Float64 = np.full(size, NOT_NAMED)
        self._odd: dict[int, Cell] = {}
        self.has_nulls = False

    def put(self, start: int, cells: Sequence[Cell]) -> None:
        """Set numbers, nulls and `NOT_NAMED`."""
        if not self.has_nulls:
            try:
                packer("d", len(cells))(self.values, start * 8, *cells)
            except struct.error:
                pass
            else:
                return
        block = np.array(cells, dtype=np.float64)
        self.values[start : start + len(cells)] = block
        self.has_nulls = bool(np.isnan(block).any())

    def patch(self, row: int, cell: Cell) -> None:
        """Set one cell of any type."""
        if isinstance(cell, float):
            self.values[row] = cell
        elif cell is ABSENT:
            self.values[row] = NOT_NAMED
        else:
            self.values[row] = np.nan
            if cell is not None:
                self._odd[row] = cell

    def column(self, rows: Intp | None) -> Column | None:
        """Return a numeric column."""
        values = self.values if rows is None else self.values[rows]
        absent: Bool | None = None
        if np.isinf(values).any():
            absent = np.isinf(values)
            if absent.all():
                return None
            values[absent] = np.nan
        if not self._odd:
            return NumericColumn(values, absent)
        place = range(values.size) if rows is None else rows.tolist()
        invalid = np.array([row in self._odd for row in place], dtype=np.bool_)
        cells = {at: self._odd[row] for at, row in enumerate(place) if row in self._odd}
        others = {at: cell for at, cell in cells.items() if isinstance(cell, str | bool)}
        return NumericColumn(values, absent, invalid if cells else None, others)


class CodeSink:
    """Gathers texts and booleans as codes: 30 ns each, most of it the text's own hash."""

    def __init__(self, size: int) -> None:
        self.codes: Intp = np.zeros(size, dtype=np.intp)
        self._index = _Index()

    def put(self, start: int, cells: Sequence[Cell]) -> None:
        """Set texts, booleans, nulls and `ABSENT`."""
        packer("q", len(cells))(self.codes, start * 8, *map(self._index.__getitem__, cells))

    @property
    def distinct(self) -> Sequence[Cell]:
        """The different cells put so far."""
        return self._index.distinct

    def code(self, cell: Cell) -> int:
        """Return the code of a text, boolean, null or `ABSENT`."""
        return self._index[cell]

    def patch(self, row: int, cell: Cell) -> None:
        """Set one cell of any type."""
        if isinstance(cell, float):  # 1.0 and True are one key
            self.codes[row] = len(self._index.distinct)
            self._index.distinct.append(cell)
        else:
            self.codes[row] = self._index[cell]

    def column(self, rows: Intp | None) -> Column | None:
        """Return a column of codes."""
        codes = self.codes if rows is None else self.codes[rows]
        return CodedColumn(codes, self._index.distinct) if codes.any() else None


class PlainSink:
    """Gathers cells of any type, slowly."""

    def __init__(self, size: int) -> None:
        self._cells: list[Cell] = [ABSENT] * size

    def put(self, start: int, cells: Sequence[Cell]) -> None:
        """Set any cells."""
        self._cells[start : start + len(cells)] = cells

    def patch(self, row: int, cell: Cell) -> None:
        """Set one cell of any type."""
        self._cells[row] = cell

    def column(self, rows: Intp | None) -> Column | None:
        """Return the column that suits most of the cells."""
        cells = self._cells if rows is None else [self._cells[row] for row in rows.tolist()]
        return None if all(cell is ABSENT for cell in cells) else column_of(cells)


class _Index(dict[Cell, int]):
    """Codes of cells, given in the order of their first appearance."""

    __slots__ = ("distinct",)

    def __init__(self) -> None:
        super().__init__({ABSENT: _ABSENT_CODE})
        self.distinct: list[Cell] = [ABSENT]

    def __missing__(self, cell: Cell) -> int:
        code = self[cell] = len(self.distinct)
        self.distinct.append(cell)
        return code


@lru_cache(maxsize=256)
def packer(code: Literal["d", "q"], size: int) -> Callable[..., None]:
    """Return a function that writes numbers into an array: three times as fast as assigning a list."""
    return struct.Struct(f"{size}{code}").pack_into
