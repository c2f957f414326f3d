"""Which column of a file is what: roles by name or by option, features and their kinds, what is left out and why."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

import numpy as np
import pyarrow as pa

from stream_monitor.core.baseline import Baseline
from stream_monitor.core.names import (
    CONFIDENCE,
    LABEL,
    LATENCY,
    PREDICTION,
    SERVING_ERROR,
    SeriesKind,
    check_name,
    feature_of,
    feature_series,
)
from stream_monitor.formats.tables.by_itself import (
    DATES,
    ENOUGH_ROWS,
    ErrorSeries,
    are_dates,
    error_series,
    kind_by_values,
    kind_of_classes,
    settled,
    why_no_feature,
)
from stream_monitor.formats.tables.cells import Cells, Columns
from stream_monitor.formats.tables.clock import Clock, Stamps, time_of_day
from stream_monitor.formats.tables.errors import TableError
from stream_monitor.formats.tables.files import TableFile
from stream_monitor.formats.tables.numbers import NumberForm
from stream_monitor.formats.tables.values import infer_kind, is_missing, numeric_column, plain_cells, text_column


class Role(StrEnum):
    """What a column is, when it is no feature."""

    TIMESTAMP = "timestamp"
    EVENT_ID = "event_id"
    MODEL = "model"
    VERSION = "version"
    PREDICTION = "prediction"
    CONFIDENCE = "confidence"
    LABEL = "label"
    LATENCY = "latency"
    ERROR = "error"


SERIES_OF_ROLE: Final[Mapping[Role, str]] = {
    Role.PREDICTION: PREDICTION,
    Role.CONFIDENCE: CONFIDENCE,
    Role.LABEL: LABEL,
    Role.LATENCY: LATENCY,
    Role.ERROR: SERVING_ERROR,
}
"""The roles that are series."""

# Names without case, spaces and punctuation; the first that is there, and for time stamps can be read, is taken.
_NAMES: Final[Mapping[Role, tuple[str, ...]]] = {
    Role.TIMESTAMP: (
        *("timestamp", "eventtimestamp", "predictiontimestamp", "inferencetimestamp", "requesttimestamp"),
        *("datetime", "eventtime", "predictiontime", "inferencetime", "requesttime", "time"),
        *("date", "eventdate", "ts", "createdat", "loggedat"),
    ),
    Role.EVENT_ID: ("eventid", "inferenceid", "predictionid", "requestid", "id", "identifier", "uuid"),
    Role.MODEL: ("modelname", "model"),
    Role.VERSION: ("modelversion", "version"),
    Role.PREDICTION: ("prediction", "predicted", "ypred", "pred", "predictedclass", "predictedlabel", "predictedvalue"),
    Role.CONFIDENCE: (
        *("confidence", "ypredproba", "predictionprobability", "predictedprobability", "probability", "proba"),
    ),
    Role.LABEL: ("label", "ytrue", "target", "groundtruth", "actual"),
    Role.LATENCY: ("latencyms", "latency", "responsetimems", "durationms"),
    Role.ERROR: ("error", "servingerror"),
}
_CLOCKS: Final = (
    *("dateandtime", "datum", "zeit", "zeitstempel", "timeutc", "utc", "localtime", "recordedat", "measuredat"),
    *("observedat", "created", "createddate", "createdtime", "transactiondate", "transactiontime"),
    *("transdatetranstime", "orderdate", "dt", "day", "startedat", "starttime", "uhrzeit", "pickupdatetime"),
    *("tpeppickupdatetime", "lpeppickupdatetime", "scheduledat", "submittedat", "receivedat", "occurredat"),
)
_TIMES_OF_DAY: Final = (
    *("time", "timeofday", "eventtime", "requesttime", "transactiontime", "ordertime", "starttime", "localtime"),
    *("zeit", "uhrzeit", "heure", "hora", "hour", "hr", "hourofday", "stunde"),
)
_PREDICTIONS: Final = ("yhat", "predictions", "predictionlabel", "modelprediction", "predclass", "predlabel")
_TRUTHS: Final = ("truelabel", "trueclass", "actualclass", "actuallabel", "truth", "labels", "class", "y")
"""Names that are taken as well in a file that is judged by itself; of the truth only beside a prediction."""

_ROLE_KINDS: Final = {Role.CONFIDENCE: SeriesKind.NUMERIC, Role.LATENCY: SeriesKind.NUMERIC}
MOST_FEATURES = 511
"""Of a file that is judged by itself: with errors of predictions it has as many as a model may have."""

_UNNAMED = re.compile(r"Unnamed: \d+|index|__index_level_\d+__|")


@dataclass(frozen=True, slots=True)
class TableOptions:
    """What a user says about a file; everything has a default.

    Attributes:
        model: model of rows that name none, empty: the name of the file.
        version: version of rows that name none.
        columns: column by role, instead of the one that its name suggests.
        kinds: kind by column, instead of the inferred one; these columns are never left out.
        segments: columns that are segments and no features.
        time_unit: of time stamps that are numbers: s, ms, us or ns; empty: the one in which they are of our time.
        zone: of time stamps that name no zone.
        row_order: the order of the rows is their time, even if there is a time stamp.
        start_ms: then the first row's instant.
        row_ms: then the time from row to row.
        batch_rows: rows of a batch.
        by_itself: no live events are held against what is learnt of the file (`by_itself`).
    """

    model: str = ""
    version: str = ""
    columns: Mapping[Role, str] = field(default_factory=dict)
    kinds: Mapping[str, SeriesKind] = field(default_factory=dict)
    segments: tuple[str, ...] = ()
    time_unit: str = "ms"
    zone: str = "UTC"
    row_order: bool = False
    start_ms: int = 0
    row_ms: int = 100
    batch_rows: int = 10_000
    by_itself: bool = False


@dataclass(frozen=True, slots=True)
class TableLayout:
    """What the columns of a file are.

    Attributes:
        roles: column by role; without a time stamp, rows are timed by their order.
        kinds: features with their kinds, in the order of the file; None: no value in the sample.
        role_kinds: kinds of the roles that are series.
        dropped: columns that are left out, and why.
        stamps: how the time stamps are read.
        time_of_day: column of the times that belong to the dates of the time stamp, if they stand in one.
        errors: a series of the errors of predictions, made of the columns of truth and prediction.
        compared: kinds of the two columns for that.
        forms: how numbers are written that are not written as a program does, by column.
    """

    roles: Mapping[Role, str]
    kinds: Mapping[str, SeriesKind | None]
    role_kinds: Mapping[Role, SeriesKind | None]
    dropped: Mapping[str, str]
    stamps: Stamps
    time_of_day: tuple[str, ...] = ()
    errors: ErrorSeries | None = None
    compared: tuple[SeriesKind | None, SeriesKind | None] = (None, None)
    forms: Mapping[str, NumberForm] = field(default_factory=dict)


def kinds_of(baseline: Baseline) -> dict[str, SeriesKind]:
    """Return the kinds of the features of a baseline, as options for a file that is counted against it."""
    kinds = {feature_of(name): series.kind for name, series in baseline.series.items()}
    return {feature: kind for feature, kind in kinds.items() if feature is not None}


def choose_layout(file: TableFile, sample: Columns, options: TableOptions) -> TableLayout:
    """Return the layout of a file from its names and a sample of its rows.

    Raises:
        TableError: a column that was asked for is not there or cannot be read as what it shall be.
    """
    for name in (*options.columns.values(), *options.segments):
        if name not in file.names:
            raise TableError(f"{file.path}: has no column {name!r}; it has {', '.join(file.names)}")
    sample = {name: sample.get(name, []) for name in file.names}
    roles = dict(options.columns)
    taken = {*options.columns.values(), *options.kinds, *options.segments}
    stamps = _take_clock(file, sample, options, roles, taken)
    clock_times = _take_time_of_day(file, sample, options, roles, taken, stamps)
    for role in Role:
        if role not in roles and role is not Role.TIMESTAMP and not (role is Role.ERROR and options.by_itself):
            found = _column_for(role, file, sample, options, taken)
            if found is not None:
                roles[role] = found
                taken.add(found)
    if options.by_itself and Role.PREDICTION in roles and Role.LABEL not in roles:
        truth = next(_candidates(_TRUTHS, file, taken), None)
        if truth is not None:
            roles[Role.LABEL] = truth
    if options.by_itself and Role.LABEL in roles:
        predictions = sample[roles[Role.PREDICTION]] if Role.PREDICTION in roles else []
        sample = {**sample, roles[Role.LABEL]: settled(sample[roles[Role.LABEL]], predictions)}
    dropped: dict[str, str] = {}
    if options.row_order and Role.TIMESTAMP in roles:
        dropped[roles.pop(Role.TIMESTAMP)] = "rows are timed by their order"
    kinds: dict[str, SeriesKind | None] = {}
    clocks = set(_candidates((*_NAMES[Role.TIMESTAMP], *_CLOCKS), file, set()))
    for name in file.names:
        if name in {*roles.values(), *options.segments, *dropped, *clock_times}:
            continue
        kind = options.kinds.get(name) or _kind(file, sample[name], options)
        why = None if name in options.kinds else _why_left_out(name, sample[name], kind, options)
        if why is not None and Role.TIMESTAMP not in roles and name not in dropped and name in clocks:
            why = f"named like a clock, but {_first_cell(sample[name])} is no time stamp that is known: {why}"
        if why is None and options.by_itself and len(kinds) == MOST_FEATURES:
            why = f"more than {MOST_FEATURES} features"
        if why is None:
            kinds[name] = kind
        else:
            dropped[name] = why
    role_kinds = {
        role: _ROLE_KINDS.get(role) or options.kinds.get(name) or _kind(file, sample[name], options)
        for role, name in roles.items()
        if role in SERIES_OF_ROLE
    }
    return _with_errors(TableLayout(roles, kinds, role_kinds, dropped, stamps, clock_times), file, sample, options)


def _with_errors(layout: TableLayout, file: TableFile, sample: Columns, options: TableOptions) -> TableLayout:
    """Return the layout of a file that is judged by itself with the errors of its predictions, if they can be told."""
    if not options.by_itself or not {Role.LABEL, Role.PREDICTION} <= layout.roles.keys():
        return layout
    truth, prediction = (sample[layout.roles[role]] for role in (Role.LABEL, Role.PREDICTION))
    kinds = (layout.role_kinds[Role.LABEL], layout.role_kinds[Role.PREDICTION])
    errors = error_series(truth, prediction, kinds, file.names, _plain_names(file, set()))
    if errors is None or errors.residual:
        return replace(layout, errors=errors, compared=kinds)
    classes = {Role.LABEL: kind_of_classes(truth, kinds[0]), Role.PREDICTION: kind_of_classes(prediction, kinds[1])}
    return replace(layout, errors=errors, compared=kinds, role_kinds={**layout.role_kinds, **classes})


def _take_clock(
    file: TableFile, sample: Columns, options: TableOptions, roles: dict[Role, str], taken: set[str]
) -> Stamps:
    """Give the time stamp its column, if there is one, and return how it is read."""
    clock = Clock(file.path, file.kind == "csv", options.time_unit, options.zone, guesses=options.by_itself)
    if Role.TIMESTAMP in roles:
        name = roles[Role.TIMESTAMP]
        return Stamps("ms", options.zone) if options.row_order else clock.stated(name, sample[name])
    names = (*_NAMES[Role.TIMESTAMP], *(_CLOCKS if options.by_itself else ()))
    free = {name: cells for name, cells in sample.items() if name not in taken}
    if options.row_order:
        clock = replace(clock, unit="")  # what is no clock is no error
    found = clock.find(_candidates(names, file, taken), free)
    if found is None:
        return Stamps("ms", options.zone)
    name, stamps = found
    roles[Role.TIMESTAMP] = name
    taken.add(name)
    return stamps


def _take_time_of_day(
    file: TableFile,
    sample: Columns,
    options: TableOptions,
    roles: Mapping[Role, str],
    taken: set[str],
    stamps: Stamps,
) -> tuple[str, ...]:
    """Return the column whose times belong to the dates of the clock; none but in a file that is judged by itself."""
    clock = roles.get(Role.TIMESTAMP)
    if not options.by_itself or options.row_order or clock is None:
        return ()
    named = dict.fromkeys(_candidates(_TIMES_OF_DAY, file, taken))
    found = time_of_day(sample[clock], stamps, {name: sample[name] for name in named})
    taken.update(found)
    return found


def _kind(file: TableFile, cells: Cells, options: TableOptions) -> SeriesKind | None:
    kind = infer_kind(cells, text=file.kind == "csv")
    return kind_by_values(cells, kind) if options.by_itself else kind


def _plain_names(file: TableFile, taken: set[str]) -> dict[str, str]:
    """Return the free columns by their names without case, spaces and punctuation; of equals the first."""
    return {re.sub(r"[\W_]+", "", name).lower(): name for name in reversed(file.names) if name not in taken}


def _candidates(names: Iterable[str], file: TableFile, taken: set[str]) -> Iterator[str]:
    plain = _plain_names(file, taken)
    return (plain[name] for name in names if name in plain)


def _column_for(role: Role, file: TableFile, sample: Columns, options: TableOptions, taken: set[str]) -> str | None:
    plain = _plain_names(file, taken)
    names = (*_NAMES[role], *(_PREDICTIONS if options.by_itself and role is Role.PREDICTION else ()))
    candidates = _candidates(names, file, taken)
    match role:
        case Role.MODEL | Role.VERSION if not {"model", "version"} <= plain.keys():
            # A car has a model, too: only both words together are the name and version of ours.
            return next((name for name in candidates if name not in (plain.get("model"), plain.get("version"))), None)
        case Role.CONFIDENCE:
            return next((name for name in candidates if _is_share(sample[name])), None)
        case _:
            return next(candidates, None)


def _is_share(cells: Cells) -> bool:
    values = numeric_column(cells).values
    values = values[~np.isnan(values)]
    return values.size > 0 and bool(((values >= 0) & (values <= 1)).all())


def _why_left_out(name: str, cells: Cells, kind: SeriesKind | None, options: TableOptions) -> str | None:
    if _UNNAMED.fullmatch(name):
        return "a row index"
    rule = check_name(feature_series(name), "series") or check_name(name, "feature")
    if rule is not None:
        return f"its name {rule}"
    match kind:
        case SeriesKind.NUMERIC if _counts_up(numeric_column(cells).values):
            return "it counts the rows up"
        case SeriesKind.CATEGORICAL if _all_differ(text_column(cells).values):
            dated = options.by_itself and are_dates([text for text in text_column(cells).values if text is not None])
            return DATES if dated else "every value differs, like an identifier"
        case None if isinstance(cells, pa.Array) and cells.null_count < len(cells):
            timed = options.by_itself and pa.types.is_temporal(cells.type)
            return DATES if timed else f"values of type {cells.type} are no feature"
        case None if any(isinstance(cell, list) for cell in cells):
            return "lists are no feature"
        case _:
            return why_no_feature(cells, kind) if options.by_itself else None


def _first_cell(cells: Cells) -> str:
    first = next((cell for cell in plain_cells(cells) if not is_missing(cell)), None)
    return "an empty cell" if first is None else repr(first)[:60]


def _counts_up(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> bool:
    return values.size >= ENOUGH_ROWS and bool((np.diff(values) == 1).all())


def _all_differ(values: Sequence[object]) -> bool:
    present = [value for value in values if value is not None]
    return len(present) >= ENOUGH_ROWS and len(set(present)) == len(present)
