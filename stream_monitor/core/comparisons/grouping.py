"""Groups of bins that expect enough events for a distance of shares to mean something.

Bins on a scale are grouped with their neighbours until a group expects at least max(5, n/10) events: at most ten
groups. Categories have no neighbours: each of the twenty largest that expects five events stands alone, the others are
pooled, except the bins that are kept apart (`other`, `unseen`): a category that nobody expects must show when it comes.

Groups follow from reference and n alone. Choosing them by what is seen would invalidate every threshold.

>>> groups(np.array([1, 1, 2, 4, 8, 8, 4, 2, 1, 1]), n=1000).tolist()
[0, 3, 4, 5, 6, 7]

Source: Cochran (1954), doi:10.2307/3001616 (expected counts of at least five).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from stream_monitor.core.arrays import Float64, Int64, Intp
from stream_monitor.core.comparisons.comparison import Reference, Windows

_FEWEST_EXPECTED = 5.0
_MOST_GROUPS = 10
_MOST_CATEGORIES = 20


@dataclass(frozen=True, slots=True, eq=False)
class Grouping:
    """Which bins are taken together.

    Attributes:
        order: the bins, group by group; None for the order in which they are.
        starts: position of each group's first bin in that order, ascending, starting with 0.
        shares: expected share of each group, all positive.
    """

    order: Intp | None
    starts: Intp
    shares: Float64

    @property
    def count(self) -> int:
        """Number of groups."""
        return self.starts.size

    def sums(self, windows: Windows) -> Windows:
        """Return the events of each group, shape (windows, groups)."""
        found = windows if self.order is None else windows[:, self.order]
        return np.add.reduceat(found, self.starts, axis=1)


def grouping(reference: Reference, n: int) -> Grouping:
    """Return the groups for windows of n events."""
    if reference.ordered:
        starts = groups(reference.counts, n)
        return Grouping(None, starts, np.add.reduceat(reference.counts, starts) / float(reference.total))
    shares = reference.weights / reference.weights.sum()
    pooled = shares.size - reference.apart
    ranked = np.argsort(-shares[:pooled], kind="stable")
    alone = min(int((shares[:pooled] * n >= _FEWEST_EXPECTED).sum()), _MOST_CATEGORIES)
    order = np.concatenate([ranked, np.arange(pooled, shares.size)])
    first = np.unique(np.concatenate([np.arange(alone + (pooled > alone)), np.arange(pooled, shares.size)]))
    return Grouping(order, first, np.add.reduceat(shares[order], first))


def groups(counts: Int64, n: int) -> Intp:
    """Return the first bin of each group of neighbouring bins, ascending, starting with 0."""
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


def grouped_shares(reference: Reference, windows: Windows) -> tuple[Float64, Float64]:
    """Return shares (p, q) over groups: p of shape (groups,), q of shape (windows, groups).

    A window's shares have one pseudo-event spread like the reference, `q = (n_j + p_j)/(n + 1)`: no cell is empty,
    and no constant such as 1e-4 decides the value.
    """
    n = round(float(windows[0].sum()))
    found = grouping(reference, n)
    return found.shares, (found.sums(windows) + found.shares) / (n + 1.0)


def degrees_of_freedom(reference: Reference, n: int) -> int:
    """Return groups - 1 for windows of n events."""
    return grouping(reference, n).count - 1


def follows_chi_square(reference: Reference, n: int) -> bool:
    """Say whether every group expects so many events that χ² tells what chance does; else it must be simulated."""
    if reference.ordered:
        return True
    return bool((grouping(reference, n).shares * n >= _FEWEST_EXPECTED).all())
