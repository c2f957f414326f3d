"""Detectors: evidence, pane by pane, that a series no longer follows its baseline.

To add one: a file with a frozen spec (`fingerprint`, `build`) and its group (`group.DetectorGroup`), and a line in
`DETECTORS`; the laws in `tests/laws/test_detectors.py` then hold it to the contract.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from stream_monitor.core.detectors.beta_bernoulli import BetaBernoulli, Direction
from stream_monitor.core.detectors.beta_categories import BetaCategories
from stream_monitor.core.detectors.group import (
    ChangeRange,
    DetectorGroup,
    DetectorSpec,
    SeriesReference,
    UnusableStateError,
)
from stream_monitor.core.detectors.interval_bernoulli import IntervalBernoulli
from stream_monitor.core.detectors.interval_categories import IntervalCategories
from stream_monitor.core.detectors.mixtures import Mixture
from stream_monitor.core.detectors.negative_binomial import NegativeBinomial
from stream_monitor.core.detectors.own_detector import DetectorClass, OwnDetector
from stream_monitor.core.detectors.pane_rank import PaneRank
from stream_monitor.core.detectors.rank_shiryaev_roberts import RankShiryaevRoberts
from stream_monitor.core.detectors.river_by_name import RiverDetector, RiverKind
from stream_monitor.core.detectors.tolerance_shiryaev_roberts import ToleranceShiryaevRoberts

__all__ = [
    "DETECTORS",
    "BetaBernoulli",
    "BetaCategories",
    "ChangeRange",
    "DetectorClass",
    "DetectorEntry",
    "DetectorGroup",
    "DetectorSpec",
    "Direction",
    "IntervalBernoulli",
    "IntervalCategories",
    "Layout",
    "Mixture",
    "NegativeBinomial",
    "OwnDetector",
    "PaneRank",
    "RankShiryaevRoberts",
    "RiverDetector",
    "RiverKind",
    "SeriesReference",
    "ToleranceShiryaevRoberts",
    "UnusableStateError",
]


class Layout(StrEnum):
    """What the bins of a detector's series are."""

    NUMERIC = "numeric"
    CATEGORICAL = "categorical"
    BINARY = "binary"
    COUNT = "count"


@dataclass(frozen=True, slots=True)
class DetectorEntry:
    """A detector by its name in plans, alerts and metrics.

    Attributes:
        name: as in `DetectorPlan.kind` and `RulePlan.evidence`.
        layout: the kind of series it takes.
        evidence: its numbers are log M, so that budgets add up over series; without it the detector only alarms.
        spec: class of its parameters.
    """

    name: str
    layout: Layout
    evidence: bool
    spec: type[DetectorSpec]


DETECTORS = (
    DetectorEntry("rank_shiryaev_roberts", Layout.NUMERIC, evidence=True, spec=RankShiryaevRoberts),
    DetectorEntry("pane_rank", Layout.NUMERIC, evidence=True, spec=PaneRank),
    DetectorEntry("tolerance_shiryaev_roberts", Layout.NUMERIC, evidence=True, spec=ToleranceShiryaevRoberts),
    DetectorEntry("interval_bernoulli", Layout.BINARY, evidence=True, spec=IntervalBernoulli),
    DetectorEntry("interval_categories", Layout.CATEGORICAL, evidence=True, spec=IntervalCategories),
    DetectorEntry("beta_bernoulli", Layout.BINARY, evidence=True, spec=BetaBernoulli),
    DetectorEntry("beta_categories", Layout.CATEGORICAL, evidence=True, spec=BetaCategories),
    DetectorEntry("negative_binomial", Layout.COUNT, evidence=True, spec=NegativeBinomial),
    DetectorEntry("adwin", Layout.NUMERIC, evidence=False, spec=RiverDetector),
    DetectorEntry("page_hinkley", Layout.NUMERIC, evidence=False, spec=RiverDetector),
    DetectorEntry("kswin", Layout.NUMERIC, evidence=False, spec=RiverDetector),
    DetectorEntry("ddm", Layout.BINARY, evidence=False, spec=RiverDetector),
    DetectorEntry("eddm", Layout.BINARY, evidence=False, spec=RiverDetector),
    DetectorEntry("hddm_a", Layout.BINARY, evidence=False, spec=RiverDetector),
    DetectorEntry("hddm_w", Layout.BINARY, evidence=False, spec=RiverDetector),
    DetectorEntry("fhddm", Layout.BINARY, evidence=False, spec=RiverDetector),
)
"""Every detector by name."""
