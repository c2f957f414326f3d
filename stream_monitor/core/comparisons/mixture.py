"""The reference of events from several strata: a mixture of theirs, in the proportions of the events.

Bins mean the same ranks in every stratum, so that their shares may be averaged. A mixture of shares with weights w has
the error of `1 / sum w_s² / S_s` reference events; so many it is taken to hold. Edges, minimum and maximum are averages
too: a distance in units of values is that of an average hour, where events of all hours keep their ranks.

>>> day, night = Reference(np.array([300, 100])), Reference(np.array([100, 300]))
>>> mixed([(day, 30.0), (night, 10.0)]).counts.tolist()
[400, 240]
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from stream_monitor.core.arrays import Float64
from stream_monitor.core.comparisons.comparison import Reference


def mixed(parts: Sequence[tuple[Reference, float]]) -> Reference:
    """Return the reference of events from some strata.

    Args:
        parts: the reference of each stratum and its events, at least one with events; all over the same bins.
    """
    held = [(own, events) for own, events in parts if events > 0.0]
    first = held[0][0]
    if len(held) == 1:
        return first
    every = math.fsum(events for _, events in held)
    weights = [events / every for _, events in held]
    references = [own for own, _ in held]
    size = 1.0 / math.fsum(w * w / own.total for w, own in zip(weights, references, strict=True))
    counts = _average([own.counts / own.total for own in references], weights)
    whole = replace(first, counts=np.rint(size * counts).astype(np.int64))
    if first.expected is not None:
        whole = replace(whole, expected=size * _average([own.shares for own in references], weights))
    edges = [own.edges for own in references if own.edges is not None]
    if not edges:
        return whole
    return replace(
        whole,
        edges=_average(edges, weights),
        minimum=math.fsum(w * own.minimum for w, own in zip(weights, references, strict=True)),
        maximum=math.fsum(w * own.maximum for w, own in zip(weights, references, strict=True)),
        std=math.hypot(*(math.sqrt(w) * own.std for w, own in zip(weights, references, strict=True))),
    )


def _average(values: Sequence[Float64], weights: Sequence[float]) -> Float64:
    """Return the weighted sum, added in order: that of a matrix product differs between machines."""
    total = np.zeros_like(values[0])
    for weight, own in zip(weights, values, strict=True):
        total += weight * own
    return total
