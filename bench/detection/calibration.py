"""Sets a detector to a run length: the parameters of `detectors.EQUAL`.

    python -m bench detection --calibrate               # all of them, half an hour
    python -m bench detection --calibrate KSWIN CUSUM

Run lengths are measured at a few values of the parameter, on seeds that no table uses, and interpolated in the
logarithm of the run length. 420 streams, 400 alarms: each is known to within 10 %.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from bench.detection.detectors import EQUAL, RUN_LENGTH, Contender
from bench.detection.ours import RankSetup
from bench.detection.peers import Peer
from bench.detection.tables import Scale, measured_run_length

SEED = 77_000_000
"""Far from those of the tables."""

_STREAMS = 420


def calibrate(words: Sequence[str]) -> Iterator[str]:
    """Yield a line for each detector whose name holds one of the words: the parameter, and the run length there."""
    for contender in EQUAL:
        if contender.is_there and any(word in contender.name for word in words):
            yield _calibrated(contender)


def _calibrated(contender: Contender) -> str:
    name, values, build = _family(contender)
    scale = Scale(streams=0, slow=1, run_lengths=_STREAMS, deployments=0, online=0)
    lengths = [measured_run_length(build(value), scale, seed=SEED).mean for value in values]
    found = _interpolated(values, lengths)
    again = measured_run_length(build(found), scale, seed=SEED + 1_000_000)
    at = ", ".join(f"{value:g}: {length:,.0f}" for value, length in zip(values, lengths, strict=True))
    limits = f"{again.mean:,.0f} (95 %: {again.lower:,.0f}–{again.upper:,.0f})"
    return f"{contender.name}: {name} = {found:.4g}, a run length of {limits}; tried {at}"


def _family(contender: Contender) -> tuple[str, Sequence[float], Callable[[float], Contender]]:
    """Return the parameter to be set, values to try, and the detector with a value."""
    detector = contender.detector
    match detector:
        case RankSetup():
            factors = (0.4, 0.6, 0.8, 1.0)
            return (
                "budget_events",
                [RUN_LENGTH * factor for factor in factors],
                lambda value: replace(contender, detector=replace(detector, budget_events=value)),
            )
        case Peer():
            name, values = {
                "ADWIN": ("delta", (0.3, 0.15, 0.08, 0.04)),
                "PageHinkley": (
                    ("threshold", (11.0, 13.0, 15.0, 17.0))
                    if detector.library == "river"
                    else ("lambda_", (30.0, 40.0, 50.0, 60.0))
                ),
                "CUSUM": ("lambda_", (9.0, 11.0, 13.0, 15.0)),
                "KSWIN": ("alpha", (1e-3, 4e-4, 1.5e-4, 5e-5)),
            }[detector.detector]
            return (
                name,
                values,
                lambda value: replace(
                    contender, detector=replace(detector, parameters={**detector.parameters, name: value})
                ),
            )
        case _:
            raise ValueError(f"{contender.name}: has no parameter to calibrate")


def _interpolated(values: Sequence[float], lengths: Sequence[float]) -> float:
    logs = np.log([min(length, 1e9) for length in lengths])
    order = np.argsort(logs)
    return float(np.interp(math.log(RUN_LENGTH), logs[order], np.asarray(values, dtype=np.float64)[order]))
