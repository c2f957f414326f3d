"""Laws of independent numbers: normal, lognormal, t with three degrees of freedom, uniform, Bernoulli, zero-inflated.

>>> Uniform().draw(3, np.random.default_rng(1)).shape
(3,)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from stream_monitor.core.arrays import Float64


class Law(Protocol):
    """Numbers without drift, with the moments in whose units changes are stated."""

    @property
    def mean(self) -> float:
        """Expectation."""

    @property
    def std(self) -> float:
        """Standard deviation."""

    def draw(self, rows: int, rng: np.random.Generator) -> Float64:
        """Return that many numbers in the order of the stream, shape (rows,)."""


@dataclass(frozen=True, slots=True)
class Normal:
    """N(mean, std²)."""

    mean: float = 0.0
    std: float = 1.0

    def draw(self, rows: int, rng: np.random.Generator) -> Float64:
        """Return independent numbers."""
        return rng.normal(self.mean, self.std, rows)


@dataclass(frozen=True, slots=True)
class LogNormal:
    """exp of a standard normal: skewed, with a heavy upper tail."""

    @property
    def mean(self) -> float:
        """√e."""
        return math.exp(0.5)

    @property
    def std(self) -> float:
        """√(e² - e)."""
        return math.sqrt(math.exp(2.0) - math.e)

    def draw(self, rows: int, rng: np.random.Generator) -> Float64:
        """Return independent numbers."""
        return rng.lognormal(0.0, 1.0, rows)


@dataclass(frozen=True, slots=True)
class StudentT3:
    """Student's t with three degrees of freedom: symmetric, with both tails heavy and no fourth moment."""

    mean: float = 0.0
    std: float = math.sqrt(3.0)

    def draw(self, rows: int, rng: np.random.Generator) -> Float64:
        """Return independent numbers."""
        return rng.standard_t(3, rows)


@dataclass(frozen=True, slots=True)
class Uniform:
    """Uniform on [0, 1)."""

    mean: float = 0.5
    std: float = math.sqrt(1.0 / 12.0)

    def draw(self, rows: int, rng: np.random.Generator) -> Float64:
        """Return independent numbers."""
        return rng.random(rows)


@dataclass(frozen=True, slots=True)
class Bernoulli:
    """1 with probability p, else 0: the errors of a classifier."""

    p: float = 0.2

    @property
    def mean(self) -> float:
        """The probability."""
        return self.p

    @property
    def std(self) -> float:
        """√(p (1 - p))."""
        return math.sqrt(self.p * (1.0 - self.p))

    def draw(self, rows: int, rng: np.random.Generator) -> Float64:
        """Return independent zeros and ones."""
        return (rng.random(rows) < self.p).astype(np.float64)


@dataclass(frozen=True, slots=True)
class ZeroInflated:
    """0 with probability `zeros`, else lognormal: amounts, of which most are nothing."""

    zeros: float = 0.7

    @property
    def mean(self) -> float:
        """Of zeros and amounts together."""
        return (1.0 - self.zeros) * LogNormal().mean

    @property
    def std(self) -> float:
        """Of zeros and amounts together."""
        return math.sqrt((1.0 - self.zeros) * math.exp(2.0) - self.mean**2)

    def draw(self, rows: int, rng: np.random.Generator) -> Float64:
        """Return independent numbers."""
        return np.where(rng.random(rows) < self.zeros, 0.0, rng.lognormal(0.0, 1.0, rows))


@dataclass(frozen=True, slots=True)
class Bimodal:
    """Two narrow humps with the mean and the standard deviation of a normal: whoever watches moments sees nothing.

    Attributes:
        apart: distance of each hump from the mean, in standard deviations; below 1.
    """

    mean: float = 0.0
    std: float = 1.0
    apart: float = 0.9

    def draw(self, rows: int, rng: np.random.Generator) -> Float64:
        """Return independent numbers."""
        side = np.where(rng.random(rows) < 0.5, -self.apart, self.apart)
        width = math.sqrt(1.0 - self.apart**2)
        return self.mean + self.std * (side + width * rng.standard_normal(rows))
