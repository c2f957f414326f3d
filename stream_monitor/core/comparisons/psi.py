"""Population stability index: `sum (p - q) ln(p/q)` over grouped bins, 0 for equal shares, unbounded.

The symmetrised Kullback-Leibler divergence. Convention in credit scoring: above 0.1 look, above 0.25 act. Without
drift it is about `λ χ²_(K-1)` with λ = 1/n + 1/S, and that is taken out of `corrected`.

>>> PopulationStabilityIndex().measure(Reference(np.array([200, 300, 500])), np.array([500, 300, 200])).__round__(2)
0.55

Source: Siddiqi (2006), Credit Risk Scorecards; Yurdakul & Naranjo (2020), doi:10.21314/JRMV.2020.227 (its law).
"""

from __future__ import annotations

import numpy as np
from scipy.special import chdtri

from stream_monitor.core.arrays import Float64, Int64
from stream_monitor.core.comparisons.comparison import Comparison, Reference
from stream_monitor.core.comparisons.grouping import degrees_of_freedom, grouped_shares


def population_stability_index(p: Float64, q: Float64) -> Float64:
    """Return the index of shares along the last axis; all positive."""
    total: Float64 = ((p - q) * np.log(p / q)).sum(axis=-1)
    return total


class PopulationStabilityIndex(Comparison):
    """PSI of grouped bins."""

    name = "psi"

    def distances(self, reference: Reference, windows: Int64) -> Float64:
        """Return PSI, at least 0."""
        return population_stability_index(*grouped_shares(reference, windows))

    def corrected(self, reference: Reference, window: Int64) -> float:
        """Return PSI - (K-1) λ."""
        n = int(window.sum())
        return max(0.0, self.measure(reference, window) - degrees_of_freedom(reference, n) * reference.noise(n))

    def noise_95(self, reference: Reference, n: int) -> float:
        """Return λ times the 95 % point of χ² with K-1 degrees of freedom."""
        freedom = degrees_of_freedom(reference, n)
        return reference.noise(n) * float(chdtri(freedom, 0.05)) if freedom else 0.0
