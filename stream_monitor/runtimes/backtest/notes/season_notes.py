"""With which hours traffic is compared, in words: for `backtest`, `baseline build`, `baseline show` and `check`."""

from __future__ import annotations

from collections import Counter

from stream_monitor.core.baseline import Baseline, calendar_of
from stream_monitor.core.calendar import Calendar

_DAY_MS = 86_400_000


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
