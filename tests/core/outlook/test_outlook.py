"""What a plan promises for the series of a baseline, before any event."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from stream_monitor.core.baseline import (
    Baseline,
    BinaryBaseline,
    Dependence,
    DesignEffect,
    NumericBaseline,
    Origin,
    OriginType,
    SegmentReference,
)
from stream_monitor.core.detectors.lowered_threshold import OFFSETS
from stream_monitor.core.grid import NumericGrid, spacings
from stream_monitor.core.judge import Rulebook
from stream_monitor.core.judge.watch.weights import COLUMNS_SHARE, NEWCOMERS, VERSIONS_SHARE
from stream_monitor.core.outlook import SeriesOutlook, Unit, faint_floors, model_outlook
from stream_monitor.core.plan import ModelPlan, Plan, Threshold

PLAN = Plan()
RULEBOOK = Rulebook(PLAN.rules, {})


def baseline(dependence: Dependence | None = None, m: int = 4095) -> Baseline:
    bins = spacings(m).size
    grid = NumericGrid(m, np.linspace(-3, 3, bins - 1), np.zeros(bins - 1, np.int64))
    none = np.zeros(bins, np.int64)
    amount = NumericBaseline("feature:amount", grid, none, 0, -4.0, 4.0, 0.0, 20.0, dependence=dependence)
    errors = BinaryBaseline("serving_error", m, (m - m // 100, m // 100))
    return Baseline("fraud", "7", Origin(OriginType.DATASET, m), {amount.series: amount, errors.series: errors})


def outlook(events: float = 200.0, *, of: Baseline | None = None) -> dict[str, SeriesOutlook]:
    return {item.series: item for item in model_outlook(PLAN, RULEBOOK, "fraud", of or baseline(), events=events)}


def test_weights_and_thresholds_are_those_of_the_judge() -> None:
    """All series together weigh what the first version and demand have; the threshold is A / w."""
    found = outlook()

    of_feature = {"feature:amount", "missing:amount", "invalid:amount"}
    assert of_feature | {"demand", "serving_error", "invalid:serving_error"} == set(found)
    assert sum(item.weight for item in found.values()) == pytest.approx(
        1.0 - NEWCOMERS - COLUMNS_SHARE - VERSIONS_SHARE
    )
    assert found["demand"].log10_threshold == pytest.approx(math.log10(259_200 / found["demand"].weight))


def test_calibrated_thresholds_are_shown_as_they_will_be() -> None:
    """Panes of 200 events lower the threshold of ranks: shown, named, and seen sooner; others stay."""
    plan = replace(PLAN, detection=replace(PLAN.detection, threshold=Threshold.CALIBRATED))
    found = {item.series: item for item in model_outlook(plan, RULEBOOK, "fraud", baseline(), events=200.0)}
    ranks, same = found["feature:amount"], outlook()["feature:amount"]

    assert ranks.guarantee == "calibrated"
    assert same.log10_threshold - ranks.log10_threshold == pytest.approx(OFFSETS[2] / math.log(10))
    assert (ranks.shifts[0].typical or 0) < (same.shifts[0].typical or 0)
    assert found["missing:amount"] == outlook()["missing:amount"]


def test_a_segment_has_its_share_of_traffic_and_budget() -> None:
    """A quarter of the rows: a quarter of the events, half of the weight, and later than all rows together."""
    own = baseline()
    with_web = replace(own, segments={"channel=web": SegmentReference(1024, own.series)}, id="")
    plan = replace(PLAN, models=(ModelPlan(segments=("channel",)),))
    found = {
        (item.segment, item.series): item for item in model_outlook(plan, RULEBOOK, "fraud", with_web, events=200.0)
    }
    whole, web = found["", "feature:amount"], found["channel=web", "feature:amount"]

    assert sum(item.weight for item in found.values()) == pytest.approx(
        1.0 - NEWCOMERS - COLUMNS_SHARE - VERSIONS_SHARE
    )
    assert web.weight == whole.weight == pytest.approx(outlook()["feature:amount"].weight / 2)
    assert web.events == pytest.approx(whole.events * 1024 / 4095)
    assert [(web.shifts[i].typical or 0) > (whole.shifts[i].typical or 0) for i in (1, 2)] == [True, True]
    assert {floor.segment for floor in faint_floors(plan, RULEBOOK, "fraud", with_web, events=20.0)} >= {"channel=web"}


def test_sizes_are_in_the_units_of_the_series() -> None:
    """Standard deviations of numbers, points of a share, factors of demand."""
    found = outlook()

    assert [2.0, 5.0, 10.0, 20.0] == [shift.size for shift in found["feature:amount"].shifts]
    assert found["serving_error"].shifts[3].size == pytest.approx(0.0985, abs=0.001)
    assert {Unit.FACTOR} == {shift.unit for shift in found["demand"].shifts}


def test_larger_shifts_are_seen_sooner_and_more_traffic_sees_smaller_ones() -> None:
    """Nine in ten take longer than half of them."""
    delays = [shift.within or math.inf for shift in outlook()["feature:amount"].shifts]
    small = [outlook(events)["feature:amount"].shifts[0].within or math.inf for events in (20.0, 200.0, 2000.0)]

    assert sorted(delays, reverse=True) == delays
    assert small[0] > small[1] > small[2]
    assert all((s.typical or 0) <= (s.within or 0) for s in outlook()["feature:amount"].shifts)


def test_a_shift_below_the_floor_raises_no_alert() -> None:
    """PSI reaches .1 at about .31 standard deviations."""
    assert [False, False, True, True] == [shift.alerts for shift in outlook()["feature:amount"].shifts]


def test_a_series_without_guarantee_says_so() -> None:
    """Dependence whose end was not seen promises nothing, and its events say less."""
    found = outlook(of=baseline(Dependence(DesignEffect(4.0, settled=False))))["feature:amount"]

    assert found.guarantee == "none:dependence"
    assert (found.shifts[1].within or 0) > (outlook()["feature:amount"].shifts[1].within or 0)


def test_floors_that_chance_passes_are_named() -> None:
    """A floor of one percentage point is noise where a window holds three hundred events."""
    few = faint_floors(PLAN, RULEBOOK, "fraud", baseline(), events=10.0)

    assert ("serving_error", "serving_errors") in {(floor.series, floor.rule) for floor in few}
    assert all(floor.noise_95 > floor.floor for floor in few)
    assert faint_floors(PLAN, RULEBOOK, "fraud", baseline(m=65_535), events=1e5) == ()


def test_without_a_baseline_demand_alone_is_known() -> None:
    """It needs none; a model that the plan does not watch has nothing."""
    nobody = replace(PLAN, models=())

    assert ["demand"] == [item.series for item in model_outlook(PLAN, RULEBOOK, "fraud", None, events=100.0)]
    assert model_outlook(nobody, RULEBOOK, "fraud", None, events=100.0) == ()
