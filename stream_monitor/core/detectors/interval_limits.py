"""Limits for an unknown probability from k of m reference events: the null interval of the interval detectors.

The interval holds the true probability with probability at least 1 - miss (Clopper & Pearson); a detector that tests
"the probability left the interval" is then right for every probability inside, whatever its path in time. Limits are
rounded outwards in the ninth digit, so that a last bit of the quantile function decides nothing.

How `miss` is split between the two sides must be fixed before the reference is seen, also where one side says nothing:
a split that looks at k is wrong more often than `miss`.

>>> clopper_pearson(10, 1000, miss=0.001)
Limits(lower=0.00270757557, upper=0.0250634334, upward=0.5)
>>> clopper_pearson(10, 1000, miss=0.001, upward=1.0)
Limits(lower=0.0, upper=0.0239638131, upward=1.0)

Source: Clopper & Pearson (1934), doi:10.1093/biomet/26.4.404.
"""

from __future__ import annotations

from typing import NamedTuple

from scipy.special import betaincinv


class Limits(NamedTuple):
    """Limits of a probability; lower 0 or upper 1 means that this side cannot be tested.

    Attributes:
        upward: what the upper side has of `miss`, and of the evidence where both sides are tested.
    """

    lower: float
    upper: float
    upward: float = 0.5

    def widened(self, tolerance: float) -> Limits:
        """Return the interval with a tolerated change of the probability on both sides; an untestable side stays so."""
        return self._replace(lower=max(0.0, self.lower - tolerance), upper=min(1.0, self.upper + tolerance))


def clopper_pearson(k: float, m: float, *, miss: float, upward: float = 0.5) -> Limits:
    """Return limits for a share from k of m events.

    Args:
        k: events that were true.
        m: all events; without any nothing can be tested.
        miss: probability that the true share is outside.
        upward: how much of it the upper limit has, in (0, 1]; at 1 there is no lower one.
    """
    lower, upper = 0.0, 1.0
    if k > 0 and upward < 1.0:
        lower = _down(float(betaincinv(k, m - k + 1, miss * (1.0 - upward))))
    if k < m:
        upper = _up(float(betaincinv(k + 1, m - k, 1.0 - miss * upward)))
    return Limits(lower, upper, upward)


def order_statistic_limits(spacings: float, total: float, *, miss: float) -> Limits:
    """Return limits of the mass below an order statistic, of which each is wrong with probability miss / 2.

    The mass of `spacings` out of `total` spacings of a sample is Beta(spacings, total - spacings), for every law.
    """
    rest = total - spacings
    lower, upper = (float(betaincinv(spacings, rest, level)) for level in (miss / 2, 1 - miss / 2))
    return Limits(_down(lower), _up(upper))


def _up(value: float) -> float:
    return min(1.0, float(f"{value * (1.0 + 1e-8):.8e}"))


def _down(value: float) -> float:
    return float(f"{value * (1.0 - 1e-8):.8e}")
