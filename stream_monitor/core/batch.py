"""A chunk of records before and after decoding: raw bytes in, columns by model out.

A format turns a `RawChunk` into a `Batch`. Nothing is lost on the way: every record of the chunk is a row of the batch,
a `Reject` with its reason, or a tombstone. Values that are no values (null, absent, invalid) stay apart, so that a
dropped column, a null storm and a broken producer remain three different things.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

import numpy as np

from stream_monitor.core.arrays import Bool, Float64, Int64, Intp, UInt64

if TYPE_CHECKING:
    from stream_monitor.core.names import RejectReason, Stage, ValueReject


class Sentinel:
    """A cell without a value; compared by identity, so looking one up in a dictionary costs nothing."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name


ABSENT: Final = Sentinel("ABSENT")
"""The event does not name the feature at all."""

INVALID: Final = Sentinel("INVALID")
"""The event holds something that no kind of series can count: NaN, an array, an object, text that is no text."""

Cell = str | bool | float | Sentinel | None
"""One value of a series in one event; None is JSON's null."""


@dataclass(frozen=True, slots=True)
class RawChunk:
    """Records of one partition as they came, in offset order.

    Attributes:
        offsets: shape (n,), ascending; gaps are legal.
        record_ms: Kafka's time stamp of each record, shape (n,).
        values: bytes of each record; None is a tombstone.
        key_of: key of record i, asked for only when a format needs it.
        headers_of: headers of record i, likewise.
    """

    topic: str
    partition: int
    offsets: Int64
    record_ms: Int64
    values: Sequence[bytes | None]
    key_of: Callable[[int], bytes | None] = lambda _: None
    headers_of: Callable[[int], Sequence[tuple[str, bytes | None]]] = lambda _: ()

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that cannot be counted, and why.

    Attributes:
        index: position in the chunk.
        offset: offset of the record.
        stage: where it failed, in Kafka Connect's words.
        reason: one of the closed list.
        error: class of the error.
        message: one line without values of the event.
    """

    index: int
    offset: int
    stage: Stage
    reason: RejectReason
    error: str
    message: str


@dataclass(frozen=True, slots=True)
class NumericColumn:
    """Cells that are mostly numbers.

    Attributes:
        values: shape (k,); a finite number, or NaN where there is none.
        absent: where the event did not name it; None when it always did.
        invalid: where it named something that is no finite number and not null; None when never.
        others: the texts and booleans among the invalid ones, by row: a categorical series can count them.
    """

    values: Float64
    absent: Bool | None = None
    invalid: Bool | None = None
    others: Mapping[int, str | bool] = field(default_factory=dict)

    def cells(self) -> list[Cell]:
        """Return the column as plain cells, whatever its representation."""
        cells: list[Cell] = [None if value != value else value for value in self.values.tolist()]
        for mask, sentinel in ((self.absent, ABSENT), (self.invalid, INVALID)):
            for row in () if mask is None else np.flatnonzero(mask).tolist():
                cells[row] = sentinel
        for row, value in self.others.items():
            cells[row] = value
        return cells


@dataclass(frozen=True, slots=True)
class CodedColumn:
    """Cells as codes of distinct cells: what categories are counted from.

    Attributes:
        codes: position in `distinct` of each row's cell, shape (k,).
        distinct: different cells; True, 1 and 1.0 are different, and not every one need occur.
    """

    codes: Intp
    distinct: Sequence[Cell]

    def cells(self) -> list[Cell]:
        """Return the column as plain cells, whatever its representation."""
        return [self.distinct[code] for code in self.codes.tolist()]


@dataclass(frozen=True, slots=True)
class ObjectColumn:
    """Plain cells, when nothing better is at hand.

    Attributes:
        values: k cells.
        mixed: True when numbers, texts or booleans may stand side by side. (True, 1 and 1.0 are one dictionary key.)
    """

    values: Sequence[Cell]
    mixed: bool = False

    def cells(self) -> list[Cell]:
        """Return the column as plain cells, whatever its representation."""
        return list(self.values)


Column = NumericColumn | CodedColumn | ObjectColumn


class Decoder(Protocol):
    """Turns raw records into columns: a format."""

    def decode(self, chunk: RawChunk) -> Batch:
        """Return every record of the chunk as a row, a reject or a tombstone; a bad record never raises."""


@dataclass(frozen=True, slots=True)
class Group:
    """The rows of one model and version in a chunk, as columns.

    Attributes:
        rows: positions in the arrays of the batch, ascending, shape (k,).
        event_ids: identity of each row.
        select: hash that selects rows (examples, automatic baselines), shape (k,).
        tie: 53-bit hash that breaks ties with grid edges, shape (k,).
        sampled_rate: events that each row stands for, shape (k,); None means one each.
        columns: by series name (`feature:amount`, `prediction`, `latency` ...).
        segments: value of each watched segment name in each row; None where the event has none.
        undeclared: by position in the group, the feature names over the limit that one event decides.
        kind: what the rows are (`inference`).
    """

    model: str
    version: str
    rows: Intp
    event_ids: Sequence[str]
    select: UInt64
    tie: Int64
    sampled_rate: Int64 | None
    columns: Mapping[str, Column]
    segments: Mapping[str, Sequence[str | None]] = field(default_factory=dict)
    undeclared: Mapping[int, Sequence[str]] = field(default_factory=dict)
    kind: str = "inference"


@dataclass(frozen=True, slots=True)
class Batch:
    """A decoded chunk.

    Attributes:
        read: records of the chunk = distinct offsets of rows + rejects + tombstones.
        offsets, record_ms, event_ms: of the good rows, in offset order, shape (g,).
        value_rejects: values left out of good events, by model and reason.
        time_fallbacks: rows that took the record's time because the event has none.
    """

    read: int
    offsets: Int64
    record_ms: Int64
    event_ms: Int64
    groups: Sequence[Group] = ()
    rejects: Sequence[Reject] = ()
    tombstones: int = 0
    value_rejects: Mapping[tuple[str, ValueReject], int] = field(default_factory=dict)
    time_fallbacks: int = 0


def empty_batch() -> Batch:
    """Return the batch of a chunk without records: a chunk that only names its predecessor."""
    nothing = np.empty(0, dtype=np.int64)
    return Batch(0, nothing, nothing, nothing)
