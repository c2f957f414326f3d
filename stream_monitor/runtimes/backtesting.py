"""Everything a backtest of a file needs before its first row: settings, reference, clock, and the reasons for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from stream_monitor.config import Settings
from stream_monitor.config.durations import format_duration
from stream_monitor.core.arrays import Int64
from stream_monitor.core.baseline import Baseline, calendar_of
from stream_monitor.core.calendar import Calendar
from stream_monitor.core.names import SeriesKind, feature_of, feature_series
from stream_monitor.core.plan import Plan
from stream_monitor.core.time import format_instant
from stream_monitor.formats.tables import (
    Reference,
    Role,
    Table,
    TableError,
    TableLayout,
    TableOptions,
    is_native_events,
    kinds_of,
    open_table,
)
from stream_monitor.formats.tables.files import open_file
from stream_monitor.formats.tables.layout import SERIES_OF_ROLE
from stream_monitor.runtimes.course import NO_SEASON, Season, along, courses, first_jump, regimes_of, season_of
from stream_monitor.runtimes.file_notes import file_note, reference_notes, unwatched_notes
from stream_monitor.runtimes.file_settings import (
    SMALLEST_PSI,
    SettingsOf,
    file_settings,
    with_published_baselines,
    with_segments,
)
from stream_monitor.runtimes.rows import Cut, NativeRows, Rows, Survey, build_baselines, cuts, first_rows, survey
from stream_monitor.runtimes.seasons import differ_by_hour
from stream_monitor.runtimes.sizing import SMALLEST_BASELINE, Sizes, choose_sizes, renewal_rows

ROW_MS = 1_000
"""From row to row where rows are the clock."""

_CELL_ROWS = 4
"""Rows, on average, of a cell of time in which seasons are looked for where rows come unevenly."""

_TELLING_ROWS = 2_000
"""Rows of a reference that tell its dependence; of fewer, slow dependence shows in the judged file alone."""

_END_MS = 1 << 62


@dataclass(frozen=True, slots=True)
class Prepared:
    """A backtest that can begin.

    Attributes:
        rows: of the file.
        seen: what a first look at them said.
        baselines: each with the instant from which on it counts.
        notes: what was found and chosen, and why; a line each.
        timed: rows have time stamps of their own.
        ordered_ms: event times in order.
        positions: row of each of them, in the file or, if it is not in the order of time, in that order.
        happened_ms: time stamps in order, also where rows are taken in theirs; none without a clock.
        dated: those are of the rows in their order, one of each.
        renewal_rows: rows of a new reference after an alert.
        pane_rows: rows of a pane, about.
    """

    rows: Rows
    seen: Survey
    settings: Settings
    baselines: list[tuple[Baseline, int]]
    notes: tuple[str, ...]
    timed: bool
    ordered_ms: Int64
    positions: Int64
    happened_ms: Int64
    dated: bool
    renewal_rows: int
    pane_rows: int

    def row(self, at_ms: int) -> int:
        """Return how many rows of the file came before an instant, those that could not be read among them."""
        return self._position(int(np.searchsorted(self.ordered_ms, at_ms)))

    def row_of_stamp(self, at_ms: int) -> int | None:
        """Return how many rows have an earlier time stamp; None when rows have none."""
        if not self.happened_ms.size:
            return None
        return self._position(int(np.searchsorted(self.happened_ms, at_ms)))

    def _position(self, good: int) -> int:
        """Return the rows of the file before the good row of that number."""
        if good < self.positions.size:
            return int(self.positions[good])
        return int(self.positions[-1]) + 1 if self.positions.size else 0

    def when(self, at_ms: int) -> str:
        """Return the row before an instant, and the instant itself if rows have time stamps."""
        row = f"row {self.row(at_ms):,}"
        if self.timed:
            return f"{row} ({format_instant(at_ms)})"
        if not self.dated:
            return row
        next_row = min(int(np.searchsorted(self.ordered_ms, at_ms)), self.happened_ms.size - 1)
        return f"{row} ({format_instant(int(self.happened_ms[next_row]))})"


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
        segments=_segment_columns(path, segments, load({}).plan),
        time_unit=time_unit,
        row_order=row_order,
        row_ms=ROW_MS,
        by_itself=True,
    )
    given = [] if baseline is None else _references(baseline, options, load({}).plan)
    read, sizes = _read(path, options, given, load({}).plan)
    notes = [*read.notes]
    if read.layout is not None:
        given, gone = _without_absent(given, read.layout)
        notes += [f"left out: {baseline.name} has columns that the file lacks: {gone}"] if baseline and gone else []
    asked = None if given else baseline_rows
    (loaded, built, refused), sizes = _choose(read, sizes, given, load, baseline_rows=asked, chooses=chooses)
    plan = loaded.plan
    if not built:
        because = f" ({'; '.join(refused[:3])})" if refused else ""
        raise TableError(f"{path}: no model has enough rows for a reference{because}")
    notes += [*reference_notes(built, baseline, plan), *(f"no baseline for {line}" for line in refused)]
    notes += [] if read.layout is None else unwatched_notes(read.layout, built)
    if chooses:
        notes += [line for line in sizes.reasons if not line.startswith("baseline")]
        notes.append(
            f"evidence: ranks of numbers, learnt shares of yes/no and categories; told: PSI of {SMALLEST_PSI:g} or more"
        )
        notes.append(
            f"in time: pane {format_duration(plan.detection.pane_ms)}; rows are no traffic: demand is not judged"
        )
    return Prepared(
        rows=read.rows,
        seen=read.seen,
        settings=replace(loaded, plan=with_published_baselines(plan)),
        baselines=built,
        notes=tuple(notes),
        timed=read.timed,
        ordered_ms=np.sort(read.seen.times_ms),
        positions=read.seen.positions,
        happened_ms=read.happened_ms,
        dated=read.dated,
        renewal_rows=_renewal_rows(sizes, read.seen, built),
        pane_rows=sizes.pane_rows,
    )


def reference_rows(path: Path, *, model: str, version: str, columns: Mapping[str, str], plan: Plan) -> list[Reference]:
    """Return the rows of a file as references, one for each model and version in it.

    Columns of a table that are named like segments of the plan are segments and no features.

    Raises:
        TableError: the file cannot be read as rows.
    """
    options = TableOptions(
        model=model or path.name.split(".")[0],
        version=version,
        columns={Role(role): name for role, name in columns.items()},
        segments=_segment_columns(path, (), plan),
    )
    return _references(path, options, plan)


@dataclass(frozen=True, slots=True)
class _Read:
    """A file that was read once.

    Attributes:
        rows: of the file.
        layout: what its columns are; None for native events.
        seen: what the rows are.
        timed: rows have time stamps that can be the clock of panes.
        happened_ms: time stamps in order, whether they are the clock or not.
        dated: those are of the rows in their order, one of each.
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


def _read(path: Path, options: TableOptions, given: list[Reference], plan: Plan) -> tuple[_Read, Sizes]:
    """Return a file and the sizes that suit it; rows are their own clock where its time stamps cannot be one."""
    rows, layout = _open(path, options, given, plan)
    seen = survey(rows)
    sizes = choose_sizes(seen.rows, baseline_given=bool(given), least_filled=seen.least_filled)
    notes = [file_note(path, seen, layout)]
    timed = layout is None or Role.TIMESTAMP in layout.roles
    happened_ms = np.sort(seen.times_ms) if timed else np.empty(0, np.int64)
    dated = timed and not seen.disorder_ms
    why_order = _why_in_order(seen, sizes.pane_rows) if layout is not None and timed else None
    if why_order is not None:
        notes.append(f"time stamps {why_order}: rows are taken in their order, a second apart")
        rows, layout = _open(path, replace(options, row_order=True, columns=_untimed(options)), given, plan)
        seen, timed = survey(rows), False
    dated = dated and happened_ms.size == seen.rows
    return _Read(rows, layout, seen, timed, happened_ms, dated, tuple(notes)), sizes


class _Referenced(NamedTuple):
    """A choice of settings with its references, each with the instant from which on it counts, and what has none."""

    settings: Settings
    built: list[tuple[Baseline, int]]
    refused: list[str]

    @property
    def baselines(self) -> list[Baseline]:
        return [baseline for baseline, _ in self.built]


def _choose(
    read: _Read, plain: Sizes, given: list[Reference], load: SettingsOf, *, baseline_rows: int | None, chooses: bool
) -> tuple[_Referenced, Sizes]:
    """Return settings and references for what the rows are like: in seasons, apart by the hour, or neither."""
    seen, timed = read.seen, read.timed
    found = courses(read.rows, timed=timed) if chooses else {}
    # A clean reference of some length tells what is dependence; in the file, a drift that comes and goes looks like it.
    along_which = {**found, **{(own.model, own.version): own.table for own in given if chooses and _tells(own)}}
    step_ms, cell_ms = (seen.step_ms, seen.pane_ms(_CELL_ROWS)) if timed else (ROW_MS, ROW_MS)
    season = season_of(found, pane_rows=plain.pane_rows, step_ms=step_ms, cell_ms=cell_ms)
    few = regimes_of({key: own for key, own in found.items() if along_which[key] is own}, season)
    sizes, pane_ms = _in_seasons(plain, read, season, given=bool(given))
    if baseline_rows is not None:
        sizes, plain = (replace(own, baseline_rows=baseline_rows) for own in (sizes, plain))
    elif not given and (jump := first_jump(few, rows=sizes.baseline_rows)) is not None:
        row, series = jump
        ends = max(SMALLEST_BASELINE, row - sizes.pane_rows)  # it is cut behind a whole pane
        why = f"reference: it ends where {feature_of(series) or series} jumps, about row {row:,}"
        sizes, plain = (replace(own, baseline_rows=ends, reasons=(why, *own.reasons)) for own in (sizes, plain))

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


def _in_seasons(sizes: Sizes, read: _Read, season: Season, *, given: bool) -> tuple[Sizes, int]:
    """Return sizes that fit to the season of the file, if it has one, and the pane in milliseconds."""
    if season is NO_SEASON:
        return sizes, read.pane_ms(sizes)
    seen = read.seen
    sizes = choose_sizes(seen.rows, baseline_given=given, least_filled=seen.least_filled, season_rows=season.rows)
    return sizes, sizes.pane_rows // season.rows * season.ms


def _renewal_rows(sizes: Sizes, seen: Survey, built: list[tuple[Baseline, int]]) -> int:
    """Return the rows of a new reference; where hours are told apart it must know them as well as the first one."""
    hourly = [
        baseline.origin.rows
        for baseline, _ in built
        if any(calendar_of(own) is not Calendar.NONE for own in baseline.series.values())
    ]
    return max([renewal_rows(sizes, least_filled=seen.least_filled), *hourly])


def _open(path: Path, options: TableOptions, given: list[Reference], plan: Plan) -> tuple[Rows, TableLayout | None]:
    if is_native_events(path):
        return NativeRows(path, plan), None
    kinds: dict[str, SeriesKind] = {}
    for baseline in build_baselines(given, plan)[0]:
        kinds |= kinds_of(baseline)
    table: Table = open_table(path, replace(options, kinds=kinds))
    return table, table.layout


def _references(path: Path, options: TableOptions, plan: Plan) -> list[Reference]:
    if is_native_events(path):
        native = NativeRows(path, plan)
        ends = [Cut(*key, until_ms=_END_MS, rows=count) for key, count in sorted(survey(native).models.items())]
        return first_rows(native, ends, timed=True)
    # Rows without ids are hashed by model and number: under the same name, row 7 of both files would be one event.
    apart = replace(options, model=f"{options.model} reference"[:128])
    found = open_table(path, apart).references()
    return [replace(own, model=options.model) if own.model == apart.model else own for own in found]


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
    return kept, ", ".join(feature_of(name) or name for name in gone)


def _segment_columns(path: Path, segments: Sequence[str], plan: Plan) -> tuple[str, ...]:
    """Return the columns of a table that are segments: those that were asked for, or the configured ones it has."""
    if segments or is_native_events(path):
        return tuple(segments)
    configured = dict.fromkeys(name for model in plan.models for name in model.segments)
    here = open_file(path).names if configured else ()
    return tuple(name for name in configured if name in here)


def _why_in_order(seen: Survey, pane_rows: int) -> str | None:
    """Say what is wrong with the time stamps of a file as the clock of panes, None if nothing is."""
    if seen.has_gaps(seen.pane_ms(pane_rows)):
        return "have long gaps"
    if seen.is_monthly:
        return "come by the month, which is longer or shorter"
    return "are the same for many rows" if seen.is_coarse(pane_rows) else None


def _untimed(options: TableOptions) -> dict[Role, str]:
    return {role: column for role, column in options.columns.items() if role is not Role.TIMESTAMP}
