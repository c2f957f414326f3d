"""Composite null: shifts nobody minds never alarm, others soon do, also when they come slowly."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta

from stream_monitor.core.arrays import Float64
from stream_monitor.core.detectors import SeriesReference, ToleranceShiryaevRoberts
from stream_monitor.core.detectors.interval_limits import order_statistic_limits
from stream_monitor.core.grid import spacings
from stream_monitor.lab.counts import draw_masses, drifted

M = 16_383


def panes_to_alarm(shifts: Float64, *, tolerance: float, streams: int = 25, budget: float = 1e4) -> Float64:
    """Panes of 1,000 events with these shifts in standard deviations, until the first alarm; infinite if none."""
    generator = np.random.default_rng(13)
    masses = draw_masses(spacings(M), generator, series=streams)
    group = ToleranceShiryaevRoberts(tolerance).build(M)
    rows = np.array([group.add(SeriesReference(spacings(M))) for _ in range(streams)])
    found = np.full(streams, np.inf)
    for pane, shift in enumerate(shifts.tolist()):
        evidence = group.step(rows, generator.multinomial(1000, drifted(masses, shift=shift)))
        found = np.where((evidence >= np.log(budget)) & np.isinf(found), pane + 1.0, found)
    return found


@pytest.mark.parametrize("shift", [0.0, 0.05])
def test_a_tolerated_shift_never_alarms(shift: float) -> None:
    """A change of at most .02 of every share, for 300 panes in 25 series."""
    assert np.isinf(panes_to_alarm(np.full(300, shift), tolerance=0.02)).all()


@pytest.mark.parametrize(
    ("tolerance", "shift", "panes"), [(0.02, 0.15, 15), (0.02, 0.25, 3), (0.05, 0.25, 8), (0.05, 0.5, 1)]
)
def test_a_larger_shift_is_found(tolerance: float, shift: float, panes: int) -> None:
    """Median panes of 1,000 events until the alarm."""
    assert np.median(panes_to_alarm(np.full(30, shift), tolerance=tolerance)) <= panes


def test_slow_drift_is_not_absorbed() -> None:
    """A ramp to half a standard deviation over 400 panes alarms before a third of the way."""
    assert np.median(panes_to_alarm(np.linspace(0.0, 0.5, 400), tolerance=0.02)) <= 133


def test_the_mass_below_an_order_statistic_is_beta() -> None:
    """Quantiles of Beta(D, m+1-D), rounded outwards."""
    found = order_statistic_limits(256, 1024, miss=0.01)

    lower, upper = float(beta.ppf(0.005, 256, 768)), float(beta.ppf(0.995, 256, 768))
    assert found[:2] == pytest.approx((lower, upper), rel=3e-8)
    assert found.lower < lower < upper < found.upper


def test_cuts_come_from_the_layout_alone() -> None:
    """Counts beyond the grid's own values move the limits, not the cuts."""
    spec = ToleranceShiryaevRoberts(0.0)
    more = spacings(63) + np.arange(34)
    group = spec.build(63)
    plain, seen = group.add(SeriesReference(spacings(63))), group.add(SeriesReference(more))

    assert [p.last for p in group.parts(plain)] == [p.last for p in group.parts(seen)]
    assert group.parts(plain) != group.parts(seen)
