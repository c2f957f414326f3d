"""Laws of numbers that hang together: autoregression, a season, a shared effect in every pane.

The independence that detectors assume does not hold for them; they are the hard test of false alarms.

>>> values = Autoregressive(0.9).draw(20_000, np.random.default_rng(1))
>>> bool(np.corrcoef(values[1:], values[:-1])[0, 1] > 0.85)
True
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from stream_monitor.core.arrays import Float64


@dataclass(frozen=True, slots=True)
class Autoregressive:
    """AR(1) with standard normal values: each is `correlation` times the one before, plus new noise."""

    correlation: float = 0.5
    mean: float = 0.0
    std: float = 1.0

    def draw(self, rows: int, rng: np.random.Generator) -> Float64:
        """Return a stationary path."""
        noise = math.sqrt(1.0 - self.correlation**2) * rng.standard_normal(rows)
        if rows:
            noise[0] = rng.standard_normal()
        path: Float64 = lfilter([1.0], [1.0, -self.correlation], noise)
        return self.mean + self.std * path


@dataclass(frozen=True, slots=True)
class Seasonal:
    """A daily wave with normal noise around it.

    Attributes:
        period: rows of a day.
        amplitude: of the wave, in standard deviations of the noise.
    """

    period: int = 1_000
    amplitude: float = 1.0
    mean: float = 0.0

    @property
    def std(self) -> float:
        """Of wave and noise together."""
        return math.sqrt(1.0 + self.amplitude**2 / 2.0)

    def draw(self, rows: int, rng: np.random.Generator) -> Float64:
        """Return a path that begins at midnight."""
        wave = self.amplitude * np.sin(2.0 * math.pi * np.arange(rows) / self.period)
        return self.mean + wave + rng.standard_normal(rows)


@dataclass(frozen=True, slots=True)
class Overdispersed:
    """Normal values that share an effect with all others of their pane: a client, a batch, a replay at a time.

    Attributes:
        pane: rows that share an effect.
        share: of the variance that is shared (the intra-class correlation).
    """

    pane: int = 50
    share: float = 0.1
    mean: float = 0.0
    std: float = 1.0

    def draw(self, rows: int, rng: np.random.Generator) -> Float64:
        """Return panes one after the other."""
        shared = np.repeat(rng.standard_normal(-(-rows // self.pane)), self.pane)[:rows]
        own = rng.standard_normal(rows)
        return self.mean + self.std * (math.sqrt(self.share) * shared + math.sqrt(1.0 - self.share) * own)


@dataclass(frozen=True, slots=True)
class Held:
    """Normal values of which each is repeated for a while: a sensor that reports changes, or is stuck.

    Attributes:
        rows: that a value is held, on average; their number is geometric, so that the next change is never due.
        digits: decimals that are kept, None for all of them: a coarse gauge has few distinct values.
    """

    rows: float = 50.0
    digits: int | None = None
    mean: float = 0.0
    std: float = 1.0

    def draw(self, rows: int, rng: np.random.Generator) -> Float64:
        """Return stretches of equal values."""
        moved = rng.random(rows) < 1.0 / self.rows
        moved[:1] = True
        levels = rng.standard_normal(int(moved.sum()))
        if self.digits is not None:
            levels = levels.round(self.digits)
        values: Float64 = self.mean + self.std * levels[moved.cumsum() - 1]
        return values


@dataclass(frozen=True, slots=True)
class Regimes:
    """Normal noise around one of two levels, each of which stays for a while: an empty room and one with people.

    Attributes:
        rows: that a regime lasts, on average; geometric.
        distance: of the levels, in standard deviations of the noise.
        quiet: the lower level is exactly 0, without noise: bursts among zeros.
    """

    rows: float = 100.0
    distance: float = 3.0
    quiet: bool = False

    @property
    def mean(self) -> float:
        """Between the levels."""
        return self.distance / 2.0

    @property
    def std(self) -> float:
        """Of levels and noise together."""
        noise = 0.5 if self.quiet else 1.0
        return math.sqrt(noise + self.distance**2 / 4.0)

    def draw(self, rows: int, rng: np.random.Generator) -> Float64:
        """Return regimes in turn; either may be the first."""
        changed = rng.random(rows) < 1.0 / self.rows
        busy = (changed.cumsum() + int(rng.integers(2))) % 2
        noise = rng.standard_normal(rows)
        values: Float64 = self.distance * busy + noise * (busy if self.quiet else 1.0)
        return values
