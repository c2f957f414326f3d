"""False alarms: how many a stream without drift has within a horizon, and how likely it has one at all.

The promise of a budget A is `alarms in n panes <= n / A`, restarts included, and hence `P(any alarm in n) <= n / A`.

>>> alarms_per_horizon([0, 1, 0, 3]).mean
1.0
>>> false_alarm_probability([120, None, 4000, None], within=1000).share
0.25
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from stream_monitor.lab.scores.limits import share_limits

_Z_95 = 1.959963984540054


@dataclass(frozen=True, slots=True)
class AlarmCount:
    """Mean number of alarms of a stream, with 95 % limits (normal, from the spread over streams)."""

    mean: float
    lower: float
    upper: float
    streams: int


@dataclass(frozen=True, slots=True)
class AlarmShare:
    """Share of streams that alarm within a span, with Clopper-Pearson limits."""

    share: float
    lower: float
    upper: float
    alarmed: int
    streams: int


def alarms_per_horizon(counts: Sequence[int]) -> AlarmCount:
    """Return the mean number of alarms; `counts` are those of each stream.

    Alarms of one stream hang together (a bad reference alarms again and again), so the limits come from the spread
    over streams; without any alarm the upper limit is the one of a Poisson count of 0.

    Raises:
        ValueError: no stream.
    """
    if not counts:
        raise ValueError("alarms per horizon: needs at least one stream")
    n = len(counts)
    mean = math.fsum(counts) / n
    if not any(counts):
        return AlarmCount(0.0, 0.0, -math.log(0.025) / n, n)
    variance = math.fsum((count - mean) ** 2 for count in counts) / max(n - 1, 1)
    half = _Z_95 * math.sqrt(variance / n)
    return AlarmCount(mean, max(0.0, mean - half), mean + half, n)


def false_alarm_probability(first_alarms: Sequence[float | None], *, within: float) -> AlarmShare:
    """Return the share of streams without drift whose first alarm comes within the span.

    Args:
        first_alarms: how much of each stream had passed at its first alarm, None for none.
        within: the span n, in the same unit.

    Raises:
        ValueError: no stream.
    """
    if not first_alarms:
        raise ValueError("false alarm probability: needs at least one stream")
    k, n = sum(t is not None and t <= within for t in first_alarms), len(first_alarms)
    limits = share_limits(k, n)
    return AlarmShare(k / n, limits.lower, limits.upper, k, n)
