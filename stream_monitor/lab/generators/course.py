"""The course of a change: since when, how quickly, and whether it goes away again.

Strength is 0 before, 1 at full size. Positions are rows, counted from 0.

>>> Ramp(10, over=4).strength(np.arange(9, 15)).tolist()
[0.0, 0.0, 0.25, 0.5, 0.75, 1.0]
>>> Recurring(10, lasts=2, every=5).changes(22)
(Change(start=10, end=12), Change(start=15, end=17), Change(start=20, end=22))
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from stream_monitor.core.arrays import Float64, Intp
from stream_monitor.lab.scores import Change


class Course(Protocol):
    """When a change is on, and how much of it."""

    def strength(self, rows: Intp) -> Float64:
        """Return the strength at each row, in [0, 1]."""

    def changes(self, rows: int) -> tuple[Change, ...]:
        """Return what truly happened in a stream of that many rows."""


@dataclass(frozen=True, slots=True)
class Step:
    """From row `at` on, for ever."""

    at: int

    def strength(self, rows: Intp) -> Float64:
        """Return 0 or 1."""
        return (rows >= self.at).astype(np.float64)

    def changes(self, rows: int) -> tuple[Change, ...]:
        """Return one change without end."""
        return (Change(self.at),) if self.at < rows else ()


@dataclass(frozen=True, slots=True)
class Ramp:
    """Growing evenly from row `at` on, at full size after `over` rows: the true change is where it begins."""

    at: int
    over: int

    def strength(self, rows: Intp) -> Float64:
        """Return the share of the ramp that has passed."""
        return np.clip((rows - self.at) / self.over, 0.0, 1.0)

    def changes(self, rows: int) -> tuple[Change, ...]:
        """Return one change without end."""
        return (Change(self.at),) if self.at < rows else ()


@dataclass(frozen=True, slots=True)
class Temporary:
    """From row `at` to before row `until`."""

    at: int
    until: int

    def strength(self, rows: Intp) -> Float64:
        """Return 0 or 1."""
        return ((rows >= self.at) & (rows < self.until)).astype(np.float64)

    def changes(self, rows: int) -> tuple[Change, ...]:
        """Return one change with an end."""
        return (Change(self.at, self.until),) if self.at < rows else ()


@dataclass(frozen=True, slots=True)
class Recurring:
    """For `lasts` rows, first at row `at` and again every `every` rows."""

    at: int
    lasts: int
    every: int

    def strength(self, rows: Intp) -> Float64:
        """Return 0 or 1."""
        return ((rows >= self.at) & ((rows - self.at) % self.every < self.lasts)).astype(np.float64)

    def changes(self, rows: int) -> tuple[Change, ...]:
        """Return a change for each time."""
        return tuple(Change(start, start + self.lasts) for start in range(self.at, rows, self.every))
