"""A proven effect: by how much the distribution functions differ at least, right at every look with probability .98.

At nine cuts, near the deciles, the share of events below is confined twice: of the reference by the Beta law of its
order statistics, of the events since the alarm by a confidence sequence that holds at all sample sizes at once
(Beta-binomial mixture and Ville's inequality). The largest gap between the two intervals is the proven effect.

Promise: it exceeds the true gap with probability at most .02, for a constant law since the alarm and independent
events, while the panes since the alarm fit into the window. With m = 1023 the reference itself is ±.05: floors of .05
are proven in some hundred events from m = 16,383 on.

Sources: Robbins (1970), doi:10.1214/aoms/1177696786; Howard et al. (2021), arXiv:1810.08240 (confidence sequences).
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from scipy.special import betaincinv, betaln

from stream_monitor.core.arrays import Float64
from stream_monitor.core.comparisons import Reference, comparison
from stream_monitor.core.names import SeriesKind
from stream_monitor.core.rules.window import EffectWindow

_CUTS = np.arange(1, 10) / 10.0
_ERROR = 0.01  # of the reference's limits, and as much of those of the new events
_BISECTIONS = 50


class ProvenKolmogorovSmirnov:
    """Lower confidence bound of the largest gap, valid at every look."""

    name = "kolmogorov_smirnov_proven"
    kinds = frozenset({SeriesKind.NUMERIC})

    def value(self, window: EffectWindow) -> float:
        """Return the bound, in [0, 1]."""
        assert window.reference is not None, "a numeric series has a reference"
        cuts, low, high = _reference_limits(window.reference)
        d = window.reference.design_effect
        below = window.counts.cumsum()[list(cuts)] / d
        new_low, new_high = confidence_sequence(below, window.n / d, error=_ERROR / _CUTS.size)
        return float(np.maximum(0.0, np.maximum(new_low - high, low - new_high)).max())

    def decisive(self, window: EffectWindow) -> float:
        """Return the same: it is a bound."""
        return self.value(window)

    def noise_95(self, window: EffectWindow) -> float:
        """Return 0: without drift it is 0 in 98 of 100 episodes."""
        return 0.0

    def most(self, window: EffectWindow) -> float:
        """Return the distance itself and what chance adds to it."""
        assert window.reference is not None, "a numeric series has a reference"
        distance = comparison("kolmogorov_smirnov")
        return distance.measure(window.reference, window.counts) + distance.noise_95(window.reference, window.n)


def confidence_sequence(successes: Float64, trials: float, *, error: float) -> tuple[Float64, Float64]:
    """Return limits of probabilities, right at all numbers of trials at once but for an error.

    The set {q : ln B(s+½, n-s+½) - ln B(½, ½) - s ln q - (n-s) ln(1-q) < ln(1/error)} is an interval around s/n.

    >>> low, high = confidence_sequence(np.array([500.0]), 1000.0, error=0.01)
    >>> round(float(low[0]), 3), round(float(high[0]), 3)
    (0.436, 0.564)
    """
    failures = trials - successes
    most = betaln(successes + 0.5, failures + 0.5) - betaln(0.5, 0.5) + math.log(error)

    def inside(q: Float64) -> Float64:
        likelihood: Float64 = successes * np.log(q) + failures * np.log1p(-q)
        return likelihood - most

    middle = np.clip(successes / trials, 1e-12, 1.0 - 1e-12)
    limits = []
    for end in (np.full(middle.shape, 1e-15), np.full(middle.shape, 1.0 - 1e-15)):
        outer, inner = end, middle
        for _ in range(_BISECTIONS):
            half = (outer + inner) / 2.0
            holds = inside(half) > 0.0
            outer, inner = np.where(holds, outer, half), np.where(holds, half, inner)
        limits.append(outer)
    return limits[0], limits[1]


@lru_cache(maxsize=1024)
def _reference_limits(reference: Reference) -> tuple[tuple[int, ...], Float64, Float64]:
    """Return the last bin below each cut, and limits of the mass below."""
    share = reference.shares.cumsum()
    cuts = tuple(int(np.abs(share[:-1] - cut).argmin()) for cut in _CUTS)
    below = reference.counts.cumsum()[list(cuts)] / reference.design_effect
    rest = reference.total / reference.design_effect - below
    each = _ERROR / (2.0 * _CUTS.size)
    low, high = (np.asarray(betaincinv(below, rest, level), dtype=np.float64) for level in (each, 1.0 - each))
    return cuts, low, high
