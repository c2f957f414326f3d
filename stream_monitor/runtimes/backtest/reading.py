"""A file read once: rows, columns, the clock; and the rows of a file as references."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from stream_monitor.core.arrays import Int64
from stream_monitor.core.names import SeriesKind, feature_series
from stream_monitor.core.plan import Plan
from stream_monitor.core.study.clock import why_in_order
from stream_monitor.core.study.sizing import Sizes, choose_sizes
from stream_monitor.core.study.survey import Survey
from stream_monitor.formats.tables import (
    Reference,
    Role,
    Table,
    TableBatch,
    TableLayout,
    TableOptions,
    is_native_events,
    kinds_of,
    open_table,
)
from stream_monitor.formats.tables.files import open_file
from stream_monitor.runtimes.backtest.column_types import other_types
from stream_monitor.runtimes.backtest.event_files import ExportedRows, NativeRows
from stream_monitor.runtimes.backtest.notes.file_notes import file_note, left_out
from stream_monitor.runtimes.backtest.notes.native_notes import native_notes
from stream_monitor.runtimes.backtest.presence import Without
from stream_monitor.runtimes.backtest.rows import Cut, build_baselines, first_rows
from stream_monitor.runtimes.backtest.surveying import Rows, survey
from stream_monitor.runtimes.replay import is_export

ROW_MS = 1_000
"""From row to row where rows are the clock."""

_END_MS = 1 << 62

_FEW_ROWS = 10
"""Rows without a label at the end of a file that are not worth a word."""


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file that was read once.

    Attributes:
        rows: of the file.
        layout: what its columns are; None for native events.
        seen: what the rows are.
        timed: rows have time stamps that can be the clock of panes.
        happened_ms: time stamps in order, whether they are the clock or not.
        dated: those are of the rows in the order of their times, one of each.
        notes: what was found.
    """

    rows: Rows
    layout: TableLayout | None
    seen: Survey
    timed: bool
    happened_ms: Int64
    dated: bool
    notes: tuple[str, ...]

    def pane_ms(self, sizes: Sizes) -> int:
        """Return the pane that holds about as many rows as wanted."""
        return self.seen.pane_ms(sizes.pane_rows) if self.timed else sizes.pane_rows * ROW_MS


@dataclass(frozen=True, slots=True)
class EvenlyInTime:
    """Rows a second apart, in the order in which they happened: their time stamps give the order and nothing else.

    Attributes:
        rows: as they are.
        places: of each row of the file in the order of time.
    """

    rows: Rows
    places: Int64

    def batches(self) -> Iterator[TableBatch]:
        """Yield all rows, in the order of the file."""
        for piece in self.rows.batches():
            times = self.places[piece.batch.offsets] * ROW_MS
            yield replace(piece, batch=replace(piece.batch, record_ms=times, event_ms=times))


def read_file(
    path: Path,
    options: TableOptions,
    given: list[Reference],
    plan: Plan,
    *,
    max_share: float,
    reference: Path | None = None,
) -> tuple[ReadFile, Sizes]:
    """Return a file and the sizes that suit it; rows are their own clock where its time stamps cannot be one.

    Args:
        path: file of rows or of native events.
        options: what the user says about it.
        given: reference rows of another file; none to take the first rows.
        plan: what is watched.
        max_share: of rows that may be unreadable.
        reference: the file of the given rows.

    Raises:
        TableError: the file cannot be read as rows.
        TooManyRejects: too many of its rows cannot.
        TooFewRows: too few are left.
    """
    rows, layout = _open(path, options, given, plan, reference)
    notes: list[str] = []
    if layout is None:
        notes, unjudged = native_notes(path, plan)
        rows = Without(rows, unjudged) if unjudged else rows
    seen = _without_derived(survey(rows), layout)
    rejected = seen.rejected
    rejected.check(str(path), max_share=max_share)
    sizes = choose_sizes(seen.rows, baseline_given=bool(given), least_filled=seen.least_filled, series=len(seen.filled))
    notes = [file_note(path, seen, layout), *notes]
    notes += [f"rejected: {rejected.words}"] if rejected.count else []
    timed = layout is None or Role.TIMESTAMP in layout.roles
    happened_ms = np.sort(seen.times_ms) if timed else np.empty(0, np.int64)
    dated = timed
    why_order = why_in_order(seen, sizes.pane_rows, live=layout is None) if timed else None
    if why_order is not None:
        in_order = layout is not None and not seen.disorder_ms
        order = "their order" if in_order else "the order of their times"
        notes.append(f"time stamps {why_order}: rows are taken in {order}, a second apart")
        if in_order:  # so rows without a time stamp have a place, too
            rows, layout = _open(
                path, replace(options, row_order=True, columns=_untimed(options)), given, plan, reference
            )
        else:
            rows = EvenlyInTime(rows, _places(seen))
        seen, timed = _without_derived(survey(rows), layout), False
    notes += _labels_note(seen, layout)
    if seen.disorder_ms:
        notes.append("rows are not in the order of time: each is named by its number in the file")
    dated = dated and happened_ms.size == seen.rows
    return ReadFile(rows, layout, seen, timed, happened_ms, dated, tuple(notes)), sizes


def references_of(
    path: Path, options: TableOptions, plan: Plan, *, max_share: float
) -> tuple[list[Reference], list[str]]:
    """Return the rows of a file as references, one for each model and version, and what was left out of them.

    Raises:
        TableError: the file cannot be read as rows.
        TooManyRejects: too many of its rows cannot.
    """
    # Rows without ids are hashed by model and number: under the same name, row 7 of both files would be one event.
    apart = replace(options, model=f"{options.model} reference"[:128])
    rows = _events(path, plan) or open_table(path, apart)
    seen = survey(rows)
    seen.rejected.check(str(path), max_share=max_share)
    notes = [f"{path.name}: rejected: {seen.rejected.words}"] if seen.rejected.count else []
    if isinstance(rows, Table):
        notes += [f"{path.name}: {line}" for line in left_out(rows.layout)]
        found = rows.references()
        return [replace(own, model=options.model) if own.model == apart.model else own for own in found], notes
    ends = [Cut(*key, until_ms=_END_MS, rows=count) for key, count in sorted(seen.models.items())]
    return first_rows(rows, ends, timed=True), notes


def _events(path: Path, plan: Plan) -> NativeRows | ExportedRows | None:
    """Return the events of a file, None if it is a table."""
    if is_export(path):
        return ExportedRows(path, plan)
    return NativeRows(path, plan) if is_native_events(path) else None


def segment_columns(path: Path, segments: Sequence[str], plan: Plan) -> tuple[str, ...]:
    """Return the columns of a table that are segments: those that were asked for, or the configured ones it has."""
    if segments or is_export(path) or is_native_events(path):
        return tuple(segments)
    configured = dict.fromkeys(name for model in plan.models for name in model.segments)
    here = open_file(path).names if configured else ()
    return tuple(name for name in configured if name in here)


def _open(
    path: Path, options: TableOptions, given: list[Reference], plan: Plan, reference: Path | None
) -> tuple[Rows, TableLayout | None]:
    if is_native_events(path):
        return NativeRows(path, plan), None
    kinds: dict[str, SeriesKind] = {}
    for baseline in build_baselines(given, plan)[0]:
        kinds |= kinds_of(baseline)
    table: Table = open_table(path, replace(options, kinds=kinds))
    differ = {} if reference is None else other_types(path, reference)
    if differ:
        layout = replace(
            table.layout,
            kinds={name: kind for name, kind in table.layout.kinds.items() if name not in differ},
            dropped={**table.layout.dropped, **{n: w for n, w in differ.items() if n in table.layout.kinds}},
        )
        table = replace(table, layout=layout)
    return table, table.layout


def _without_derived(seen: Survey, layout: TableLayout | None) -> Survey:
    """Return what is seen of the columns of the file: that errors which are made of two of them are missing says
    nothing, for a late label is no drift.
    """
    if layout is None or layout.errors is None:
        return seen
    return replace(seen, gappy=seen.gappy - {feature_series(layout.errors.name)})


def _labels_note(seen: Survey, layout: TableLayout | None) -> list[str]:
    """Say where the labels end, if the newest rows have none yet."""
    if layout is None or Role.LABEL not in layout.roles or seen.labelled_to_ms is None:
        return []
    ordered = np.sort(seen.times_ms)
    place = int(np.searchsorted(ordered, seen.labelled_to_ms, side="right"))
    if seen.rows - place < max(_FEW_ROWS, seen.rows // 100):
        return []
    until = "" if layout.errors is None else f": {layout.errors.name} is judged up to there"
    return [f"labels in {layout.roles[Role.LABEL]} end before row {int(seen.file_rows[place]):,}{until}"]


def _places(seen: Survey) -> Int64:
    """Return the place in time of each row of the file, by its number; those that cannot be read have none."""
    file_rows = seen.file_rows
    places = np.full(int(file_rows.max(initial=-1)) + 1, -1, np.int64)
    places[file_rows] = np.arange(file_rows.size)
    return places


def _untimed(options: TableOptions) -> dict[Role, str]:
    return {role: column for role, column in options.columns.items() if role is not Role.TIMESTAMP}
