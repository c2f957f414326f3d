"""A first look at the rows of a file: reads all of them once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Protocol

import numpy as np

from stream_monitor.core.arrays import Int64
from stream_monitor.core.batch import ABSENT, Group, NumericColumn
from stream_monitor.core.names import LABEL
from stream_monitor.core.study.survey import Key, Rejected, Survey
from stream_monitor.formats.tables import TableBatch

_SAMPLE_ROWS = 10_000


class Rows(Protocol):
    """Rows in the order of a file, decoded; the offset of a row is its number."""

    def batches(self) -> Iterator[TableBatch]:
        """Yield all rows, from the beginning each time."""


def survey(rows: Rows) -> Survey:
    """Read all rows once and return what they are."""
    times: list[Int64] = []
    offsets: list[Int64] = []
    models: dict[Key, int] = {}
    filled: dict[str, int] = {}
    gappy: set[str] = set()
    filled_in_all = Counter[str]()
    labelled_to_ms: int | None = None
    sampled = 0
    rejected = Rejected()
    for piece in rows.batches():
        rejected.add(piece.batch)
        times.append(piece.batch.event_ms)
        offsets.append(piece.batch.offsets)
        sampling = sampled < _SAMPLE_ROWS
        for group in piece.batch.groups:
            key = (group.model, group.version)
            models[key] = models.get(key, 0) + int(group.rows.size)
            values = _present(group)
            filled_in_all.update(values)
            labelled_to_ms = _latest(labelled_to_ms, group, piece.batch.event_ms)
            gappy |= {name for name, present in values.items() if present < group.rows.size}
            if sampling:
                sampled += int(group.rows.size)
                for name, present in values.items():
                    filled[name] = filled.get(name, 0) + present
    shares = {name: count / max(sampled, 1) for name, count in filled.items()}
    none = np.empty(0, np.int64)
    return Survey(
        np.concatenate([none, *times]),
        models,
        shares,
        frozenset(gappy),
        offsets=np.concatenate([none, *offsets]),
        rejected=rejected,
        values=filled_in_all,
        labelled_to_ms=labelled_to_ms,
    )


def _latest(before: int | None, group: Group, event_ms: Int64) -> int | None:
    """Return when the last row happened that has a label, of those before and these."""
    column = group.columns.get(LABEL)
    if column is None:
        return before
    if isinstance(column, NumericColumn):
        there = np.isfinite(column.values)
    else:
        there = np.array([cell is not None and cell is not ABSENT for cell in column.cells()], np.bool_)
    times = event_ms[group.rows][there]
    return before if not times.size else max(int(times.max()), int(times.max()) if before is None else before)


def _present(group: Group) -> dict[str, int]:
    """Return how many values of the type that most of them have there are, by series."""
    return {
        name: int(np.isfinite(column.values).sum())
        if isinstance(column, NumericColumn)
        else max(map([type(cell) for cell in column.cells()].count, (str, bool, float)))
        for name, column in group.columns.items()
    }
