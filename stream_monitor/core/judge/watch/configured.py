"""The detectors that a plan configures: of what kind of series each is, and its spec for a run length.

Names mean river's detectors, with their shipped run lengths or those that the plan states; `module:Class` means a class
of the user's, which the runtime has imported.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from stream_monitor.core.canonical import round_significant
from stream_monitor.core.detectors import DetectorClass, DetectorSpec, OwnDetector, RiverDetector, RiverKind
from stream_monitor.core.detectors.river_group import EVENTS_A_PANE
from stream_monitor.core.detectors.run_length import interpolated
from stream_monitor.core.judge.watch.watched_series import WatchedSeries
from stream_monitor.core.names import CALIBRATED, SeriesKind, approximate, no_guarantee
from stream_monitor.core.plan import DetectorInput, DetectorPlan

NEAR_ODDS = 1.25
"""Factor between the odds of two error rates at which one calibration serves both."""

_HALF = 0.5  # an event of each kind, shared: a rate of exactly 0 or 1 has no odds


@dataclass(frozen=True, slots=True)
class Configured:
    """Detectors by name.

    Attributes:
        plans: what the plan says of each.
        classes: what the names `module:Class` mean.
    """

    plans: Mapping[str, DetectorPlan] = field(default_factory=dict)
    classes: Mapping[str, DetectorClass] = field(default_factory=dict)

    @classmethod
    def of(cls, plans: Sequence[DetectorPlan], classes: Mapping[str, DetectorClass]) -> Configured:
        """Return the detectors of a plan.

        Raises:
            ValueError: a class is missing.
        """
        for plan in plans:
            if plan.is_own and plan.kind not in classes:
                raise ValueError(f"detection.detectors.{plan.kind}: nobody has imported the class")
        return cls({plan.kind: plan for plan in plans}, classes)

    def kind(self, name: str) -> SeriesKind | None:
        """Return the kind of series that a class of the user's takes; None for other names."""
        if name not in self.classes or name not in self.plans:
            return None
        return SeriesKind.BINARY if self.plans[name].input is DetectorInput.ERRORS else SeriesKind.NUMERIC

    def spec(self, name: str, series: WatchedSeries, run_length_panes: float) -> DetectorSpec:
        """Return the detector of a name on a series, for a run length in panes."""
        plan = self.plans.get(name, DetectorPlan(name))
        rate = _error_rate(series) if series.kind is SeriesKind.BINARY else 0.0
        if plan.is_own:
            own = own_detector(plan, self.classes[name], run_length_panes, rate=rate)
            return replace(own, strata=series.calendar.strata)
        spec = RiverDetector(RiverKind(name), run_length_panes, strata=series.calendar.strata)
        if series.kind is SeriesKind.BINARY:
            return replace(spec, rate=rate)
        return replace(spec, params=plan.params, run_lengths=plan.run_lengths)


def own_detector(plan: DetectorPlan, code: DetectorClass, run_length_panes: float, *, rate: float = 0.0) -> OwnDetector:
    """Return the detector of a class of the user's.

    Args:
        plan: what the plan says of it.
        code: the class.
        run_length_panes: average number of panes between alarms without drift that the budget asks for.
        rate: share of errors without drift, where it takes those.
    """
    errors = plan.input is DetectorInput.ERRORS
    params, guarantee = plan.params, no_guarantee("uncalibrated")
    if plan.calibration is not None and plan.run_lengths:
        found = interpolated(plan.run_lengths, run_length_panes * (EVENTS_A_PANE if errors else 1))
        params = tuple(sorted({**dict(params), plan.calibration.parameter: found.value}.items()))
        far = errors and not _near(rate, plan.calibration.rate)
        guarantee = approximate("extrapolated") if found.extrapolated or far else CALIBRATED
    return OwnDetector(plan.kind, code, params, errors, plan.memory, guarantee)


def _error_rate(series: WatchedSeries) -> float:
    """Return the share of errors of the reference, to two digits: near rates share one detector."""
    counts = (0, 0) if series.reference is None else series.reference.counts.tolist()
    return round_significant((counts[1] + _HALF) / (sum(counts) + 2.0 * _HALF), digits=2)


def _near(rate: float, calibrated: float | None) -> bool:
    if calibrated is None or not 0.0 < rate < 1.0:
        return False
    odds = math.log(rate / (1.0 - rate)) - math.log(calibrated / (1.0 - calibrated))
    return abs(odds) <= math.log(NEAR_ODDS)
