"""Total variation distance: half the sum of the changes of shares over grouped bins, 0 to 1.

The largest change of probability of any set of groups.

>>> TotalVariation().measure(Reference(np.array([200, 300, 500])), np.array([500, 300, 200])).__round__(2)
0.3
"""

from __future__ import annotations

import math

import numpy as np

from stream_monitor.core.arrays import Float64, Int64
from stream_monitor.core.comparisons.comparison import Comparison, Reference, Windows
from stream_monitor.core.comparisons.grouping import grouped_shares
from stream_monitor.core.comparisons.monte_carlo import null_quantile


def total_variation(p: Float64, q: Float64) -> Float64:
    """Return the distance of shares along the last axis."""
    distance: Float64 = np.abs(p - q).sum(axis=-1) / 2.0
    return distance


class TotalVariation(Comparison):
    """Total variation of grouped bins."""

    name = "total_variation"

    def distances(self, reference: Reference, windows: Windows) -> Float64:
        """Return the distance, 0 to 1."""
        return total_variation(*grouped_shares(reference, windows))

    def corrected(self, reference: Reference, window: Int64) -> float:
        """Return the distance less its mean without drift, √(λ/2π) sum √(p(1-p))."""
        p, _ = grouped_shares(reference, window[None, :])
        chance = math.sqrt(reference.noise(int(window.sum())) / (2.0 * math.pi)) * float(np.sqrt(p * (1.0 - p)).sum())
        return max(0.0, self.measure(reference, window) - chance)

    def noise_95(self, reference: Reference, n: int) -> float:
        """Return the Monte-Carlo 95 % point."""
        return null_quantile(self, reference, n, 0.95)
