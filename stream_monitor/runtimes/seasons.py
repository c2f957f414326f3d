"""With which hours traffic is compared, in words: for `backtest`, `baseline build`, `baseline show` and `check`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from stream_monitor.core.baseline import Baseline, calendar_of
from stream_monitor.core.calendar import Calendar

_DAY_MS = 86_400_000
_EXPLAINED, _LEFT = 2.0, 2.0


def differ_by_hour(alike: Sequence[Baseline], by_hour: Sequence[Baseline]) -> bool:
    """Say whether the hours explain what passes for dependence of the rows of some series, down to d = 2 or less.

    Args:
        alike: references for all hours.
        by_hour: of the same rows, by strata where they allow them.
    """
    for plain, hourly in zip(alike, by_hour, strict=True):
        for name, own in hourly.series.items():
            known = plain.series[name].dependence
            if own.strata is None or own.dependence is None or known is None:
                continue
            pairs = zip(known, own.dependence, strict=True)
            if any(after.value <= _LEFT and before.value >= _EXPLAINED * after.value for before, after in pairs):
                return True
    return False


def season_notes(baseline: Baseline, wanted: Calendar = Calendar.NONE) -> list[str]:
    """Return a line for each kind of strata that series of a baseline have; none where all hours are alike.

    Args:
        baseline: the reference.
        wanted: strata that the plan asks for; if no series could have any, a line says so.
    """
    found = Counter(calendar_of(own) for own in baseline.series.values())
    first, last = baseline.origin.from_ms, baseline.origin.to_ms
    covered = "" if first is None or last is None else f"the reference covers {(last - first) / _DAY_MS:.3g} days: "
    if wanted is not Calendar.NONE and not found.keys() - {Calendar.NONE}:
        lacks = "that takes 255 rows of each, out of two cycles, and a reference built with these strata"
        return [f"{covered}no series is compared with {wanted.words}: {lacks}"]
    return [
        f"{covered}{found[calendar]} of {len(baseline.series)} series are compared with {calendar.words}"
        for calendar in Calendar
        if calendar is not Calendar.NONE and found[calendar]
    ]
