"""Instants, panes and the running maximum: event time as integer milliseconds since the epoch.

No clock is read here or anywhere in the core: an instant is an argument.

>>> format_instant(1795331967684)
'2026-11-22T07:19:27.684Z'
>>> parse_instant("2026-11-22T08:19:27.684999+01:00")
1795331967684
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import numpy as np

from stream_monitor.core.arrays import Int64

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EARLIEST_MS = -62_135_596_800_000
LATEST_MS = 253_402_300_799_999
"""The first and the last instant that can be written down: years 1 and 9999."""

_MILLISECOND = timedelta(milliseconds=1)
_RFC3339 = re.compile(
    r"[0-9]{4}-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-5][0-9]:[0-5][0-9](\.[0-9]+)?([Zz]|[+-][0-2][0-9]:[0-5][0-9])"
)
"""The shape; datetime.fromisoformat, which checks the ranges, alone would take weeks, basic format and bare times."""


def pane_start(ms: int, pane_ms: int) -> int:
    """Return the start of the pane that holds an instant; panes are `[start, start + pane_ms)` from the epoch on.

    >>> pane_start(1795331967684, 10_000)
    1795331960000
    >>> pane_start(-1, 10_000)
    -10000
    """
    return ms - ms % pane_ms


def pane_starts(ms: Int64, pane_ms: int) -> Int64:
    """Return the pane starts of instants, shape and dtype as given."""
    return ms - ms % pane_ms


def running_max(values: Int64, before: int | None) -> Int64:
    """Return the running maximum of `values`, continued from the maximum `before` them (None: there was none).

    Cutting a stream anywhere and carrying the last maximum over gives the same numbers as not cutting it.

    >>> running_max(np.array([3, 9, 4]), 5).tolist()
    [5, 9, 9]
    """
    highest = np.maximum.accumulate(values)
    return highest if before is None else np.maximum(highest, before)


def format_instant(ms: int) -> str:
    """Return an instant as RFC 3339 text in UTC with milliseconds.

    Raises:
        ValueError: the instant lies outside the years 1 to 9999.
    """
    try:
        moment = _EPOCH + timedelta(milliseconds=ms)
    except OverflowError as error:
        raise ValueError(f"instant must lie in the years 1 to 9999, got {ms} ms") from error
    return f"{moment.replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def instant_words(ms: int) -> str:
    """Return an instant for people, who must hear of it whatever it is: record times of Kafka know no calendar.

    >>> instant_words(0), instant_words(2**62)
    ('1970-01-01T00:00:00.000Z', '4611686018427387904 ms')
    """
    return format_instant(ms) if EARLIEST_MS <= ms <= LATEST_MS else f"{ms} ms"


def parse_instant(text: str) -> int:
    """Return the epoch milliseconds of an RFC 3339 date-time; what is finer than a millisecond is cut off.

    An offset is required (`Z` or `+01:00`): a bare time has no meaning of its own. Leap seconds (`:60`) are refused.

    Raises:
        ValueError: not an RFC 3339 date-time with an offset. The message does not repeat the text.
    """
    if _RFC3339.fullmatch(text) is None:
        raise ValueError("must be an RFC 3339 date-time with an offset, like 2026-11-22T07:19:27.684Z")
    return (datetime.fromisoformat(text.upper()) - _EPOCH) // _MILLISECOND
