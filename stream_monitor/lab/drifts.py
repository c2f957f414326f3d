"""Drifts made to order: what changes, in which feature, from when to when, and which series it truly changes.

A drift is applied to the columns of healthy traffic. Its `changes` are the truth that a verdict is held against.

>>> storm = NullStorm("age", at_s=10.0, until_s=20.0, share=1.0)
>>> storm.changes
frozenset({'missing:age'})
>>> storm.active(12.0), storm.active(20.0)
(True, False)
"""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

Column = npt.NDArray[np.object_] | npt.NDArray[np.float64] | npt.NDArray[np.int64] | npt.NDArray[np.bool_]
Columns = MutableMapping[str, Column]


class Drift(Protocol):
    """A change of the traffic between two instants of a scenario."""

    @property
    def at_s(self) -> float:
        """Seconds from the start of the scenario to the start of the drift."""

    @property
    def until_s(self) -> float:
        """Seconds from the start of the scenario to its end."""

    @property
    def changes(self) -> frozenset[str]:
        """Names of the series whose law the drift changes: an alert on one of them is right."""

    @property
    def signature(self) -> str:
        """The one of them that must alarm for the drift to count as found."""

    @property
    def title(self) -> str:
        """What happens, in a few words for a person."""

    def apply(self, columns: Columns, rng: np.random.Generator) -> None:
        """Change the columns of rows that lie inside the drift, in place."""


@dataclass(frozen=True, slots=True)
class Interval:
    """When a drift is on: [at_s, until_s) in seconds from the start of the scenario."""

    feature: str
    at_s: float
    until_s: float

    def active(self, second: float) -> bool:
        """Say whether the drift is on at that second."""
        return self.at_s <= second < self.until_s


@dataclass(frozen=True, slots=True)
class MeanShift(Interval):
    """Every value of a numeric feature grows by the same factor, as after a change of unit or of currency."""

    factor: float = 1.5

    @property
    def changes(self) -> frozenset[str]:
        return frozenset({self.signature})

    @property
    def signature(self) -> str:
        return f"feature:{self.feature}"

    @property
    def title(self) -> str:
        return f"{self.feature} grows by {self.factor - 1:.0%}"

    def apply(self, columns: Columns, rng: np.random.Generator) -> None:
        columns[self.feature] = np.round(np.asarray(columns[self.feature], dtype=np.float64) * self.factor, 2)


@dataclass(frozen=True, slots=True)
class NullStorm(Interval):
    """A share of a feature's values is lost, as when an upstream join starts to miss."""

    share: float = 0.4

    @property
    def changes(self) -> frozenset[str]:
        return frozenset({self.signature})

    @property
    def signature(self) -> str:
        return f"missing:{self.feature}"

    @property
    def title(self) -> str:
        return f"{self.share:.0%} of {self.feature} is lost"

    def apply(self, columns: Columns, rng: np.random.Generator) -> None:
        column = np.asarray(columns[self.feature], dtype=object).copy()
        column[rng.random(column.size) < self.share] = None
        columns[self.feature] = column


@dataclass(frozen=True, slots=True)
class NewCategory(Interval):
    """A share of a categorical feature's values turns into one that the baseline has never seen."""

    value: str = "metaverse"
    share: float = 0.1

    @property
    def changes(self) -> frozenset[str]:
        return frozenset({self.signature, f"feature:{self.feature}"})

    @property
    def signature(self) -> str:
        return f"unseen:{self.feature}"

    @property
    def title(self) -> str:
        return f"{self.feature} {self.value!r} appears"

    def apply(self, columns: Columns, rng: np.random.Generator) -> None:
        column = np.asarray(columns[self.feature], dtype=object).copy()
        column[rng.random(column.size) < self.share] = self.value
        columns[self.feature] = column
