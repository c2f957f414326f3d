"""From the cells of a file to columns of the core: numbers, categories, booleans, instants.

A cell is missing when it is empty or null; for numbers also NaN and the usual texts for it (`NA`, `null`, `None` ...).
What is neither missing nor of the column's kind stays apart as invalid, as in a live event.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stream_monitor.core.arrays import Bool, Float64, Int64
from stream_monitor.core.batch import INVALID, Cell, NumericColumn, ObjectColumn
from stream_monitor.core.names import SeriesKind, cut_category
from stream_monitor.formats.tables.cells import Cells
from stream_monitor.formats.tables.missing import MISSING_TEXTS
from stream_monitor.formats.tables.spellings import instant_of_text, milliseconds_of

_NUMERIC_SHARE = 0.95
"""A column of texts is numeric when at least this share of them are numbers: some systems write `unknown` between."""

_MS_PER_UNIT = {"s": 1000.0, "ms": 1.0, "us": 1e-3, "ns": 1e-6}
TIME_UNITS = tuple(_MS_PER_UNIT)
"""Units of time stamps that are numbers, the coarsest first."""

EARLIEST_MS = 631_152_000_000  # 1990
LATEST_MS = 4_102_444_800_000  # 2100

_PER_MS = {"us": 1_000, "ns": 1_000_000}
_SMALLEST_DIGITS = 19_900_101
_MOST_DIGITS = 40
_DIGITS_TO_MS = 17
"""Of 20261122071927684, which a float does not hold."""

_UTC_NAMED = r"\s*(?:[+-]00:?00)?\s*(?:UTC|GMT|Z)$"
_OFFSET_APART = r"\s+([+-][0-9]{2}:?[0-9]{2})$"
_DIGITS = re.compile(r"-?[0-9]+(\.[0-9]*)?")


def infer_kind(cells: Cells, *, text: bool) -> SeriesKind | None:
    """Return the kind of a column from a sample, None when no cell has a value.

    Args:
        cells: the sample.
        text: the file holds text only (CSV), so numbers and booleans have to be recognised.
    """
    if isinstance(cells, pa.Array) and not _is_text(cells.type):
        return _kind_of_type(cells.type)
    values = [value for value in plain_cells(cells) if value is not None]
    if not text:
        types = [_kind_of(value) for value in values]
        return max((k for k in SeriesKind if k in types), key=types.count, default=None)
    texts = [value for value in values if str(value).strip().lower() not in MISSING_TEXTS]
    if not texts:
        return None
    if all(_boolean(value) is not None for value in texts):
        return SeriesKind.BINARY
    if _are_codes(texts):
        return SeriesKind.CATEGORICAL
    numbers = sum(is_plain_number(str(value)) for value in texts)
    return SeriesKind.NUMERIC if numbers >= _NUMERIC_SHARE * len(texts) else SeriesKind.CATEGORICAL


def _are_codes(texts: Sequence[object]) -> bool:
    """Say whether texts are digits of one width, some of them behind a zero: no number is written so."""
    digits = [text for value in texts if (text := str(value).strip()).isdecimal()]
    widths = {len(text) for text in digits}
    return (
        len(digits) >= _NUMERIC_SHARE * len(texts)
        and len(widths) == 1
        and widths != {1}
        and any(text.startswith("0") for text in digits)
    )


def numeric_column(cells: Cells) -> NumericColumn:
    """Return cells as numbers; texts and booleans that are none are invalid."""
    if isinstance(cells, pa.Array) and not pa.types.is_boolean(cells.type):
        try:
            typed = cells.dictionary_decode() if pa.types.is_dictionary(cells.type) else cells
            values = _float_array(typed)
        except pa.ArrowInvalid:
            pass  # some text is not a number: cell by cell
        else:
            return _without_infinities(values)
    return _numbers_one_by_one(
        plain_cells(cells), text=isinstance(cells, pa.Array) and not pa.types.is_boolean(cells.type)
    )


def text_column(cells: Cells) -> ObjectColumn:
    """Return cells as categories: texts cut at 256 bytes, numbers in their shortest form, booleans in lower case."""
    if isinstance(cells, pa.Array):
        encoded = cells if pa.types.is_dictionary(cells.type) else cells.dictionary_encode()
        names = np.array([*(_category(value) for value in encoded.dictionary.to_pylist()), None], dtype=object)
        codes = encoded.indices.fill_null(len(names) - 1).to_numpy(zero_copy_only=False)
        return ObjectColumn(names[codes].tolist())
    return ObjectColumn([_category(value) for value in cells])


def boolean_column(cells: Cells) -> ObjectColumn:
    """Return cells as booleans; what is none stays as it is, so that it can be counted as invalid."""
    values = [_boolean_or_cell(value) for value in plain_cells(cells)]  # in a file, 0 and 1 are booleans as well
    return ObjectColumn(values, mixed=any(value is not None and not isinstance(value, bool) for value in values))


def column_of(cells: Cells, kind: SeriesKind | None, *, text: bool) -> NumericColumn | ObjectColumn:
    """Return cells as a column of a kind; None: whatever these cells look like."""
    match kind or infer_kind(cells, text=text):
        case SeriesKind.NUMERIC:
            return numeric_column(cells)
        case SeriesKind.BINARY:
            return boolean_column(cells)
        case _:
            return text_column(cells)


def instants(cells: Cells, *, unit: str, zone: str) -> tuple[Int64, Bool]:
    """Return epoch milliseconds, and where a cell is no instant; what is finer than a millisecond is cut off.

    Args:
        cells: typed times, ISO 8601 texts, or numbers of `unit` since the epoch.
        unit: s, ms, us or ns; empty: for each cell the one in which it is of our time.
        zone: of times that name none.
    """
    if isinstance(cells, pa.Array):
        typed = _typed_instants(cells, zone)
        if typed is not None:
            return typed
        if pa.types.is_integer(cells.type) or pa.types.is_floating(cells.type):
            return _numeric_instants(_float_array(cells), unit)
    values = [_number_in(value, unit) for value in plain_cells(cells)]
    if all(value is None or _is_number(value) for value in values):
        return _numeric_instants(np.array(values, dtype=np.float64), unit)
    numbers, bad = _numeric_instants(np.array([v if _is_number(v) else np.nan for v in values], np.float64), unit)
    where = ZoneInfo(zone)
    parsed = [
        _instant(value, where) if not _is_number(value) else None if no_number else number
        for value, number, no_number in zip(values, numbers.tolist(), bad.tolist(), strict=True)
    ]
    return np.array([ms or 0 for ms in parsed], np.int64), np.array([ms is None for ms in parsed], np.bool_)


# --- numbers ----------------------------------------------------------------------------------------------------------


def _float_array(array: pa.Array) -> Float64:
    values: Float64 = pc.cast(array, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return values


def _without_infinities(values: Float64) -> NumericColumn:
    infinite = np.isinf(values)
    if not infinite.any():
        return NumericColumn(values)
    return NumericColumn(np.where(infinite, np.nan, values), invalid=infinite)


def _numbers_one_by_one(cells: Sequence[object], *, text: bool) -> NumericColumn:
    values = np.full(len(cells), np.nan)
    invalid = np.zeros(len(cells), np.bool_)
    others: dict[int, str | bool] = {}
    for row, cell in enumerate(cells):
        number = _number(cell, text=text)
        if number is not None:
            values[row] = number
        elif not is_missing(cell):
            invalid[row] = True
            if isinstance(cell, str | bool):
                others[row] = cut_category(cell) if isinstance(cell, str) else cell
    return NumericColumn(values, invalid=invalid if invalid.any() else None, others=others)


def _number(cell: object, *, text: bool) -> float | None:
    if _is_number(cell) or (text and isinstance(cell, str) and cell.strip().lower() not in MISSING_TEXTS):
        try:
            number = float(cell)  # type: ignore[arg-type]  # a number or a text
        except (ValueError, OverflowError):
            return None
        return number if math.isfinite(number) else None
    return None


def _is_number(cell: object) -> bool:
    return isinstance(cell, int | float) and not isinstance(cell, bool)


def is_plain_number(text: str) -> bool:
    """Say whether a text is a number, not a code like a postcode with a leading zero."""
    digits = text.strip().lstrip("+-")
    if "_" in digits or (len(digits) > 1 and digits[0] == "0" and digits[1].isdigit()):
        return False
    return _number(text, text=True) is not None


def is_missing(cell: object) -> bool:
    """Say whether a cell holds no value."""
    match cell:
        case None:
            return True
        case str():
            return cell.strip().lower() in MISSING_TEXTS
        case float():
            return math.isnan(cell)
        case _:
            return False


# --- categories and booleans ------------------------------------------------------------------------------------------


def _category(value: object) -> Cell:
    match value:
        case None:
            return None
        case str():
            return cut_category(value)
        case bool():
            return "true" if value else "false"
        case float() if math.isnan(value):
            return None
        case int() | float():
            return f"{int(value)}" if math.isfinite(value) and value == int(value) else f"{value!r}"
        case bytes():
            return cut_category(value.decode("utf-8", "replace"))
        case _:
            return INVALID


def _boolean(value: object) -> bool | None:
    if isinstance(value, bool):
        return value
    return {"true": True, "false": False}.get(value.strip().lower()) if isinstance(value, str) else None


def _boolean_or_cell(value: object) -> Cell:
    boolean = _boolean(value)
    if boolean is not None or is_missing(value):
        return boolean
    number = _number(value, text=True)
    if number in (0.0, 1.0):
        return number == 1.0
    if isinstance(value, str):
        return cut_category(value)
    return float(value) if isinstance(value, int | float) else INVALID


# --- instants ---------------------------------------------------------------------------------------------------------


def _typed_instants(array: pa.Array, zone: str) -> tuple[Int64, Bool] | None:
    """Return instants of a typed column or of regular ISO texts, None when cells have to be looked at one by one."""
    try:
        if _is_text(array.type):
            array = _parsed_texts(array)
        if pa.types.is_date(array.type):
            array = array.cast(pa.timestamp("ms"))
        if not pa.types.is_timestamp(array.type):
            return None
        if array.type.tz is None:
            array = pc.assume_timezone(array, zone, ambiguous="earliest", nonexistent="earliest")
    except pa.ArrowInvalid:
        return None
    counts: Int64 = array.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    unit = array.type.unit
    milliseconds = counts // _PER_MS[unit] if unit in _PER_MS else counts * int(_MS_PER_UNIT[unit])
    missing: Bool = array.is_null().to_numpy(zero_copy_only=False)
    return milliseconds, missing


def _parsed_texts(array: pa.Array) -> pa.Array:
    try:
        return array.cast(pa.timestamp("ns", "UTC"))  # each names its zone
    except pa.ArrowInvalid:
        pass
    try:
        return array.cast(pa.timestamp("ns"))
    except pa.ArrowInvalid:
        bare = pc.replace_substring_regex(array, _UTC_NAMED, "Z")
        return pc.replace_substring_regex(bare, _OFFSET_APART, r"\1").cast(pa.timestamp("ns", "UTC"))


def _numeric_instants(numbers: Float64, unit: str) -> tuple[Int64, Bool]:
    if not unit:
        return _instants_of_our_time(numbers)
    bad = ~np.isfinite(numbers) | (np.abs(numbers) * max(1.0, _MS_PER_UNIT[unit]) > 2.0**62)
    milliseconds = np.floor(np.where(bad, 0.0, numbers) * _MS_PER_UNIT[unit])
    return milliseconds.astype(np.int64), bad


def _instants_of_our_time(numbers: Float64) -> tuple[Int64, Bool]:
    """Return instants by the size of each number: no two units have one that is of our time in both."""
    bad = np.ones(numbers.size, np.bool_)
    milliseconds = np.zeros(numbers.size, np.int64)
    for factor in _MS_PER_UNIT.values():
        found = np.floor(numbers * factor)
        fits = bad & (found >= EARLIEST_MS) & (found < LATEST_MS)
        milliseconds[fits] = found[fits].astype(np.int64)
        bad &= ~fits
    whole = np.isfinite(numbers) & (numbers >= _SMALLEST_DIGITS) & (numbers == np.floor(numbers))
    for row in np.flatnonzero(bad & whole).tolist():
        written = instant_of_text(f"{int(numbers[row])}", UTC)  # 20261122, 20261122071927
        if written is not None and EARLIEST_MS <= written < LATEST_MS:
            milliseconds[row], bad[row] = written, False
    return milliseconds, bad


def _number_in(value: object, unit: str) -> object:
    """Return the number that a text of digits is (CSV), any other cell as it is."""
    if not isinstance(value, str) or not _DIGITS.fullmatch(value.strip()):
        return value
    if len(value.strip()) > _MOST_DIGITS or (not unit and len(value.strip()) == _DIGITS_TO_MS):
        return value.strip()
    return float(value) if "." in value else int(value)


def _instant(value: object, zone: ZoneInfo) -> int | None:
    match value:
        case datetime():
            return milliseconds_of(value if value.tzinfo else value.replace(tzinfo=zone))
        case date():
            return milliseconds_of(datetime(value.year, value.month, value.day, tzinfo=zone))
        case str():
            return instant_of_text(value, zone)
        case _:
            return None


# --- types ------------------------------------------------------------------------------------------------------------


def _is_text(type_: pa.DataType) -> bool:
    if pa.types.is_dictionary(type_):
        return _is_text(type_.value_type)
    return bool(pa.types.is_string(type_) or pa.types.is_large_string(type_))


def _kind_of_type(type_: pa.DataType) -> SeriesKind | None:
    if pa.types.is_dictionary(type_):
        return _kind_of_type(type_.value_type)
    if pa.types.is_boolean(type_):
        return SeriesKind.BINARY
    if pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_):
        return SeriesKind.NUMERIC
    return SeriesKind.CATEGORICAL if _is_text(type_) else None


def _kind_of(value: object) -> SeriesKind | None:
    match value:
        case bool():
            return SeriesKind.BINARY
        case int() | float():
            return SeriesKind.NUMERIC
        case str():
            return SeriesKind.CATEGORICAL
        case _:
            return None


def plain_cells(cells: Cells) -> Sequence[object]:
    """Return cells as Python values."""
    return cells.to_pylist() if isinstance(cells, pa.Array) else cells
