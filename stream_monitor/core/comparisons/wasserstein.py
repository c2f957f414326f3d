"""Wasserstein distance, the area between the distribution functions: in rank space, and in standard deviations.

Rank space: `∫ |Q(u) - u| du` over the reference's own ranks, linear inside bins; 0 to ½, free of units, unmoved by
outliers. In values: the area over the edge values, tails to the reference's minimum and maximum, divided by its
standard deviation: the mean shift in σ when everything shifts. Values beyond the reference's range count as if at its
end.

>>> Wasserstein().measure(Reference(np.array([250, 250, 250, 250])), np.array([100, 200, 300, 400])).__round__(3)
0.125

Source: Vallender (1974), doi:10.1137/1118101 (area between the distribution functions).
"""

from __future__ import annotations

import math

import numpy as np

from stream_monitor.core.arrays import Float64, Int64
from stream_monitor.core.comparisons.comparison import Comparison, Reference, Windows
from stream_monitor.core.comparisons.monte_carlo import null_quantile

_MEAN = math.sqrt(math.pi / 32.0)  # of the area under a Brownian bridge's absolute value


def area_between(p: Float64, q: Float64, widths: Float64) -> Float64:
    """Return the area between cumulated shares p and q, linear over cells of these widths, along the last axis."""
    gap = (q - p).cumsum(axis=-1)
    right = np.abs(gap)
    left = np.concatenate([np.zeros((*right.shape[:-1], 1)), right[..., :-1]], axis=-1)
    before = np.concatenate([np.zeros((*gap.shape[:-1], 1)), gap[..., :-1]], axis=-1)
    both = left + right
    crossing = (before * gap) < 0.0
    squares = (left**2 + right**2) / np.where(both > 0.0, both, 1.0)
    area: Float64 = (widths * np.where(crossing, squares, both) / 2.0).sum(axis=-1)
    return area


class Wasserstein(Comparison):
    """Area between the distribution functions in rank space."""

    name = "wasserstein"
    needs_order = True

    def distances(self, reference: Reference, windows: Windows) -> Float64:
        """Return the area, 0 to 1/2."""
        p = reference.shares
        return area_between(p, windows / float(windows[0].sum()), p)

    def corrected(self, reference: Reference, window: Int64) -> float:
        """Return the area - 0.313 √λ."""
        return max(0.0, self.measure(reference, window) - _MEAN * math.sqrt(reference.noise(int(window.sum()))))

    def noise_95(self, reference: Reference, n: int) -> float:
        """Return the Monte-Carlo 95 % point."""
        return null_quantile(self, reference, n, 0.95)


class WassersteinSigma(Comparison):
    """Area between the distribution functions over values, in standard deviations of the reference."""

    name = "wasserstein_sigma"
    needs_order = True

    def distances(self, reference: Reference, windows: Windows) -> Float64:
        """Return the area; 0 for a constant reference.

        Raises:
            ValueError: the reference has no edges.
        """
        if reference.edges is None:
            raise ValueError("reference: wasserstein_sigma needs the values of the edges, got counts only")
        if reference.std <= 0.0:
            return np.zeros(windows.shape[0])
        points = np.concatenate([[reference.minimum], reference.edges, [reference.maximum]])
        widths = np.maximum(np.diff(points), 0.0) / reference.std
        return area_between(reference.shares, windows / float(windows[0].sum()), widths)

    def corrected(self, reference: Reference, window: Int64) -> float:
        """Return the area less its median without drift."""
        chance = null_quantile(self, reference, int(window.sum()), 0.5)
        return max(0.0, self.measure(reference, window) - chance)

    def noise_95(self, reference: Reference, n: int) -> float:
        """Return the Monte-Carlo 95 % point."""
        return null_quantile(self, reference, n, 0.95)
