"""Which column is the clock of a file, and how its time stamps are read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from stream_monitor.core.arrays import Bool, Int64
from stream_monitor.core.names import SeriesKind
from stream_monitor.core.time import format_instant
from stream_monitor.formats.tables.cells import Cells
from stream_monitor.formats.tables.errors import TableError
from stream_monitor.formats.tables.stamps import StampForm, stamp_form
from stream_monitor.formats.tables.values import TIME_UNITS, infer_kind, instants, plain_cells

_EARLIEST_MS = 631_152_000_000  # 1990
_LATEST_MS = 4_102_444_800_000  # 2100
_FEWEST_INSTANTS = 20
_UNREAD = 0.01
_BACKWARDS = 0.01


@dataclass(frozen=True, slots=True)
class Stamps:
    """How the time stamps of a file are read.

    Attributes:
        unit: of numbers since the epoch.
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
        return self.form.read(plain_cells(cells), zone=self.zone)


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
            if infer_kind(sample[name], text=self.text) is not SeriesKind.NUMERIC:
                stamps = self._stamps(name, sample[name])
                if stamps is not None and _runs(stamps, sample[name]):
                    return name, stamps
        return None

    def stated(self, name: str, cells: Cells) -> Stamps:
        """Return how a column is read that the user calls the time stamp.

        Raises:
            TableError: none of its cells is a time stamp.
        """
        readable = []
        for stamps in self._candidates(cells):
            milliseconds, bad = stamps.read(cells)
            if not bad.size or (not bad.all() and _plausible(milliseconds[~bad])):
                return stamps
            if not bad.all() and _has_a_date(milliseconds[~bad]):
                readable.append(stamps)
        if self.unit and not readable:
            self._refuse_unit(name, cells)
        if readable:
            return readable[0]
        first = cells[0].as_py() if isinstance(cells, pa.Array) else cells[0]
        raise TableError(f"{self.path}: column {name!r}: must hold time stamps, got {first!r}")

    def _stamps(self, name: str, cells: Cells) -> Stamps | None:
        """Return how a column is read whose name suggests time stamps, None if it holds none."""
        numeric = infer_kind(cells, text=self.text) is SeriesKind.NUMERIC
        for stamps in self._candidates(cells):
            milliseconds, bad = stamps.read(cells)
            if not bad.size or bad.all():
                continue
            if numeric and not _plausible(milliseconds[~bad]):
                continue
            if numeric or bad.sum() <= (_UNREAD * bad.size if self.guesses else 0):
                return stamps
        if numeric and self.unit:
            self._refuse_unit(name, cells)
        return None

    def _candidates(self, cells: Cells) -> Iterator[Stamps]:
        for unit in (self.unit,) if self.unit else TIME_UNITS:
            yield Stamps(unit, self.zone)
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


def _runs(stamps: Stamps, cells: Cells) -> bool:
    """Say whether time stamps run forwards, as those of rows in their order do and dates of birth do not."""
    milliseconds, bad = stamps.read(cells)
    steps = np.diff(milliseconds[~bad])
    forwards = int((steps < 0).sum()) <= _BACKWARDS * steps.size
    return forwards and int((steps > 0).sum()) >= _FEWEST_INSTANTS


def _plausible(milliseconds: Int64) -> bool:
    return bool(((milliseconds >= _EARLIEST_MS) & (milliseconds < _LATEST_MS)).all())


def _has_a_date(milliseconds: Int64) -> bool:
    """Say whether instants lie in the years that a date can name."""
    try:
        format_instant(int(milliseconds.min()))
        format_instant(int(milliseconds.max()))
    except ValueError:
        return False
    return True


def _shown(ms: int) -> str:
    try:
        return format_instant(ms)
    except ValueError:
        return f"{ms} ms"
