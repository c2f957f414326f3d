"""What the groups of Shiryaev-Roberts sums with a given reference do alike, whatever their e-values are."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from stream_monitor.core.arrays import Float64, Intp
from stream_monitor.core.detectors import shiryaev_roberts
from stream_monitor.core.detectors.rows import Rows


class Sums(ABC):
    """Sums `log_r` of rows, and how many panes each has `stepped` since its last restart."""

    _rows: Rows

    @abstractmethod
    def _log_weights(self, rows: Intp) -> Float64:
        """Return ln of the alternatives' weights, shape (rows, alternatives), or (alternatives,) if they are alike."""

    def remove(self, row: int) -> None:
        """Forget a series."""
        self._rows.remove(row)

    def log_evidence(self, rows: Intp) -> Float64:
        """Return log M (nats)."""
        return shiryaev_roberts.log_mixture(self._rows.floats["log_r"][rows], self._log_weights(rows))

    def warming_up(self, row: int) -> bool:
        """Return False: the reference is given."""
        return False

    def restart(self, row: int) -> None:
        """Set M to 0."""
        self._rows.floats["log_r"][row] = -np.inf
        self._rows.ints["stepped"][row] = 0

    def dump(self) -> bytes:
        """Return the state."""
        return self._rows.dump()


STARTS = ("age", "spread")
"""Arrays of `SumsWithStarts`, each as large as `log_r`."""


class SumsWithStarts(Sums):
    """Sums that also know when they began: those of rare events, whose change may lie long before the last window."""

    def _starts(self, row: int) -> shiryaev_roberts.Starts:
        floats = self._rows.floats
        stepped = int(self._rows.ints["stepped"][row])
        return shiryaev_roberts.Starts(floats["age"][row], floats["spread"][row], stepped)

    def _advance(self, rows: Intp, log_e: Float64) -> None:
        """Take the e-values of a pane, shape (rows, alternatives)."""
        floats = self._rows.floats
        starts = shiryaev_roberts.Starts(floats["age"][rows], floats["spread"][rows])
        floats["log_r"][rows], now = shiryaev_roberts.advance_with_starts(floats["log_r"][rows], log_e, starts)
        floats["age"][rows], floats["spread"][rows] = now.age, now.spread
