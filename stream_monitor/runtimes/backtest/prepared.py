"""A backtest of a file that can begin, and where in the file its instants lie."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stream_monitor.config import Settings
from stream_monitor.core.arrays import Int64
from stream_monitor.core.baseline import Baseline
from stream_monitor.core.study.survey import Survey
from stream_monitor.core.time import format_instant
from stream_monitor.formats.tables import TableLayout
from stream_monitor.runtimes.backtest.surveying import Rows


@dataclass(frozen=True, slots=True)
class Prepared:
    """A backtest that can begin.

    A *row* is a row of the file, from 0. A *place* is where a row stands in the order of time; in a file that is in
    that order both are the same.

    Attributes:
        rows: of the file.
        seen: what a first look at them said.
        layout: what the columns of a table are; None for native events.
        baselines: each with the instant from which on it counts.
        measured: the same, each series as dependent as the whole file shows it, also one that is constant at first.
        notes: what was found and chosen, and why; a line each.
        timed: rows have time stamps of their own.
        ordered_ms: event times in order.
        file_rows: row of each of them.
        in_order: the file is in the order of time.
        happened_ms: time stamps in order, also where only their order counts; none without a clock.
        dated: those are of the rows in the order of `ordered_ms`, one of each.
        renewal_rows: rows of a new reference after an alert.
        pane_rows: rows of a pane, about.
    """

    rows: Rows
    seen: Survey
    layout: TableLayout | None
    settings: Settings
    baselines: list[tuple[Baseline, int]]
    measured: list[Baseline]
    notes: tuple[str, ...]
    timed: bool
    ordered_ms: Int64
    file_rows: Int64
    in_order: bool
    happened_ms: Int64
    dated: bool
    renewal_rows: int
    pane_rows: int

    def row(self, at_ms: int) -> int:
        """Return the first row that did not happen before an instant; behind the last one if all did."""
        return self._row(int(np.searchsorted(self.ordered_ms, at_ms)))

    def place(self, at_ms: int) -> int:
        """Return how many rows happened before an instant, those that could not be read among them if known."""
        good = int(np.searchsorted(self.ordered_ms, at_ms))
        return self._row(good) if self.in_order else good

    def row_of_stamp(self, at_ms: int) -> int | None:
        """Return the first row with no earlier time stamp; None when rows have none."""
        if not self.happened_ms.size:
            return None
        return self._row(int(np.searchsorted(self.happened_ms, at_ms)))

    def place_of_row(self, row: int) -> int:
        """Return the place of a row; one that could not be read has that of the next row of the file."""
        if self.in_order or not 0 <= row <= int(self.file_rows.max(initial=-1)):
            return row
        places = np.argsort(self.file_rows, kind="stable")
        return int(places[np.searchsorted(self.file_rows[places], row)])

    def row_of_place(self, place: int) -> int:
        """Return the row at a place, or the number itself beyond the file."""
        return place if self.in_order else self._row(place)

    def _row(self, good: int) -> int:
        """Return the row of the file that the good row of that number in time is."""
        if good < self.file_rows.size:
            return int(self.file_rows[good])
        return int(self.file_rows.max()) + 1 if self.file_rows.size else 0

    def when(self, at_ms: int) -> str:
        """Return the row of an instant, and the instant itself if rows have time stamps."""
        row = f"row {self.row(at_ms):,}"
        if self.timed:
            return f"{row} ({format_instant(at_ms)})"
        if not self.dated:
            return row
        next_row = min(int(np.searchsorted(self.ordered_ms, at_ms)), self.happened_ms.size - 1)
        return f"{row} ({format_instant(int(self.happened_ms[next_row]))})"
