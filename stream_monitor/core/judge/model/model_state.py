"""A model: its versions, each in warm-up or watched, its demand over all versions, and how long it has been silent."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from stream_monitor.core.alerts.lifecycle import Life
from stream_monitor.core.baseline import Baseline
from stream_monitor.core.detectors import Mixture, RankShiryaevRoberts
from stream_monitor.core.detectors.lowered_threshold import OFFSETS
from stream_monitor.core.judge.model.warm_up import WarmUp
from stream_monitor.core.judge.standing.memory import Memory
from stream_monitor.core.judge.standing.standing import Standing
from stream_monitor.core.judge.watch.coverage import Coverage
from stream_monitor.core.judge.watch.detector_uses import DEMAND_TEST, Evidence, detector_uses
from stream_monitor.core.judge.watch.rulebook import Rulebook
from stream_monitor.core.judge.watch.watch import Watch
from stream_monitor.core.judge.watch.watched_series import (
    WatchedSeries,
    demand_series,
    segment_series,
    subjects,
    within_limits,
)
from stream_monitor.core.judge.watch.weights import demand_weight, segment_shares, slot_weight, split
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
        watch: its series over all rows; None in warm-up.
        segments: those of each segment, sorted by label.
        supplements: the series that its baseline lacks, by reference: over all rows, then those of each segment.
        gathering: rows that wait to become a supplement; None before the first.
        blind_panes: panes in a row that held series without a reference.
        asked_ms: when rows of such series were asked for last.
        unwatched_ms: start of the pane since when nothing of it is watched; None while something is.
        blind: series without a reference that its last pane held, sorted; of features the few of smallest hash.
        left_out: features that were too rare for its references, sorted; at most a hundred of each.
        planned: coverage that its references give, with their ids; worked out when it is asked for.
        memory: what conditions need to know.
    """

    last_ms: int
    memory: Memory
    pane_rows: list[int] = field(default_factory=list)
    warm_up: WarmUp | None = None
    proposed: str | None = None
    watch: Watch | None = None
    segments: list[Watch] = field(default_factory=list)
    supplements: list[list[Watch]] = field(default_factory=list)
    gathering: WarmUp | None = None
    blind_panes: int = 0
    asked_ms: int | None = None
    unwatched_ms: int | None = None
    blind: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    planned: tuple[tuple[str, ...], list[Coverage]] | None = None

    def noted(self, profile: Profile, now_ms: int) -> None:
        """Note a pane with events."""
        self.last_ms = now_ms
        if len(self.pane_rows) < TYPICAL_PANES:
            self.pane_rows.append(profile.events)

    @property
    def watches(self) -> list[Watch]:
        """The watches of all rows and of each segment, then those of supplements; none in warm-up."""
        more = [watch for watches in self.supplements for watch in watches]
        return [] if self.watch is None else [self.watch, *self.segments, *more]

    @property
    def documents(self) -> list[Baseline]:
        """What it is compared with: its baseline, then its supplements; empty in warm-up."""
        whole = [self.watch, *(watches[0] for watches in self.supplements)]
        return [watch.baseline for watch in whole if watch is not None and watch.baseline is not None]

    def watch_of(self, series: str) -> Watch | None:
        """Return the watch of all rows whose reference holds a series, None if none does."""
        whole = [self.watch, *(watches[0] for watches in self.supplements)]
        return next((own for own in whole if own and own.baseline and series in own.baseline.series), None)

    @property
    def subjects(self) -> int:
        """What its watches use of the limit of series."""
        return sum(len(subjects(watch.series)) for watch in self.watches)

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
        standing: alerts of conditions.
        first_ms: start of its first pane with events.
        compared_ms: end of the pane in which versions were compared last.
        declared: the plan names it, or an operator had given it a baseline when it came.
    """

    name: str
    plan: ModelPlan
    budget_panes: float
    last_ms: int
    versions: dict[str, VersionState] = field(default_factory=dict)
    demand: Watch | None = None
    storm: Life = field(default_factory=Life)
    shown_ms: int | None = None
    standing: Standing = field(default_factory=Standing)
    first_ms: int = 0
    declared: bool = True
    compared_ms: int | None = None

    def version(self, name: str, now_ms: int, *, since_ms: int) -> VersionState:
        """Return the state of a version; a new one, if need be, is unwatched since `since_ms`."""
        if name not in self.versions:
            warm_up = self.new_warm_up(name, since_ms)
            self.versions[name] = VersionState(now_ms, Memory(since_ms), warm_up=warm_up, unwatched_ms=since_ms)
        return self.versions[name]

    def new_warm_up(self, version: str, since_ms: int) -> WarmUp | None:
        """Return the warm-up of a version; None if its baseline is to be published."""
        gathers = self.plan.baseline is BaselineFrom.FIRST_EVENTS
        return WarmUp(self.name, version, self.plan.baseline_events, since_ms) if gathers else None

    def watches(self) -> Iterable[Watch]:
        """Yield the watches in the order of alerts: demand, then versions by name, all rows before segments."""
        if self.demand is not None:
            yield self.demand
        for name in sorted(self.versions):
            yield from self.versions[name].watches

    def siblings(self, watch: Watch) -> list[Watch]:
        """Return the other watches of the same version: all rows, then its segments."""
        state = self.versions.get(watch.version)
        return [other for other in ([] if state is None else state.watches) if other is not watch]

    def free_slot(self) -> int:
        """Return the smallest part of the budget that no watched version uses."""
        used = {watch.slot for state in self.versions.values() for watch in state.watches}
        return next(slot for slot in range(len(used) + 1) if slot not in used)

    def is_awake(self, now_ms: int, idle_limit_ms: int) -> bool:
        """Say whether panes are shown to the series: a model silent for longer than the limit is history."""
        return now_ms - self.last_ms <= idle_limit_ms


def demand_watch(model: ModelState, plan: Plan, rulebook: Rulebook) -> Watch | None:
    """Return the watch of a model's demand, None when no rule judges it."""
    calendar = model.plan.strata
    series = [demand_series(calendar)]
    named = rulebook.evidence(series)
    if Evidence(DEMAND_TEST) not in named.get(series[0].name, ()):
        return None
    uses = detector_uses(
        series,
        named=named,
        shown=(),
        weights={series[0].name: demand_weight()},
        budget_panes=model.budget_panes,
        rank=RankShiryaevRoberts(),
        visit_panes=calendar.visit_ms // plan.detection.pane_ms,
        configured=rulebook.configured,
    )
    watch = Watch(model.name, "", "", None, 0, series, uses, plan.detection.window_panes)
    watch.rules = rulebook.opened_by(series, uses)
    return watch


def version_watches(
    model: ModelState,
    baseline: Baseline,
    plan: Plan,
    rulebook: Rulebook,
    *,
    slot: int,
    mixture: Callable[[str], Mixture],
    taken: int = 0,
) -> list[Watch]:
    """Return the watches of a version beside a reference: all rows, then each segment; detectors are not yet started.

    Args:
        model: the model.
        baseline: of the version, or a supplement of it.
        plan: the plan.
        rulebook: its rules.
        slot: part of the budget.
        mixture: alternatives of the rank detector by segment ("" is all rows).
        taken: how much of the limit of series other watches of the version use.
    """
    found = segment_series(baseline, model.plan)
    if taken:
        found = _without_names_of_others(model, baseline, found)
    kept, suppressed = within_limits(found, plan, taken)
    shares = segment_shares([label for label in kept if label])
    tolerance = model.plan.tolerance
    offsets = OFFSETS if plan.detection.threshold is Threshold.CALIBRATED else ()
    watches: list[Watch] = []
    for label, series in kept.items():
        own = baseline.of_segment(label) if label else baseline
        named = rulebook.evidence(series, tolerance)
        uses = detector_uses(
            series,
            named=named,
            shown=[detector.kind for detector in plan.detection.detectors],
            weights=split([item for item in series if item.name in named], slot_weight(slot) * shares[label]),
            budget_panes=model.budget_panes,
            rank=RankShiryaevRoberts(mixture(label), offsets=offsets),
            tolerance=tolerance,
            configured=rulebook.configured,
        )
        watch = Watch(
            model.name,
            baseline.version,
            label,
            own,
            slot,
            series,
            uses,
            plan.detection.window_panes,
            (),
            mixture(label),
            taken,
        )
        watch.rules = rulebook.opened_by(series, uses, tolerance)
        watches.append(watch)
    watches[0].suppressed = suppressed
    return watches


def _without_names_of_others(
    model: ModelState, supplement: Baseline, found: dict[str, list[WatchedSeries]]
) -> dict[str, list[WatchedSeries]]:
    """Return the series of a supplement without those whose name another reference of the version has given away.

    Only a feature that is called like a series of the model brings that about: `invalid:latency`.
    """
    state = model.versions.get(supplement.version)
    others = [] if state is None else state.watches
    given = {
        (watch.segment, item.name)
        for watch in others
        if watch.baseline is not None and watch.baseline.id != supplement.id
        for item in watch.series
    }
    return {label: [item for item in series if (label, item.name) not in given] for label, series in found.items()}


def typical_mixture(baseline: Baseline, rows: float) -> Callable[[str], Mixture]:
    """Return the alternatives of the rank detector by segment, for so many rows of a version in a pane.

    A segment is expected to have the share of them that it has in the baseline.
    """

    def of(label: str) -> Mixture:
        share = baseline.segments[label].rows / max(1, baseline.origin.rows) if label else 1.0
        return Mixture.for_events(rows * share)

    return of
