"""The series of a baseline: which there are, where their counts stand in a profile, and what they are compared with.

A feature gives its values and three yes/no series: is it missing, is it invalid, is its category unseen. A series of
the model (prediction, confidence, latency ...) gives its values and whether they are invalid. `demand` has no baseline:
it is the model's own and learns its reference from its first panes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from stream_monitor.core.arrays import Int64
from stream_monitor.core.baseline import (
    Baseline,
    CategoricalBaseline,
    DesignEffect,
    NumericBaseline,
    Quality,
    SeriesBaseline,
    by_stratum,
)
from stream_monitor.core.calendar import Calendar
from stream_monitor.core.comparisons import Reference, mixed
from stream_monitor.core.names import (
    DEMAND,
    SeriesKind,
    feature_of,
    invalid_series,
    missing_series,
    segment_name,
    unseen_series,
)
from stream_monitor.core.plan import ModelPlan, Plan
from stream_monitor.core.profile import Profile, SeriesCounts

_OTHER_AND_UNSEEN = 2
"""The last two bins of a categorical series."""


class Counted(StrEnum):
    """Which counts of a profile a series is made of."""

    VALUES = "values"
    MISSING = "missing"
    INVALID = "invalid"
    UNSEEN = "unseen"
    DEMAND = "demand"


@dataclass(frozen=True, slots=True, eq=False)
class WatchedSeries:
    """One series of a watch.

    Attributes:
        counted: which counts it is made of.
        of: the series of the profile that holds them; empty for demand.
        bins: number of bins.
        layout: what its detectors are grouped by: m for numeric series, else the number of bins.
        reference: what its counts are compared with, None for demand.
        baseline: reference of the values behind it, None for demand.
        calendar: strata of its panes.
        strata: the series in each of them, with its reference; empty without strata, and for demand.
    """

    name: str
    kind: SeriesKind
    counted: Counted
    of: str
    bins: int
    layout: int
    reference: Reference | None
    baseline: SeriesBaseline | None
    calendar: Calendar = Calendar.NONE
    strata: tuple[WatchedSeries, ...] = ()

    @property
    def by_stratum(self) -> tuple[WatchedSeries, ...]:
        """The series in each stratum: itself where there is one."""
        return self.strata or (self,)

    @property
    def feature(self) -> str | None:
        """The feature it speaks about, None for a series of the model."""
        return feature_of(self.of)

    @property
    def subject(self) -> str:
        """What it speaks about: a feature, else the series of the model itself."""
        return self.feature or self.of or self.name

    @property
    def exact(self) -> bool:
        """Say whether its bins are what the guarantees assume; edges of a histogram or sketch are not."""
        counted = self.counted is not Counted.VALUES
        return counted or self.baseline is None or self.baseline.quality is Quality.EXACT

    @property
    def design_effect(self) -> DesignEffect | None:
        """How much less its events say than independent ones; None when that was not measured."""
        if self.baseline is None or self.baseline.dependence is None:
            return None
        absent = self.counted in (Counted.MISSING, Counted.INVALID)
        return self.baseline.dependence.absent if absent else self.baseline.dependence.values

    @property
    def observed(self) -> int:
        """Reference rows behind it; 0 for demand."""
        if self.counted is Counted.VALUES and self.baseline is not None:
            return self.baseline.observed
        return 0 if self.reference is None else self.reference.total

    def reference_of(self, events: Int64) -> Reference | None:
        """Return what panes of some strata are compared with.

        Args:
            events: of each stratum in the panes, shape (strata,); where there are none, all strata count alike.
        """
        if not self.strata:
            return self.reference
        pairs = zip(self.strata, events.tolist(), strict=True)
        held = [(own.reference, float(count)) for own, count in pairs if count and own.reference is not None]
        return mixed(held) if held else self.reference

    def counts(self, profile: Profile) -> Int64 | None:
        """Return the counts of a pane, shape (bins,); None if the profile says nothing about the series."""
        if self.counted is Counted.DEMAND:
            return np.array([profile.demand], dtype=np.int64)
        found = profile.series.get(self.of)
        if found is None or found.bins is None:
            return None
        if self.counted is Counted.VALUES:
            return found.dense(self.bins)
        return self._yes_no(found)

    def _yes_no(self, found: SeriesCounts) -> Int64:
        values = found.bins
        assert values is not None
        present = int(values.sum())
        rows = present + found.missing + found.invalid
        match self.counted:
            case Counted.MISSING:
                return np.array([rows - found.missing, found.missing], dtype=np.int64)
            case Counted.INVALID:
                return np.array([rows - found.invalid, found.invalid], dtype=np.int64)
            case _:
                assert isinstance(self.baseline, CategoricalBaseline)
                unseen = int(found.dense(self.baseline.bins)[self.baseline.unseen_bin])
                return np.array([present - unseen, unseen], dtype=np.int64)


def demand_series(calendar: Calendar = Calendar.NONE) -> WatchedSeries:
    """Return the demand of a model."""
    return WatchedSeries(DEMAND, SeriesKind.COUNT, Counted.DEMAND, "", 1, 1, None, None, calendar)


def baseline_series(baseline: Baseline, plan: ModelPlan) -> list[WatchedSeries]:
    """Return every series that a baseline gives under a plan, sorted by name.

    A feature that is called like a series of the model keeps the name `invalid:prediction` for itself.
    """
    watched: list[WatchedSeries] = []
    for name, reference in baseline.series.items():
        feature = feature_of(name)
        if feature is None or plan.watches(feature):
            watched += _stratified(reference, baseline)
    taken = {series.name for series in watched if series.feature is not None}
    kept = [series for series in watched if series.feature is not None or series.name not in taken]
    return sorted(kept, key=lambda series: series.name)


def segment_series(baseline: Baseline, plan: ModelPlan) -> dict[str, list[WatchedSeries]]:
    """Return the series of all rows ("") and of each segment that a plan watches, segments sorted by label."""
    labels = [label for label in sorted(baseline.segments) if segment_name(label) in plan.segments]
    own = {label: baseline_series(baseline.of_segment(label), plan) for label in labels}
    return {"": baseline_series(baseline, plan), **own}


def _stratified(values: SeriesBaseline, baseline: Baseline) -> list[WatchedSeries]:
    """Return what a reference gives: the values, and of a feature the yes/no series; each with its strata."""
    rows = baseline.rows(values.series)
    parts = (replace(own, dependence=values.dependence) for own in by_stratum(values))
    each = [_given(own, baseline.id, count) for own, count in zip(parts, rows, strict=True)]
    if values.strata is None:
        return each[0]
    return [
        replace(whole, calendar=values.strata.calendar, strata=tuple(strata))
        for whole, *strata in zip(_given(values, baseline.id, sum(rows)), *each, strict=True)
    ]


def _given(values: SeriesBaseline, seed: str, rows: int) -> list[WatchedSeries]:
    return [_values(values, seed), *_yes_no_series(values, seed, rows)]


def subjects(watched: Sequence[WatchedSeries]) -> list[str]:
    """Return what the series speak about: a feature with its missing, invalid and unseen series counts once."""
    return sorted({series.subject for series in watched})


def within_limit(watched: list[WatchedSeries], most: int) -> tuple[list[WatchedSeries], list[WatchedSeries]]:
    """Return the series within a limit of subjects, and those that it leaves out.

    What is kept is decided by name, never by who came first.
    """
    kept = set(subjects(watched)[:most])
    inside = [series for series in watched if series.subject in kept]
    return inside, [series for series in watched if series not in inside]


def _values(values: SeriesBaseline, seed: str) -> WatchedSeries:
    name, counts = values.series, values.reference
    seed = f"{seed}/{name}"
    d = 1.0 if values.dependence is None else values.dependence.values.value
    if isinstance(values, NumericBaseline):
        reference = Reference(
            counts,
            edges=values.edges,
            minimum=values.minimum,
            maximum=values.maximum,
            std=values.std,
            seed=seed,
            design_effect=d,
        )
        return WatchedSeries(name, values.kind, Counted.VALUES, name, values.bins, values.m, reference, values)
    reference = Reference(counts, ordered=False, seed=seed, design_effect=d)
    if isinstance(values, CategoricalBaseline):
        reference = replace(reference, expected=values.expected, apart=_OTHER_AND_UNSEEN)
    return WatchedSeries(name, values.kind, Counted.VALUES, name, values.bins, values.bins, reference, values)


def _yes_no_series(values: SeriesBaseline, seed: str, rows: int) -> list[WatchedSeries]:
    feature = feature_of(values.series)
    subject = values.series if feature is None else feature
    rows = max(rows, values.observed + values.missing)
    invalid = rows - values.observed - values.missing
    pairs = [(invalid_series(subject), Counted.INVALID, invalid, rows)]
    if feature is not None:
        pairs.insert(0, (missing_series(feature), Counted.MISSING, values.missing, rows))
        if isinstance(values, CategoricalBaseline) and values.other_categories is not None and values.unseen_m:
            pairs.append((unseen_series(feature), Counted.UNSEEN, values.unseen_k, values.unseen_m))
    watched: list[WatchedSeries] = []
    for name, counted, k, m in pairs:
        reference = Reference(np.array([m - k, k], dtype=np.int64), ordered=False, seed=f"{seed}/{name}")
        watched.append(WatchedSeries(name, SeriesKind.BINARY, counted, values.series, 2, 2, reference, values))
    return watched


def within_limits(
    found: dict[str, list[WatchedSeries]], plan: Plan, taken: int
) -> tuple[dict[str, list[WatchedSeries]], list[tuple[str, WatchedSeries]]]:
    """Return the series by segment that the limits leave, all rows first, and those that they leave out.

    Args:
        found: series by segment.
        plan: its limits.
        taken: how much of the limit of series is used already.
    """
    kept: dict[str, list[WatchedSeries]] = {}
    suppressed: list[tuple[str, WatchedSeries]] = []
    room = max(0, plan.limits.series_per_model - taken)
    for place, (label, series) in enumerate(found.items()):
        inside, outside = within_limit(series, room if place <= plan.limits.segments else 0)
        room -= len(subjects(inside))
        suppressed += [(label, item) for item in outside]
        if inside or not label:
            kept[label] = inside
    return kept, suppressed
