"""Thresholds and p-values of any comparison without drift, by simulation of windows, the reference's error included.

Bin masses are drawn from Dirichlet(reference counts), windows from Multinomial(n, masses). `(1 + #{T* >= T}) / (B +
1)` is then an exact p-value for every law of a numeric series; for categories the masses are a posterior. Thresholds
take sizes on a 10 % grid, p-values the size of their window. Draws are seeded by the reference, so that a threshold is
computed once and is the same for everybody. With a design effect d, n events are drawn as n/d that count d times, from
a reference of 1/d of its events.

Source: Dwass (1957), doi:10.1214/aoms/1177707045 (exactness of Monte-Carlo tests).
"""

from __future__ import annotations

import hashlib
import math
from functools import lru_cache

import numpy as np

from stream_monitor.core.arrays import Float64, Int64
from stream_monitor.core.comparisons.comparison import Comparison, Reference, Windows

DRAWS = 999
_GRID = math.log(1.1)
_MOST_KEPT = 1024


def size_on_grid(n: int) -> int:
    """Return the size that stands for n: steps of 10 %, exact below 10.

    >>> [size_on_grid(n) for n in (7, 100, 1000, 1040)]
    [7, 97, 956, 1051]
    """
    return n if n < 10 else round(math.exp(round(math.log(n) / _GRID) * _GRID))


def null_windows(reference: Reference, n: int) -> Windows:
    """Return windows of n events each without drift, shape (999, bins); the same at every call."""
    seed = hashlib.blake2b(reference.key + n.to_bytes(8, "big"), digest_size=16).digest()
    generator = np.random.Generator(np.random.PCG64(int.from_bytes(seed, "big")))
    weights = reference.weights / reference.design_effect
    masses = generator.standard_gamma(weights, size=(DRAWS, weights.size))
    independent = max(1, round(n / reference.design_effect))
    windows: Int64 = generator.multinomial(independent, masses / masses.sum(axis=1, keepdims=True))
    return windows if independent == n else windows.astype(np.float64) * (n / independent)


def null_mean(comparison: Comparison, reference: Reference, n: int, *, power: int = 1) -> float:
    """Return the mean of a power of the distance of undrifted windows of n events."""
    return float((_sorted_distances(comparison, reference, size_on_grid(n)) ** power).mean())


def null_quantile(comparison: Comparison, reference: Reference, n: int, level: float) -> float:
    """Return the point below which a share `level` of undrifted windows of n events stays."""
    distances = _sorted_distances(comparison, reference, size_on_grid(n))
    return float(distances[math.ceil(level * (DRAWS + 1)) - 1])


def p_value(comparison: Comparison, reference: Reference, window: Int64) -> float:
    """Return the probability of so large a distance without drift; at least 1/1000.

    Two windows against one reference share its error and its draws: each p-value is exact, both are not independent.
    """
    distances = np.sort(comparison.distances(reference, null_windows(reference, int(window.sum()))))
    below = int(np.searchsorted(distances, comparison.measure(reference, window), side="left"))
    return (1 + DRAWS - below) / (DRAWS + 1)


@lru_cache(maxsize=_MOST_KEPT)
def _sorted_distances(comparison: Comparison, reference: Reference, n: int) -> Float64:
    return np.sort(comparison.distances(reference, null_windows(reference, n)))
