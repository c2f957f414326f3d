"""Parameters of classical detectors for a given average run length on standard normal input.

PageHinkley by Siegmund's two-sided formula; ADWIN by simulation, a table that is interpolated in (ln delta, ln ARL) and
prolonged along its last two entries.

>>> round(page_hinkley_threshold(1e4, drift=0.5).value, 2)
8.05
>>> adwin_delta(1e7).extrapolated
True

Source: Siegmund (1985), Sequential Analysis, eq. 2.56. Table: lower 95 % limits of `python -m bench.run_length`.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import NamedTuple

_OVERSHOOT = 1.166  # mean excess over the boundary of a standard normal walk, both boundaries together
_SIEGMUND_CHECKED_TO = 1e6
_ADWIN_RUN_LENGTHS = (
    (0.7, 6.50e2),
    (0.5, 1.07e3),
    (0.3, 2.22e3),
    (0.1, 9.40e3),
    (0.05, 2.31e4),
    (0.02, 7.44e4),
    (0.01, 1.68e5),
    (0.005, 3.89e5),
    (0.002, 1.25e6),
)
"""(delta, average run length in panes) of river 0.26.1's ADWIN with clock=1."""


class Calibrated(NamedTuple):
    """A parameter, and whether it lies beyond what was simulated."""

    value: float
    extrapolated: bool


def page_hinkley_run_length(threshold: float, *, drift: float) -> float:
    """Return the average run length of a two-sided CUSUM with this threshold and drift, in standard deviations."""
    b = 2.0 * drift * (threshold + _OVERSHOOT)
    return (math.expm1(b) - b) / (4.0 * drift * drift)


def page_hinkley_threshold(run_length: float, *, drift: float) -> Calibrated:
    """Return the threshold with that average run length, in standard deviations."""
    low, high = 0.0, 1.0
    while page_hinkley_run_length(high, drift=drift) < run_length:
        high *= 2.0
    for _ in range(60):
        middle = (low + high) / 2.0
        if page_hinkley_run_length(middle, drift=drift) < run_length:
            low = middle
        else:
            high = middle
    return Calibrated(round(high, 9), run_length > _SIEGMUND_CHECKED_TO)


def adwin_delta(run_length: float) -> Calibrated:
    """Return the delta with at least that average run length; never above the table's largest."""
    if run_length <= _ADWIN_RUN_LENGTHS[0][1]:
        return Calibrated(_ADWIN_RUN_LENGTHS[0][0], extrapolated=False)
    pairs = list(pairwise(_ADWIN_RUN_LENGTHS))
    (delta, length), (next_delta, next_length) = next((p for p in pairs if run_length <= p[1][1]), pairs[-1])
    slope = math.log(next_delta / delta) / math.log(next_length / length)
    found = delta * math.exp(slope * math.log(run_length / length))
    return Calibrated(float(f"{found:.8e}"), extrapolated=run_length > pairs[-1][1][1])
