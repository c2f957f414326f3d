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
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

import numpy as np

from stream_monitor.core.arrays import Bool, Int64
from stream_monitor.formats.tables.spellings import milliseconds_of, moment_of, split_zone


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
    SERIAL = "days since 1900, as spreadsheets count them"

    def read(self, cells: Sequence[object], *, zone: str) -> tuple[Int64, Bool]:
        """Return epoch milliseconds, and where a cell is no time stamp of this form; both of shape (n,)."""
        where = ZoneInfo(zone)
        parsed = [self._instant(cell, where) for cell in cells]
        return np.array([ms or 0 for ms in parsed], np.int64), np.array([ms is None for ms in parsed], np.bool_)

    def _instant(self, cell: object, zone: ZoneInfo) -> int | None:
        if cell is None:
            return None
        if self is StampForm.SERIAL:
            return _of_serial_day(cell, zone)
        body, own = split_zone(str(cell).strip())
        found = _WRITTEN[self].fullmatch(body)
        if found is None:
            return None
        try:
            return milliseconds_of(moment_of(found.groupdict(), own or zone))
        except ValueError:
            return None


_TIME = (
    r"(?:[T ,]+(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"\s*(?P<half>[AaPp][Mm])?)?"
)
_WRITTEN: Mapping[StampForm, re.Pattern[str]] = {
    StampForm.DAY_FIRST: re.compile(r"(?P<day>\d{1,2})([./-])(?P<month>\d{1,2})\2(?P<year>\d{1,4})" + _TIME),
    StampForm.MONTH_FIRST: re.compile(r"(?P<month>\d{1,2})([./-])(?P<day>\d{1,2})\2(?P<year>\d{1,4})" + _TIME),
    StampForm.YEAR_FIRST: re.compile(r"(?P<year>\d{1,4})([./-])(?P<month>\d{1,2})\2(?P<day>\d{1,2})" + _TIME),
    StampForm.COMPACT: re.compile(r"(?P<year>1[89]\d{2}|2[01]\d{2})(?P<month>\d{2})(?P<day>\d{2})"),
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


_FIRST_DAY, _LAST_DAY = 20_000.0, 80_000.0
"""Days of our time, 1954 to 2119."""

_DAY_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 - of the zone of the file


def serial_days(cells: Sequence[object]) -> bool:
    """Say whether numbers are days since 1900 that run forwards; only a name can tell them from other numbers."""
    milliseconds, bad = StampForm.SERIAL.read([cell for cell in cells if cell is not None], zone="UTC")
    backwards = int((np.diff(milliseconds) < 0).sum())
    return bad.size > 0 and not bad.any() and backwards * 100 <= bad.size and int(np.ptp(milliseconds)) > 0


def _of_serial_day(cell: object, zone: ZoneInfo) -> int | None:
    try:
        day = float(str(cell))
    except ValueError:
        return None
    if not _FIRST_DAY <= day < _LAST_DAY:
        return None
    seconds = round(day * 86_400, 3)
    return milliseconds_of((_DAY_ZERO + timedelta(seconds=seconds)).replace(tzinfo=zone))


def stamp_form(cells: Sequence[object]) -> StampForm | None:
    """Return the form in which at least 19 of 20 present cells can be read, None if there is none; ISO 8601 is not one.

    Args:
        cells: a sample, in the order of the file.
    """
    present = [cell for cell in cells if cell is not None and str(cell).strip()]
    best: tuple[int, int, int, StampForm] | None = None
    for form in _WRITTEN:
        milliseconds, bad = form.read(present, zone="UTC")
        if not present or bad.sum() * 20 > len(present):
            continue
        good = milliseconds[~bad]
        rank = (int(bad.sum()), int((np.diff(good) < 0).sum()), int(np.ptp(good)), form)
        if best is None or rank[:3] < best[:3]:
            best = rank
    return None if best is None else best[3]
