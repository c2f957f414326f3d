"""Coverage: of every series, what watches it, or why nothing does.

It follows from the plan and the references of a version; of a live judge also from what its events held. Everything
that tells of coverage (`baseline build`, `check`, `/status`, the metric, the log) prints what stands here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from stream_monitor.core.baseline import Baseline
from stream_monitor.core.judge.watch.rulebook import Rulebook
from stream_monitor.core.judge.watch.watched_series import (
    WatchedSeries,
    demand_series,
    segment_series,
    subjects,
    within_limits,
)
from stream_monitor.core.names import CONFIDENCE, LATENCY, PREDICTION, SERVING_ERROR, feature_of, feature_series
from stream_monitor.core.plan import BaselineFrom, ModelPlan, Plan

EVERYTHING = "*"
"""Stands for all series of a version that has no reference at all."""

MODEL_SERIES = (PREDICTION, CONFIDENCE, LATENCY, SERVING_ERROR)
"""What events may say of a model beside its features."""


class Blind(StrEnum):
    """Why a series is not watched; the label `reason` of the metric `series_not_watched`."""

    NOT_IN_BASELINE = "not_in_baseline"
    NO_BASELINE = "no_baseline"
    """Its baseline is to be published, and none counts yet."""
    WARMING_UP = "warming_up"
    BASELINE_FAILED = "baseline_failed"
    """There were enough rows, and no reference could be made of them; it is tried again."""
    RARE = "rare"
    """Fewer than one event in a hundred names it."""
    EXCLUDED = "excluded"
    NO_RULE = "no_rule"
    LIMIT = "limit"
    NO_EVENTS = "no_events"
    KIND_DIFFERS = "kind_differs"
    """Most live values are of another kind than those of its reference."""

    @property
    def words(self) -> str:
        """The reason in words."""
        return _WORDS[self]


_WORDS = {
    Blind.NOT_IN_BASELINE: "not in the baseline",
    Blind.NO_BASELINE: "its baseline is to be published, and none counts yet",
    Blind.WARMING_UP: "warming up: its reference is made of live events",
    Blind.BASELINE_FAILED: "no reference could be made of its first events; it is tried again on fresh ones",
    Blind.RARE: "fewer than one event in a hundred has it",
    Blind.EXCLUDED: "left out by features.include or features.exclude",
    Blind.NO_RULE: "no rule speaks of it",
    Blind.LIMIT: "left out by limits.series_per_model or limits.segments",
    Blind.NO_EVENTS: "no event has it",
    Blind.KIND_DIFFERS: "most of its values are of another kind than in the baseline",
}


@dataclass(frozen=True, slots=True)
class Coverage:
    """What watches a series.

    Attributes:
        version: empty for the demand of a model.
        segment: "" is all rows, else `name=value`.
        detectors: whose evidence rules wait for, sorted.
        rules: that speak of it, sorted.
        reason: why nothing watches it; None if something does.
        detail: more about the reason, in words; may be empty.
    """

    model: str
    version: str
    segment: str
    series: str
    detectors: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    reason: Blind | None = None
    detail: str = ""

    @property
    def words(self) -> str:
        """By what the series is watched, or why by nothing."""
        if self.reason is None:
            return f"{', '.join(self.detectors)} ({', '.join(self.rules)})"
        return f"not watched: {self.reason.words}" + (f": {self.detail}" if self.detail else "")

    def but(self, reason: Blind, detail: str = "") -> Coverage:
        """Return the same series, not watched."""
        return replace(self, reason=reason, detail=detail)


def model_coverage(plan: Plan, rulebook: Rulebook, model: str, documents: Sequence[Baseline]) -> list[Coverage]:
    """Return what is known of a model before any event: its demand, and the series of its references or the lack of it.

    Args:
        plan: the plan.
        rulebook: its rules.
        model: name of the model.
        documents: baseline of a version of it, then its supplements; empty if there is none.
    """
    own = plan.model(model)
    if own is None:
        return []
    version = documents[0].version if documents else ""
    found = [demand_coverage(rulebook, model, own), *version_coverage(plan, rulebook, model, version, documents)]
    if own.baseline is BaselineFrom.PUBLISHED:
        return found
    waits = "its reference is made of live events"
    return [replace(item, detail=waits) if item.reason is Blind.NOT_IN_BASELINE else item for item in found]


def demand_coverage(rulebook: Rulebook, model: str, plan: ModelPlan) -> Coverage:
    """Return what watches the demand of a model."""
    return _of(model, "", "", demand_series(plan.strata), rulebook, None)


def version_coverage(
    plan: Plan, rulebook: Rulebook, model: str, version: str, documents: Sequence[Baseline]
) -> list[Coverage]:
    """Return the coverage that the references of a version give.

    Args:
        plan: the plan.
        rulebook: its rules.
        model: name of the model; it is in the plan.
        version: one of its versions.
        documents: its baseline, then its supplements; empty if it has none.
    """
    own = plan.model(model) or ModelPlan()
    if not documents:
        waits = own.baseline is BaselineFrom.FIRST_EVENTS
        return [Coverage(model, version, "", EVERYTHING, reason=Blind.WARMING_UP if waits else Blind.NO_BASELINE)]
    found: list[Coverage] = []
    taken = 0
    for document in documents:
        kept, suppressed = within_limits(segment_series(document, own), plan, taken)
        taken += sum(len(subjects(series)) for series in kept.values())
        for segment, series in kept.items():
            found += [_of(model, version, segment, item, rulebook, own.tolerance) for item in series]
        found += [Coverage(model, version, segment, item.name, reason=Blind.LIMIT) for segment, item in suppressed]
        found += [Coverage(model, version, "", name, reason=Blind.EXCLUDED) for name in _excluded(document, own)]
    known = {name for document in documents for name in document.series}
    return found + [
        Coverage(model, version, "", name, reason=Blind.NOT_IN_BASELINE) for name in MODEL_SERIES if name not in known
    ]


def seen_without_reference(
    model: str, version: str, plan: ModelPlan, blind: Sequence[str], left_out: Sequence[str], *, is_rare: bool
) -> dict[str, Coverage]:
    """Return the series that live events hold and no reference has, by name.

    Args:
        model: name of the model.
        version: the version.
        plan: of the model.
        blind: names of those series.
        left_out: features that were too rare for a reference.
        is_rare: so few rows of the last pane named any of those features that none of them can be frequent.
    """
    rare = {feature_series(name) for name in left_out}
    rare.update(name for name in blind if is_rare and feature_of(name) is not None)
    waits = Blind.WARMING_UP if plan.baseline is BaselineFrom.FIRST_EVENTS else Blind.NOT_IN_BASELINE
    return {
        name: Coverage(model, version, "", name, reason=Blind.RARE if name in rare else waits)
        for name in sorted({*blind, *rare})
    }


def _of(
    model: str, version: str, segment: str, item: WatchedSeries, rulebook: Rulebook, tolerance: float | None
) -> Coverage:
    judging = rulebook.judging(item, tolerance)
    return Coverage(
        model,
        version,
        segment,
        item.name,
        tuple(sorted({detector for _, detector in judging})),
        tuple(sorted(rule for rule, _ in judging)),
        None if judging else Blind.NO_RULE,
    )


def _excluded(document: Baseline, plan: ModelPlan) -> Iterator[str]:
    for name in sorted(document.series):
        feature = feature_of(name)
        if feature is not None and not plan.watches(feature):
            yield name
