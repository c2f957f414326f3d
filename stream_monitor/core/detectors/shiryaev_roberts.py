"""The Shiryaev-Roberts sum of e-values, `R_t = (1 + R_(t-1)) e_t`, in logarithms and for many alternatives at once.

Without drift E[R_t] <= t, whatever the dependence between alternatives, hence an alarm at `M = sum w_k R_k >= A`
comes at most once in A panes on average, and at most n/A times in n panes with restarts.

>>> log_r = advance(np.array([[-np.inf, -np.inf]]), np.array([[0.5, 0.0]]))
>>> log_r.tolist(), log_mixture(log_r, np.log([[0.5, 0.5]])).round(3).tolist()
([[0.5, 0.0]], [0.281])

Source: Shin, Ramdas & Rinaldo (2024), arXiv:2203.03532; Pollak (1985), doi:10.1214/aos/1176346587.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from stream_monitor.core.arrays import Float64, Int64, Intp
from stream_monitor.core.detectors.arithmetic import exp, log1p_exp, log_sum_exp, ordered_sum
from stream_monitor.core.detectors.group import ChangeRange

_Z_90 = 1.644853627

LOG_CAP = 600.0
"""Ceiling of log R: e^600 is beyond every budget and within a double. Lowering R keeps the guarantee."""


def advance(log_r: Float64, log_e: Float64) -> Float64:
    """Return log R after a pane, same shape."""
    return np.minimum(log1p_exp(log_r) + log_e, LOG_CAP)


def advance_with_starts(log_r: Float64, log_e: Float64, starts: Starts) -> tuple[Float64, Starts]:
    """Return log R and its starts after a pane; a start at that pane joins with weight 1."""
    before = log1p_exp(log_r)
    return np.minimum(before + log_e, LOG_CAP), starts.after(exp(log_r - before))


class Starts(NamedTuple):
    """When the alternatives of R began, by their shares of R: what change points before the last window are told from.

    Attributes:
        age: mean number of panes since the start, the last one included, shape (..., alternatives).
        spread: its variance, same shape.
        stepped: panes since R was 0.
    """

    age: Float64
    spread: Float64
    stepped: int = 0

    def after(self, share: Float64) -> Starts:
        """Return the starts after a pane; `share` is what earlier ones hold of R then."""
        return Starts(1.0 + share * self.age, share * (self.spread + (1.0 - share) * self.age * self.age))

    def earliest(self, log_r: Float64, log_weights: Float64) -> int:
        """Return how many panes ago, at most, the change began: mean and 1.645 standard deviations of all starts.

        All are of shape (alternatives,).
        """
        held = log_r + log_weights
        share = exp(held - float(np.max(held)))
        share /= float(ordered_sum(share[None, :])[0])
        mean = float(ordered_sum((share * self.age)[None, :])[0])
        variance = float(ordered_sum((share * (self.spread + (self.age - mean) ** 2))[None, :])[0])
        return min(math.ceil(mean + _Z_90 * math.sqrt(variance)), self.stepped)


def log_mixture(log_r: Float64, log_weights: Float64) -> Float64:
    """Return log M, the weighted sum along the last axis."""
    return log_sum_exp(log_r + log_weights)


def change_range(log_r: Float64, log_e: Float64, log_weights: Float64, starts: Starts | None = None) -> ChangeRange:
    """Return the posterior range of the first pane after the change, by Bayes with a flat prior on start panes.

    Start s and alternative k have weight `w_k prod_(i>=s) e_k,i`; what R holds beyond these panes began before them.

    Args:
        log_r: R after the last pane, shape (alternatives,).
        log_e: ln e of each pane, oldest first, shape (panes, alternatives).
        log_weights: shape (alternatives,).
        starts: of R; with them a start before these panes is told by how many panes it is before.
    """
    if not log_e.shape[0]:
        return ChangeRange(-1, -1, -1)
    since = log_e[::-1].cumsum(axis=0)[::-1]
    top = max(float(np.max(log_r + log_weights)), float(np.max(since + log_weights)))
    if np.isneginf(top):
        return ChangeRange(-1, -1, -1)
    share = exp(since + log_weights - top)
    held = exp(log_r + log_weights - top)
    before = np.maximum(held - ordered_sum(share.T), 0.0)
    cumulative = np.concatenate([ordered_sum(before[None, :]), ordered_sum(share)]).cumsum()
    first, median, last = (int(np.searchsorted(cumulative, q * cumulative[-1])) - 1 for q in (0.05, 0.5, 0.95))
    if first < 0 and starts is not None:
        first = min(first, log_e.shape[0] - starts.earliest(log_r, log_weights))
    return ChangeRange(first, median, last)


def stepped_panes(panes: Int64, stepped: int) -> Intp:
    """Return the positions of the panes that are in R: with events, and since its last restart `stepped` panes ago."""
    filled = np.flatnonzero(panes.any(axis=1))
    return filled[max(0, filled.size - stepped) :]
