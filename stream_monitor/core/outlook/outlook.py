"""What a budget lets one see, before any event: weight, threshold and promise of every series, and its delays.

Shifts are given in standard deviations of the series: for values in normal scores of the baseline (what a shift of a
normal series by so many standard deviations would do to the ranks), for yes/no series √(p (1 - p)) of the share, for a
categorical series that of its most frequent category, the others making room; for demand √n of a pane's count.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from stream_monitor.core.arrays import Float64, Int64
from stream_monitor.core.baseline import Baseline, NumericBaseline
from stream_monitor.core.detectors import NegativeBinomial, PaneRank, RankShiryaevRoberts
from stream_monitor.core.detectors.interval_group import IntervalGroup
from stream_monitor.core.grid import spacings
from stream_monitor.core.judge.model.model_state import ModelState, demand_watch, typical_mixture, version_watches
from stream_monitor.core.judge.reporting.alert_events import series_guarantee
from stream_monitor.core.judge.watch.detector_uses import DetectorUse, series_references
from stream_monitor.core.judge.watch.rulebook import Rulebook
from stream_monitor.core.judge.watch.watch import Watch
from stream_monitor.core.judge.watch.watched_series import Counted, WatchedSeries
from stream_monitor.core.names import SeriesKind
from stream_monitor.core.outlook.detectability import (
    NINE_IN_TEN,
    Path,
    delay_panes,
    demand_path,
    interval_path,
    pane_rank_path,
    rank_path,
    shifted,
)
from stream_monitor.core.plan import HOUR_MS, Plan, RulePlan
from stream_monitor.core.rules import EffectWindow, measure

SIGMAS = (0.1, 0.25, 0.5, 1.0)
FACTORS = (1.1, 1.25, 1.5, 2.0)

_MANY = 10_000_000
"""Events at which a measured effect is that of the law itself."""


class Unit(StrEnum):
    """What the size of a shift is counted in."""

    VALUE = "value"
    SHARE = "share"
    FACTOR = "factor"


@dataclass(frozen=True, slots=True)
class ShiftOutlook:
    """How soon one change of a series is seen.

    Attributes:
        sigma: size in standard deviations.
        size: the same in `unit`: of the values, of a share, or the factor of demand.
        typical: panes until half of such changes have alarmed; None: not within the budget's own span.
        within: panes until nine in ten have.
        alerts: whether the effect reaches the floor of a rule; if not, the alarm never becomes an alert.
    """

    sigma: float
    size: float
    unit: Unit
    typical: int | None
    within: int | None
    alerts: bool


@dataclass(frozen=True, slots=True)
class SeriesOutlook:
    """What is promised for a series and what can be seen.

    Attributes:
        segment: `name=value`, empty for all rows.
        weight: share of the model's budget.
        log10_threshold: log10 of A / weight, or what a calibrated detector lowers it to.
        guarantee: as alerts carry it.
        events: of a pane, as expected.
        shifts: empty for a detector without evidence, and where nothing can be tested.
    """

    series: str
    kind: SeriesKind
    detector: str
    weight: float
    log10_threshold: float
    guarantee: str
    events: float
    shifts: tuple[ShiftOutlook, ...]
    segment: str = ""


@dataclass(frozen=True, slots=True)
class FaintFloor:
    """A floor below what a rule's measure shows in 95 % of windows without any change."""

    series: str
    rule: str
    measure: str
    floor: float
    noise_95: float
    segment: str = ""


def model_outlook(
    plan: Plan, rulebook: Rulebook, model: str, baseline: Baseline | None, *, events: float
) -> tuple[SeriesOutlook, ...]:
    """Return the outlook of every series that can raise an alert: demand, then all rows, then segments.

    A segment is taken to have the share of the traffic that it has in the baseline.

    Args:
        plan: the plan.
        rulebook: its rules.
        model: name of the model.
        baseline: of its version; None: demand alone.
        events: of a pane.
    """
    return tuple(
        _series(plan, rulebook, watch, use, events=events * _share(watch, baseline))
        for watch in _watches(plan, rulebook, model, baseline, events=events)
        for use in watch.uses
        if use.evidence
    )


def faint_floors(
    plan: Plan, rulebook: Rulebook, model: str, baseline: Baseline, *, events: float
) -> tuple[FaintFloor, ...]:
    """Return the floors that windows of that traffic pass by chance alone, by series and rule.

    Args:
        plan: the plan.
        rulebook: its rules.
        model: name of the model.
        baseline: of its version.
        events: of a pane.
    """
    found: list[FaintFloor] = []
    for watch in _watches(plan, rulebook, model, baseline, events=events):
        for position, use in enumerate(watch.uses):
            item = _thinnest(watch.series[use.series])
            own = events * _share(watch, baseline)
            n = round(_pane_events(watch.series[use.series], watch, own) * plan.detection.window_panes)
            if item.reference is None or n < 1:
                continue
            for rule in _effect_rules(rulebook, watch, position):
                counts = np.zeros(item.bins, dtype=np.int64)
                counts[0] = n
                noise = measure(rule.effect.measure).noise_95(_window(watch, item, counts))
                if noise > rule.effect.floor:
                    floor = rule.effect.floor
                    found.append(FaintFloor(item.name, rule.name, rule.effect.measure, floor, noise, watch.segment))
    return tuple(found)


def _watches(
    plan: Plan, rulebook: Rulebook, model: str, baseline: Baseline | None, *, events: float
) -> Iterator[Watch]:
    own = plan.model(model)
    if own is None:
        return
    state = ModelState(model, own, plan.budget(model).panes(plan.detection.pane_ms), 0)
    demand = demand_watch(state, plan, rulebook)
    if demand is not None:
        yield demand
    if baseline is not None:
        yield from version_watches(state, baseline, plan, rulebook, slot=0, mixture=typical_mixture(baseline, events))


def _series(plan: Plan, rulebook: Rulebook, watch: Watch, use: DetectorUse, *, events: float) -> SeriesOutlook:
    item = _thinnest(watch.series[use.series])
    group = use.spec.build(use.layout)
    n = _pane_events(watch.series[use.series], watch, events)
    rules = _effect_rules(rulebook, watch, watch.uses.index(use))
    others = any(rulebook.plans[name].target is not None for name in watch.rules.get(watch.uses.index(use), ()))
    longest = plan.budget(watch.model).panes(plan.detection.pane_ms)
    panes_before = HOUR_MS / plan.detection.pane_ms
    threshold = _log_threshold(item, use, n)
    shifts: list[ShiftOutlook] = []
    for sigma, size, unit, after in _changes(item, n):
        path = _path(item, use, after, size=size, events=n, panes_before=panes_before)
        if path is None:
            break
        typical, within = (delay_panes(path, threshold, longest=longest, z=z) for z in (0.0, NINE_IN_TEN))
        window = _window(watch, item, np.rint(after * _MANY).astype(np.int64))
        reaches = any(measure(r.effect.measure).value(window) >= r.effect.floor * (1.0 - 1e-6) for r in rules)
        shifts.append(ShiftOutlook(sigma, size, unit, typical, within, others or reaches))
    return SeriesOutlook(
        item.name,
        item.kind,
        use.detector,
        use.weight,
        threshold / math.log(10.0),
        series_guarantee(item, group.guarantee),
        n,
        tuple(shifts),
        watch.segment,
    )


def _log_threshold(item: WatchedSeries, use: DetectorUse, events: float) -> float:
    """Return what log M is held against once the sizes of panes are known."""
    if not isinstance(use.spec, RankShiryaevRoberts):
        return use.log_threshold
    return use.log_threshold - use.spec.offset(events / series_references(item)[0].design_effect)


def _share(watch: Watch, baseline: Baseline | None) -> float:
    """Return which part of a version's rows a watch sees."""
    if baseline is None or not watch.segment:
        return 1.0
    return baseline.segments[watch.segment].rows / max(1, baseline.origin.rows)


def _thinnest(item: WatchedSeries) -> WatchedSeries:
    """Return the series in the stratum of fewest reference rows: what is seen there is seen at any hour."""
    return min(item.by_stratum, key=lambda own: own.observed)


def _pane_events(item: WatchedSeries, watch: Watch, events: float) -> float:
    """Return the events of the series in a pane: rows without a value do not count for values."""
    if watch.baseline is None or not watch.baseline.origin.rows:
        return events
    return events * min(1.0, item.observed / watch.baseline.origin.rows) if item.counted is Counted.VALUES else events


def _changes(item: WatchedSeries, events: float) -> Iterator[tuple[float, float, Unit, Float64]]:
    """Yield the changes: in standard deviations, in a unit, and the bin shares after them (demand: the factor)."""
    if item.reference is None:
        for factor in FACTORS:
            yield (factor - 1.0) * math.sqrt(events), factor, Unit.FACTOR, np.array([factor])
        return
    shares = item.reference.shares
    if isinstance(item.baseline, NumericBaseline) and item.counted is Counted.VALUES:
        for sigma in SIGMAS:
            yield sigma, sigma * item.baseline.std, Unit.VALUE, shifted(shares, sigma)
        return
    at = 1 if item.kind is SeriesKind.BINARY else int(shares.argmax())
    share = float(shares[at])
    smooth = (share * item.reference.total + 0.5) / (item.reference.total + 1.0)
    for sigma in SIGMAS:
        size = sigma * math.sqrt(smooth * (1.0 - smooth))
        moved = share + size if share + size < 1.0 else share - size
        after = shares * ((1.0 - moved) / (1.0 - share)) if share < 1.0 else np.full(shares.size, 0.0)
        if share >= 1.0:
            after[at - 1] = 1.0 - moved
        after[at] = moved
        yield sigma, moved - share, Unit.SHARE, after


def _path(
    item: WatchedSeries, use: DetectorUse, after: Float64, *, size: float, events: float, panes_before: float
) -> Path | None:
    """Return how the evidence of a detector grows after a change; None for one that has no evidence."""
    if isinstance(use.spec, NegativeBinomial):
        return demand_path(use.spec, events=events, factor=size)
    (reference,) = series_references(item)
    d = reference.design_effect
    if isinstance(use.spec, RankShiryaevRoberts):
        return rank_path(
            spacings(use.layout),
            reference.counts,
            after,
            events=events,
            mixture=use.spec.mixture,
            design_effect=d,
            panes_before=panes_before,
        )
    if isinstance(use.spec, PaneRank):
        return pane_rank_path(reference.counts, after, events=events, design_effect=d, panes_before=panes_before)
    group = use.spec.build(use.layout)
    if not isinstance(group, IntervalGroup):
        return None
    row = group.add(*[reference] * use.spec.strata)
    return interval_path(group.parts(row), after, events=events, design_effect=d)


def _effect_rules(rulebook: Rulebook, watch: Watch, use: int) -> Sequence[RulePlan]:
    """Return the rules with a floor that an alarm of a use opens."""
    plans = (rulebook.plans[name] for name in watch.rules.get(use, ()))
    return [plan for plan in plans if plan.target is None]


def _window(watch: Watch, item: WatchedSeries, counts: Int64) -> EffectWindow:
    return EffectWindow(
        model=watch.model,
        version=watch.version,
        segment=watch.segment,
        series=item.name,
        kind=item.kind,
        baseline=item.baseline,
        reference=item.reference,
        counts=counts,
        panes=1,
        from_ms=0,
        to_ms=0,
        reference_mean=float(_MANY) if item.reference is None else None,
    )
