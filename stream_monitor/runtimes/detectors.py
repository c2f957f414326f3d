"""Detectors of one's own: classes with river's interface, named in the configuration, imported and tried here.

A class is tried before it judges anything: built with its parameters and given the same inputs twice. What raises, does
not answer True or False, or answers the same inputs in two ways is a wrong setting; a class that draws needs a seed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import cast

import numpy as np

from stream_monitor.config.errors import refuse
from stream_monitor.core.detectors import DetectorClass, RiverDetector, RiverKind
from stream_monitor.core.detectors.calibration import (
    STEPS,
    NotCalibrated,
    Search,
    Source,
    calibrate,
    errors_at,
    standard_normal,
)
from stream_monitor.core.detectors.own_cell import Detecting, OwnCell
from stream_monitor.core.detectors.river_detectors import RiverCell
from stream_monitor.core.judge.watch.configured import own_detector
from stream_monitor.core.plan import CalibrationPlan, DetectorInput, DetectorPlan, Plan
from stream_monitor.runtimes.imports import imported, version_of

TRIED = 500
"""Inputs that a class is given before it judges anything: half of them without drift, half after one."""

ALARMS, STREAMS = 200, 400
"""Of a calibration; its lower limit is then 13 % below the average."""

COMMAND = "stream-monitor check --calibrate"

RunLengths = tuple[tuple[float, float], ...]


def resolve_detectors(plan: Plan) -> Mapping[str, DetectorClass]:
    """Return the classes that the plan's detectors name.

    Raises:
        ConfigError: a class cannot be used, or a detector that must be calibrated is not.
    """
    found = import_detectors(plan)
    for index, detector in enumerate(plan.detection.detectors):
        if detector.calibration is not None and not detector.run_lengths:
            field = f"detection.detectors[{index}].run_lengths"
            raise refuse(field, "is required with calibrate", fix=f"run {COMMAND}, which prints it")
    return found


def import_detectors(plan: Plan) -> Mapping[str, DetectorClass]:
    """Return the classes that the plan's detectors name, tried, calibrated or not.

    Raises:
        ConfigError: a class cannot be used.
    """
    found: dict[str, DetectorClass] = {}
    for index, detector in enumerate(plan.detection.detectors):
        field = f"detection.detectors[{index}]"
        if detector.is_own:
            make = cast("Callable[..., Detecting]", imported(f"{field}.kind", detector.kind))
            found[detector.kind] = DetectorClass(make, version_of(detector.kind))
        if detector.is_own or detector.calibration is not None:
            _try(field, detector, found)
    return found


def calibrated(
    plan: DetectorPlan, classes: Mapping[str, DetectorClass], progress: Callable[[float], None] = lambda _: None
) -> RunLengths:
    """Return the run lengths of a detector at its targets, by simulation; the same whenever it is asked.

    Args:
        plan: of a detector with a calibration.
        classes: from `import_detectors`.
        progress: told the share that is done.

    Raises:
        NotCalibrated: a run length cannot be had between the values given.
    """
    wanted = plan.calibration
    assert wanted is not None
    source = _source(plan)
    pairs: list[tuple[float, float]] = []
    short = wanted.short
    for position, target in enumerate(wanted.targets):

        def step(done: int, position: int = position) -> None:
            progress((position + done / STEPS) / len(wanted.targets))

        search = Search(target, short, wanted.long, alarms=ALARMS, streams=STREAMS)
        short, seen = calibrate(lambda value: _Working(_cell(plan, classes, value)), source, search, step)
        pairs.append((short, float(round(seen.lower))))
    return tuple(pairs)


class _Working:
    """A detector whose failure ends the calibration: it would look like one that never alarms."""

    def __init__(self, cell: RiverCell) -> None:
        self._cell = cell

    def update(self, z: float) -> bool:
        alarmed = self._cell.update(z)
        if isinstance(self._cell, OwnCell) and self._cell.failure:
            raise NotCalibrated(f"it raised {self._cell.failure} ({self._cell.told})")
        return alarmed


def _try(field: str, plan: DetectorPlan, classes: Mapping[str, DetectorClass]) -> None:
    value = None if plan.calibration is None else plan.calibration.long
    source, generator = _source(plan), np.random.default_rng(0)
    inputs = source(generator, TRIED // 2)
    inputs += [1.0 if plan.input is DetectorInput.ERRORS else z + 3.0 for z in source(generator, TRIED // 2)]
    answers = []
    for _ in range(2):
        try:
            cell = _cell(plan, classes, value)
            answers.append([cell.update(z) for z in inputs])
        except Exception as error:  # river's, with parameters that do not fit each other
            raise refuse(f"{field}.params", f"{plan.kind} does not take them ({error})") from error
        if isinstance(cell, OwnCell) and cell.failure:
            raise refuse(f"{field}.kind", f"{plan.kind} raised {cell.failure} ({cell.told})", fix=_CONTRACT)
    if answers[0] != answers[1]:
        rule = f"must make {plan.kind} alarm at the same inputs whenever it is given them"
        raise refuse(f"{field}.params", rule, fix="give it a seed")


_CONTRACT = "a detector is built from its params, has update(x), and drift_detected, which is True or False"


def _cell(plan: DetectorPlan, classes: Mapping[str, DetectorClass], value: float | None) -> RiverCell:
    """Return a fresh detector with a value of the parameter that the budget sets."""
    if plan.is_own:
        params = dict(plan.params) if value is None else {**dict(plan.params), _parameter(plan): value}
        stated = replace(plan, params=tuple(sorted(params.items())), run_lengths=())
        return own_detector(stated, classes[plan.kind], 1.0).cell()
    assert value is not None, "only what is calibrated is tried by name"
    flat = ((value, 1.0), (value, 2.0))
    return RiverDetector(RiverKind(plan.kind), 1.0, params=plan.params, run_lengths=flat).cell()


def _parameter(plan: DetectorPlan) -> str:
    assert isinstance(plan.calibration, CalibrationPlan)
    return plan.calibration.parameter


def _source(plan: DetectorPlan) -> Source:
    if plan.input is DetectorInput.NUMBERS:
        return standard_normal
    rate = 0.2 if plan.calibration is None or plan.calibration.rate is None else plan.calibration.rate
    return errors_at(rate)
