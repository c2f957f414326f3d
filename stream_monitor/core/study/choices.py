"""What a season, a jump or hours change in the sizes of a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from stream_monitor.core.baseline import Baseline, calendar_of
from stream_monitor.core.calendar import Calendar
from stream_monitor.core.names import feature_of
from stream_monitor.core.study.repetition import NO_SEASON, Season
from stream_monitor.core.study.sizing import SMALLEST_BASELINE, Sizes, choose_sizes, renewal_rows
from stream_monitor.core.study.survey import Survey


def sizes_in_seasons(sizes: Sizes, seen: Survey, season: Season, *, given: bool) -> Sizes:
    """Return sizes that fit to the season of the file, if it has one; `given` if another file is the reference."""
    if season is NO_SEASON:
        return sizes
    return choose_sizes(
        seen.rows,
        baseline_given=given,
        least_filled=seen.least_filled,
        season_rows=season.rows,
        series=len(seen.filled),
    )


def ends_before(jump: tuple[int, str], sizes: Sizes, *, pane_rows: int) -> Sizes:
    """Return sizes whose reference ends before the row where a series jumps, and say so first among their reasons."""
    row, series = jump
    ends = max(SMALLEST_BASELINE, row - pane_rows)  # it is cut behind a whole pane
    why = f"reference: it ends where {feature_of(series) or series} jumps, about row {row:,}"
    return replace(sizes, baseline_rows=ends, reasons=(why, *sizes.reasons))


def renewal_rows_of(sizes: Sizes, seen: Survey, baselines: Sequence[Baseline]) -> int:
    """Return the rows of a new reference; where hours are told apart it must know them as well as the first one."""
    hourly = [
        baseline.origin.rows
        for baseline in baselines
        if any(calendar_of(own) is not Calendar.NONE for own in baseline.series.values())
    ]
    return max([renewal_rows(sizes, least_filled=seen.least_filled), *hourly])
