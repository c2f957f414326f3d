"""Parts of a series: neighbouring bins whose share is tested together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from stream_monitor.core.arrays import Int64
from stream_monitor.core.detectors.group import SeriesReference

NO_BIN = -1
"""First bin of a part that is not used."""


def inside_and_outside(first: Int64, last: Int64, counts: Int64) -> tuple[Int64, Int64]:
    """Return the events of a pane in the bins `first..last` of each part, and the others.

    Args:
        first: first bin of each part, shape (rows, parts).
        last: last one.
        counts: events per bin, shape (rows, bins).
    """
    below = np.concatenate([np.zeros((counts.shape[0], 1), dtype=np.int64), counts.cumsum(axis=1)], axis=1)
    within = np.take_along_axis(below, last + 1, axis=1) - np.take_along_axis(below, first, axis=1)
    return within, below[:, -1:] - within


def pooled(references: Sequence[SeriesReference]) -> SeriesReference:
    """Return the reference of all strata together."""
    first = references[0]
    if len(references) == 1:
        return first
    halves = [np.array(own.unlisted or (0, 0)) for own in references]
    (k, m), (outside, rows) = (np.sum(pairs, axis=0).tolist() for pairs in ([own.unseen for own in references], halves))
    counts = np.sum([own.counts for own in references], axis=0)
    return replace(first, counts=counts, unseen=(k, m), unlisted=None if first.unlisted is None else (outside, rows))
