"""Hellinger distance: 0 for equal shares, 1 for disjoint ones; `H² = ½ sum (√p - √q)²` over grouped bins.

>>> Hellinger().measure(Reference(np.array([200, 300, 500])), np.array([500, 300, 200])).__round__(3)
0.26

Source: Hellinger (1909), doi:10.1515/crll.1909.136.210.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.special import chdtri

from stream_monitor.core.arrays import Float64, Int64
from stream_monitor.core.comparisons.comparison import Comparison, Reference, Windows
from stream_monitor.core.comparisons.grouping import degrees_of_freedom, follows_chi_square, grouped_shares
from stream_monitor.core.comparisons.monte_carlo import null_mean, null_quantile

_PER_CHI_SQUARE = 1.0 / 8.0  # its square is λ χ² / 8 without drift


def hellinger(p: Float64, q: Float64) -> Float64:
    """Return the distance of shares along the last axis."""
    distance: Float64 = np.sqrt(((np.sqrt(p) - np.sqrt(q)) ** 2).sum(axis=-1) / 2.0)
    return distance


class Hellinger(Comparison):
    """Hellinger distance of grouped bins."""

    name = "hellinger"

    def distances(self, reference: Reference, windows: Windows) -> Float64:
        """Return the distance, 0 to 1."""
        return hellinger(*grouped_shares(reference, windows))

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
