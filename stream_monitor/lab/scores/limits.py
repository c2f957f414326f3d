"""95 % limits of what a finite number of streams can say: a share, a rate.

>>> round(share_limits(0, 20).upper, 4)
0.1684
>>> rate_limits(4, 1000.0).upper > 4 / 1000.0
True

Sources: Clopper & Pearson (1934), doi:10.1093/biomet/26.4.404; Garwood (1936), doi:10.1093/biomet/28.3-4.437.
"""

from __future__ import annotations

from typing import NamedTuple

from scipy.special import betaincinv, chdtri

LEVEL = 0.95


class Limits(NamedTuple):
    """A confidence interval; each limit is wrong with at most half of the error."""

    lower: float
    upper: float


def share_limits(k: int, n: int, *, level: float = LEVEL) -> Limits:
    """Return Clopper-Pearson limits of the probability behind k of n.

    Raises:
        ValueError: not 0 <= k <= n.
    """
    if not 0 <= k <= n:
        raise ValueError(f"k: must be within 0..{n}, got {k}")
    half = (1.0 - level) / 2.0
    lower = 0.0 if k == 0 else float(betaincinv(k, n - k + 1, half))
    upper = 1.0 if k == n else float(betaincinv(k + 1, n - k, 1.0 - half))
    return Limits(lower, upper)


def rate_limits(events: int, exposure: float, *, level: float = LEVEL) -> Limits:
    """Return limits of a Poisson rate: exact when exposure is fixed, and when watching stops at an event.

    Args:
        events: seen.
        exposure: how long was watched, in any unit; above 0.
        level: probability that the limits hold the rate.
    """
    half = (1.0 - level) / 2.0
    lower = 0.0 if events == 0 else float(chdtri(2 * events, 1.0 - half)) / (2.0 * exposure)
    return Limits(lower, float(chdtri(2 * events + 2, half)) / (2.0 * exposure))
