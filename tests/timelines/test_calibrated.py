"""Stories of a plan whose thresholds are simulated instead of bounded."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from stream_monitor.core.detectors.lowered_threshold import OFFSETS
from stream_monitor.core.plan import Plan, Threshold
from tests.timelines.story import Timeline, minutes, shifted

BOUND = Plan()
CALIBRATED = replace(BOUND, detection=replace(BOUND.detection, threshold=Threshold.CALIBRATED))


def story(plan: Plan) -> Timeline:
    told = Timeline(plan, features=1, rate=12.0)
    told.push(minutes(0, 8))
    told.push(minutes(8, 10), shifted("x0", 1.0))
    return told


def test_alert_and_view_show_the_lowered_threshold_and_its_status() -> None:
    """Panes of 120 events lower the threshold, of ranks only, and the status says what that is worth."""
    bound, calibrated = story(BOUND), story(CALIBRATED)
    fired, same = (told.alerts()[0].data.evidence for told in (calibrated, bound))
    views = {view.series: view for view in calibrated.judge.view().series}
    assert fired.log10_threshold is not None
    assert same.log10_threshold is not None

    assert (fired.guarantee, same.guarantee) == ("calibrated", "bound")
    assert same.log10_threshold - fired.log10_threshold == pytest.approx(OFFSETS[2] / math.log(10), abs=1e-4)
    assert views["feature:x0"].guarantee == "calibrated"
    assert views["feature:x0"].log10_threshold == pytest.approx(fired.log10_threshold, abs=1e-4)
    assert views["missing:x0"].guarantee == "bound"


def test_the_threshold_is_part_of_the_plan_and_of_the_snapshot() -> None:
    """Another setting is another plan; a judge made of a snapshot holds its series against the same thresholds."""
    told = story(CALIBRATED)
    again = told.monitor.judge(0, told.judge.dump())

    assert BOUND.hash != CALIBRATED.hash
    assert again.dump() == told.judge.dump()
    assert [view.log10_threshold for view in again.view().series] == [
        view.log10_threshold for view in told.judge.view().series
    ]
