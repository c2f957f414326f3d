"""Numbers for people: as many digits as a reader needs, the same text on every machine.

Only correctly rounded operations are used (decimals of doubles, integers), so that equal facts are equal text.

>>> pair(13.21, 27.4), pair(0.0712, 0.3331), percent(0.606), count(4994), span(724_000)
(('13', '27'), ('0.07', '0.33'), '60.6 %', '4,994', '12 min')
"""

from __future__ import annotations

from stream_monitor.core.time import format_instant

_SECOND_MS = 1_000
_FEW_SECONDS_MS = 10 * _SECOND_MS
_MINUTE_MS = 60 * _SECOND_MS
_HOUR_MS = 60 * _MINUTE_MS
_DAY_MS = 24 * _HOUR_MS
YEAR_DAYS = 365.25

_MILLION = 1e6
_MOST_DECIMALS = 12
_LONG = 1e15
_TINY = 1e-4


def number(value: float, digits: int = 3) -> str:
    """Return a number with so many significant digits, thousands apart.

    >>> number(1234567.0), number(0.0034567), number(31.0), number(1e-9)
    ('1,230,000', '0.00346', '31', '1.00e-09')
    """
    return _to(value, _exponent(value) - digits + 1)


def pair(before: float, after: float) -> tuple[str, str]:
    """Return two numbers with digits enough to see how they differ, and no more.

    >>> pair(1000.1, 1000.4), pair(5.0, 5.0), pair(12.5, 13.1)
    (('1,000.1', '1,000.4'), ('5', '5'), ('12.5', '13.1'))
    """
    gap = abs(after - before)
    if gap == 0.0:
        return number(before), number(after)
    place = _exponent(gap) - 1
    smaller = min((abs(value) for value in (before, after) if value), default=gap)
    return _to(before, max(place, _exponent(smaller) - 5)), _to(after, max(place, _exponent(smaller) - 5))


def within(value: float, low: float | None, high: float | None) -> str:
    """Return a number to the digits that its range leaves.

    >>> within(13.0412, 12.82, 13.31), within(-0.0174, -0.09, 0.06), within(7.0, None, 9.0), within(7.0, 7.0, 7.0)
    ('13.04', '-0.02', '7', '7')
    """
    if low is None or high is None or low == high:
        return number(value)
    return _to(value, _exponent(high - low) - 1)


def percent(share: float) -> str:
    """Return a share in percent: one decimal, or two significant digits of a small one.

    >>> percent(0.5), percent(0.0213), percent(0.00021), percent(0.0), percent(0.99996)
    ('50 %', '2.1 %', '0.021 %', '0 %', '99.996 %')
    """
    value = share * 100.0
    rest = min(value, 100.0 - value)
    if rest <= 0.0 or rest >= 0.1:
        return f"{_plain(f'{value:.1f}')} %"
    return f"{_plain(f'{value:.{min(_MOST_DECIMALS, 1 - _exponent(rest))}f}')} %"


def count(value: float) -> str:
    """Return a number of things: whole from ten on, else two significant digits.

    >>> count(856.7), count(0.42), count(4.0), count(0.0)
    ('857', '0.42', '4', '0')
    """
    return f"{value:,.0f}" if value >= 10.0 else number(value, 2)


def span(ms: int) -> str:
    """Return a length of time in one or two units, cut, never rounded up.

    >>> span(90_000), span(45_000), span(3_600_000 * 5 + 60_000 * 3), span(86_400_000 * 3), span(1_500)
    ('90 s', '45 s', '5 h 3 min', '3 days', '1.5 s')
    """
    if ms < _FEW_SECONDS_MS:
        return f"{_plain(f'{ms / _SECOND_MS:.3f}')} s"
    if ms < 2 * _MINUTE_MS:
        return f"{ms // _SECOND_MS} s"
    if ms < _HOUR_MS:
        return f"{ms // _MINUTE_MS} min"
    if ms < 2 * _DAY_MS:
        hours, minutes = divmod(ms // _MINUTE_MS, 60)
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(ms // _HOUR_MS, 24)
    return f"{days} days {hours} h" if hours and days < 10 else f"{days} days"


def years(days: float) -> str:
    """Return a long time with its largest unit, rounded down to two digits.

    >>> years(30.0), years(14_700.0), years(0.5), years(3e9)
    ('30 days', '40 years', '12 hours', '8.2 million years')
    """
    if days < 2.0:
        return f"{_down(days * 24.0)} hours"
    if days < 2 * YEAR_DAYS:
        return f"{_down(days)} days"
    found = days / YEAR_DAYS
    if found >= _MILLION:
        return f"{_down(found / _MILLION)} million years"
    return f"{_down(found)} years"


def clock(ms: int) -> str:
    """Return the time of day of an instant, UTC.

    >>> clock(1_795_331_960_000)
    '07:19:20'
    """
    return format_instant(ms)[11:19]


def between(from_ms: int, to_ms: int) -> str:
    """Return an uncertain instant in words, with its date.

    >>> between(1_795_331_870_000, 1_795_331_910_000)
    'between 07:17:50 and 07:18:30 UTC on 2026-11-22'
    """
    return "between " + _two_instants(from_ms, to_ms, "and")


def lasted(from_ms: int, to_ms: int) -> str:
    """Return a span of time in words.

    >>> lasted(1_795_331_870_000, 1_795_418_310_000)
    'from 2026-11-22 07:17:50 to 2026-11-23 07:18:30 UTC'
    """
    return "from " + _two_instants(from_ms, to_ms, "to")


def listed(names: list[str], most: int = 5) -> str:
    """Return names in a row, a few of them, and how many more there are.

    >>> listed(["a", "b", "c"], most=2), listed(["a", "b"]), listed(["a"])
    ('a, b and 1 more', 'a and b', 'a')
    """
    if len(names) > most:
        return f"{', '.join(names[:most])} and {len(names) - most} more"
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def _exponent(value: float) -> int:
    """Return the decimal exponent of the first digit; 0 for 0."""
    return int(f"{abs(value):.17e}".partition("e")[2]) if value else 0


def _to(value: float, place: int) -> str:
    """Return a number rounded to a decimal place: 0 are ones, -1 tenths."""
    if value and not _TINY <= abs(value) < _LONG:
        return f"{value:.{max(0, min(5, _exponent(value) - place))}e}" if place < _exponent(value) else f"{value:.0e}"
    if place > 0:
        text = f"{int(f'{value / 10.0**place:.0f}') * 10**place:,}"
    else:
        text = _plain(f"{value:,.{min(_MOST_DECIMALS, -place)}f}")
    return "0" if text == "-0" else text


def _down(value: float) -> str:
    """Return two significant digits, rounded down."""
    place = max(0, 1 - _exponent(value)) if value < 10.0 else 0
    scale = 10 ** (_exponent(value) - 1) if value >= 10.0 else 1
    cut = int(value / scale) * scale if value >= 10.0 else int(value * 10**place) / 10**place
    return f"{cut:,}" if value >= 10.0 else _plain(f"{cut:.{place}f}")


def _plain(text: str) -> str:
    """Return decimals without trailing zeros."""
    return text.rstrip("0").rstrip(".") if "." in text else text


def _two_instants(from_ms: int, to_ms: int, word: str) -> str:
    first, last = format_instant(from_ms), format_instant(to_ms)
    if first[:10] != last[:10]:
        return f"{first[:10]} {first[11:19]} {word} {last[:10]} {last[11:19]} UTC"
    return f"{first[11:19]} {word} {last[11:19]} UTC on {first[:10]}"
