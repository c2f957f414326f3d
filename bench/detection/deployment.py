"""A deployment of a hundred series, one of which moves: what a user of many features has."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import NamedTuple

from bench.detection.detectors import Contender
from bench.detection.ours import RankSetup
from bench.detection.streams import CHANGE, Case
from stream_monitor.lab.generators import Law, LogNormal, Normal, Shift, Step, StudentT3, Uniform

SERIES = 100

_LAWS: tuple[Law, ...] = (Normal(), LogNormal(), StudentT3(), Uniform())


class Deployment(NamedTuple):
    """What a deployment told: false alarms before the change, and rows from the change to the alarm of its series."""

    false: int
    delay: float


def deployment(contender: Contender, *, seed: int) -> Deployment:
    """Run a detector on every series; the normal one that moves does so by .5 σ at row 5,000.

    Our detector gives each series a hundredth of its budget; a peer has none and is taken as it is.
    """
    whole = _shared(contender)
    moved = Case("", Normal(), (Shift(0.5, Step(CHANGE)),)).draw(1, seed=seed)
    (alarms,) = whole.alarms(moved, seed=seed) or [[]]
    false = sum(row <= CHANGE for row in alarms)
    for place, law in enumerate(_LAWS):
        others = Case("", law, rows=CHANGE).draw(SERIES // 4 - (place == 0), seed=seed + 100 * (place + 1))
        false += sum(map(len, whole.alarms(others, seed=seed + place) or []))
    return Deployment(false, min((float(row - CHANGE) for row in alarms if row > CHANGE), default=math.inf))


def _shared(contender: Contender) -> Contender:
    if not isinstance(contender.detector, RankSetup):
        return contender
    budget = SERIES * contender.detector.budget_events
    return replace(contender, detector=replace(contender.detector, budget_events=budget))
