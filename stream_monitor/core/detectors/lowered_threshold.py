"""By how much a threshold may lie below its bound, from the sizes of the panes so far.

Where one pane decides, an e-value pays for its rare huge values: with panes of a thousand events the average run length
is ten times the budget. The null law of the whole path follows from layout, mixture and pane sizes alone, so that
threshold whose run length is the budget can be simulated (`python -m bench thresholds`). It lies an offset below
ln(A / w), that hardly depends on A and grows with the size of the panes.

Sizes vary. What counts is the 10 % quantile of the last panes, each with weight (199/200)^age, in four classes: smaller
panes are soon noticed (a tenth of the weight after 21 panes), larger ones late (460). It is fixed before the pane that
it is used for, as the theorem asks of anything that may follow from the past; until 30 panes are known it is 0.

>>> sizes = np.zeros((1, 4))
>>> sizes = after(sizes, np.array([250.0]))
>>> classes(sizes).tolist()
[2]
"""

from __future__ import annotations

import numpy as np

from stream_monitor.core.arrays import Float64, Intp

SIZES = np.array([10.0, 100.0, 1000.0])
"""Events of a pane at which the next class begins."""

OFFSETS = (0.0, 0.3, 0.9, 1.8)
"""Nats below the bound by class: the smallest lower 95 % limit over mixtures and references at A = 100 panes and the
smallest size of the class (`bench/results/thresholds.md`); at A = 1,000 the run length is kept, too."""

FEWEST_PANES = 30
"""Panes whose sizes are known before a threshold is lowered."""

CLASSES = len(OFFSETS)

_KEPT = 1.0 - 1.0 / 200.0
_QUANTILE = 0.1


def size_class(events: float) -> int:
    """Return the class of panes of that many events."""
    return int(np.searchsorted(SIZES, events, side="right"))


def after(sizes: Float64, events: Float64) -> Float64:
    """Return the weights of the classes after a pane, shape (series, classes).

    Args:
        sizes: the weights before.
        events: of the pane, in independent ones, shape (series,).
    """
    grown: Float64 = sizes * _KEPT
    grown[np.arange(events.size), np.searchsorted(SIZES, events, side="right")] += 1.0
    return grown


def classes(sizes: Float64) -> Intp:
    """Return the class of the 10 % quantile, shape (series,)."""
    below = sizes.cumsum(axis=1)
    found: Intp = (below < _QUANTILE * below[:, -1:]).sum(axis=1)
    return found
