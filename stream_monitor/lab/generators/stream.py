"""A stream made to order: a law, changes of it, a number of rows, a seed; and the truth beside the values.

>>> stream = NumberStream(Normal(), rows=1_000, seed=7, changes=(Shift(2.0, Step(500)),))
>>> stream.truth, bool(stream.values()[500:].mean() > 1.5)
((Change(start=500, end=inf),), True)
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stream_monitor.core.arrays import Float64
from stream_monitor.lab.generators.categories import Categorical, Names
from stream_monitor.lab.generators.changes import CategoryChange, NumberChange, Shift
from stream_monitor.lab.generators.course import Step
from stream_monitor.lab.generators.laws import Law, Normal
from stream_monitor.lab.scores import Change

__all__ = ["CategoryStream", "Normal", "NumberStream", "Shift", "Step"]


@dataclass(frozen=True, slots=True)
class NumberStream:
    """A numeric series; equal streams are equal to the bit.

    Attributes:
        law: without drift.
        rows: length.
        seed: of everything random in it.
        changes: applied in order.
    """

    law: Law
    rows: int
    seed: int
    changes: tuple[NumberChange, ...] = ()

    @property
    def truth(self) -> tuple[Change, ...]:
        """When the law truly changed, in order."""
        return tuple(sorted(own for change in self.changes for own in change.course.changes(self.rows)))

    def values(self) -> Float64:
        """Return the values, shape (rows,); NaN where one is missing."""
        rng = np.random.default_rng(self.seed)
        values = self.law.draw(self.rows, rng)
        for change in self.changes:
            values = change.apply(values, self.law, rng)
        return values


@dataclass(frozen=True, slots=True)
class CategoryStream:
    """A categorical series; attributes as of `NumberStream`."""

    law: Categorical
    rows: int
    seed: int
    changes: tuple[CategoryChange, ...] = ()

    @property
    def truth(self) -> tuple[Change, ...]:
        """When the law truly changed, in order."""
        return tuple(sorted(own for change in self.changes for own in change.course.changes(self.rows)))

    def values(self) -> Names:
        """Return the names, shape (rows,); None where one is missing."""
        rng = np.random.default_rng(self.seed)
        values = self.law.draw(self.rows, rng)
        for change in self.changes:
            values = change.apply(values, rng)
        return values
