"""Kolmogorov-Smirnov distance: the largest gap between the distribution functions at the bin edges, 0 to 1.

Exact for the binned series; finer gaps inside a bin are not seen. `noise_95` is the asymptotic bound, conservative on
a grid.

>>> KolmogorovSmirnov().measure(Reference(np.array([200, 300, 500])), np.array([50, 30, 20])).__round__(2)
0.3

Source: Smirnov (1948), doi:10.1214/aoms/1177730256.
"""

from __future__ import annotations

import math

import numpy as np

from stream_monitor.core.arrays import Float64, Int64
from stream_monitor.core.comparisons.comparison import Comparison, Reference, Windows

_MEAN = 0.87  # of the largest gap without drift, in units of √λ
_QUANTILE_95 = math.sqrt(math.log(2.0 / 0.05) / 2.0)


def kolmogorov_smirnov(p: Float64, q: Float64) -> Float64:
    """Return the largest gap of the cumulated shares along the last axis."""
    gap: Float64 = np.abs((q - p).cumsum(axis=-1)).max(axis=-1)
    return gap


class KolmogorovSmirnov(Comparison):
    """Largest gap of the distribution functions."""

    name = "kolmogorov_smirnov"
    needs_order = True

    def distances(self, reference: Reference, windows: Windows) -> Float64:
        """Return the gap, 0 to 1."""
        return kolmogorov_smirnov(reference.shares, windows / float(windows[0].sum()))

    def corrected(self, reference: Reference, window: Int64) -> float:
        """Return the gap - 0.87 √λ."""
        return max(0.0, self.measure(reference, window) - _MEAN * math.sqrt(reference.noise(int(window.sum()))))

    def noise_95(self, reference: Reference, n: int) -> float:
        """Return √(½ ln 40) √λ."""
        return _QUANTILE_95 * math.sqrt(reference.noise(n))
