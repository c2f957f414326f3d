"""Events per pane: negative binomial, because real traffic spreads wider than Poisson.

>>> counts = Demand(mean=200.0, dispersion=10.0).draw(50_000, np.random.default_rng(1))
>>> round(float(counts.var()) / 4_200, 1)
1.0
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from stream_monitor.core.arrays import Float64


@dataclass(frozen=True, slots=True)
class Demand:
    """Counts with mean μ and variance μ + μ²/κ.

    Attributes:
        mean: μ, events of a pane.
        dispersion: κ; the smaller, the wilder.
    """

    mean: float = 200.0
    dispersion: float = 10.0

    @property
    def std(self) -> float:
        """√(μ + μ²/κ)."""
        return math.sqrt(self.mean + self.mean**2 / self.dispersion)

    def draw(self, rows: int, rng: np.random.Generator) -> Float64:
        """Return the counts of that many panes."""
        p = self.dispersion / (self.dispersion + self.mean)
        return rng.negative_binomial(self.dispersion, p, rows).astype(np.float64)
