"""Rows to groups: events that were read one by one become columns by model and version."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from stream_monitor.core.arrays import Int64, Intp, UInt64
from stream_monitor.core.batch import ABSENT, INVALID, Cell, Column, Group, NumericColumn, ObjectColumn
from stream_monitor.core.keys import offset_row_hashes, row_hashes
from stream_monitor.formats.event import EventRow, IdSource


@dataclass(frozen=True, slots=True)
class RowHasher:
    """Hashes identities of rows as the input says: by event id, or by the record's place."""

    id_source: IdSource
    topic: str
    partition: int

    def __call__(self, model: str, event_ids: Sequence[str], offsets: Int64) -> tuple[UInt64, Int64]:
        """Return the selection hashes and tie-breakers of rows of one model."""
        if self.id_source == "record.offset":
            return offset_row_hashes(self.topic, self.partition, offsets.tolist())
        return row_hashes(model, event_ids)


def groups_of(rows: Mapping[int, EventRow], offsets: Int64, hasher: RowHasher) -> list[Group]:
    """Return rows as groups, by name.

    Args:
        rows: by position in the arrays of the batch.
        offsets: of every row of the batch.
        hasher: gives each row its hashes.
    """
    by_name: dict[tuple[str, str], list[int]] = {}
    for position in sorted(rows):
        row = rows[position]
        by_name.setdefault((row.model, row.version), []).append(position)
    return [
        _group([rows[at] for at in positions], np.array(positions, dtype=np.intp), offsets, hasher)
        for _, positions in sorted(by_name.items())
    ]


def _group(rows: Sequence[EventRow], positions: Intp, offsets: Int64, hasher: RowHasher) -> Group:
    model, version = rows[0].model, rows[0].version
    event_ids = [row.event_id for row in rows]
    select, tie = hasher(model, event_ids, offsets[positions])
    rates = np.array([row.sampled_rate for row in rows], dtype=np.int64)
    series = dict.fromkeys(name for row in rows for name in row.cells)
    segments = dict.fromkeys(name for row in rows for name in row.segments)
    return Group(
        model=model,
        version=version,
        rows=positions,
        event_ids=event_ids,
        select=select,
        tie=tie,
        sampled_rate=None if (rates == 1).all() else rates,
        columns={name: column_of([row.cells.get(name, ABSENT) for row in rows]) for name in series},
        segments={name: [row.segments.get(name) for row in rows] for name in segments},
        undeclared={at: row.undeclared for at, row in enumerate(rows) if row.undeclared},
    )


def column_of(cells: Sequence[Cell]) -> Column:
    """Return cells as a column: numbers when most values are, else plain cells."""
    kinds = [type(cell) for cell in cells]
    numbers = kinds.count(float)
    texts = kinds.count(str) + kinds.count(bool)
    if texts > numbers:
        return ObjectColumn(cells, mixed=True)
    values = np.array([cell if type(cell) is float else np.nan for cell in cells], dtype=np.float64)
    others = {row: cell for row, cell in enumerate(cells) if isinstance(cell, str | bool)}
    absent = np.array([cell is ABSENT for cell in cells], dtype=np.bool_)
    invalid = np.array([cell is INVALID or isinstance(cell, str | bool) for cell in cells], dtype=np.bool_)
    return NumericColumn(values, absent if absent.any() else None, invalid if invalid.any() else None, others)
