"""The whole course of a file: how much its rows depend on each other, and after how many of them it repeats itself.

A file is there from its first row to its last, so its dependence is measured on all of it, changes left out, and not on
the fifth that is the reference.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from stream_monitor.core.arrays import Float64
from stream_monitor.core.baseline import Baseline, ReferenceTable, measured_along
from stream_monitor.core.baseline.build import Column
from stream_monitor.core.baseline.season import FEWEST_SEASONS, season
from stream_monitor.formats.tables.reference import ReferenceRows
from stream_monitor.runtimes.rows import Key, Rows

_MOST_ROWS = 100_000
"""Rows that are looked at: a longer file has a reference of 10,000 rows, which sees what this many do not."""

_ALIKE = 100
"""Rows of a period, one of which noise may add or take away."""

_MOST_COLUMNS = 100
"""Columns in which seasons are looked for, by name."""

_PANES = 5
"""Panes, up to which a season is taken for the sake of one column; a longer one delays all others too much."""

Courses = Mapping[Key, ReferenceTable]
"""The first rows of a file, by model and version."""


def courses(rows: Rows) -> Courses:
    """Read the first rows of a file, in the order of time."""
    gathered: dict[Key, ReferenceRows] = {}
    read = 0
    for piece in rows.batches():
        for group in piece.batch.groups:
            own = gathered.setdefault((group.model, group.version), ReferenceRows(most=2 * _MOST_ROWS))
            own.add(group, piece.batch.event_ms[group.rows])
        read = piece.next_offset
        if read >= _MOST_ROWS:
            break
    return {key: own.reference(*key, timed=False, ordered=True).table for key, own in sorted(gathered.items())}


def along(built: list[tuple[Baseline, int]], found: Courses, *, period: int = 1) -> list[tuple[Baseline, int]]:
    """Return baselines that know the dependence of the whole file; those of models that are not in it stay."""
    return [
        (measured_along(own, table, period=period), from_ms)
        if (table := found.get((own.model, own.version))) is not None
        else (own, from_ms)
        for own, from_ms in built
    ]


def season_rows(found: Courses, *, pane_rows: int) -> int:
    """Return the rows after which a file repeats itself, 1 if it does not.

    Several seasons are taken together if the file holds enough of their common multiple. One that is longer than five
    panes counts only if half of the numeric columns have it.

    Args:
        found: rows of the file; of several models none is looked at, their rows are mixed.
        pane_rows: rows of a pane if there were no season.
    """
    if len(found) != 1:
        return 1
    (table,) = found.values()
    numeric = [own for _, column in sorted(table.columns.items()) if (own := _numbers(column)) is not None]
    numeric = numeric[:_MOST_COLUMNS]
    alike = _alike(sorted(period for own in numeric if (period := season(own)) > 1))
    together = 1
    for period, columns in sorted(alike, key=lambda one: (-one[1], one[0])):
        common = math.lcm(together, period)
        frequent = 2 * columns >= len(numeric)
        if common <= table.rows // FEWEST_SEASONS and (frequent or common <= _PANES * pane_rows):
            together = common
    return together


def _numbers(column: Column) -> Float64 | None:
    is_numeric = isinstance(column, np.ndarray) and np.issubdtype(column.dtype, np.number)
    return np.asarray(column, dtype=np.float64) if is_numeric else None


def _alike(periods: list[int]) -> list[tuple[int, int]]:
    """Return the middle and the number of those that differ by noise only, ascending."""
    groups: list[list[int]] = []
    for period in periods:
        if groups and period - groups[-1][0] <= period / _ALIKE:
            groups[-1].append(period)
        else:
            groups.append([period])
    return [(group[len(group) // 2], len(group)) for group in groups]
