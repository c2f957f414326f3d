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
_TOGETHER = 20

_LAWS: tuple[Law, ...] = (Normal(), LogNormal(), StudentT3(), Uniform())


class Deployment(NamedTuple):
    """What a deployment told: false alarms before the change, and rows from the change to the alarm of its series."""

    false: int
    delay: float


def deployments(contender: Contender, count: int, *, seed: int) -> list[Deployment]:
    """Run a detector on every series of so many deployments; the normal one that moves does so by .5 σ at row 5,000.

    Our detector gives each series a hundredth of its budget; a peer has none and is taken as it is.
    """
    whole = _shared(contender)
    found: list[Deployment] = []
    for first in range(0, count, _TOGETHER):
        found += _together(whole, min(_TOGETHER, count - first), seed + 10_000 * first)
    return found


def _together(contender: Contender, count: int, seed: int) -> list[Deployment]:
    """Run deployments side by side: a step of many series costs little more than one of a few."""
    moves = Case("", Normal(), (Shift(0.5, Step(CHANGE)),)).draw(count, seed=seed)
    moved = contender.alarms(moves, seed=seed) or [[]] * count
    false = [sum(row <= CHANGE for row in alarms) for alarms in moved]
    for place, law in enumerate(_LAWS):
        each = SERIES // 4 - (place == 0)
        others = Case("", law, rows=CHANGE).draw(each * count, seed=seed + 10_000 * (place + 1))
        for i, alarms in enumerate(contender.alarms(others, seed=seed + place) or []):
            false[i // each] += len(alarms)
    late = [min((float(row - CHANGE) for row in alarms if row > CHANGE), default=math.inf) for alarms in moved]
    return [Deployment(*pair) for pair in zip(false, late, strict=True)]


def _shared(contender: Contender) -> Contender:
    if not isinstance(contender.detector, RankSetup):
        return contender
    budget = SERIES * contender.detector.budget_events
    return replace(contender, detector=replace(contender.detector, budget_events=budget))
