"""Which detectors watch a series, with what weight, and which of them may open an episode.

A detector that a rule names as evidence takes weight and splits that of the series with the others so named; one that
only the plan lists is calibrated to the same budget and shown: its alarms are counted and raise nothing.
`rank_shiryaev_roberts` on a categorical or binary series means the exact detector of that kind, `beta_bernoulli` on a
series of another kind the one that learns there. So does `pane_rank`, which takes numbers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from stream_monitor.core.baseline import CategoricalBaseline
from stream_monitor.core.detectors import (
    BetaBernoulli,
    BetaCategories,
    DetectorSpec,
    Direction,
    IntervalBernoulli,
    IntervalCategories,
    NegativeBinomial,
    PaneRank,
    RankShiryaevRoberts,
    RiverKind,
    SeriesReference,
    ToleranceShiryaevRoberts,
)
from stream_monitor.core.judge.watch.configured import Configured
from stream_monitor.core.judge.watch.watched_series import Counted, WatchedSeries
from stream_monitor.core.names import SERVING_ERROR, SeriesKind
from stream_monitor.core.plan import RulePlan

RANK = "rank_shiryaev_roberts"
PANE_RANK = "pane_rank"
TOLERANCE = "tolerance_shiryaev_roberts"
BERNOULLI = "interval_bernoulli"
CATEGORIES = "interval_categories"
BETA_BERNOULLI = "beta_bernoulli"
BETA_CATEGORIES = "beta_categories"
DEMAND_TEST = "negative_binomial"

NOTHING = Configured()
"""Detectors as they are by name alone."""

REFERENCE_PANES = 200
"""Fewest panes from which demand learns what it is."""

MISS = 1e-3
"""Probability, for the deployment, that some interval null does not hold the truth; a series gets its weight of it."""

_OWN: Mapping[tuple[str, SeriesKind], str] = {
    (RANK, SeriesKind.NUMERIC): RANK,
    (RANK, SeriesKind.CATEGORICAL): CATEGORIES,
    (RANK, SeriesKind.BINARY): BERNOULLI,
    (PANE_RANK, SeriesKind.NUMERIC): PANE_RANK,
    (PANE_RANK, SeriesKind.CATEGORICAL): CATEGORIES,
    (PANE_RANK, SeriesKind.BINARY): BERNOULLI,
    (CATEGORIES, SeriesKind.CATEGORICAL): CATEGORIES,
    (BERNOULLI, SeriesKind.BINARY): BERNOULLI,
    (BETA_BERNOULLI, SeriesKind.NUMERIC): RANK,
    (BETA_BERNOULLI, SeriesKind.CATEGORICAL): BETA_CATEGORIES,
    (BETA_BERNOULLI, SeriesKind.BINARY): BETA_BERNOULLI,
    (BETA_CATEGORIES, SeriesKind.CATEGORICAL): BETA_CATEGORIES,
    (DEMAND_TEST, SeriesKind.COUNT): DEMAND_TEST,
    **{(kind.value, SeriesKind.BINARY if kind.of_errors else SeriesKind.NUMERIC): kind.value for kind in RiverKind},
}
"""Detector that a name means on a kind of series; a pair that is not here means none."""

_RISES_FIRST = 0.95
"""A rise is found a tenth sooner than with a half; a fall of a share of .02 to nothing takes 24 panes of 50, not 18."""

_TOLERANT = (TOLERANCE, BERNOULLI, CATEGORIES)
"""Detectors whose intervals a tolerance widens."""


class Evidence(NamedTuple):
    """What a rule asks of a series: a detector, and the change of a share that it tolerates.

    Two rules that tolerate different changes have two detectors; they split the weight of the series.
    """

    detector: str
    tolerance: float | None = None


@dataclass(frozen=True, slots=True)
class DetectorUse:
    """A detector on a series of a watch.

    Attributes:
        series: position of the series in the watch.
        detector: name of the detector.
        weight: share of the budget.
        log_threshold: ln(A / weight); an alarm is log M at or above it, or above what the detector lowers it to.
        evidence: whether a rule names it, so that its alarms open episodes.
        tolerance: change of a share that it tolerates.
    """

    series: int
    detector: str
    spec: DetectorSpec
    layout: int
    weight: float
    log_threshold: float
    evidence: bool
    tolerance: float | None = None

    @property
    def asked(self) -> Evidence:
        """What rules call it."""
        return Evidence(self.detector, self.tolerance)


def evidence_for(
    name: str, kind: SeriesKind, *, tolerance: float | None = None, configured: Configured = NOTHING
) -> Evidence | None:
    """Return the detector that a name means on a kind of series, None if it means none.

    Where a change is tolerated, numeric values have the detector that knows tolerance.

    >>> evidence_for("rank_shiryaev_roberts", SeriesKind.CATEGORICAL)
    Evidence(detector='interval_categories', tolerance=None)
    >>> evidence_for("rank_shiryaev_roberts", SeriesKind.NUMERIC, tolerance=0.02)
    Evidence(detector='tolerance_shiryaev_roberts', tolerance=0.02)
    """
    own = name if configured.kind(name) is kind else _OWN.get((name, kind))
    if own is None:
        return None
    detector = TOLERANCE if own == RANK and tolerance is not None else own
    return Evidence(detector, tolerance if detector in _TOLERANT else None)


def evidence_of(
    rule: RulePlan, series: WatchedSeries, tolerance: float | None, configured: Configured = NOTHING
) -> Evidence | None:
    """Return what a rule asks of a series; its own tolerance goes before that of the model, which is for values."""
    of_model = tolerance if series.counted is Counted.VALUES else None
    tolerated = of_model if rule.tolerance is None else rule.tolerance
    return evidence_for(rule.evidence, series.kind, tolerance=tolerated, configured=configured)


def detector_uses(
    series: Sequence[WatchedSeries],
    *,
    named: Mapping[str, Sequence[Evidence]],
    shown: Sequence[str],
    weights: Mapping[str, float],
    budget_panes: float,
    rank: RankShiryaevRoberts,
    tolerance: float | None = None,
    visit_panes: int = 0,
    configured: Configured = NOTHING,
) -> list[DetectorUse]:
    """Return every detector of a watch, in the order of its series.

    Args:
        series: the series of the watch.
        named: what rules ask for, by series.
        shown: detectors that the plan lists.
        weights: share of the budget by series that a rule judges.
        budget_panes: A.
        rank: the rank detector.
        tolerance: change of a share of values that the model tolerates, for detectors that no rule asks for.
        visit_panes: panes of one stratum that follow each other; demand learns from that many at least.
        configured: what the plan says of its detectors.
    """
    spare = min(weights.values(), default=1.0 / max(1, len(series)))
    uses: list[DetectorUse] = []
    for position, item in enumerate(series):
        evidence = list(dict.fromkeys(named.get(item.name, ())))
        of_model = tolerance if item.counted is Counted.VALUES else None
        meant = (evidence_for(name, item.kind, tolerance=of_model, configured=configured) for name in shown)
        listed = [own for own in meant if own is not None]
        judged = {own.detector for own in evidence}
        beside = [own for own in dict.fromkeys(listed) if own.detector not in judged]
        weight = weights.get(item.name, spare)
        for asked in (*evidence, *beside):
            share = weight / max(1, len(evidence))
            spec = _spec(asked, item, share, budget_panes, rank, visit_panes, configured)
            threshold = math.log(budget_panes / share)
            uses.append(
                DetectorUse(
                    position, asked.detector, spec, item.layout, share, threshold, asked in evidence, asked.tolerance
                )
            )
    return uses


def series_references(series: WatchedSeries) -> list[SeriesReference]:
    """Return what a detector knows of each stratum of a series before its first pane."""
    return [_reference(own) for own in series.by_stratum]


def _reference(series: WatchedSeries) -> SeriesReference:
    values = series.baseline
    d = 1.0 if series.design_effect is None else series.design_effect.value
    if series.counted is Counted.VALUES and isinstance(values, CategoricalBaseline):
        return SeriesReference(
            values.reference,
            unseen=(values.unseen_k, values.unseen_m),
            unlisted=values.unlisted,
            unseen_in_other=values.other_categories is None and values.unlisted is None,
            design_effect=d,
        )
    counts = np.empty(0, dtype=np.int64) if series.reference is None else series.reference.counts
    return SeriesReference(counts, design_effect=d)


def _spec(
    asked: Evidence,
    series: WatchedSeries,
    weight: float,
    budget_panes: float,
    rank: RankShiryaevRoberts,
    visit_panes: int,
    configured: Configured,
) -> DetectorSpec:
    miss, strata = MISS * weight, series.calendar.strata
    tolerated = 0.0 if asked.tolerance is None else asked.tolerance
    match asked.detector:
        case "rank_shiryaev_roberts":
            return replace(rank, strata=strata)
        case "pane_rank":
            return PaneRank(strata=strata)
        case "interval_categories":
            return IntervalCategories(tolerance=tolerated, miss=miss, strata=strata)
        case "interval_bernoulli":
            return IntervalBernoulli(_upward(series), tolerance=tolerated, miss=miss, strata=strata)
        case "beta_bernoulli":
            direction = Direction.UP if _upward(series) == 1.0 else Direction.BOTH
            return BetaBernoulli(direction, strata=strata)
        case "beta_categories":
            return BetaCategories(strata=strata)
        case "tolerance_shiryaev_roberts":
            return ToleranceShiryaevRoberts(tolerance=tolerated, miss=miss, strata=strata)
        case "negative_binomial":
            return NegativeBinomial(miss=miss, reference_panes=max(REFERENCE_PANES, visit_panes), strata=strata)
        case _:
            return configured.spec(asked.detector, series, budget_panes / weight)


def _upward(series: WatchedSeries) -> float:
    """Return how much of the evidence is for rises: all where fewer alarm nobody (invalid values, unseen categories,
    failures), most where more of them is what usually goes wrong (missing values).
    """
    if series.counted in (Counted.INVALID, Counted.UNSEEN) or series.name == SERVING_ERROR:
        return 1.0
    return _RISES_FIRST if series.counted is Counted.MISSING else 0.5
