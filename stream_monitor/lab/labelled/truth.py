"""A file that says where data truly changed: rows or spans of rows, for the whole file or for single series.

JSON: a list of rows `[5000, 8000]`; of spans `[{"from": 5000, "to": 6000, "series": "amount"}]` with `to` (the first
row that is as before again) and `series` left out where there are none; or lists by series `{"amount": [5000]}`. CSV:
columns `from` (or `row`, `change`), `to` and `series` in any order, or one column of rows without a head. Rows are
counted from 0, without the head of the data file; the first changed row is the change. Where rows have time
stamps, instants may stand for them: `2026-11-22T07:00Z`, or any form that is read in tables; no zone is UTC.

>>> parse_truth('{"amount": [5000], "": [8000]}', "json").changes["amount"]
(Change(start=5000.0, end=inf),)
"""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from stream_monitor.core.canonical import Json
from stream_monitor.formats.tables.stamps import stamp_form
from stream_monitor.formats.tables.values import instants
from stream_monitor.lab.scores import Change

EVERYTHING = ""
"""The series of a change of the whole file."""

_START = ("from", "row", "change", "start")
_END = ("to", "end", "until")
_SERIES = ("series", "feature", "column")


class TruthError(ValueError):
    """The file of known changes cannot be used; the message names file, place and rule."""


@dataclass(frozen=True, slots=True)
class Truth:
    """Known changes.

    Attributes:
        changes: in order, by name of the series; `EVERYTHING` for those of the whole file.
    """

    changes: Mapping[str, tuple[Change, ...]]

    @property
    def by_series(self) -> bool:
        """Say whether single series are named."""
        return any(name != EVERYTHING for name in self.changes)

    def of(self, series: str) -> tuple[Change, ...]:
        """Return the changes of a series, those of the whole file among them."""
        own = {*self.changes.get(series, ()), *self.changes.get(EVERYTHING, ())}
        return tuple(sorted(own))


RowOf = Callable[[int], int | None]
"""Returns how many rows are earlier than an instant, None if rows have no time stamps."""


def read_truth(path: Path, row_of: RowOf = lambda _: None) -> Truth:
    """Read known changes from a JSON or CSV file.

    Args:
        path: of the file.
        row_of: finds the row of an instant.

    Raises:
        TruthError: the file cannot be read, or holds something else.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise TruthError(f"{path}: cannot be read: {error}") from None
    try:
        return parse_truth(text, "json" if text.lstrip()[:1] in {"[", "{"} else "csv", row_of)
    except TruthError as error:
        raise TruthError(f"{path}: {error}") from None


def parse_truth(text: str, form: str, row_of: RowOf = lambda _: None) -> Truth:
    """Return known changes from text in the form `json` or `csv`; `row_of` finds the row of an instant.

    Raises:
        TruthError: the text is something else.
    """
    found: dict[str, set[Change]] = {}
    for series, start, end in (_json_rows if form == "json" else _csv_rows)(text, row_of):
        if end <= start or start < 0:
            raise TruthError(f"from: must be a row from 0 on and before `to`, got {start:g} to {end:g}")
        found.setdefault(series, set()).add(Change(start, end))
    return Truth({series: tuple(sorted(changes)) for series, changes in found.items()})


_Row = tuple[str, float, float]


def _json_rows(text: str, row_of: RowOf) -> Iterator[_Row]:
    try:
        document: Json = json.loads(text)
    except json.JSONDecodeError as error:
        raise TruthError(f"no JSON: {error}") from None
    if isinstance(document, dict):
        for series, rows in document.items():
            if not isinstance(rows, list):
                raise TruthError(f"{series}: must be a list of changes")
            yield from (_json_row(item, series, row_of) for item in rows)
    elif isinstance(document, list):
        yield from (_json_row(item, EVERYTHING, row_of) for item in document)
    else:
        raise TruthError("must be a list of changes, or lists by series")


def _json_row(item: Json, series: str, row_of: RowOf) -> _Row:
    match item:
        case str() if not item.strip().isdecimal():
            return series, _number(item, "from", row_of), math.inf
        case bool() | None | str():
            raise TruthError(f"a change must be a row or an object with `from`, got {json.dumps(item)}")
        case int() | float():
            return series, float(item), math.inf
        case [start, end]:
            return series, _number(start, "from", row_of), _number(end, "to", row_of)
        case dict():
            lowered = {key.lower(): value for key, value in item.items()}
            named = _first(lowered, _SERIES)
            start, end = _first(lowered, _START), _first(lowered, _END)
            stop = math.inf if end is None else _number(end, "to", row_of)
            return series if named is None else str(named), _number(start, "from", row_of), stop
        case _:
            raise TruthError("a change must be a row, a pair of rows or an object with `from`")


def _csv_rows(text: str, row_of: RowOf) -> Iterator[_Row]:
    lines = [[cell.strip() for cell in line] for line in csv.reader(text.splitlines()) if any(line)]
    if not lines:
        return
    head = [cell.lower() for cell in lines[0]]
    if not any(name in head for name in _START):
        head, lines = ["from", "to"][: len(head)], [[], *lines]
    for number, cells in enumerate(lines[1:], start=1):
        row: dict[str, Json] = {name: cell for name, cell in zip(head, cells, strict=False) if cell}
        if _first(row, _START) is None:
            raise TruthError(f"line {number}: `from` is missing")
        end = _first(row, _END)
        series = _first(row, _SERIES)
        yield (
            EVERYTHING if series is None else str(series),
            _number(_first(row, _START), "from", row_of),
            math.inf if end is None else _number(end, "to", row_of),
        )


def _first(row: Mapping[str, Json], names: tuple[str, ...]) -> Json:
    return next((row[name] for name in names if row.get(name) is not None), None)


def _number(value: Json, field: str, row_of: RowOf) -> float:
    try:
        found = float(value) if isinstance(value, (int, float, str)) and not isinstance(value, bool) else math.nan
    except ValueError:
        found = _row_of_text(str(value), field, row_of)
    if not math.isfinite(found):
        raise TruthError(f"{field}: must be a row number or an instant, got {json.dumps(value)}")
    return found


def _row_of_text(text: str, field: str, row_of: RowOf) -> float:
    """Return the row of a written instant, NaN if it is none."""
    milliseconds, bad = instants([text], unit="ms", zone="UTC")
    form = stamp_form([text]) if bad[0] else None
    if form is not None:
        milliseconds, bad = form.read([text], zone="UTC")
    if bad[0]:
        return math.nan
    row = row_of(int(milliseconds[0]))
    if row is None:
        raise TruthError(f"{field}: must be a row number, for the rows have no time stamps, got {json.dumps(text)}")
    return float(row)
