"""Durations as people write them: a whole number and a unit, in milliseconds.

>>> parse_duration("5m"), format_duration(300_000)
(300000, '5m')
"""

from __future__ import annotations

import re

UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
PATTERN = r"^(0|[1-9][0-9]{0,11})(ms|s|m|h|d|w)$"
RULE = "must be a duration such as 500ms, 10s, 5m, 4h, 30d"

LONGEST_MS = 36_500 * UNITS_MS["d"]
"""A hundred years."""


def parse_duration(text: str) -> int:
    """Return a duration in milliseconds.

    Raises:
        ValueError: the text is not a whole number followed by ms, s, m, h, d or w, or is longer than 100 years.
    """
    match = re.fullmatch(PATTERN, text)
    if match is None:
        raise ValueError(RULE)
    span = int(match[1]) * UNITS_MS[match[2]]
    if span > LONGEST_MS:
        raise ValueError("must be at most 36500d")
    return span


def format_duration(span_ms: int) -> str:
    """Return a span as the shortest whole number of one unit; weeks are written as days.

    >>> format_duration(90_000), format_duration(0)
    ('90s', '0s')
    """
    if span_ms == 0:
        return "0s"
    for unit in ("d", "h", "m", "s"):
        if span_ms % UNITS_MS[unit] == 0:
            return f"{span_ms // UNITS_MS[unit]}{unit}"
    return f"{span_ms}ms"
