"""Pearson's chi-square of a window against the reference, over grouped bins, divided by the reference's own error.

`n sum (q - p)² / p / (1 + n/S)`: without drift about χ² with K-1 degrees of freedom, whatever the sizes. It grows
with n: an indicator of evidence, not of size.

>>> import numpy as np
>>> ChiSquare().measure(Reference(np.array([200, 300, 500])), np.array([30, 30, 40])).__round__(1)
6.4

Source: Pearson (1900), doi:10.1080/14786440009463897.
"""

from __future__ import annotations

from scipy.special import chdtri

from stream_monitor.core.arrays import Float64, Int64
from stream_monitor.core.comparisons.comparison import Comparison, Reference, Windows
from stream_monitor.core.comparisons.grouping import degrees_of_freedom, follows_chi_square, grouped_shares
from stream_monitor.core.comparisons.monte_carlo import null_quantile


class ChiSquare(Comparison):
    """Chi-square of grouped bins."""

    name = "chi_square"

    def distances(self, reference: Reference, windows: Windows) -> Float64:
        """Return the statistic, at least 0."""
        n = float(windows[0].sum())
        p, smoothed = grouped_shares(reference, windows)
        q = (smoothed * (n + 1.0) - p) / n
        statistic: Float64 = n * ((q - p) ** 2 / p).sum(axis=-1) / (1.0 + n / reference.total)
        statistic /= reference.design_effect
        return statistic

    def corrected(self, reference: Reference, window: Int64) -> float:
        """Return the statistic less its degrees of freedom: its mean, however rare the categories."""
        return max(0.0, self.measure(reference, window) - degrees_of_freedom(reference, int(window.sum())))

    def noise_95(self, reference: Reference, n: int) -> float:
        """Return the 95 % point of χ² with K-1 degrees of freedom, or the simulated one."""
        if not follows_chi_square(reference, n):
            return null_quantile(self, reference, n, 0.95)
        freedom = degrees_of_freedom(reference, n)
        return float(chdtri(freedom, 0.05)) if freedom else 0.0
