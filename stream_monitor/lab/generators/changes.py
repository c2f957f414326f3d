"""What may happen to a series: its mean, its spread, its shape, its categories, its nulls; each along a course.

To add one: a frozen dataclass with a course and `apply`, which changes nothing where the strength is 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from stream_monitor.core.arrays import Float64, Intp
from stream_monitor.lab.generators.categories import Categorical, Names
from stream_monitor.lab.generators.course import Course
from stream_monitor.lab.generators.laws import Law


class NumberChange(Protocol):
    """A change of a numeric series."""

    @property
    def course(self) -> Course:
        """When, and how much of it."""

    def apply(self, values: Float64, law: Law, rng: np.random.Generator) -> Float64:
        """Return the changed values; `law` is the one without drift."""


class CategoryChange(Protocol):
    """A change of a categorical series."""

    @property
    def course(self) -> Course:
        """When, and how much of it."""

    def apply(self, values: Names, rng: np.random.Generator) -> Names:
        """Return the changed names."""


@dataclass(frozen=True, slots=True)
class Shift:
    """The mean moves by `size` standard deviations of the law."""

    size: float
    course: Course

    def apply(self, values: Float64, law: Law, rng: np.random.Generator) -> Float64:
        """Return the shifted values."""
        return values + self.size * law.std * self.course.strength(_rows(values))


@dataclass(frozen=True, slots=True)
class Scale:
    """The spread around the law's mean grows by `factor`."""

    factor: float
    course: Course

    def apply(self, values: Float64, law: Law, rng: np.random.Generator) -> Float64:
        """Return the stretched values."""
        return values + (values - law.mean) * (self.factor - 1.0) * self.course.strength(_rows(values))


@dataclass(frozen=True, slots=True)
class Replaced:
    """Rows come from another law, each with a probability equal to the strength.

    With a step this is an abrupt concept drift (an error rate of .4 instead of .2, two humps instead of one), with a
    ramp a gradual one.
    """

    by: Law
    course: Course

    def apply(self, values: Float64, law: Law, rng: np.random.Generator) -> Float64:
        """Return values of both laws."""
        other = self.by.draw(values.size, rng)
        return np.where(rng.random(values.size) < self.course.strength(_rows(values)), other, values)


@dataclass(frozen=True, slots=True)
class NullStorm:
    """A share of the values is lost."""

    share: float
    course: Course

    def apply(self, values: Float64, law: Law, rng: np.random.Generator) -> Float64:
        """Return values with NaN where one is lost."""
        return np.where(rng.random(values.size) < self.share * self.course.strength(_rows(values)), np.nan, values)


@dataclass(frozen=True, slots=True)
class OtherShares:
    """Names come from another law, each with a probability equal to the strength: swapped shares, a new category."""

    by: Categorical
    course: Course

    def apply(self, values: Names, rng: np.random.Generator) -> Names:
        """Return names of both laws."""
        other = self.by.draw(values.size, rng)
        return np.where(rng.random(values.size) < self.course.strength(_rows(values)), other, values)


@dataclass(frozen=True, slots=True)
class LostNames:
    """A share of the names is lost."""

    share: float
    course: Course

    def apply(self, values: Names, rng: np.random.Generator) -> Names:
        """Return names with None where one is lost."""
        kept = values.copy()
        kept[rng.random(values.size) < self.share * self.course.strength(_rows(values))] = None
        return kept


def _rows(values: Float64 | Names) -> Intp:
    return np.arange(values.size, dtype=np.intp)
