"""e-d-BH: which series to name as drifted, beside the one that alarmed.

Of p series with evidence M_i and weights w_i of a budget A, the first k* = max{k : M_(k) w_(k) / A >= 1/k} are listed,
strongest first. With k = 1 this is the alarm itself; the more series show something, the less each of them needs.

Promise: the expected share of false names is at most E[panes]/A over the patience, under any dependence between series.
A plain false discovery rate is impossible with finite run lengths.

>>> listed(np.array([0.4, -0.5, -9.0, -1.0]))
[0, 1, 3]
>>> listed(np.array([-0.1, -3.0]))
[]

Source: Dandapanthula & Ramdas (2025), arXiv:2501.04130; Wang & Ramdas (2022), arXiv:2009.02824.
"""

from __future__ import annotations

import numpy as np

from stream_monitor.core.arrays import Float64


def listed(log_excess: Float64) -> list[int]:
    """Return the positions of the series to name, strongest first.

    Args:
        log_excess: ln M_i - ln(A / w_i) of every series with evidence, shape (series,); 0 or more is an alarm.
    """
    ranked = np.argsort(-log_excess, kind="stable")
    enough = np.flatnonzero(log_excess[ranked] >= -np.log(np.arange(1, ranked.size + 1)))
    last = int(enough[-1]) + 1 if enough.size else 0
    return [int(position) for position in ranked[:last]]
