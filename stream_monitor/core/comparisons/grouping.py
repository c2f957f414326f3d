"""Groups of neighbouring bins that expect enough events for a distance of shares to mean something.

A group expects at least max(5, n/10) events: at most ten groups, chosen by reference counts and n alone. Choosing
them by what is seen would invalidate every threshold.

>>> groups(np.array([1, 1, 2, 4, 8, 8, 4, 2, 1, 1]), n=1000).tolist()
[0, 3, 4, 5, 6, 7]

Source: Cochran (1954), doi:10.2307/3001616 (expected counts of at least five).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from stream_monitor.core.arrays import Float64, Int64, Intp
from stream_monitor.core.comparisons.comparison import Reference

_FEWEST_EXPECTED = 5.0
_MOST_GROUPS = 10


def groups(counts: Int64, n: int) -> Intp:
    """Return the first bin of each group, ascending, starting with 0."""
    return _groups(
        np.ascontiguousarray(counts, dtype=np.int64).tobytes(), max(1.0 / _MOST_GROUPS, _FEWEST_EXPECTED / n)
    )


@lru_cache(maxsize=4096)
def _groups(counts: bytes, least_share: float) -> Intp:
    events = np.frombuffer(counts, dtype=np.int64)
    least = least_share * float(events.sum())
    starts, held = [0], 0.0
    for position, count in enumerate(events.tolist()):
        if held >= least:
            starts.append(position)
            held = 0.0
        held += count
    if held < least and len(starts) > 1:  # what is left joins the last group
        starts.pop()
    found = np.array(starts, dtype=np.intp)
    found.flags.writeable = False
    return found


def grouped_shares(reference: Reference, windows: Int64) -> tuple[Float64, Float64]:
    """Return shares (p, q) over groups: p of shape (groups,), q of shape (windows, groups).

    A window's shares have one pseudo-event spread like the reference, `q = (n_j + p_j)/(n + 1)`: no cell is empty,
    and no constant such as 1e-4 decides the value.
    """
    n = int(windows[0].sum())
    starts = groups(reference.counts, n)
    p = np.add.reduceat(reference.counts, starts) / float(reference.total)
    q = (np.add.reduceat(windows, starts, axis=1) + p) / (n + 1.0)
    return p, q


def degrees_of_freedom(reference: Reference, n: int) -> int:
    """Return groups - 1 for windows of n events."""
    return int(groups(reference.counts, n).size) - 1
