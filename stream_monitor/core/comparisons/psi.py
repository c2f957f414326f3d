"""Population stability index: `sum (p - q) ln(p/q)` over grouped bins, 0 for equal shares, unbounded.

The symmetrised Kullback-Leibler divergence. Convention in credit scoring: above 0.1 look, above 0.25 act. Without
drift it is about `λ χ²_(K-1)` with λ = 1/n + 1/S (simulated where categories are rare): `corrected` takes that out.

>>> PopulationStabilityIndex().measure(Reference(np.array([200, 300, 500])), np.array([500, 300, 200])).__round__(2)
0.55

Source: Siddiqi (2006), Credit Risk Scorecards; Yurdakul & Naranjo (2020), doi:10.21314/JRMV.2020.227 (its law).
"""

from __future__ import annotations

import numpy as np
from scipy.special import chdtri

from stream_monitor.core.arrays import Float64, Int64
from stream_monitor.core.comparisons.comparison import Comparison, Reference, Windows
from stream_monitor.core.comparisons.grouping import degrees_of_freedom, follows_chi_square, grouped_shares
from stream_monitor.core.comparisons.monte_carlo import null_mean, null_quantile


def population_stability_index(p: Float64, q: Float64) -> Float64:
    """Return the index of shares along the last axis; all positive."""
    total: Float64 = ((p - q) * np.log(p / q)).sum(axis=-1)
    return total


class PopulationStabilityIndex(Comparison):
    """PSI of grouped bins."""

    name = "psi"

    def distances(self, reference: Reference, windows: Windows) -> Float64:
        """Return PSI, at least 0."""
        return population_stability_index(*grouped_shares(reference, windows))

    def corrected(self, reference: Reference, window: Int64) -> float:
        """Return PSI less its mean without drift, (K-1) λ or simulated."""
        n = int(window.sum())
        if follows_chi_square(reference, n):
            chance = degrees_of_freedom(reference, n) * reference.noise(n)
        else:
            chance = null_mean(self, reference, n)
        return max(0.0, self.measure(reference, window) - chance)

    def noise_95(self, reference: Reference, n: int) -> float:
        """Return λ times the 95 % point of χ² with K-1 degrees of freedom, or the simulated one."""
        if not follows_chi_square(reference, n):
            return null_quantile(self, reference, n, 0.95)
        freedom = degrees_of_freedom(reference, n)
        return reference.noise(n) * float(chdtri(freedom, 0.05)) if freedom else 0.0
