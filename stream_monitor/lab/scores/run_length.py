"""Average run length: how long a detector runs without drift until its first alarm.

Streams end somewhere, so those without an alarm are censored: `ARL = Σ min(T, L) / alarms`, the maximum-likelihood
mean of an exponential law, with the limits `2 Σ / χ²_{2r+2}(.975)` and `2 Σ / χ²_{2r}(.025)`. Give every stream a
reference of its own; a run length is a mean over references.

>>> run_length([300, None, 500], horizon=1000).mean
900.0

Source: Epstein & Sobel (1953), doi:10.1080/01621459.1953.10483488.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from stream_monitor.lab.scores.limits import rate_limits


@dataclass(frozen=True, slots=True)
class RunLength:
    """A measured average run length, in the unit of the alarms' positions.

    Attributes:
        mean: infinite when nothing alarmed.
        lower, upper: 95 % limits.
        alarms: streams that alarmed.
        streams: all streams.
        horizon: where the others were cut off, at the latest.
    """

    mean: float
    lower: float
    upper: float
    alarms: int
    streams: int
    horizon: float


def run_length(first_alarms: Sequence[float | None], *, horizon: float | Sequence[float]) -> RunLength:
    """Return the average run length of streams without drift.

    Args:
        first_alarms: how much of each stream had passed at its first alarm (1 for an alarm at once); None for a stream
            that had none within the horizon. Later ones count as none.
        horizon: length of the streams, or of each, in the same unit.

    Raises:
        ValueError: no stream, or a horizon that is not positive.
    """
    horizons = list(horizon) if isinstance(horizon, Sequence) else [horizon] * len(first_alarms)
    if not first_alarms or min(horizons) <= 0:
        raise ValueError(f"run length: needs streams and horizons above 0, got {len(first_alarms)} and {horizon}")
    pairs = list(zip(first_alarms, horizons, strict=True))
    within = [t for t, end in pairs if t is not None and t <= end]
    passed = math.fsum(end if t is None or t > end else t for t, end in pairs)
    limits = rate_limits(len(within), passed)
    return RunLength(
        mean=passed / len(within) if within else math.inf,
        lower=1.0 / limits.upper,
        upper=1.0 / limits.lower if within else math.inf,
        alarms=len(within),
        streams=len(first_alarms),
        horizon=max(horizons),
    )
