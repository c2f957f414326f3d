"""E-values of "the probability left the interval [lower, upper]" from a pane of two counts.

Upwards, `q = r h / (1 - h + r h)` for odds ratios r; `e = (q/h)^s ((1-q)/(1-h))^f` of s events inside and f outside
has an expectation that grows with the probability and is 1 at h, so `E[e | past] <= 1` for every probability below h,
and for any path of it. Downwards mirrored at the lower limit.
"""

from __future__ import annotations

import numpy as np

from stream_monitor.core.arrays import Float64
from stream_monitor.core.detectors.arithmetic import log

ODDS_RATIOS = (1.05, 1.15, 1.4, 2.0, 4.0)
ALTERNATIVES = 2 * len(ODDS_RATIOS)  # up, then down


def log_weights(lower: Float64, upper: Float64, upward: Float64) -> Float64:
    """Return ln of the weights of the testable sides, shape (*limits, alternatives); -inf for the others.

    Where both sides can be tested the upper one has the share `upward`; the ratios of a side weigh the same.
    """
    sides = np.stack([upper < 1.0, lower > 0.0], axis=-1)
    both = sides.all(axis=-1, keepdims=True)
    shares = np.where(both, np.stack([upward, 1.0 - upward], axis=-1), 1.0)
    each = np.where(sides, log(shares / len(ODDS_RATIOS)), -np.inf)
    return np.repeat(each, len(ODDS_RATIOS), axis=-1)


def log_factors(lower: Float64, upper: Float64) -> tuple[Float64, Float64]:
    """Return ln e of one event inside and of one outside, each of shape (*limits, alternatives); 0 for untestable
    sides.
    """
    r = np.array(ODDS_RATIOS)
    h = np.where(upper < 1.0, upper, 0.5)[..., None]
    l = np.where(lower > 0.0, lower, 0.5)[..., None]
    up, down = 1.0 - h + r * h, 1.0 - l + l / r
    inside = np.concatenate([log(r / up), log((1.0 / r) / down)], axis=-1)
    outside = np.concatenate([log(1.0 / up), log(1.0 / down)], axis=-1)
    tested = np.repeat(np.stack([upper < 1.0, lower > 0.0], axis=-1), len(ODDS_RATIOS), axis=-1)
    return np.where(tested, inside, 0.0), np.where(tested, outside, 0.0)
