"""A model: its versions, each in warm-up or watched, its demand over all versions, and how long it has been silent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from stream_monitor.core.alerts.lifecycle import Life
from stream_monitor.core.baseline import Baseline
from stream_monitor.core.detectors import Mixture, RankShiryaevRoberts
from stream_monitor.core.detectors.lowered_threshold import OFFSETS
from stream_monitor.core.judge.evidence import DEMAND_TEST, detector_uses
from stream_monitor.core.judge.rulebook import Rulebook
from stream_monitor.core.judge.series import baseline_series, demand_series, within_limit
from stream_monitor.core.judge.warm_up import WarmUp
from stream_monitor.core.judge.watch import Watch
from stream_monitor.core.judge.weights import demand_weight, slot_weight, split
from stream_monitor.core.plan import BaselineFrom, ModelPlan, Plan, Threshold
from stream_monitor.core.profile import Profile

TYPICAL_PANES = 200
"""Panes whose sizes are kept to choose the alternatives of the rank detector."""


@dataclass(slots=True, eq=False)
class VersionState:
    """One version of a model.

    Attributes:
        last_ms: end of its last pane with events.
        pane_rows: rows of its first panes with events.
        warm_up: rows that wait to become a baseline; None when none are wanted (any more).
        proposed: id of the baseline that was proposed for it.
        watch: its series; None in warm-up.
    """

    last_ms: int
    pane_rows: list[int] = field(default_factory=list)
    warm_up: WarmUp | None = None
    proposed: str | None = None
    watch: Watch | None = None

    def noted(self, profile: Profile, now_ms: int) -> None:
        """Note a pane with events."""
        self.last_ms = now_ms
        if len(self.pane_rows) < TYPICAL_PANES:
            self.pane_rows.append(profile.events)

    @property
    def typical_rows(self) -> float:
        """Median rows of the first panes."""
        ordered = sorted(self.pane_rows)
        return float(ordered[len(ordered) // 2]) if ordered else 0.0


@dataclass(eq=False)
class ModelState:
    """Everything the judge knows of a model.

    Attributes:
        last_ms: end of the last pane with events of any version.
        demand: the demand of all versions; None when no rule judges it.
        shown_ms: end of the last pane that was shown to it.
        storm: life of the summary alert above `alerts.max_open`.
    """

    name: str
    plan: ModelPlan
    budget_panes: float
    last_ms: int
    versions: dict[str, VersionState] = field(default_factory=dict)
    demand: Watch | None = None
    storm: Life = field(default_factory=Life)
    shown_ms: int | None = None

    def version(self, name: str, now_ms: int) -> VersionState:
        """Return the state of a version, a new one if need be."""
        if name not in self.versions:
            gathers = self.plan.baseline is BaselineFrom.FIRST_EVENTS
            warm_up = WarmUp(self.name, name, self.plan.baseline_events) if gathers else None
            self.versions[name] = VersionState(now_ms, warm_up=warm_up)
        return self.versions[name]

    def watches(self) -> Iterable[Watch]:
        """Yield the watches in the order of alerts: demand, then versions by name."""
        if self.demand is not None:
            yield self.demand
        for name in sorted(self.versions):
            watch = self.versions[name].watch
            if watch is not None:
                yield watch

    def free_slot(self) -> int:
        """Return the smallest part of the budget that no watched version uses."""
        used = {state.watch.slot for state in self.versions.values() if state.watch is not None}
        return next(slot for slot in range(len(used) + 1) if slot not in used)

    def is_awake(self, now_ms: int, idle_limit_ms: int) -> bool:
        """Say whether panes are shown to the series: a model silent for longer than the limit is history."""
        return now_ms - self.last_ms <= idle_limit_ms


def demand_watch(model: ModelState, plan: Plan, rulebook: Rulebook) -> Watch | None:
    """Return the watch of a model's demand, None when no rule judges it."""
    series = [demand_series()]
    named = rulebook.evidence(series)
    if DEMAND_TEST not in named.get(series[0].name, ()):
        return None
    uses = detector_uses(
        series,
        named=named,
        shown=(),
        weights={series[0].name: demand_weight()},
        budget_panes=model.budget_panes,
        rank=RankShiryaevRoberts(),
    )
    watch = Watch(model.name, "", "", None, 0, series, uses, plan.detection.window_panes)
    watch.rules = rulebook.opened_by(series, uses)
    return watch


def version_watch(
    model: ModelState, baseline: Baseline, plan: Plan, rulebook: Rulebook, *, slot: int, mixture: Mixture
) -> Watch:
    """Return the watch of a version beside its baseline, its detectors not yet started."""
    series, suppressed = within_limit(baseline_series(baseline, model.plan), plan.limits.series_per_model)
    tolerance = model.plan.tolerance
    calibrated = plan.detection.threshold is Threshold.CALIBRATED
    named = rulebook.evidence(series, tolerance)
    uses = detector_uses(
        series,
        named=named,
        shown=[detector.kind for detector in plan.detection.detectors],
        weights=split([item for item in series if item.name in named], slot_weight(slot)),
        budget_panes=model.budget_panes,
        rank=RankShiryaevRoberts(mixture, offsets=OFFSETS if calibrated else ()),
        tolerance=tolerance,
    )
    watch = Watch(
        model.name, baseline.version, "", baseline, slot, series, uses, plan.detection.window_panes, suppressed, mixture
    )
    watch.rules = rulebook.opened_by(series, uses, tolerance)
    return watch
