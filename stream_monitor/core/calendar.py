"""The strata of a week: hours of the clock that are compared with the same hours of the baseline.

Traffic by day is not traffic by night. A *calendar* says to which stratum a pane belongs, by its start alone, so that
whoever counts the pane and whoever judges it agree. Hours are those of UTC: they need no list of time zones, and where
the clocks change twice a year, a season of local time moves by one of them.

>>> Calendar.HOUR_OF_DAY.stratum(7 * 3_600_000 + 59), Calendar.HOUR_OF_WEEK.stratum(0), Calendar.NONE.stratum(0)
(7, 72, 0)
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

import numpy as np

from stream_monitor.core.arrays import Int64

_HOUR_MS = 3_600_000
_DAY_HOURS = 24
_WEEK_HOURS = 7 * _DAY_HOURS
_THURSDAY = 3 * _DAY_HOURS
"""Hour of the week at which the epoch began, counted from Monday."""

_WEEKEND = 5 * _DAY_HOURS
_BLOCK_HOURS = 6


class Calendar(StrEnum):
    """How panes are divided into strata."""

    NONE = "none"
    SIX_HOURS = "six_hours"
    HOUR_OF_DAY = "hour_of_day"
    WEEKEND_HOUR = "weekend_hour"
    """Hour of the day, of working days and of weekends."""
    HOUR_OF_WEEK = "hour_of_week"

    @property
    def strata(self) -> int:
        """Number of strata."""
        return _STRATA[self]

    @property
    def words(self) -> str:
        """What a pane is compared with, in words; empty where all hours are alike."""
        return {
            Calendar.NONE: "",
            Calendar.SIX_HOURS: "the same quarter of the day",
            Calendar.HOUR_OF_DAY: "the same hour of the day",
            Calendar.WEEKEND_HOUR: "the same hour of working days or weekends",
            Calendar.HOUR_OF_WEEK: "the same hour of the week",
        }[self]

    @property
    def cycle_ms(self) -> int:
        """After how long the strata come again."""
        days = {Calendar.NONE: 0, Calendar.HOUR_OF_WEEK: 7, Calendar.WEEKEND_HOUR: 7}.get(self, 1)
        return days * _DAY_HOURS * _HOUR_MS

    @property
    def visit_ms(self) -> int:
        """How long panes of one stratum follow each other at most; 0 where there is one stratum."""
        return {Calendar.NONE: 0, Calendar.SIX_HOURS: _BLOCK_HOURS}.get(self, 1) * _HOUR_MS

    def stratum(self, start_ms: int) -> int:
        """Return the stratum of a pane."""
        return int(self.strata_of(np.array([start_ms]))[0])

    def strata_of(self, starts_ms: Int64) -> Int64:
        """Return the strata of panes by their starts, same shape."""
        hour = (starts_ms // _HOUR_MS + _THURSDAY) % _WEEK_HOURS
        match self:
            case Calendar.NONE:
                return np.zeros_like(hour)
            case Calendar.SIX_HOURS:
                return hour % _DAY_HOURS // _BLOCK_HOURS
            case Calendar.HOUR_OF_DAY:
                return hour % _DAY_HOURS
            case Calendar.WEEKEND_HOUR:
                return hour % _DAY_HOURS + np.where(hour >= _WEEKEND, _DAY_HOURS, 0)
            case Calendar.HOUR_OF_WEEK:
                return hour
            case _:
                assert_never(self)

    @property
    def coarser(self) -> tuple[Calendar, ...]:
        """This calendar and the coarser ones that it falls back to, finest first; `none` is the last."""
        return _LADDER[_LADDER.index(self) :]


@dataclass(frozen=True, slots=True)
class Seasons:
    """What of a series' seasons a reference may tell apart.

    Attributes:
        calendar: the finest strata wanted.
        pane_ms: length of a pane; a row is of the stratum of its pane.
    """

    calendar: Calendar = Calendar.NONE
    pane_ms: int = 1


NO_SEASONS = Seasons()
"""All hours are alike."""

_STRATA = {
    Calendar.NONE: 1,
    Calendar.SIX_HOURS: _DAY_HOURS // _BLOCK_HOURS,
    Calendar.HOUR_OF_DAY: _DAY_HOURS,
    Calendar.WEEKEND_HOUR: 2 * _DAY_HOURS,
    Calendar.HOUR_OF_WEEK: _WEEK_HOURS,
}

_LADDER = (
    Calendar.HOUR_OF_WEEK,
    Calendar.WEEKEND_HOUR,
    Calendar.HOUR_OF_DAY,
    Calendar.SIX_HOURS,
    Calendar.NONE,
)
