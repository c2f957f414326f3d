"""Everything a backtest of a file needs before its first row: settings, reference, clock, and the reasons for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from stream_monitor.config import Settings
from stream_monitor.config.durations import format_duration
from stream_monitor.core.baseline import Baseline, with_free_constants
from stream_monitor.core.calendar import Calendar
from stream_monitor.core.names import feature_of, feature_series
from stream_monitor.core.plan import Plan
from stream_monitor.core.study.choices import ends_before, renewal_rows_of, sizes_in_seasons
from stream_monitor.core.study.hours import differ_by_hour
from stream_monitor.core.study.repetition import NO_SEASON, Season, along, first_jump, regimes_of, season_of
from stream_monitor.core.study.sizing import Sizes
from stream_monitor.core.study.survey import Survey
from stream_monitor.formats.tables import Reference, Role, TableError, TableLayout, TableOptions
from stream_monitor.formats.tables.layout import SERIES_OF_ROLE
from stream_monitor.runtimes.backtest.courses import courses
from stream_monitor.runtimes.backtest.file_settings import (
    SMALLEST_PSI,
    SettingsOf,
    file_settings,
    with_published_baselines,
    with_segments,
)
from stream_monitor.runtimes.backtest.notes.file_notes import reference_notes, unwatched_notes
from stream_monitor.runtimes.backtest.prepared import Prepared
from stream_monitor.runtimes.backtest.presence import Presence, empty_in_reference, presence_in
from stream_monitor.runtimes.backtest.reading import ROW_MS, ReadFile, read_file, references_of, segment_columns
from stream_monitor.runtimes.backtest.rows import build_baselines, cuts, first_rows
from stream_monitor.runtimes.backtest.surveying import Rows

_CELL_ROWS = 4
"""Rows, on average, of a cell of time in which seasons are looked for where rows come unevenly."""

_TELLING_ROWS = 2_000
"""Rows of a reference that tell its dependence; of fewer, slow dependence shows in the judged file alone."""


def prepare_rows(
    path: Path,
    *,
    settings: SettingsOf,
    baseline: Path | None = None,
    baseline_rows: int | None = None,
    model: str = "",
    columns: Mapping[str, str] | None = None,
    row_order: bool = False,
    time_unit: str = "",
    segments: Sequence[str] = (),
    chooses: bool = True,
) -> Prepared:
    """Look at a file and choose how it is watched.

    Args:
        path: file of rows or of native events.
        settings: loads the user's settings above ours.
        baseline: file whose rows are the reference, None for the first rows.
        baseline_rows: first rows that are the reference, None for a choice.
        model: name when rows do not say; empty for the name of the file.
        columns: column by role.
        row_order: ignore time stamps.
        time_unit: of time stamps that are numbers; empty: by their size.
        segments: segments watched instead of those of the configuration; columns of the file, if it is a table.
        chooses: True when no configuration states pane, window and budget.

    Raises:
        TableError: a file cannot be read as rows.
        TooFewRows: too few for a reference and something to judge.
        ConfigError: the settings cannot be used.
    """
    load = with_segments(settings, segments)
    options = TableOptions(
        model=model or path.name.split(".")[0],
        columns={Role(role): name for role, name in (columns or {}).items()},
        segments=segment_columns(path, segments, load({}).plan),
        time_unit=time_unit,
        row_order=row_order,
        row_ms=ROW_MS,
        by_itself=True,
    )
    said = load({})
    max_share = said.dead_letters.max_share
    given, notes = ([], []) if baseline is None else references_of(baseline, options, said.plan, max_share=max_share)
    read, sizes = read_file(path, options, given, said.plan, max_share=max_share, reference=baseline)
    notes = [*read.notes, *notes]
    if read.layout is not None:
        given, gone = _without_absent(given, read.layout)
        notes += [f"left out: {baseline.name} has columns that the file lacks: {gone}"] if baseline and gone else []
    asked = None if given else baseline_rows
    plain = sizes
    (loaded, built, refused), sizes = _choose(read, plain, given, load, baseline_rows=asked, chooses=chooses)
    empty = empty_in_reference(read.layout, read.seen, [own for own, _ in built])
    if empty:
        read = replace(read, rows=Presence(read.rows, empty))
        given = [presence_in(own, empty) for own in given]
        (loaded, built, refused), sizes = _choose(read, plain, given, load, baseline_rows=asked, chooses=chooses)
    plan, measured = loaded.plan, [own for own, _ in built]
    built = [(with_free_constants(own), from_ms) for own, from_ms in built]
    if not built:
        because = f" ({'; '.join(refused[:3])})" if refused else ""
        raise TableError(f"{path}: no model has enough rows for a reference{because}")
    notes += [*reference_notes(built, baseline, plan), *(f"no baseline for {line}" for line in refused)]
    notes += [] if read.layout is None else unwatched_notes(read.layout, built, empty)
    if chooses:
        notes += [line for line in sizes.reasons if not line.startswith("baseline")]
        notes.append(
            "evidence: ranks of numbers, learnt shares of yes/no and categories; reported: PSI of"
            f" {SMALLEST_PSI:g} or more, or a rare event that grows by half"
        )
        notes.append(
            f"in time: pane {format_duration(plan.detection.pane_ms)}; rows are no traffic: demand is not judged"
        )
    return Prepared(
        rows=read.rows,
        seen=read.seen,
        layout=read.layout,
        settings=replace(loaded, plan=with_published_baselines(plan)),
        baselines=built,
        measured=measured,
        notes=tuple(notes),
        timed=read.timed,
        ordered_ms=np.sort(read.seen.times_ms),
        file_rows=read.seen.file_rows,
        in_order=not read.seen.disorder_ms,
        happened_ms=read.happened_ms,
        dated=read.dated,
        renewal_rows=renewal_rows_of(sizes, read.seen, [own for own, _ in built]),
        pane_rows=sizes.pane_rows,
    )


def reference_rows(
    path: Path, *, model: str, version: str, columns: Mapping[str, str], settings: Settings
) -> tuple[list[Reference], list[str]]:
    """Return the rows of a file as references, one for each model and version in it, and what was left out of them.

    Columns of a table that are named like segments of the plan are segments and no features.

    Raises:
        TableError: the file cannot be read as rows.
        TooManyRejects: too many of its rows cannot.
    """
    options = TableOptions(
        model=model or path.name.split(".")[0],
        version=version,
        columns={Role(role): name for role, name in columns.items()},
        segments=segment_columns(path, (), settings.plan),
        time_unit="",
    )
    return references_of(path, options, settings.plan, max_share=settings.dead_letters.max_share)


class _Referenced(NamedTuple):
    """A choice of settings with its references, each with the instant from which on it counts, and what has none."""

    settings: Settings
    built: list[tuple[Baseline, int]]
    refused: list[str]

    @property
    def baselines(self) -> list[Baseline]:
        return [baseline for baseline, _ in self.built]


def _choose(
    read: ReadFile, plain: Sizes, given: list[Reference], load: SettingsOf, *, baseline_rows: int | None, chooses: bool
) -> tuple[_Referenced, Sizes]:
    """Return settings and references for what the rows are like: in seasons, apart by the hour, or neither."""
    seen, timed = read.seen, read.timed
    found = courses(read.rows, timed=timed) if chooses else {}
    # A clean reference of some length tells what is dependence; in the file, a drift that comes and goes looks like it.
    along_which = {**found, **{(own.model, own.version): own.table for own in given if chooses and _tells(own)}}
    step_ms, cell_ms = (seen.step_ms, seen.pane_ms(_CELL_ROWS)) if timed else (ROW_MS, ROW_MS)
    season = season_of(found, pane_rows=plain.pane_rows, step_ms=step_ms, cell_ms=cell_ms)
    few = regimes_of({key: own for key, own in found.items() if along_which[key] is own}, season)
    sizes = sizes_in_seasons(plain, seen, season, given=bool(given))
    pane_ms = read.pane_ms(sizes) if season is NO_SEASON else sizes.pane_rows // season.rows * season.ms
    if baseline_rows is not None:
        sizes, plain = (replace(own, baseline_rows=baseline_rows) for own in (sizes, plain))
    elif not given and (jump := first_jump(few, rows=sizes.baseline_rows)) is not None:
        sizes, plain = (ends_before(jump, own, pane_rows=sizes.pane_rows) for own in (sizes, plain))

    def references(of: Sizes, taken: Season, pane_ms: int, strata: Calendar) -> _Referenced:
        loaded = load(file_settings(of, seen, pane_ms, strata=strata) if chooses else {})
        made, lacking = _reference(read.rows, seen, loaded.plan, of, given=given, timed=timed)
        return _Referenced(loaded, along(made, along_which, taken, few if taken is season else {}), lacking)

    chosen = references(sizes, season, pane_ms, Calendar.NONE)
    if chooses and timed and seen.span_ms >= 2 * Calendar.HOUR_OF_DAY.cycle_ms:
        own_ms = read.pane_ms(plain)
        hourly = references(plain, NO_SEASON, own_ms, Calendar.HOUR_OF_DAY)
        alike = chosen if season is NO_SEASON else references(plain, NO_SEASON, own_ms, Calendar.NONE)
        if differ_by_hour(alike.baselines, hourly.baselines):
            return hourly, plain
    return chosen, sizes


def _tells(reference: Reference) -> bool:
    """Say whether a reference has an order of time, and rows enough to tell how they depend on each other."""
    return reference.table.happened is not None and reference.table.rows >= _TELLING_ROWS


def _reference(
    rows: Rows, seen: Survey, plan: Plan, sizes: Sizes, *, given: list[Reference], timed: bool
) -> tuple[list[tuple[Baseline, int]], list[str]]:
    """Return the baselines with the instants from which on they count, and why some models have none."""
    if given:
        built, refused = build_baselines(given, plan)
        return [(baseline, 0) for baseline in built], refused
    ends = cuts(rows, seen, baseline_rows=sizes.baseline_rows, pane_ms=plan.detection.pane_ms)
    built, refused = build_baselines(first_rows(rows, ends, timed=timed), plan)
    until = {(end.model, end.version): end.until_ms for end in ends}
    refused += [
        f"{model} {version}".strip() + f": {count:,} rows are too few for a reference and something to judge"
        for (model, version), count in sorted(seen.models.items())
        if (model, version) not in until
    ]
    return [(baseline, until[baseline.model, baseline.version]) for baseline in built], refused


def _without_absent(given: list[Reference], layout: TableLayout) -> tuple[list[Reference], str]:
    """Return the references without the columns that the judged file does not have, and the names of those.

    A file that never had a column did not lose it; a training set usually has a target that traffic lacks.
    """
    here = {feature_series(name) for name in layout.kinds}
    here |= {series for role, series in SERIES_OF_ROLE.items() if role in layout.roles}
    here |= set() if layout.errors is None else {feature_series(layout.errors.name)}
    gone = sorted({name for own in given for name in own.table.columns} - here)
    kept = [
        replace(own, table=replace(own.table, columns={k: v for k, v in own.table.columns.items() if k not in gone}))
        for own in given
    ]
    said = [feature_of(name) or name for name in gone]
    return kept, ", ".join(name for name in said if name not in layout.dropped)
