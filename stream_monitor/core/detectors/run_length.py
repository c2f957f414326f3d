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
from collections.abc import Mapping, Sequence
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

_KSWIN_RUN_LENGTHS = (
    (6.60e-3, 3.45e2),
    (2.60e-3, 6.60e2),
    (9.10e-4, 1.57e3),
    (3.00e-4, 3.82e3),
    (8.80e-5, 1.20e4),
    (2.40e-5, 4.68e4),
)
"""(alpha, average run length in panes) of KSWIN with 30 against 30 of 100; its p-values are steps, one a line."""

_ERROR_RUN_LENGTHS: Mapping[str, tuple[tuple[float, float], ...]] = {
    "ddm": ((3.0, 5.89e4), (3.5, 1.57e5), (4.0, 2.60e5), (4.5, 3.86e5), (5.0, 7.46e5)),
    "eddm": ((0.9, 1.00e3), (0.8, 1.22e4), (0.7, 4.04e4), (0.6, 9.56e4), (0.5, 2.14e5)),
    "hddm_a": ((0.01, 1.27e4), (0.003, 4.52e4), (0.001, 1.00e5), (0.0003, 2.80e5)),
    "hddm_w": ((0.01, 1.21e3), (0.003, 3.71e3), (0.001, 1.08e4)),
    "fhddm": ((1e-3, 1.88e3), (1e-4, 4.41e3), (1e-5, 8.64e3), (1e-6, 2.93e4)),
}
"""(parameter, average run length in events) of detectors of single errors, at an error rate of .2; see
`python -m bench.run_length_errors`."""


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
    return _interpolated(_ADWIN_RUN_LENGTHS, run_length)


def kswin_alpha(run_length: float) -> Calibrated:
    """Return KSWIN's alpha with at least that average run length; beyond the table inversely proportional to it."""
    for alpha, length in _KSWIN_RUN_LENGTHS:
        if length >= run_length:
            return Calibrated(alpha, extrapolated=False)
    alpha, length = _KSWIN_RUN_LENGTHS[-1]
    return Calibrated(float(f"{alpha * length / run_length:.8e}"), extrapolated=True)


def error_parameter(kind: str, run_length_events: float) -> Calibrated:
    """Return the parameter of an error detector with at least that average run length."""
    return _interpolated(_ERROR_RUN_LENGTHS[kind], run_length_events)


def _interpolated(table: Sequence[tuple[float, float]], run_length: float) -> Calibrated:
    """Return a parameter, interpolated in logarithms, prolonged along the last two entries, never before the first."""
    if run_length <= table[0][1]:
        return Calibrated(table[0][0], extrapolated=False)
    pairs = list(pairwise(table))
    (value, length), (next_value, next_length) = next((p for p in pairs if run_length <= p[1][1]), pairs[-1])
    slope = math.log(next_value / value) / math.log(next_length / length)
    found = value * math.exp(slope * math.log(run_length / length))
    return Calibrated(float(f"{found:.8e}"), extrapolated=run_length > table[-1][1])
