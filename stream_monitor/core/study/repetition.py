"""The whole course of a file: how much its rows depend on each other, and after how many of them it repeats itself.

A file is there from its first row to its last, so its dependence is measured on all of it, changes left out, and not on
the fifth that is the reference.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from stream_monitor.core.arrays import Float64, Int64
from stream_monitor.core.baseline import Baseline, ReferenceTable, Regimes, measured_along, regimes_along
from stream_monitor.core.baseline.season import FEWEST_SEASONS, normal_scores, season
from stream_monitor.core.baseline.table import CategoryColumn, Column
from stream_monitor.core.study.sizing import SMALLEST_BASELINE
from stream_monitor.core.study.survey import Key

_ALIKE = 100
"""Rows of a period, one of which noise may add or take away."""

_MOST_COLUMNS = 100
"""Columns in which seasons are looked for, by name."""

_PANES = 5
"""Panes, up to which a season is taken for the sake of one column; a longer one delays all others too much."""

_CYCLES_MS = (86_400_000, 7 * 86_400_000)
"""Of a day and a week: what people do repeats itself after them."""

Courses = Mapping[Key, ReferenceTable]
"""The first rows of a file, by model and version."""


@dataclass(frozen=True, slots=True)
class Season:
    """What a file repeats.

    Attributes:
        rows: of a season, on average where they come unevenly; 1 for no season.
        ms: from one season to the next.
        cell_ms: of time in which places are counted; None where every row is a place.
        period: places of a season.
    """

    rows: int = 1
    ms: int = 0
    cell_ms: int | None = None
    period: int = 1

    def places(self, happened: Int64 | None) -> Int64 | None:
        """Return the place of each row by its time; None for row after row."""
        return None if self.cell_ms is None or happened is None else (happened - happened.min()) // self.cell_ms


NO_SEASON = Season()


FewRegimes = Mapping[Key, Mapping[str, Regimes]]
"""The regimes of the series that have a few, by model and version."""


def regimes_of(found: Courses, season: Season) -> FewRegimes:
    """Return the regimes of a file; of several models none is looked at, their rows are mixed."""
    if len(found) != 1:
        return {}
    ((key, table),) = found.items()
    return {key: regimes_along(table, places=season.places(table.happened), period=season.period)}


def along(
    built: list[tuple[Baseline, int]],
    found: Courses,
    season: Season = NO_SEASON,
    few: FewRegimes = MappingProxyType({}),
) -> list[tuple[Baseline, int]]:
    """Return baselines that know the dependence of the whole file; those of models that are not in it stay."""
    known = []
    for own, from_ms in built:
        key = (own.model, own.version)
        table = found.get(key)
        if table is not None:
            places = season.places(table.happened)
            own = measured_along(own, table, places=places, period=season.period, few=few.get(key, {}))
        known.append((own, from_ms))
    return known


def season_of(found: Courses, *, pane_rows: int, step_ms: int | None, cell_ms: int) -> Season:
    """Return what a file repeats.

    Several seasons are taken together if the file holds enough of their common multiple. One that is longer than five
    panes counts only if half of the numeric columns have it. Rows that come unevenly are looked at in cells of time.

    Args:
        found: rows of the file; of several models none is looked at, their rows are mixed.
        pane_rows: rows of a pane if there were no season.
        step_ms: from row to row, None where they come unevenly.
        cell_ms: of time, with some rows in it on average.
    """
    if len(found) != 1:
        return NO_SEASON
    (table,) = found.values()
    assert table.happened is not None  # `courses` knows when rows happened
    order = np.argsort(table.happened, kind="stable")
    numeric = [own[order] for _, column in sorted(table.columns.items()) if (own := _numbers(column)) is not None]
    if step_ms is not None:
        period = _together(numeric[:_MOST_COLUMNS], pane_rows, step_ms)
        return Season(period, period * step_ms, None, period) if period > 1 else NO_SEASON
    timed = Season(cell_ms=cell_ms)
    places = timed.places(table.happened[order])
    assert places is not None  # a cell has a length
    per_cell = table.rows / (int(places[-1]) + 1)
    period = _together([_by_cell(own, places) for own in numeric[:_MOST_COLUMNS]], pane_rows / per_cell, cell_ms)
    return Season(max(2, round(period * per_cell)), period * cell_ms, cell_ms, period) if period > 1 else NO_SEASON


def first_jump(few: FewRegimes, *, rows: int) -> tuple[int, str] | None:
    """Return the first row of the reference before which a series jumps, and the series: the first `rows` are to be the
    reference, and enough of them must be left.
    """
    jumps = (
        (int(row), name)
        for own in few.values()
        for name, found in own.items()
        for row in found.jumps
        if SMALLEST_BASELINE <= row < rows
    )
    return min(jumps, default=None)


def _together(numeric: list[Float64], pane: float, step_ms: int) -> int:
    """Return the places after which columns of equally many places repeat themselves, 1 if they do not."""
    likely = [cycle // step_ms for cycle in _CYCLES_MS if cycle >= 2 * step_ms]
    alike = _alike(sorted(period for own in numeric if (period := season(own, likely)) > 1))
    together = 1
    for period, columns in sorted(alike, key=lambda one: (-one[1], one[0])):
        common = math.lcm(together, period)
        frequent = 2 * columns >= len(numeric)
        if common <= numeric[0].size // FEWEST_SEASONS and (frequent or common <= _PANES * pane):
            together = common
    return together


def _by_cell(values: Float64, places: Int64) -> Float64:
    """Return the mean normal score of each cell, NaN where it has no row."""
    seen = np.bincount(places)
    sums = np.bincount(places, normal_scores(values))
    return np.where(seen > 0, sums / np.maximum(seen, 1), np.nan)


def _numbers(column: Column) -> Float64 | None:
    """Return a column as numbers: of yes/no and categories, whether it is the most frequent one; NaN where missing."""
    match column:
        case np.ndarray() if column.dtype == np.bool_ or np.issubdtype(column.dtype, np.number):
            return np.asarray(column, dtype=np.float64)
        case CategoryColumn():
            codes = column.codes
        case _:
            codes = np.unique([str(cell) for cell in column], return_inverse=True)[1]
            codes[[cell is None for cell in column]] = -1
    present = codes[codes >= 0]
    if not present.size:
        return None
    return np.where(codes < 0, np.nan, codes == np.bincount(present).argmax())


def _alike(periods: list[int]) -> list[tuple[int, int]]:
    """Return the middle and the number of those that differ by noise only, ascending."""
    groups: list[list[int]] = []
    for period in periods:
        if groups and period - groups[-1][0] <= period / _ALIKE:
            groups[-1].append(period)
        else:
            groups.append([period])
    return [(group[len(group) // 2], len(group)) for group in groups]
