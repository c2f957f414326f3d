"""Parameters of classical detectors for a given average run length on standard normal input.

PageHinkley by Siegmund's two-sided formula; the others by simulation: tables that are interpolated in the logarithms of
parameter and run length and prolonged along their last two entries.

>>> round(page_hinkley_threshold(1e4, drift=0.5).value, 2)
8.05
>>> adwin_delta(1e7).extrapolated
True

Source: Siegmund (1985), Sequential Analysis, eq. 2.56. Tables: lower 95 % limits of `python -m bench.run_length`
and `python -m bench.run_length_errors`.
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

Table = tuple[tuple[float, float], ...]
"""(parameter, average run length), the shortest first."""

_OVERSHOOT = 1.166  # mean excess over the boundary of a standard normal walk, both boundaries together
_SIEGMUND_CHECKED_TO = 1e5  # by simulation of river's class
ADWIN_RUN_LENGTHS = ((0.8046, 511), (0.5124, 1_025), (0.09405, 10_088), (0.016, 101_504))
"""(delta, average run length in panes) of river 0.26.1's ADWIN with clock=1."""

KSWIN_RUN_LENGTHS = (
    (0.0066, 346),
    (0.0026, 666),
    (0.0009, 1_577),
    (0.0003, 3_848),
    (8.8e-05, 12_049),
    (2.4e-05, 46_809),
)
"""(alpha, average run length in panes) of KSWIN with 30 against 30 of 100; its p-values are steps, one a line."""


class Calibrated(NamedTuple):
    """A parameter, and whether it lies beyond what was simulated."""

    value: float
    extrapolated: bool


def page_hinkley_run_length(threshold: float, *, drift: float) -> float:
    """Return the average run length of a two-sided CUSUM with this threshold and drift, in standard deviations."""
    b = 2.0 * drift * (threshold + _OVERSHOOT)
    return (math.expm1(b) - b) / (4.0 * drift * drift)


@lru_cache(maxsize=4_096)
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
    return interpolated(ADWIN_RUN_LENGTHS, run_length)


def kswin_alpha(run_length: float) -> Calibrated:
    """Return KSWIN's alpha with at least that average run length; beyond the table inversely proportional to it."""
    for alpha, length in KSWIN_RUN_LENGTHS:
        if length >= run_length:
            return Calibrated(alpha, extrapolated=False)
    alpha, length = KSWIN_RUN_LENGTHS[-1]
    return Calibrated(float(f"{alpha * length / run_length:.8e}"), extrapolated=True)


def interpolated(table: Table, run_length: float, *, steepest: float = math.inf) -> Calibrated:
    """Return a parameter, interpolated in logarithms, prolonged along the last two entries, never before the first.

    Args:
        table: what was simulated.
        run_length: to be reached.
        steepest: power of the inverse parameter with which run lengths grow at most, beyond the table.
    """
    last, longest = table[-1]
    if run_length <= table[0][1]:
        return Calibrated(table[0][0], extrapolated=False)
    if run_length > longest:
        slope = _slope(*table[-2:]) if len(table) > 1 else 0.0
        slope = min(slope, -1.0 / steepest) if math.isfinite(steepest) else slope
        return Calibrated(_rounded(last * (run_length / longest) ** slope), extrapolated=True)
    below, above = next(pair for pair in pairwise(table) if run_length <= pair[1][1])
    found = below[0] * (run_length / below[1]) ** _slope(below, above)
    return Calibrated(_rounded(found), extrapolated=False)


def _slope(below: tuple[float, float], above: tuple[float, float]) -> float:
    return math.log(above[0] / below[0]) / math.log(above[1] / below[1])


def _rounded(value: float) -> float:
    return float(f"{value:.8e}")
