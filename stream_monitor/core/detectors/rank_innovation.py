"""The rank innovation: one number a pane that is standard without drift, whatever the values' law.

`z = (v̄ - μ) / (σ √((S+n) / (n (S+1))))`: the mean mid-rank of the pane against what reference and past panes
predict. It has mean 0, variance 1 and is uncorrelated over panes; a shift of δ standard deviations moves it by about
0.97 δ √n. The plain `(v̄ - ½) √(12 n)` would carry the reference's own error into every pane (m = n = 255: variance
1.9, correlation .5).

>>> mid_ranks(np.array([1, 1, 2, 2, 1, 1])).tolist()
[0.0625, 0.1875, 0.375, 0.625, 0.8125, 0.9375]
"""

from __future__ import annotations

import numpy as np

from stream_monitor.core.arrays import Float64, Int64
from stream_monitor.core.detectors.arithmetic import ordered_sum


def mid_ranks(spacings: Int64) -> Float64:
    """Return the middle of each bin on the scale of the reference's ranks, in (0, 1)."""
    upper = spacings.cumsum()
    middles: Float64 = (2 * upper - spacings) / (2.0 * float(upper[-1]))
    return middles


def rank_innovation(ranks: Float64, alpha: Int64, counts: Int64) -> Float64:
    """Return z of one pane of each series, shape (series,).

    Args:
        ranks: mid-ranks of the bins, shape (bins,).
        alpha: spacings + counts of all panes before, shape (series, bins).
        counts: events of the pane, shape (series, bins), at least one a series.
    """
    seen = alpha.sum(axis=1).astype(np.float64)
    n = counts.sum(axis=1).astype(np.float64)
    expected = ordered_sum(alpha * ranks) / seen
    centred = ranks - expected[:, None]  # squares of centred ranks: the textbook difference would cancel
    variance = ordered_sum(alpha * centred * centred) / seen
    surprise = ordered_sum(counts * centred) / n
    z: Float64 = surprise / np.sqrt(variance * (seen + n) / (n * (seen + 1.0)))
    return z
