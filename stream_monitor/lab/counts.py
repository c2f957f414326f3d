"""Simulated bin counts of a numeric series: enough to try a detector, a thousand times faster than values.

The bin masses of a grid are Dirichlet(spacings) for every law of the values, so a stream without drift needs no
values. A drift is defined on the normal scores of the drawn masses: a shift of δ is a shift of δ standard deviations
of a normal series.

>>> generator = np.random.default_rng(7)
>>> masses = draw_masses(np.array([1, 1, 2, 2, 1, 1]), generator)
>>> pane_counts(masses, events=100, panes=3, generator=generator).sum(axis=1).tolist()
[100, 100, 100]
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr, ndtri

from stream_monitor.core.arrays import Float64, Int64


def draw_masses(spacings: Int64, generator: np.random.Generator, series: int | None = None) -> Float64:
    """Return bin masses of one reference sample, shape (bins,), or of several series, shape (series, bins)."""
    shape = spacings.shape if series is None else (series, spacings.size)
    gammas = generator.standard_gamma(np.broadcast_to(spacings.astype(np.float64), shape))
    masses: Float64 = gammas / gammas.sum(axis=-1, keepdims=True)
    return masses


def drifted(masses: Float64, *, shift: float = 0.0, scale: float = 1.0) -> Float64:
    """Return bin masses after a shift by `shift` standard deviations and a scaling of the standard deviation."""
    edges = ndtri(np.clip(masses.cumsum(axis=-1)[..., :-1], 0.0, 1.0))
    below = ndtr((edges - shift) / scale)
    ends = np.zeros((*masses.shape[:-1], 1))
    after: Float64 = np.diff(np.concatenate([ends, below, ends + 1.0], axis=-1), axis=-1)
    return after


def pane_counts(masses: Float64, *, events: int, panes: int, generator: np.random.Generator) -> Int64:
    """Return counts of panes of `events` events each, shape (panes, *masses.shape)."""
    exact = masses / masses.sum(axis=-1, keepdims=True)
    if exact.ndim == 1:
        return generator.multinomial(events, exact, size=panes)
    return generator.multinomial(events, exact, size=(panes, exact.shape[0]))
