"""The best that can be done: Page's CUSUM that knows the law before and after the change.

Nobody has these parameters; the ratio of a detector's delay to the oracle's says how much not knowing them costs.

Source: Page (1954), doi:10.1093/biomet/41.1-2.100; Siegmund (1985), Sequential Analysis, eq. 2.56.
"""

from __future__ import annotations

import math

import numpy as np

from stream_monitor.core.arrays import Float64

_OVERSHOOT = 1.166


def threshold(run_length: float, *, shift: float) -> float:
    """Return the threshold of a one-sided CUSUM of N(0,1) for a shift, in standard deviations, with that run length."""
    low, high = 0.0, 50.0
    for _ in range(80):
        middle = (low + high) / 2.0
        b = shift * (middle + _OVERSHOOT)
        low, high = (middle, high) if (math.expm1(b) - b) * 2.0 / shift**2 < run_length else (low, middle)
    return high


def first_alarms(values: Float64, *, shift: float, run_length: float) -> list[int | None]:
    """Return the rows seen at the first alarm of each stream of N(0,1), shape (streams, rows)."""
    limit = threshold(run_length, shift=shift)
    level = np.zeros(values.shape[0])
    first = np.zeros(values.shape[0], dtype=np.int64)
    for i, column in enumerate(values.T, start=1):
        level = np.maximum(level + column - shift / 2.0, 0.0)
        first[(level >= limit) & (first == 0)] = i
    return [int(row) or None for row in first]
