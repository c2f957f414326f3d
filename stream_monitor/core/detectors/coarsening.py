"""Coarser bins for dependent events: neighbours are merged until each holds the reference of one independent event.

A tail bin with one of m order statistics says nothing about its mass when d events say as much as one: a stream that
dwells beyond the reference for a while would look like overwhelming evidence, bin after bin (AR(1) with ρ = .9 and 300
reference rows: 87 % of streams alarmed, merged 2 %). The rule looks at spacings, total and d alone, so that the edges
are order statistics still. A merged bin stands at the largest of its bins.

>>> merged_into(np.array([1, 1, 2, 4, 4, 2, 1, 1]), 16.0, 4.0).tolist()
[2, 2, 2, 3, 4, 5, 5, 5]
"""

from __future__ import annotations

import numpy as np

from stream_monitor.core.arrays import Int64, Intp


def merged_into(spacings: Int64, total: float, design_effect: float) -> Intp:
    """Return for each bin the bin that takes its events, shape (bins,).

    Args:
        spacings: of the layout, shape (bins,).
        total: reference events, spacings and others.
        design_effect: d, at least 1; a reference of d events or fewer makes one bin.
    """
    least = design_effect * float(spacings.sum()) / total
    half = spacings.size // 2
    group = np.empty(spacings.size, dtype=np.intp)
    for side in (np.arange(half), np.arange(spacings.size - 1, half - 1, -1)):  # from the tails to the middle
        start, held = 0, 0.0
        for position, bin_ in enumerate(side.tolist()):
            held += float(spacings[bin_])
            if held >= least or position == side.size - 1:
                group[side[start : position + 1]] = bin_
                start, held = position + 1, 0.0
    return group


def merge(counts: Int64, into: Intp) -> Int64:
    """Return counts of merged bins, others empty; counts and into of shape (rows, bins)."""
    merged = np.zeros_like(counts)
    np.add.at(merged, (np.arange(counts.shape[0])[:, None], into), counts)
    return merged
