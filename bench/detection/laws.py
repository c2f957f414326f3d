"""Bin masses of a grid under a known law, ties included: panes of any size need no values then.

A reference is drawn from the law, the grid is made of it as always, and the true mass of each bin follows from the
law's distribution function; at an atom, from the tie-breaker of the edge.

>>> rng = np.random.default_rng(1)
>>> _, masses = SEVEN[4].reference(255, rng)
>>> masses.shape, masses.sum().round(9)
((38,), np.float64(1.0))
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, stdtr

from stream_monitor.core.arrays import Float64
from stream_monitor.core.grid import NumericGrid, build_numeric_grid
from stream_monitor.core.keys import TIE_BITS
from stream_monitor.lab.generators import (
    Bernoulli,
    Categorical,
    Law,
    LogNormal,
    Normal,
    StudentT3,
    Uniform,
    ZeroInflated,
)

Distribution = Callable[[Float64], Float64]


@dataclass(frozen=True, slots=True)
class Marginal:
    """A law with its distribution function.

    Attributes:
        name: in the tables.
        draw: values of a reference.
        below: P(X < x).
        upto: P(X <= x); larger than `below` at atoms.
    """

    name: str
    draw: Callable[[int, np.random.Generator], Float64]
    below: Distribution
    upto: Distribution

    def reference(self, m: int, rng: np.random.Generator) -> tuple[NumericGrid, Float64]:
        """Return the grid of m values (2^k - 1) and the true masses of its bins, shape (bins,)."""
        values, ties = self.draw(m, rng), rng.integers(0, 1 << TIE_BITS, m)
        grid, _ = build_numeric_grid(values, rng.permutation(m).astype(np.uint64), ties)
        return grid, self.masses(grid)

    def masses(self, grid: NumericGrid) -> Float64:
        """Return the masses of a grid's bins; an edge at an atom takes the part of it that its tie-breaker says."""
        below, upto = self.below(grid.edges), self.upto(grid.edges)
        cumulative = below + (upto - below) * (grid.ties / float(1 << TIE_BITS))
        masses: Float64 = np.diff(np.concatenate([[0.0], cumulative, [1.0]]))
        return np.maximum(masses, 0.0)  # rounding may leave -1e-17


def _continuous(name: str, law: Law, distribution: Distribution) -> Marginal:
    return Marginal(name, law.draw, distribution, distribution)


def _log_normal(x: Float64) -> Float64:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(x > 0.0, ndtr(np.log(np.maximum(x, 0.0))), 0.0)


def _atoms(name: str, draw: Callable[[int, np.random.Generator], Float64], shares: tuple[float, ...]) -> Marginal:
    """Return a law on 0, 1, 2, ..."""
    cumulative = np.array([0.0, *np.cumsum(shares)])

    def upto(x: Float64) -> Float64:
        found: Float64 = cumulative[np.clip(np.floor(x) + 1.0, 0, len(shares)).astype(np.intp)]
        return found

    def below(x: Float64) -> Float64:
        found: Float64 = cumulative[np.clip(np.ceil(x), 0, len(shares)).astype(np.intp)]
        return found

    return Marginal(name, draw, below, upto)


_AMOUNTS = ZeroInflated()
_ERRORS = Bernoulli(0.2)
_NAMES = Categorical.zipf(8)


def _codes(rows: int, rng: np.random.Generator) -> Float64:
    return rng.choice(len(_NAMES.names), size=rows, p=_NAMES.shares).astype(np.float64)


SEVEN = (
    _continuous("normal", Normal(), lambda x: np.asarray(ndtr(x), dtype=np.float64)),
    _continuous("lognormal", LogNormal(), _log_normal),
    _continuous("t(3)", StudentT3(), lambda x: np.asarray(stdtr(3, x), dtype=np.float64)),
    _continuous("uniform", Uniform(), lambda x: np.clip(x, 0.0, 1.0)),
    _atoms("Bernoulli(.2)", _ERRORS.draw, (1.0 - _ERRORS.p, _ERRORS.p)),
    Marginal(
        "zero-inflated",
        _AMOUNTS.draw,
        lambda x: np.where(x <= 0.0, 0.0, _AMOUNTS.zeros + (1.0 - _AMOUNTS.zeros) * _log_normal(x)),
        lambda x: np.where(x < 0.0, 0.0, _AMOUNTS.zeros + (1.0 - _AMOUNTS.zeros) * _log_normal(x)),
    ),
    _atoms("eight categories, as numbers", _codes, _NAMES.shares),
)
"""Continuous, skewed, heavy-tailed, bounded, discrete, mixed."""
