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
