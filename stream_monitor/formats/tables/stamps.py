"""How the time stamps of a column are written: ISO 8601, a unit since the epoch, days and months in any usual order.

Texts such as `31.12.2025 23:59`, `12/31/2025 11:59:59 PM`, `2025/12/31`, `31-Dec-25` or `2025-12` and whole numbers
such as 20251231 are read; whether the day or the month comes first is decided for a column as a whole, by what is
possible for all its cells, then by which order makes time run forwards, then by which makes it the shorter time.

>>> found = stamp_form(["31.12.2025 23:59", "01.01.2026 00:01"])
>>> found, found.read(["31.12.2025 23:59", None], zone="UTC")[1].tolist()
(<StampForm.DAY_FIRST: 'day.month.year'>, [False, True])
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from zoneinfo import ZoneInfo

import numpy as np

from stream_monitor.core.arrays import Bool, Int64

_CENTURY = 100
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_SHORTEST_NAME = 3


class StampForm(StrEnum):
    """What the parts of a written date mean; the value is how it is told."""

    DAY_FIRST = "day.month.year"
    MONTH_FIRST = "month/day/year"
    YEAR_FIRST = "year/month/day"
    COMPACT = "yyyymmdd"
    NAMED_DAY = "day-month-year with months by name"
    NAMED_MONTH = "month day, year with months by name"
    YEAR_MONTH = "year-month"
    MONTH_YEAR = "month/year"

    def read(self, cells: Sequence[object], *, zone: str) -> tuple[Int64, Bool]:
        """Return epoch milliseconds, and where a cell is no time stamp of this form; both of shape (n,)."""
        where = ZoneInfo(zone)
        parsed = [self._instant(cell, where) for cell in cells]
        return np.array([ms or 0 for ms in parsed], np.int64), np.array([ms is None for ms in parsed], np.bool_)

    def _instant(self, cell: object, zone: ZoneInfo) -> int | None:
        found = _WRITTEN[self].fullmatch(str(cell).strip())
        if found is None or cell is None:
            return None
        parts = {name: part or "" for name, part in found.groupdict().items()}
        try:
            moment = datetime(
                _year(parts["year"]),
                _month(parts["month"]),
                int(parts.get("day", 1)),
                _hour(parts.get("hour", ""), parts.get("half", "")),
                int(parts.get("minute") or 0),
                int(parts.get("second") or 0),
                tzinfo=zone,
            )
        except ValueError:
            return None
        milliseconds = int((parts.get("fraction", "") + "000")[:3])
        return int(moment.timestamp()) * 1_000 + milliseconds


_TIME = (
    r"(?:[T ,]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"\s*(?P<half>[AaPp][Mm])?)?"
)
_WRITTEN: Mapping[StampForm, re.Pattern[str]] = {
    StampForm.DAY_FIRST: re.compile(r"(?P<day>\d{1,2})([./-])(?P<month>\d{1,2})\2(?P<year>\d{1,4})" + _TIME),
    StampForm.MONTH_FIRST: re.compile(r"(?P<month>\d{1,2})([./-])(?P<day>\d{1,2})\2(?P<year>\d{1,4})" + _TIME),
    StampForm.YEAR_FIRST: re.compile(r"(?P<year>\d{1,4})([./-])(?P<month>\d{1,2})\2(?P<day>\d{1,2})" + _TIME),
    StampForm.COMPACT: re.compile(r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})"),
    StampForm.NAMED_DAY: re.compile(
        r"(?P<day>\d{1,2})[ ./-]*(?P<month>[A-Za-z]{3,9})\.?[ ,./-]*(?P<year>\d{4}|\d{2})" + _TIME
    ),
    StampForm.NAMED_MONTH: re.compile(
        r"(?P<month>[A-Za-z]{3,9})\.? +(?P<day>\d{1,2}),? +(?P<year>\d{4})" + _TIME  # of two digits it may be the hour
    ),
    # A point would make months of decimal numbers; `Jan 17` and `01-17` may be days.
    StampForm.YEAR_MONTH: re.compile(r"(?P<year>\d{4})[/-]M?(?P<month>\d{1,2})"),
    StampForm.MONTH_YEAR: re.compile(
        r"(?P<month>\d{1,2}(?=[/-]\d{4})|[A-Za-z]{3,9})[ /'-](?P<year>\d{4}|(?<=[-'])\d{2})"
    ),
}


def stamp_form(cells: Sequence[object]) -> StampForm | None:
    """Return the form in which at least 19 of 20 present cells can be read, None if there is none; ISO 8601 is not one.

    Args:
        cells: a sample, in the order of the file.
    """
    present = [cell for cell in cells if cell is not None and str(cell).strip()]
    best: tuple[int, int, int, StampForm] | None = None
    for form in StampForm:
        milliseconds, bad = form.read(present, zone="UTC")
        if not present or bad.sum() * 20 > len(present):
            continue
        good = milliseconds[~bad]
        rank = (int(bad.sum()), int((np.diff(good) < 0).sum()), int(np.ptp(good)), form)
        if best is None or rank[:3] < best[:3]:
            best = rank
    return None if best is None else best[3]


def _year(text: str) -> int:
    """Return a year; of two digits, one from 1970 to 2069."""
    year = int(text)
    if year >= _CENTURY or len(text) > 2:
        return year
    return year + (1_900 if year >= 70 else 2_000)


def _month(text: str) -> int:
    """Return a month from its number, or from its English name or the beginning of it."""
    if text.isdigit():
        return int(text)
    fitting = [n for n, name in enumerate(_MONTHS, 1) if name.startswith(text.lower())]
    if len(fitting) != 1 or len(text) < _SHORTEST_NAME:
        raise ValueError(f"month: must be the name of one, got {text}")
    return fitting[0]


def _hour(text: str, half: str) -> int:
    hour = int(text or 0)
    if not half:
        return hour
    if not 1 <= hour <= 12:
        raise ValueError(f"hour: must be from 1 to 12 with {half}, got {hour}")
    return hour % 12 + (12 if half.lower() == "pm" else 0)
