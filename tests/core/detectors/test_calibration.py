"""Run lengths by simulation: what is measured, what is found, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from stream_monitor.core.detectors import RiverDetector, RiverKind
from stream_monitor.core.detectors.calibration import (
    STEPS,
    NotCalibrated,
    Search,
    calibrate,
    errors_at,
    run_length,
    standard_normal,
)
from stream_monitor.core.detectors.river_detectors import AdwinCell


class Beyond:
    """Alarms at a number beyond q: its run length is 1 / P(|z| > q)."""

    def __init__(self, q: float) -> None:
        self._q = q

    def update(self, z: float) -> bool:
        return abs(z) > self._q


class Errors:
    """Alarms at so many errors."""

    def __init__(self, most: float) -> None:
        self._left = most

    def update(self, z: float) -> bool:
        self._left -= z
        return self._left <= 0


def true_run_length(q: float) -> float:
    return 0.5 / float(norm.sf(q))


def test_the_limits_hold_the_truth() -> None:
    """A run length that is known, from runs that are cut at three times as many numbers."""
    seen = run_length(lambda: Beyond(2.5), standard_normal, longest=240, alarms=500, streams=10_000)

    assert seen.alarms == 500
    assert seen.lower < true_run_length(2.5) < seen.upper
    assert seen.average == pytest.approx(true_run_length(2.5), rel=0.1)
    assert seen.early / seen.alarms == pytest.approx(1.0 - (1.0 - 1.0 / true_run_length(2.5)) ** 8, abs=0.04)


@pytest.mark.parametrize("target", [200.0, 1_000.0])
def test_the_parameter_has_the_run_length_asked_for(target: float) -> None:
    """At least, by the lower limit, and not much more."""
    done: list[int] = []
    value, seen = calibrate(Beyond, standard_normal, Search(target, 1.0, 6.0, alarms=800, streams=2_000), done.append)

    assert target <= seen.lower < 1.2 * target
    assert target < true_run_length(value) < 1.25 * target
    assert done == sorted(done)
    assert done[-1] == STEPS


def test_a_falling_parameter_is_as_good() -> None:
    """Short and long say in which direction it goes."""
    value, _ = calibrate(lambda p: Beyond(1.0 / p), standard_normal, Search(200.0, 1.0, 0.2))

    assert true_run_length(1.0 / value) == pytest.approx(230.0, rel=0.25)


def test_the_answer_is_the_same_whenever_it_is_asked() -> None:
    """Its streams are fixed."""
    answers = {calibrate(Beyond, standard_normal, Search(300.0, 1.0, 6.0)) for _ in range(2)}

    assert len(answers) == 1


def test_errors_come_at_their_rate() -> None:
    """Four errors at a rate of .05: eighty events on average."""
    seen = run_length(lambda: Errors(4.0), errors_at(0.05), longest=10_000, alarms=400, streams=400)

    assert seen.average == pytest.approx(80.0, rel=0.08)


@pytest.mark.parametrize(
    ("search", "message"),
    [
        (Search(1_000.0, 1.0, 2.0), "2 alarms more often than once in 1000"),
        (Search(1_000.0, 3.9, 6.0), "3.9 already runs for 1000 and more"),
    ],
)
def test_ends_that_do_not_enclose_the_answer_are_refused(search: Search, message: str) -> None:
    """What is wrong with them is said."""
    with pytest.raises(NotCalibrated, match=message):
        calibrate(Beyond, standard_normal, search)


def test_a_run_length_that_rests_on_a_few_alarms_is_refused() -> None:
    """A detector that alarms all the time or never has no parameter for a budget."""
    with pytest.raises(NotCalibrated, match="jumps: 0 alarms"):
        calibrate(lambda p: Beyond(1.0 if p < 2.0 else 99.0), standard_normal, Search(500.0, 1.0, 6.0, streams=40))


@pytest.mark.parametrize("kind", [RiverKind.ADWIN, RiverKind.PAGE_HINKLEY])
def test_rivers_detectors_keep_the_run_length_asked_for(kind: RiverKind) -> None:
    """ADWIN and PageHinkley at 1,000 panes, on other streams than those of their tables: within 15 %."""
    generator = np.random.default_rng(99)
    detector, alarms = RiverDetector(kind, 1e3).cell(), 0
    for z in generator.standard_normal(1_200_000).tolist():
        if detector.update(z):
            alarms += 1
            detector = RiverDetector(kind, 1e3).cell()

    assert 1_200_000 / alarms == pytest.approx(1e3, rel=0.15)


def test_the_search_ends_near_the_run_length() -> None:
    """River's ADWIN at 600 panes: a delta whose lower limit is at the target, not far above."""
    value, seen = calibrate(AdwinCell, standard_normal, Search(600.0, 0.95, 0.01))

    assert 600.0 <= seen.lower < 680.0
    assert 0.4 < value < 0.95
