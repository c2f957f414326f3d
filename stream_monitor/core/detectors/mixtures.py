"""Alternatives of the rank detector: what the bin masses would be after a shift or a change of scale.

The reference is normal in its own normal scores, whatever its law: bin j covers the scores u_(j-1)..u_j with u_j =
Φ⁻¹((a_1+..+a_j)/(m+1)). A tilt is the ratio of the bin masses of N(λ, 1) or N(0, s²) to those of N(0, 1), times 2^20
and rounded. Any positive tilt keeps the guarantee, so the rounding costs nothing; integers make the normalisers `sum
alpha_j g_j` exact. All is computed in decimal arithmetic, whose results are the same on every machine.

>>> fine = Mixture.FINE.tilts(np.array([1] * 64))
>>> fine.ratios.shape, fine.weights.sum().round(12), fine.half_lives
((20, 64), np.float64(1.0), (50.0, 400.0, 3000.0))
"""

from __future__ import annotations

import decimal
import itertools
import statistics
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from functools import cache

import numpy as np

from stream_monitor.core.arrays import Float64, Int64

TILT_ONE = 1 << 20
_SHIFTS = ("0.025", "0.05", "0.1", "0.2", "0.4", "0.8", "1.6")
_BASE_WEIGHTS = {"0.2": 1.6, "0.4": 1.2, "0.8": 0.8, "1.6": 0.5}
"""Of shifts in the base mixture, 1 if not here: what is seen within forty events anyway gives some to the rest."""
_SCALES = ("1.12", "1.41", "2.24", "0.91", "0.79", "0.62")
_SCALE_WEIGHT = 0.8
_TILTED_SHARE = 0.8  # of the whole weight; the adaptive alternatives share the rest
_SMALLEST_BASE_SHIFT = Decimal("0.1")
_CONTEXT = decimal.Context(prec=34, rounding=decimal.ROUND_HALF_EVEN)
_ROOT_TWO_PI = _CONTEXT.sqrt(_CONTEXT.multiply(2, Decimal("3.141592653589793238462643383279502884")))


@dataclass(frozen=True, slots=True)
class Tilts:
    """The alternatives of one layout.

    Attributes:
        ratios: tilts times 2^20, shape (tilts, bins), at least 1.
        half_lives: half-lives in events of the adaptive alternatives' memories.
        weights: prior weights, tilts first, then adaptive alternatives; sum 1.
    """

    ratios: Int64
    half_lives: tuple[float, ...]
    weights: Float64


class Mixture(StrEnum):
    """Which alternatives are watched: `fine` for panes of typically 100 events and more, `base` for smaller ones.

    Small shifts cannot be seen within a pane of few events, and there their weight costs about 5 % of the delay.
    """

    BASE = "base"
    FINE = "fine"

    @classmethod
    def for_events(cls, per_pane: float) -> Mixture:
        """Return the mixture for panes of typically that many events (the median of the warm-up)."""
        return cls.FINE if per_pane >= 100 else cls.BASE

    def tilts(self, spacings: Int64) -> Tilts:
        """Return the alternatives over a grid with these spacings (sum m + 1, symmetric)."""
        return _tilts(self, tuple(int(a) for a in spacings))


@cache
def _tilts(mixture: Mixture, spacings: tuple[int, ...]) -> Tilts:
    fine = mixture is Mixture.FINE
    magnitudes = [Decimal(s) for s in _SHIFTS if fine or Decimal(s) >= _SMALLEST_BASE_SHIFT]
    shifts = [sign * value for value in magnitudes for sign in (1, -1)]
    scales = [Decimal(s) for s in _SCALES]
    half_lives = (50.0, 400.0, 3000.0) if fine else (200.0,)
    with decimal.localcontext(_CONTEXT):
        edges = normal_scores(spacings)
        total = Decimal(sum(spacings))
        rows = [_masses([u - shift for u in edges]) for shift in shifts]
        rows += [_masses([u / scale for u in edges]) for scale in scales]
        ratios = [
            [
                max(1, int((mass * total / a * TILT_ONE).to_integral_value()))
                for mass, a in zip(row, spacings, strict=True)
            ]
            for row in rows
        ]
    own = {} if fine else {Decimal(shift): weight for shift, weight in _BASE_WEIGHTS.items()}
    raw = [own.get(abs(shift), 1.0) for shift in shifts] + [_SCALE_WEIGHT] * len(scales)
    share = _TILTED_SHARE / sum(raw)
    memory = (1.0 - _TILTED_SHARE) / len(half_lives)
    return Tilts(
        np.array(ratios, dtype=np.int64),
        half_lives,
        np.array([w * share for w in raw] + [memory] * len(half_lives)),
    )


def normal_scores(spacings: tuple[int, ...]) -> list[Decimal]:
    """Return Φ⁻¹ of the inner cumulative shares, to about 25 digits."""
    total = sum(spacings)
    below, scores = 0, []
    for a in spacings[:-1]:
        below += a
        u = Decimal(statistics.NormalDist().inv_cdf(below / total))
        for _ in range(2):  # Newton doubles the 15 digits of the start, twice
            u -= (_below(u) - Decimal(below) / total) / ((-u * u / 2).exp() / _ROOT_TWO_PI)
        scores.append(u)
    return scores


def _masses(edges: list[Decimal]) -> list[Decimal]:
    cumulative = [Decimal(0), *(_below(u) for u in edges), Decimal(1)]
    return [high - low for low, high in itertools.pairwise(cumulative)]


def _below(u: Decimal) -> Decimal:
    """Return Φ(u) = ½ + φ(u) (u + u³/3 + u⁵/15 + ...), absolute error below 1e-30 for |u| < 9."""
    if abs(u) > 9:
        return Decimal(u > 0)
    term = total = u
    odd = 1
    while abs(term) > Decimal("1e-32"):
        odd += 2
        term = term * u * u / odd
        total += term
    return Decimal("0.5") + (-u * u / 2).exp() / _ROOT_TWO_PI * total
