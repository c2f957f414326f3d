"""Which column of a file is what: roles by name or by option, features and their kinds, what is left out and why."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
from stream_monitor.core.time import format_instant
from stream_monitor.formats.tables.errors import TableError
from stream_monitor.formats.tables.files import Block, Cells, TableFile
from stream_monitor.formats.tables.values import infer_kind, instants, numeric_column, text_column


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
_ROLE_KINDS: Final = {Role.CONFIDENCE: SeriesKind.NUMERIC, Role.LATENCY: SeriesKind.NUMERIC}
_UNNAMED = re.compile(r"Unnamed: \d+|index|__index_level_\d+__|")
_ENOUGH_ROWS = 64
_EARLIEST_MS = 631_152_000_000  # 1990
_LATEST_MS = 4_102_444_800_000  # 2100


@dataclass(frozen=True, slots=True)
class TableOptions:
    """What a user says about a file; everything has a default.

    Attributes:
        model: model of rows that name none, empty: the name of the file.
        version: version of rows that name none.
        columns: column by role, instead of the one that its name suggests.
        kinds: kind by column, instead of the inferred one; these columns are never left out.
        segments: columns that are segments and no features.
        time_unit: of time stamps that are numbers: s, ms, us or ns.
        zone: of time stamps that name no zone.
        row_order: the order of the rows is their time, even if there is a time stamp.
        start_ms: then the first row's instant.
        row_ms: then the time from row to row.
        batch_rows: rows of a batch.
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


@dataclass(frozen=True, slots=True)
class TableLayout:
    """What the columns of a file are.

    Attributes:
        roles: column by role; without a time stamp, rows are timed by their order.
        kinds: features with their kinds, in the order of the file; None: no value in the sample.
        role_kinds: kinds of the roles that are series.
        dropped: columns that are left out, and why.
    """

    roles: Mapping[Role, str]
    kinds: Mapping[str, SeriesKind | None]
    role_kinds: Mapping[Role, SeriesKind | None]
    dropped: Mapping[str, str]


def kinds_of(baseline: Baseline) -> dict[str, SeriesKind]:
    """Return the kinds of the features of a baseline, as options for a file that is counted against it."""
    kinds = {feature_of(name): series.kind for name, series in baseline.series.items()}
    return {feature: kind for feature, kind in kinds.items() if feature is not None}


def choose_layout(file: TableFile, sample: Block, options: TableOptions) -> TableLayout:
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
    for role in Role:
        if role not in roles:
            found = _column_for(role, file, sample, options, taken)
            if found is not None:
                roles[role] = found
                taken.add(found)
    dropped: dict[str, str] = {}
    if options.row_order and Role.TIMESTAMP in roles:
        dropped[roles.pop(Role.TIMESTAMP)] = "rows are timed by their order"
    elif Role.TIMESTAMP in options.columns:
        _check_times(file, roles[Role.TIMESTAMP], sample.get(roles[Role.TIMESTAMP], []), options)
    kinds: dict[str, SeriesKind | None] = {}
    for name in file.names:
        if name in roles.values() or name in options.segments or name in dropped:
            continue
        kind = options.kinds.get(name) or infer_kind(sample[name], text=file.kind == "csv")
        why = None if name in options.kinds else _why_left_out(name, sample[name], kind)
        if why is None:
            kinds[name] = kind
        else:
            dropped[name] = why
    role_kinds = {
        role: _ROLE_KINDS.get(role) or options.kinds.get(name) or infer_kind(sample[name], text=file.kind == "csv")
        for role, name in roles.items()
        if role in SERIES_OF_ROLE
    }
    return TableLayout(roles, kinds, role_kinds, dropped)


def _column_for(role: Role, file: TableFile, sample: Block, options: TableOptions, taken: set[str]) -> str | None:
    plain = {re.sub(r"[\W_]+", "", name).lower(): name for name in reversed(file.names) if name not in taken}
    candidates = [plain[name] for name in _NAMES[role] if name in plain]
    match role:
        case Role.TIMESTAMP:
            return next((name for name in candidates if _is_time(file, name, sample[name], options)), None)
        case Role.MODEL | Role.VERSION if not {"model", "version"} <= plain.keys():
            # A car has a model, too: only both words together are the name and version of ours.
            return next((name for name in candidates if name not in (plain.get("model"), plain.get("version"))), None)
        case Role.CONFIDENCE:
            return next((name for name in candidates if _is_share(sample[name])), None)
        case _:
            return next(iter(candidates), None)


def _is_time(file: TableFile, name: str, cells: Cells, options: TableOptions) -> bool:
    """Say whether a column holds time stamps; numbers must be plausible in the stated unit, none is guessed."""
    milliseconds, bad = instants(cells, unit=options.time_unit, zone=options.zone)
    if not bad.size or bad.all():
        return False
    if infer_kind(cells, text=file.kind == "csv") is not SeriesKind.NUMERIC:
        return not bad.any()
    good = milliseconds[~bad]
    if _plausible(good):
        return True
    for unit in () if options.row_order else ("s", "ms", "us", "ns"):
        others, _ = instants(cells, unit=unit, zone=options.zone)
        if unit != options.time_unit and _plausible(others[~bad]):
            raise TableError(
                f"{file.path}: column {name!r}: as {options.time_unit} the first time stamp is "
                f"{_shown(int(good[0]))}, as {unit} {_shown(int(others[~bad][0]))}: state the time unit"
            )
    return False


def _plausible(milliseconds: np.ndarray[tuple[int], np.dtype[np.int64]]) -> bool:
    return bool(((milliseconds >= _EARLIEST_MS) & (milliseconds < _LATEST_MS)).all())


def _shown(ms: int) -> str:
    try:
        return format_instant(ms)
    except ValueError:
        return f"{ms} ms"


def _check_times(file: TableFile, name: str, cells: Cells, options: TableOptions) -> None:
    _, bad = instants(cells, unit=options.time_unit, zone=options.zone)
    if bad.size and bad.all():
        first = cells[0].as_py() if isinstance(cells, pa.Array) else cells[0]
        raise TableError(f"{file.path}: column {name!r}: must hold time stamps, got {first!r}")


def _is_share(cells: Cells) -> bool:
    values = numeric_column(cells).values
    values = values[~np.isnan(values)]
    return values.size > 0 and bool(((values >= 0) & (values <= 1)).all())


def _why_left_out(name: str, cells: Cells, kind: SeriesKind | None) -> str | None:
    if _UNNAMED.fullmatch(name):
        return "a row index"
    rule = check_name(feature_series(name), "series") or check_name(name, "feature")
    if rule is not None:
        return f"its name {rule}"
    match kind:
        case SeriesKind.NUMERIC if _counts_up(numeric_column(cells).values):
            return "it counts the rows up"
        case SeriesKind.CATEGORICAL if _all_differ(text_column(cells).values):
            return "every value differs, like an identifier"
        case None if isinstance(cells, pa.Array) and cells.null_count < len(cells):
            return f"values of type {cells.type} are no feature"
        case _:
            return None


def _counts_up(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> bool:
    return values.size >= _ENOUGH_ROWS and bool((np.diff(values) == 1).all())


def _all_differ(values: Sequence[object]) -> bool:
    present = [value for value in values if value is not None]
    return len(present) >= _ENOUGH_ROWS and len(set(present)) == len(present)
