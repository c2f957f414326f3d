"""Written instants that can be read one by one: what day and month are does not depend on their neighbours.

ISO 8601 and its relatives with names of zones (`2026-11-22 07:19:27 UTC`, `...+01:00[Europe/Berlin]`, `... CET`), mail
and HTTP headers, `ctime`, access logs, JavaScript, digits alone (`20261122071927`), `/Date(1795331967684)/`.

>>> [instant_of_text(text, UTC) for text in ("2026-11-22 07:19:27 UTC", "Sun, 22 Nov 2026 08:19:27 +0100", "soon")]
[1795331967000, 1795331967000, None]
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

EARLIEST_YEAR, LATEST_YEAR = 1800, 2200
"""Digits that would be a date of another year are a code."""

_MINUTES: Final[Mapping[str, int]] = {
    **dict.fromkeys(("Z", "UTC", "GMT", "UT", "WET"), 0),
    "WEST": 60,
    "CET": 60,
    "MEZ": 60,
    "CEST": 120,
    "MESZ": 120,
    "EET": 120,
    "EEST": 180,
    "MSK": 180,
    "EST": -300,
    "EDT": -240,
    "CST": -360,
    "CDT": -300,
    "MST": -420,
    "MDT": -360,
    "PST": -480,
    "PDT": -420,
    "AKST": -540,
    "AKDT": -480,
    "HST": -600,
    "JST": 540,
    "KST": 540,
    "HKT": 480,
    "SGT": 480,
    "AEST": 600,
    "AEDT": 660,
    "NZST": 720,
    "NZDT": 780,
}
"""Short names of zones that mean one zone only, or in mail always do: BST and IST are three each."""

_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)
_SHORTEST_NAME = 3
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

_ZONED = re.compile(
    r"(?P<body>.*\d:\d{2}.*?|\d{8}[T ]?\d{4,6}.*?)\s*"
    r"(?:(?:UTC|GMT)?(?P<sign>[+-])(?P<hours>\d{2})(?::?(?P<minutes>\d{2}))?)?"
    r"\s*(?:\[(?P<region>[\w+/-]+)\]|\([^)]*\)|(?P<name>[A-Z]{1,5}|[A-Z][A-Za-z_]+(?:/[A-Z][A-Za-z_-]+)+))?"
    r"(?:\s+m=[+-][\d.]+)?"  # how long a Go program had been running
)
_CLOCK = (
    r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"\s*(?P<half>[AaPp]\.?[Mm]\.?)?"
)
_SECONDS = r"(?P<second>\d{2})(?:[.,]?(?P<fraction>\d{1,9}))?"
_DAY = r"(?:[A-Za-z]{3,9}\.?,?\s+)?"
_WRITTEN = tuple(
    re.compile(pattern)
    for pattern in (
        _DAY + r"(?P<day>\d{1,2})[\s-]+(?P<month>[A-Za-z]{3,9})\.?,?[\s-]+(?P<year>\d{4})[\sT,]+" + _CLOCK,
        _DAY + r"(?P<month>[A-Za-z]{3,9})\.?\s+(?P<day>\d{1,2}),?\s+(?P<year>\d{4})[\s,]+" + _CLOCK,
        _DAY
        + r"(?P<month>[A-Za-z]{3,9})\.?\s+(?P<day>\d{1,2}),?\s+"
        + _CLOCK
        + r"(?:\s+(?P<zone>[A-Z]{1,5}|[+-]\d{4}))?\s+(?P<year>\d{4})",
        r"\[?(?P<day>\d{1,2})/(?P<month>[A-Za-z]{3,9})/(?P<year>\d{4})[:\s]" + _CLOCK,
        r"(?P<year>\d{4})[:/.-](?P<month>\d{1,2})[:/.-](?P<day>\d{1,2})[T:_ -]\s*" + _CLOCK,
        r"(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})[- T](?P<hour>\d{2})\.(?P<minute>\d{2})\." + _SECONDS,
        r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})(?:[T_ -]?(?P<hour>\d{2})(?P<minute>\d{2})(?:"
        + _SECONDS
        + ")?)?",
    )
)
_EPOCH_MS = re.compile(r"\\?/Date\((?P<ms>-?\d{1,16})(?:[+-]\d{4})?\)\\?/")


def instant_of_text(text: str, zone: tzinfo) -> int | None:
    """Return epoch milliseconds, None for a text that is no instant or whose day and month cannot be told apart.

    Args:
        text: as it is written.
        zone: of texts that name none.
    """
    text = text.strip()
    epoch = _EPOCH_MS.fullmatch(text)
    if epoch is not None:
        return int(epoch["ms"])
    body, own = split_zone(text)
    moment = None if body.isdecimal() else _iso(body)  # in 20260120000000, a zero would part day and time
    try:
        if moment is None:
            found = next((found for pattern in _WRITTEN if (found := pattern.fullmatch(body)) is not None), None)
            if found is None:
                return None
            parts = found.groupdict()
            moment = moment_of(parts, own or _stated(parts.get("zone")) or zone)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=own or zone)
    if body.isdecimal() and not EARLIEST_YEAR <= moment.year < LATEST_YEAR:
        return None
    return milliseconds_of(moment)


def milliseconds_of(moment: datetime) -> int:
    """Return epoch milliseconds; what is finer is cut off."""
    return (moment - _EPOCH) // _MILLISECOND


def split_zone(text: str) -> tuple[str, tzinfo | None]:
    """Return a text without the zone behind its time, and that zone; both as they are if there is none to be known."""
    text = text.removesuffix("]") if text.startswith("[") else text
    found = _ZONED.fullmatch(text)
    if found is None:
        return text, None
    name = found["name"] or found["region"]
    if found["sign"]:
        offset = timedelta(hours=int(found["hours"]), minutes=int(found["minutes"] or 0))
        own: tzinfo | None = timezone(-offset if found["sign"] == "-" else offset) if offset < timedelta(1) else None
    else:
        own = _named(name) if name else None
    return (found["body"], own) if own is not None else (text, None)


def moment_of(parts: Mapping[str, str | None], zone: tzinfo) -> datetime:
    """Return the moment that the parts of a written date mean.

    Raises:
        ValueError: there is no such day, hour or month.
    """
    return datetime(
        _year(parts["year"] or ""),
        _month(parts["month"] or ""),
        int(parts.get("day") or 1),
        _hour(parts.get("hour") or "", (parts.get("half") or "").replace(".", "")),
        int(parts.get("minute") or 0),
        int(parts.get("second") or 0),
        int(((parts.get("fraction") or "") + "000000")[:6]),
        zone,
    )


def _stated(zone: str | None) -> tzinfo | None:
    """Return the zone between time and year, None where none stands.

    Raises:
        ValueError: it is none that is known.
    """
    own = None if zone is None else _named(zone) or split_zone(f"0:00 {zone}")[1]
    if zone is not None and own is None:
        raise ValueError(f"zone: must be the name of one, got {zone}")
    return own


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _named(name: str) -> tzinfo | None:
    if name in _MINUTES:
        return timezone(timedelta(minutes=_MINUTES[name]))
    if "/" not in name:
        return None
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return None


def _year(text: str) -> int:
    """Return a year; of two digits, one from 1970 to 2069."""
    year = int(text)
    if len(text) > 2:
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
