"""river's detectors inside the monitor: set to a run length by formula or table, and measured."""

from __future__ import annotations

import numpy as np

from bench.detection.goals.outcome import Outcome
from bench.detection.seeds import SEED
from stream_monitor.core.detectors import RiverDetector, RiverKind
from stream_monitor.lab.scores import rate_limits

_BLOCK = 10_000


_WANTED = {1_000.0: 600, 10_000.0: 250}
"""Alarms to wait for, by run length: ±8 % and ±12 % at 95 %."""

_WANTED_SLOW = {1_000.0: 300, 10_000.0: 100}
"""Of KSWIN, which takes a hundred times as long."""


def river_calibration(_size: int) -> list[Outcome]:
    """Return measured run lengths on standard normal numbers, one after the other, each with a fresh detector."""
    fast = (RiverKind.ADWIN, RiverKind.PAGE_HINKLEY)
    return [_measured(kind, target, wanted) for kind in fast for target, wanted in _WANTED.items()]


def kswin_calibration(size: int) -> list[Outcome]:
    """Return the same of KSWIN, where there is time: not in a quick run."""
    return [_measured(RiverKind.KSWIN, target, wanted) for target, wanted in _WANTED_SLOW.items() if size > 1]


def _measured(kind: RiverKind, target: float, wanted: int) -> Outcome:
    rng = np.random.default_rng([SEED, 11, int(target)])
    spec = RiverDetector(kind, target)
    numbers = alarms = 0
    detector = spec.cell(alarms)
    while alarms < wanted and numbers < 3 * wanted * target:
        for z in rng.standard_normal(_BLOCK).tolist():
            numbers += 1
            if detector.update(z):
                alarms += 1
                detector = spec.cell(alarms)
                if alarms == wanted:
                    break
    limits = rate_limits(alarms, float(numbers))
    mean = numbers / max(alarms, 1)
    words = f"{mean:,.0f} (95 %: {1 / limits.upper:,.0f}–{1 / limits.lower:,.0f})"
    goal = f"river {kind.value} at a run length of {target:,.0f}: within 15 %"
    return Outcome(goal, words, abs(mean / target - 1.0) <= 0.15)
