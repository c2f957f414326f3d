"""What detectors of stratified series share: names, the choice of a row's null, and the way back through its panes.

>>> before(np.array([[6, 4], [5, 5]]), np.array([[1, 0], [0, 2], [3, 0]]), np.array([0, 1, 0])).tolist()
[[2, 4], [5, 3], [3, 4]]
"""

from __future__ import annotations

import numpy as np

from stream_monitor.core.arrays import Int64, Intp


def suffix(strata: int) -> str:
    """Return what the number of strata adds to a fingerprint: nothing for one."""
    return "" if strata == 1 else f"/{strata} strata"


def of_panes(panes: Int64, strata: Intp | None) -> Intp:
    """Return the stratum of each pane, shape (panes,): the only one where none are named."""
    return np.zeros(panes.shape[0], dtype=np.intp) if strata is None else strata


def before(alpha: Int64, panes: Int64, strata: Intp) -> Int64:
    """Return the null's parameters before each of the last panes, reckoned back from those after them.

    Args:
        alpha: after the last pane, shape (strata, bins).
        panes: oldest first, shape (panes, bins).
        strata: of each pane, shape (panes,).
    """
    parameters = np.empty_like(panes)
    for stratum in np.unique(strata).tolist():
        own = strata == stratum
        parameters[own] = alpha[stratum] - panes[own][::-1].cumsum(axis=0)[::-1]
    return parameters
