"""What a file is read into: blocks of columns, with the rows that could not be read beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pyarrow as pa

from stream_monitor.core.arrays import Int64
from stream_monitor.core.names import RejectReason

Cells: TypeAlias = "pa.Array | list[object]"
"""One column of a block: typed (Parquet), text (CSV) or mixed (JSON lines)."""

Columns: TypeAlias = Mapping[str, Cells]
"""Columns of equal length, by name."""


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be read.

    Attributes:
        number: of the row, from 0.
        reason: one of the closed list.
        message: where it is and what is wrong with it.
    """

    number: int
    reason: RejectReason
    message: str


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Rows `[first, next)` of a file.

    Attributes:
        columns: cells of the rows that could be read.
        numbers: of those rows, from 0 and without a head, ascending, shape (n,).
        bad: the others.
    """

    columns: Columns
    numbers: Int64
    first: int
    next: int
    bad: tuple[BadRow, ...] = ()


def whole_block(columns: Columns, first: int) -> Block:
    """Return a block all of whose rows could be read."""
    size = len(next(iter(columns.values()), ()))
    return Block(columns, np.arange(first, first + size, dtype=np.int64), first, first + size)
