"""Limits for an unknown probability from k of m reference events: the null interval of the interval detectors.

The interval holds the true probability with probability at least 1 - miss (Clopper & Pearson); a detector that tests
"the probability left the interval" is then right for every probability inside, whatever its path in time. Limits are
rounded outwards in the ninth digit, so that a last bit of the quantile function decides nothing.

>>> two_sided(10, 1000, miss=0.001)
Limits(lower=0.00270757557, upper=0.0250634334)
>>> one_sided_upper(0, 1000, miss=0.001)
Limits(lower=0.0, upper=0.00688395165)

Source: Clopper & Pearson (1934), doi:10.1093/biomet/26.4.404.
"""

from __future__ import annotations

from typing import NamedTuple

from scipy.special import betaincinv


class Limits(NamedTuple):
    """Limits of a probability; lower 0 or upper 1 means that this side cannot be tested."""

    lower: float
    upper: float

    def widened(self, tolerance: float) -> Limits:
        """Return the interval with a tolerated change of the probability on both sides; an untestable side stays so."""
        return Limits(max(0.0, self.lower - tolerance), min(1.0, self.upper + tolerance))


def two_sided(k: float, m: float, *, miss: float) -> Limits:
    """Return limits of which each is wrong with probability at most miss / 2; at k = 0 or k = m one limit with all of
    it.
    """
    if m <= 0:
        return Limits(0.0, 1.0)
    if k <= 0:
        return one_sided_upper(k, m, miss=miss)
    if k >= m:
        return Limits(_down(miss ** (1.0 / m)), 1.0)
    return Limits(_down(float(betaincinv(k, m - k + 1, miss / 2))), _up(float(betaincinv(k + 1, m - k, 1 - miss / 2))))


def one_sided_upper(k: float, m: float, *, miss: float) -> Limits:
    """Return the upper limit that is wrong with probability at most `miss`."""
    if m <= 0 or k >= m:
        return Limits(0.0, 1.0)
    if k <= 0:
        return Limits(0.0, _up(1.0 - miss ** (1.0 / m)))
    return Limits(0.0, _up(float(betaincinv(k + 1, m - k, 1 - miss))))


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
