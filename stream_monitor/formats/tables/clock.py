"""Which column is the clock of a file, and how its time stamps are read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stream_monitor.core.arrays import Bool, Int64
from stream_monitor.core.names import SeriesKind
from stream_monitor.core.time import format_instant
from stream_monitor.formats.tables.cells import Cells
from stream_monitor.formats.tables.errors import TableError
from stream_monitor.formats.tables.stamps import StampForm, serial_days, stamp_form
from stream_monitor.formats.tables.values import (
    EARLIEST_MS,
    LATEST_MS,
    TIME_UNITS,
    infer_kind,
    instants,
    is_missing,
    plain_cells,
)

_FEWEST_INSTANTS = 20
_FIRST_CELLS = 50
_DAY_MS = 86_400_000
_TIME_OF_DAY = re.compile(r"\d{1,2}:\d{2}(:\d{2}(\.\d{1,9})?)?\s*([AaPp][Mm])?|([01]?\d|2[0-3])(\.0)?")
"""A time, or the number of an hour."""

_UNREAD = 0.01
_MISSING = 0.1
_BACKWARDS = 0.01


@dataclass(frozen=True, slots=True)
class Stamps:
    """How the time stamps of a file are read.

    Attributes:
        unit: of numbers since the epoch; empty: of each the one in which it is of our time.
        zone: of times that name none.
        form: of texts that are not ISO 8601.
    """

    unit: str
    zone: str
    form: StampForm | None = None

    @property
    def words(self) -> str:
        """How it is told; nothing for what needs no word."""
        return "" if self.form is None else f", read as {self.form.value}"

    def read(self, cells: Cells) -> tuple[Int64, Bool]:
        """Return epoch milliseconds, and where a cell is no time stamp."""
        if self.form is None:
            return instants(cells, unit=self.unit, zone=self.zone)
        values = plain_cells(cells)
        milliseconds, bad = self.form.read(values, zone=self.zone)
        rest = np.flatnonzero(bad)
        if rest.size:  # a producer that was updated writes its later stamps in another form
            milliseconds[rest], bad[rest] = instants([values[row] for row in rest.tolist()], unit="", zone=self.zone)
        return milliseconds, bad


@dataclass(frozen=True, slots=True)
class Clock:
    """Looks for the clock in a sample of a file.

    Attributes:
        path: of the file, for errors.
        text: the file holds text only.
        unit: of numbers; empty: the one in which they are instants of our time.
        zone: of times that name none.
        guesses: other forms than ISO 8601, a few cells that cannot be read and, where no name fits, any column of
            time stamps that runs forwards are taken.
    """

    path: Path
    text: bool
    unit: str
    zone: str
    guesses: bool

    def find(self, named: Iterable[str], sample: Mapping[str, Cells]) -> tuple[str, Stamps] | None:
        """Return the column and how it is read, None if there is none.

        Args:
            named: columns whose names suggest it, best first.
            sample: columns by name.

        Raises:
            TableError: the numbers of a column are of our time in another unit than the stated one.
        """
        for name in named:
            stamps = self._stamps(name, sample[name])
            if stamps is not None:
                return name, stamps
        for name in sample if self.guesses else ():
            if self._is_hopeless(sample[name]):
                continue
            if infer_kind(sample[name], text=self.text) is not SeriesKind.NUMERIC:
                stamps = self._stamps(name, sample[name])
                if stamps is not None and _runs(stamps, sample[name]):
                    return name, stamps
        return None

    def _is_hopeless(self, cells: Cells) -> bool:
        """Say whether not one of the first cells is a time stamp: most columns are no clock, and that is seen early."""
        first = [cell for cell in plain_cells(cells[:_FIRST_CELLS]) if not is_missing(cell)]
        return bool(first) and all(bool(stamps.read(first)[1].all()) for stamps in self._candidates(first))

    def stated(self, name: str, cells: Cells) -> Stamps:
        """Return how a column is read that the user calls the time stamp.

        Raises:
            TableError: none of its cells is a time stamp, or its numbers are no instants of our time.
        """
        best: tuple[int, Stamps] | None = None
        plausible = False
        for stamps in self._candidates(cells):
            milliseconds, bad = stamps.read(cells)
            good = int((~bad).sum())
            if not bad.size:
                return stamps
            if good and _has_a_date(milliseconds[~bad]) and (best is None or good > best[0]):
                best, plausible = (good, stamps), _plausible(milliseconds[~bad])
        if self.unit and not plausible:
            self._refuse_unit(name, cells)
        if best is not None:
            return best[1]
        raise TableError(
            f"{self.path}: column {name!r}: must hold time stamps, got {_first(cells)!r}{_as_units(cells)}"
        )

    def _stamps(self, name: str, cells: Cells) -> Stamps | None:
        """Return how a column is read whose name suggests time stamps, None if it holds none."""
        numeric = infer_kind(cells, text=self.text) is SeriesKind.NUMERIC
        missing = np.array([is_missing(cell) for cell in plain_cells(cells)], np.bool_)
        if missing.sum() > _MISSING * missing.size:
            return None
        for stamps in self._candidates(cells):
            milliseconds, bad = stamps.read(cells)
            if not bad.size or bad.all() or (self.unit and numeric and not _plausible(milliseconds[~bad])):
                continue
            if not _has_a_date(milliseconds[~bad]):
                continue
            unread = int((bad & ~missing).sum())
            if unread <= (_UNREAD * bad.size if self.guesses else 0) and (self.guesses or numeric or not bad.any()):
                return stamps
        if numeric and self.unit:
            self._refuse_unit(name, cells)
        if numeric and self.guesses and serial_days(plain_cells(cells)):
            return Stamps("ms", self.zone, StampForm.SERIAL)
        return None

    def _candidates(self, cells: Cells) -> Iterator[Stamps]:
        yield Stamps(self.unit, self.zone)
        form = stamp_form(plain_cells(cells)) if self.guesses else None
        if form is not None:
            yield Stamps("ms", self.zone, form)

    def _refuse_unit(self, name: str, cells: Cells) -> None:
        """Raise if numbers are of our time in another unit than the stated one."""
        milliseconds, bad = instants(cells, unit=self.unit, zone=self.zone)
        for unit in TIME_UNITS:
            others, _ = instants(cells, unit=unit, zone=self.zone)
            if unit != self.unit and not bad.all() and _plausible(others[~bad]):
                raise TableError(
                    f"{self.path}: column {name!r}: as {self.unit} the first time stamp is "
                    f"{_shown(int(milliseconds[~bad][0]))}, as {unit} {_shown(int(others[~bad][0]))}:"
                    " state the time unit"
                )


def time_of_day(dates: Cells, stamps: Stamps, others: Mapping[str, Cells]) -> tuple[str, ...]:
    """Return the column with the time of day that belongs to dates without one, if there is one.

    Args:
        dates: a sample of the clock.
        stamps: how it is read.
        others: samples of columns that may be it, by name.
    """
    milliseconds, bad = stamps.read(dates)
    if (milliseconds[~bad] % _DAY_MS).any():
        return ()
    for name, cells in others.items():
        present = [cell for cell in plain_cells(cells) if not is_missing(cell)]
        if not present or not all(_TIME_OF_DAY.fullmatch(str(cell).strip()) for cell in present):
            continue
        joined, unread = stamps.read(dated(dates, cells))
        if unread.sum() <= bad.sum() + _UNREAD * bad.size and _backwards(joined[~unread]) <= _BACKWARDS:
            return (name,)
    return ()


def dated(dates: Cells, times: Cells) -> list[object]:
    """Return dates with their times of day, as they would stand in one column; a missing time is midnight."""
    pairs = zip(plain_cells(dates), plain_cells(times), strict=True)
    return [date if is_missing(date) or is_missing(time) else f"{date} {_clock_time(time)}" for date, time in pairs]


def _clock_time(cell: object) -> str:
    text = str(cell).strip()
    return text if ":" in text else f"{int(float(text)):02d}:00"


def _backwards(milliseconds: Int64) -> float:
    return float((np.diff(milliseconds) < 0).mean()) if milliseconds.size > 1 else 0.0


def _runs(stamps: Stamps, cells: Cells) -> bool:
    """Say whether time stamps run forwards, as those of rows in their order do and dates of birth do not."""
    milliseconds, bad = stamps.read(cells)
    steps = np.diff(milliseconds[~bad])
    forwards = int((steps < 0).sum()) <= _BACKWARDS * steps.size
    return forwards and int((steps > 0).sum()) >= _FEWEST_INSTANTS


def _plausible(milliseconds: Int64) -> bool:
    return bool(((milliseconds >= EARLIEST_MS) & (milliseconds < LATEST_MS)).all())


def _has_a_date(milliseconds: Int64) -> bool:
    """Say whether instants lie in the years that a date can name."""
    try:
        format_instant(int(milliseconds.min()))
        format_instant(int(milliseconds.max()))
    except ValueError:
        return False
    return True


def _first(cells: Cells) -> object:
    """Return the first cell that is not missing."""
    values = plain_cells(cells)
    return next((value for value in values if not is_missing(value)), values[0] if len(values) else None)


def _as_units(cells: Cells) -> str:
    """Say when the first cell would be in each unit, if it is a number."""
    first = [_first(cells)]
    shown = [
        f"{_shown(int(milliseconds[0]))} as {unit}"
        for unit in TIME_UNITS
        for milliseconds, bad in [instants(first, unit=unit, zone="UTC")]
        if not bad[0]
    ]
    if not shown or instants(first, unit="", zone="UTC")[1][0] is np.False_:
        return ""
    return f", which is no time of our time ({', '.join(shown)}); --row-order takes the rows in their order"


def _shown(ms: int) -> str:
    try:
        return format_instant(ms)
    except ValueError:
        return f"{ms} ms"
