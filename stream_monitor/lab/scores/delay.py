"""Detection delay: from the change to the first alarm after it, of streams that were silent until then.

A stream without an alarm after its change has an infinite delay and stays in the quantiles: a detector that misses
half of the changes has no median. Streams that alarmed before the change say nothing about delay; their share is
reported beside it, because a detector that alarms all the time is always quick.

>>> found = delay([5010, 5030, None, 200, 5050], change=5000)
>>> found.median, found.worst_tenth, found.detected, found.early
(40.0, inf, 0.75, 0.2)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import bdtr

from stream_monitor.lab.scores.limits import LEVEL, Limits


@dataclass(frozen=True, slots=True)
class Delay:
    """Delays over streams, in the unit of the positions.

    Attributes:
        median: half of the streams are at most so late; infinite when fewer than half are found.
        limits: of the median, 95 %, whatever the law of the delays.
        worst_tenth: nine in ten are at most so late.
        detected: share of the streams that alarmed after the change, of those silent before it.
        early: share of all streams that alarmed before the change.
        streams: all of them.
    """

    median: float
    limits: Limits
    worst_tenth: float
    detected: float
    early: float
    streams: int


def delay(first_alarms: Sequence[float | None], *, change: float) -> Delay:
    """Return the delays of streams that changed at one position.

    Args:
        first_alarms: position of the first alarm of each stream, None for none.
        change: position of the first changed event; an alarm there has delay 0.

    Raises:
        ValueError: no stream.
    """
    if not first_alarms:
        raise ValueError("delay: needs at least one stream")
    late = sorted(math.inf if t is None else t - change for t in first_alarms if t is None or t >= change)
    early = 1.0 - len(late) / len(first_alarms)
    if not late:
        return Delay(math.inf, Limits(0.0, math.inf), math.inf, 0.0, 1.0, len(first_alarms))
    found = sum(math.isfinite(d) for d in late) / len(late)
    return Delay(
        quantile(late, 0.5), median_limits(late), quantile(late, 0.9), found, round(early, 12), len(first_alarms)
    )


def median_limits(ordered: Sequence[float], *, level: float = LEVEL) -> Limits:
    """Return limits of the median of sorted values: two of them, by the binomial law of how many lie below it.

    >>> median_limits([float(i) for i in range(1, 101)])
    Limits(lower=40.0, upper=61.0)
    >>> median_limits([1.0, 2.0])
    Limits(lower=-inf, upper=inf)
    """
    n = len(ordered)
    outside = sum(float(bdtr(k, n, 0.5)) <= (1.0 - level) / 2.0 for k in range(n // 2))
    if not outside:
        return Limits(-math.inf, math.inf)
    return Limits(ordered[outside - 1], ordered[n - outside])


def quantile(ordered: Sequence[float], share: float) -> float:
    """Return the smallest value that at least this share of sorted values does not exceed; the middle of two at a tie.

    >>> quantile([1.0, 2.0, 3.0, 4.0], 0.5), quantile([1.0, 2.0, math.inf], 0.5)
    (2.5, 2.0)
    """
    place = share * len(ordered)
    whole = round(place)
    if abs(place - whole) < 1e-9 and 0 < whole < len(ordered):
        return (ordered[whole - 1] + ordered[whole]) / 2.0
    return ordered[min(max(math.ceil(place - 1e-9), 1), len(ordered)) - 1]
