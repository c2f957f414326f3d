"""Cut decoded rows into short pieces: what is judged piece by piece can be acted on between two pieces."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from stream_monitor.core.arrays import Intp
from stream_monitor.core.batch import Batch, CodedColumn, Column, Group, NumericColumn, ObjectColumn
from stream_monitor.formats.tables import TableBatch


def slices(piece: TableBatch, *, rows: int) -> Iterator[TableBatch]:
    """Yield a decoded piece of a file in pieces of at most `rows` offsets, in order."""
    for first in range(piece.first, piece.next_offset, rows):
        end = min(first + rows, piece.next_offset)
        yield TableBatch(first, end, _between(piece.batch, first, end))


def rows_at(group: Group, places: Intp) -> Group:
    """Return some rows of a group, ascending; their positions in the batch are kept."""
    wanted = places.tolist()
    return replace(
        group,
        rows=group.rows[places],
        event_ids=[group.event_ids[place] for place in wanted],
        select=group.select[places],
        tie=group.tie[places],
        sampled_rate=None if group.sampled_rate is None else group.sampled_rate[places],
        columns={name: _cells_at(column, places) for name, column in group.columns.items()},
        segments={name: [values[place] for place in wanted] for name, values in group.segments.items()},
        undeclared={
            new: group.undeclared[old] for new, old in enumerate(wanted) if group.undeclared and old in group.undeclared
        },
    )


def _between(batch: Batch, first: int, end: int) -> Batch:
    low, high = np.searchsorted(batch.offsets, [first, end]).tolist()
    groups = []
    for group in batch.groups:
        places = np.arange(*np.searchsorted(group.rows, [low, high]).tolist(), dtype=np.intp)
        if places.size:
            part = rows_at(group, places)
            groups.append(replace(part, rows=part.rows - low))
    rejects = [replace(own, index=own.offset - first) for own in batch.rejects if first <= own.offset < end]
    last = bool(batch.offsets.size) and high == batch.offsets.size and low < high
    return replace(
        batch,
        read=end - first,
        offsets=batch.offsets[low:high],
        record_ms=batch.record_ms[low:high],
        event_ms=batch.event_ms[low:high],
        groups=groups,
        rejects=rejects,
        tombstones=end - first - np.unique(batch.offsets[low:high]).size - len(rejects),
        # Totals of the whole piece, told once: they are of no pane.
        value_rejects=batch.value_rejects if last else {},
        time_fallbacks=batch.time_fallbacks if last else 0,
    )


def _cells_at(column: Column, places: Intp) -> Column:
    match column:
        case NumericColumn() if not column.others:
            absent = None if column.absent is None else column.absent[places]
            invalid = None if column.invalid is None else column.invalid[places]
            return NumericColumn(column.values[places], absent, invalid)
        case CodedColumn():
            return CodedColumn(column.codes[places], column.distinct)
        case ObjectColumn():
            return ObjectColumn([column.values[place] for place in places.tolist()], mixed=column.mixed)
        case _:
            cells = column.cells()
            return ObjectColumn([cells[place] for place in places.tolist()], mixed=True)
