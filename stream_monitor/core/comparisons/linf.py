"""L-infinity distance: the largest change of the share of one bin, 0 to 1; for categories.

>>> LInfinity().measure(Reference(np.array([200, 300, 500])), np.array([500, 300, 200])).__round__(2)
0.3
"""

from __future__ import annotations

import numpy as np

from stream_monitor.core.arrays import Float64, Int64
from stream_monitor.core.comparisons.comparison import Comparison, Reference, Windows
from stream_monitor.core.comparisons.monte_carlo import null_quantile


class LInfinity(Comparison):
    """Largest change of a share, of single bins."""

    name = "linf"

    def distances(self, reference: Reference, windows: Windows) -> Float64:
        """Return the change, 0 to 1."""
        gap: Float64 = np.abs(windows / float(windows[0].sum()) - reference.shares).max(axis=-1)
        return gap

    def corrected(self, reference: Reference, window: Int64) -> float:
        """Return the change less its median without drift."""
        chance = null_quantile(self, reference, int(window.sum()), 0.5)
        return max(0.0, self.measure(reference, window) - chance)

    def noise_95(self, reference: Reference, n: int) -> float:
        """Return the Monte-Carlo 95 % point."""
        return null_quantile(self, reference, n, 0.95)
