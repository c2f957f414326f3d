"""Jensen-Shannon distance to the base 2: 0 for equal shares, 1 for disjoint ones.

The root of the mean Kullback-Leibler divergence of both shares from their middle, over grouped bins; a metric.

>>> JensenShannon().measure(Reference(np.array([200, 300, 500])), np.array([500, 300, 200])).__round__(3)
0.309

Source: Endres & Schindelin (2003), doi:10.1109/TIT.2003.813506.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import chdtri

from stream_monitor.core.arrays import Float64, Int64
from stream_monitor.core.comparisons.comparison import Comparison, Reference, Windows
from stream_monitor.core.comparisons.grouping import degrees_of_freedom, follows_chi_square, grouped_shares
from stream_monitor.core.comparisons.monte_carlo import null_mean, null_quantile

_PER_CHI_SQUARE = 1.0 / (8.0 * math.log(2.0))  # its square is λ χ² / (8 ln 2) without drift


def jensen_shannon(p: Float64, q: Float64) -> Float64:
    """Return the distance of shares along the last axis; all positive."""
    middle = (p + q) / 2.0
    divergence = ((p * np.log2(p / middle)).sum(axis=-1) + (q * np.log2(q / middle)).sum(axis=-1)) / 2.0
    distance: Float64 = np.sqrt(np.maximum(divergence, 0.0))  # rounding may leave -1e-17
    return distance


class JensenShannon(Comparison):
    """Jensen-Shannon distance of grouped bins."""

    name = "jensen_shannon"

    def distances(self, reference: Reference, windows: Windows) -> Float64:
        """Return the distance, 0 to 1."""
        return jensen_shannon(*grouped_shares(reference, windows))

    def corrected(self, reference: Reference, window: Int64) -> float:
        """Return the root of the square less its mean without drift."""
        n = int(window.sum())
        if follows_chi_square(reference, n):
            chance = degrees_of_freedom(reference, n) * reference.noise(n) * _PER_CHI_SQUARE
        else:
            chance = null_mean(self, reference, n, power=2)
        return math.sqrt(max(0.0, self.measure(reference, window) ** 2 - chance))

    def noise_95(self, reference: Reference, n: int) -> float:
        """Return the root of the 95 % point of the square."""
        if not follows_chi_square(reference, n):
            return null_quantile(self, reference, n, 0.95)
        freedom = degrees_of_freedom(reference, n)
        return math.sqrt(reference.noise(n) * float(chdtri(freedom, 0.05)) * _PER_CHI_SQUARE) if freedom else 0.0
