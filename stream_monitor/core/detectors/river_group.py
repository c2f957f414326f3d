"""Series with river's detectors, or any of its interface, on the rank innovation or on errors.

These detectors have no evidence that adds up over series: they give +inf in the pane of an alarm and -inf otherwise,
and alarm at the average run length they are built for.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec
import numpy as np

from stream_monitor.core.arrays import Float64, Int64, Intp
from stream_monitor.core.detectors import shiryaev_roberts
from stream_monitor.core.detectors.group import ChangeRange, SeriesReference, UnusableStateError, series_seed
from stream_monitor.core.detectors.own_cell import OwnCell
from stream_monitor.core.detectors.rank_innovation import mid_ranks, rank_innovation
from stream_monitor.core.detectors.river_detectors import RiverCell
from stream_monitor.core.detectors.rows import Rows
from stream_monitor.core.detectors.strata import before, of_panes
from stream_monitor.core.grid import spacings

_SHIFTS = np.array([0.25, 0.5, 1.0, 2.0, 4.0, -0.25, -0.5, -1.0, -2.0, -4.0])  # of z: alternatives of the change range
_FORMAT = 1
_YES_NO = 2

EVENTS_A_PANE = 100
"""Events that a pane gives to a detector of errors, at most.

Its run length is counted in events, the budget's in panes: so alarms are no more frequent than asked, whatever the
traffic.
"""


class CellSpec(Protocol):
    """What a group needs to know of its detectors."""

    @property
    def fingerprint(self) -> str:
        """Name of class, format and parameters."""
        ...

    @property
    def of_errors(self) -> bool:
        """Whether it takes single events of a yes/no series instead of a number a pane."""
        ...

    @property
    def strata(self) -> int:
        """Number of nulls against which the rank innovation is taken; errors know no strata."""
        ...

    @property
    def guarantee(self) -> str:
        """What the budget promises with it."""
        ...

    @property
    def threshold(self) -> float | None:
        """What the statistic is compared with, None for a detector with a test of its own."""
        ...

    def cell(self, seed: int = 0, state: bytes | None = None) -> RiverCell:
        """Return the detector of one series; one that draws does so by the seed."""
        ...


class _State(msgspec.Struct, array_like=True, frozen=True):
    format: int
    rows: bytes
    cells: dict[int, bytes]


class RiverGroup:
    """Series over one grid.

    Attributes:
        failing: rows whose class failed and nobody was told yet: they alarm no more.
    """

    def __init__(self, spec: CellSpec, m: int, state: bytes | None = None) -> None:
        self._spec = spec
        self._ranks = mid_ranks(np.ones(_YES_NO, dtype=np.int64) if spec.of_errors else spacings(m))
        outer = None if state is None else self._decoded(state)
        self._rows = Rows(
            f"{spec.fingerprint}/{m}",
            ints={
                "alpha": (spec.strata, self._ranks.size),
                **dict.fromkeys(("stepped", "alarmed", "seed", "panes", "failed"), ()),
            },
            floats={"design_effect": ()},
            state=None if outer is None else outer.rows,
        )
        self.failing: set[int] = set()
        self._cells = {} if outer is None else self._loaded(outer.cells)
        if set(self._cells) != set(np.flatnonzero(self._rows.used).tolist()):
            raise UnusableStateError(f"state of {spec.fingerprint}: rows and detectors differ")

    @property
    def guarantee(self) -> str:
        """Return what the budget promises: `calibrated` within the simulated run lengths, else why not."""
        return self._spec.guarantee

    @property
    def threshold(self) -> float | None:
        """What the statistic is compared with; None for a detector that has a test of its own."""
        return self._spec.threshold

    def failure(self, row: int) -> str:
        """Return the name of what the class of a series raised, empty as long as it works."""
        cell = self._cells[row]
        return cell.failure if isinstance(cell, OwnCell) else ""

    def statistic(self, row: int) -> float:
        """Return PageHinkley's sum, or the mean of ADWIN's window in standard errors."""
        return self._cells[row].statistic()

    def add(self, *references: SeriesReference) -> int:
        """Start a series; the counts of a reference are spacings + further reference events."""
        row = self._rows.add()
        counts = np.stack([reference.counts for reference in references])
        self._rows.ints["alpha"][row] = counts + self._spec.of_errors  # no share is impossible
        seed = series_seed(references)
        self._rows.ints["seed"][row] = seed
        self._rows.floats["design_effect"][row] = references[0].design_effect
        self._cells[row] = self._spec.cell(seed)
        return row

    def remove(self, row: int) -> None:
        """Forget a series."""
        self._rows.remove(row)
        del self._cells[row]

    def step(self, rows: Intp, counts: Int64, stratum: int = 0) -> Float64:
        """Take one pane; a row without events does not step."""
        filled = counts.any(axis=1)
        live, n = rows[filled], counts[filled]
        self._rows.ints["alarmed"][rows] = 0
        if live.size:
            if self._spec.of_errors:
                for row, (right, wrong) in zip(live.tolist(), n.tolist(), strict=True):
                    self._rows.ints["alarmed"][row] = self._takes_events(row, right, wrong)
            else:
                for row, z in zip(live.tolist(), self._innovations(live, n, stratum).tolist(), strict=True):
                    self._rows.ints["alarmed"][row] = self._cells[row].update(z)
            self._rows.ints["panes"][live] += 1
            self._rows.ints["alpha"][live, stratum] += n
            self._rows.ints["stepped"][live] += 1
        self._note_failures(live)
        return self.log_evidence(rows)

    def log_evidence(self, rows: Intp) -> Float64:
        """Return +inf where the last pane alarmed, -inf elsewhere."""
        return np.where(self._rows.ints["alarmed"][rows] > 0, np.inf, -np.inf)

    def warming_up(self, row: int) -> bool:
        """Return False: the reference is given."""
        return False

    def restart(self, row: int) -> None:
        """Start the detector afresh; what the null has learnt stays, and what failed stays silent."""
        if not self.failure(row):
            self._cells[row] = self._spec.cell(int(self._rows.ints["seed"][row]))
        self._rows.ints["alarmed"][row] = 0
        self._rows.ints["stepped"][row] = 0

    def absorb(self, row: int, counts: Int64, stratum: int = 0) -> None:
        """Add counts to a null."""
        self._rows.ints["alpha"][row, stratum] += counts

    def forget(self, row: int, counts: Int64, stratum: int = 0) -> None:
        """Take counts out of a null."""
        self._rows.ints["alpha"][row, stratum] -= counts

    def change_range(self, row: int, panes: Int64, strata: Intp | None = None) -> ChangeRange:
        """Return when a shift of the rank innovation began, in panes: river's detectors do not say."""
        used = shiryaev_roberts.stepped_panes(panes, int(self._rows.ints["stepped"][row]))
        n = panes[used]
        alpha = before(self._rows.ints["alpha"][row], n, of_panes(panes, strata)[used])
        z = rank_innovation(self._ranks, alpha, n) / np.sqrt(self._rows.floats["design_effect"][row])
        log_e = z[:, None] * _SHIFTS - _SHIFTS * _SHIFTS / 2.0
        nothing = np.full(_SHIFTS.size, -np.inf)
        return shiryaev_roberts.change_range(nothing, log_e, np.zeros(_SHIFTS.size)).among(used)

    def dump(self) -> bytes:
        """Return the state."""
        cells = {row: self._cells[row].save() for row in sorted(self._cells)}
        return msgspec.msgpack.encode(_State(_FORMAT, self._rows.dump(), cells))

    def _note_failures(self, rows: Intp) -> None:
        failed = self._rows.ints["failed"]
        new = [row for row in rows.tolist() if not failed[row] and self.failure(row)]
        failed[new] = 1
        self.failing.update(new)

    def _takes_events(self, row: int, right: int, wrong: int) -> bool:
        """Feed the events of a pane in an order that follows from series and pane; stop at an alarm.

        Of dependent events one in d is taken: their order within a pane is lost, and so many say as much as one.
        """
        seed = (int(self._rows.ints["seed"][row]), int(self._rows.ints["panes"][row]))
        errors = np.zeros(right + wrong, dtype=np.int64)
        errors[:wrong] = 1
        np.random.Generator(np.random.PCG64(seed)).shuffle(errors)
        taken = min(EVENTS_A_PANE, max(1, round(errors.size / float(self._rows.floats["design_effect"][row]))))
        cell = self._cells[row]
        return any(cell.update(error) for error in errors[:taken].tolist())

    def _loaded(self, cells: Mapping[int, bytes]) -> dict[int, RiverCell]:
        seeds = self._rows.ints["seed"]
        if any(not 0 <= row < seeds.size for row in cells):
            raise UnusableStateError(f"state of {self._spec.fingerprint}: rows and detectors differ")
        return {row: self._spec.cell(int(seeds[row]), cell) for row, cell in cells.items()}

    def _innovations(self, rows: Intp, counts: Int64, stratum: int) -> Float64:
        z: Float64 = rank_innovation(self._ranks, self._rows.ints["alpha"][rows, stratum], counts)
        return z / np.sqrt(self._rows.floats["design_effect"][rows])

    def _decoded(self, state: bytes) -> _State:
        try:
            outer = msgspec.msgpack.decode(state, type=_State)
        except msgspec.MsgspecError as error:
            raise UnusableStateError(f"state of {self._spec.fingerprint}: {error}") from error
        if outer.format != _FORMAT:
            raise UnusableStateError(f"state of {self._spec.fingerprint}: format {outer.format}")
        return outer
