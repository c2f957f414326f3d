"""river's detectors on the rank innovation: calibration, standard input, state without pickle."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from stream_monitor.core.detectors import RiverDetector, RiverKind, SeriesReference, UnusableStateError
from stream_monitor.core.detectors.error_run_lengths import RUN_LENGTHS, error_parameter
from stream_monitor.core.detectors.rank_innovation import mid_ranks, rank_innovation
from stream_monitor.core.detectors.river_detectors import AdwinCell, PageHinkleyCell, RiverCell
from stream_monitor.core.detectors.run_length import (
    ADWIN_RUN_LENGTHS,
    adwin_delta,
    interpolated,
    page_hinkley_run_length,
    page_hinkley_threshold,
)
from stream_monitor.core.grid import spacings
from stream_monitor.lab.counts import draw_masses, drifted, pane_counts

PANES = (RiverKind.ADWIN, RiverKind.PAGE_HINKLEY)
"""Those that can be tried by the hundred thousand panes; KSWIN takes 300 us a pane."""

ERRORS = tuple(kind for kind in RiverKind if kind.of_errors)


def cell(kind: RiverKind, run_length: float, state: bytes | None = None) -> RiverCell:
    """One detector, calibrated."""
    return RiverDetector(kind, run_length).cell(7, state)


@pytest.mark.parametrize(
    ("drift", "run_length", "threshold"),
    [(0.25, 1e3, 9.93), (0.25, 1e6, 23.69), (0.5, 1e3, 5.75), (0.5, 1e4, 8.05), (0.5, 1e6, 12.65), (1.0, 1e5, 5.28)],
)
def test_the_threshold_is_siegmunds(drift: float, run_length: float, threshold: float) -> None:
    """A row of the published table, and its inverse."""
    found = page_hinkley_threshold(run_length, drift=drift).value

    assert found == pytest.approx(threshold, abs=0.006)
    assert page_hinkley_run_length(found, drift=drift) == pytest.approx(run_length, rel=1e-6)


def test_beyond_the_table_a_parameter_is_called_extrapolated() -> None:
    """Budgets of millions of panes cannot be simulated, and the status says so."""
    guarantees = {
        (kind.value, arl): RiverDetector(kind, arl).build(63).guarantee
        for kind in (*PANES, RiverKind.KSWIN)
        for arl in (1e4, 1e7)
    }
    errors = {
        kind.value: [
            RiverDetector(kind, arl, rate=rate).build(2).guarantee for arl, rate in ((50, 0.1), (50, 1e-3), (1e5, 0.1))
        ]
        for kind in ERRORS
    }

    assert guarantees == {
        ("adwin", 1e4): "calibrated",
        ("adwin", 1e7): "approximate:extrapolated",
        ("page_hinkley", 1e4): "calibrated",
        ("page_hinkley", 1e7): "approximate:extrapolated",
        ("kswin", 1e4): "calibrated",
        ("kswin", 1e7): "approximate:extrapolated",
    }
    beyond = ["approximate:extrapolated"] * 2
    assert errors == {
        "ddm": ["approximate:early", "none:early", "none:early"],
        "eddm": ["approximate:early", "none:early", "none:early"],
        "hddm_a": ["calibrated", *beyond],
        "hddm_w": ["calibrated", *beyond],
        "fhddm": ["calibrated", *beyond],
    }


def test_longer_run_lengths_ask_for_smaller_deltas() -> None:
    """The table and its prolongation fall without a jump."""
    deltas = [adwin_delta(10.0**e).value for e in np.arange(2.0, 9.0, 0.1)]

    end = ADWIN_RUN_LENGTHS[-1][1]

    assert all(a >= b for a, b in pairwise(deltas))
    assert adwin_delta(end * 0.999999).value == pytest.approx(adwin_delta(end * 1.000001).value, rel=1e-5)


def test_between_two_rates_the_parameter_lies_between_theirs() -> None:
    """At a simulated rate it is that of its table; beyond the rates that of the nearest, and called extrapolated.

    HDDM_W was not simulated at .01 for as many events.
    """
    at = {rate: error_parameter("hddm_w", rate, 5e3) for rate in (0.005, 0.01, 0.02, 0.05, 0.2, 0.5, 0.6)}

    assert at[0.2] == interpolated(RUN_LENGTHS["hddm_w"][0.2], 5e3)
    assert min(at[0.01].value, at[0.05].value) < at[0.02].value < max(at[0.01].value, at[0.05].value)
    assert (at[0.005].value, at[0.6].value) == (at[0.01].value, at[0.5].value)
    assert [rate for rate, found in at.items() if found.extrapolated] == [0.005, 0.01, 0.02, 0.6]


def test_a_confidence_is_never_prolonged_on_a_jump() -> None:
    """Where the run length jumps, the last two entries say it grows with the 122nd power: then as with the first."""
    steep = ((0.2785, 1095.0), (0.2735, 10071.0))

    assert interpolated(steep, 1e7).value > 0.25
    assert interpolated(steep, 1.0071e7, steepest=1.0).value == pytest.approx(0.2735e-3)
    assert interpolated(steep[:1], 1.095e6, steepest=1.0).value == pytest.approx(0.2785e-3)
    assert interpolated(steep[:1], 1e3, steepest=1.0) == (0.2785, False)


def test_a_table_of_one_entry_has_nothing_to_go_on_along() -> None:
    """Its value stays, and is called extrapolated."""
    assert [interpolated(((0.9, 1e3),), arl) for arl in (900.0, 1_100.0)] == [(0.9, False), (0.9, True)]


def test_stated_run_lengths_go_over_the_shipped_ones() -> None:
    """A KSWIN of other sizes has other ones; its test then takes the sizes."""
    sizes = (("stat_size", 10), ("window_size", 40))
    own = RiverDetector(RiverKind.KSWIN, 2e3, params=sizes, run_lengths=((0.02, 1e3), (0.002, 1e4)))
    detector = own.cell(1)
    alarms = [detector.update(float(i >= 40) * 9.0 + i % 7) for i in range(60)]

    assert 0.002 < own.parameter.value < 0.02
    assert (own.guarantee, RiverDetector(RiverKind.KSWIN, 2e4, run_lengths=own.run_lengths).guarantee) == (
        "calibrated",
        "approximate:extrapolated",
    )
    assert any(alarms[40:])
    assert own.fingerprint != RiverDetector(RiverKind.KSWIN, 2e3, run_lengths=own.run_lengths).fingerprint


def test_a_larger_drift_has_a_smaller_threshold() -> None:
    """PageHinkley's delta is part of its formula, of its class and of its name."""
    wide = RiverDetector(RiverKind.PAGE_HINKLEY, 1e4, params=(("delta", 1.0),))

    assert wide.threshold == pytest.approx(4.13, abs=0.006)
    assert wide.fingerprint != RiverDetector(RiverKind.PAGE_HINKLEY, 1e4).fingerprint
    assert not any(wide.cell().update(0.9 * (-1) ** i) for i in range(500))


@pytest.mark.parametrize("events", [1, 60, 1000])
def test_the_innovation_is_standard_and_uncorrelated(events: int) -> None:
    """Mean 0, variance 1, no correlation between panes, the reference's own error included."""
    generator = np.random.default_rng(events)
    layout = spacings(255)
    masses = draw_masses(layout, generator, series=4000)
    alpha = np.tile(layout, (4000, 1))
    panes = pane_counts(masses, events=events, panes=2, generator=generator)

    first = rank_innovation(mid_ranks(layout), alpha, panes[0])
    second = rank_innovation(mid_ranks(layout), alpha + panes[0], panes[1])

    assert [first.mean(), second.mean()] == pytest.approx([0, 0], abs=0.06)
    assert [first.var(), second.var()] == pytest.approx([1, 1], abs=0.08)
    assert np.corrcoef(first, second)[0, 1] == pytest.approx(0, abs=0.06)


def test_a_shift_moves_the_innovation_by_almost_its_size() -> None:
    """0.1 standard deviations at 400 events a pane: about 0.97 · 0.1 · 20."""
    generator = np.random.default_rng(0)
    layout = spacings(65_535)
    masses = drifted(draw_masses(layout, generator, series=3000), shift=0.1)
    panes = pane_counts(masses, events=400, panes=1, generator=generator)

    z = rank_innovation(mid_ranks(layout), np.tile(layout, (3000, 1)), panes[0])

    assert z.mean() == pytest.approx(0.97 * 2.0, abs=0.08)


@pytest.mark.parametrize(("kind", "panes_needed"), [(RiverKind.ADWIN, 12), (RiverKind.PAGE_HINKLEY, 8)])
def test_a_shift_is_found(kind: RiverKind, panes_needed: int) -> None:
    """Half a standard deviation at 20 events a pane, a run length of 10,000 panes: median of 40 series."""
    generator = np.random.default_rng(3)
    masses = draw_masses(spacings(4095), generator, series=40)
    quiet = pane_counts(masses, events=20, panes=200, generator=generator)
    after = pane_counts(drifted(masses, shift=0.5), events=20, panes=60, generator=generator)
    group = RiverDetector(kind, 1e4).build(4095)
    rows = np.array([group.add(SeriesReference(spacings(4095))) for _ in range(40)])
    for pane in quiet:
        group.step(rows, pane)
    alarmed = np.array([group.step(rows, pane) == np.inf for pane in after])

    assert np.median(np.where(alarmed.any(axis=0), alarmed.argmax(axis=0) + 1, 99)) <= panes_needed


@pytest.mark.parametrize("kind", PANES)
@pytest.mark.parametrize("updates", [0, 5, 40, 3000])
def test_a_saved_detector_goes_on_exactly(kind: RiverKind, updates: int) -> None:
    """Saved after any number of panes, also right after an alarm, and built again: the same alarms and bytes."""
    numbers = np.random.default_rng(updates).standard_normal(updates + 2000)
    numbers[updates + 700 :] += 1.0
    whole = cell(kind, 500.0)
    for z in numbers[:updates].tolist():
        whole.update(z)
    resumed = cell(kind, 500.0, whole.save())

    for z in numbers[updates:].tolist():
        assert resumed.update(z) == whole.update(z)
        assert resumed.statistic() == whole.statistic()
    assert resumed.save() == whole.save()


@pytest.mark.parametrize("position", range(0, 200, 7))
@pytest.mark.parametrize("build", [AdwinCell, PageHinkleyCell])
def test_a_flipped_byte_is_refused(build: type[AdwinCell | PageHinkleyCell], position: int) -> None:
    """A broken state never reaches river's compiled part."""
    state = bytearray(build(0.5).save())
    state[position % len(state)] ^= 0x20

    with pytest.raises(UnusableStateError):
        build(0.5, bytes(state))


def test_the_statistic_of_page_hinkley_stands_beside_its_threshold() -> None:
    """At the pane of an alarm it is above the threshold; ADWIN has none."""
    generator = np.random.default_rng(6)
    group = RiverDetector(RiverKind.PAGE_HINKLEY, 1e4).build(63)
    row = group.add(SeriesReference(spacings(63)))
    masses = drifted(draw_masses(spacings(63), generator), shift=1.0)
    for pane in pane_counts(masses, events=50, panes=60, generator=generator):
        if group.step(np.array([row]), pane[None])[0] == np.inf:
            break

    assert group.step(np.array([row]), np.zeros((1, 34), dtype=np.int64))[0] == -np.inf  # silence alarms no second time
    assert group.threshold is not None
    assert group.statistic(row) > group.threshold
    assert RiverDetector(RiverKind.ADWIN, 1e4).build(63).threshold is None


def test_kswin_draws_the_same_after_a_restart() -> None:
    """Its sub-samples follow from series and pane: a replay, or a state that is taken up, alarms at the same panes."""
    numbers = np.random.default_rng(1).standard_normal(400)
    numbers[300:] += 2.0
    whole, again = cell(RiverKind.KSWIN, 1e3), cell(RiverKind.KSWIN, 1e3)
    alarms = [whole.update(z) for z in numbers.tolist()]
    for z in numbers[:250].tolist():
        again.update(z)
    resumed = cell(RiverKind.KSWIN, 1e3, again.save())

    assert any(alarms[300:])
    assert not any(alarms[:300])
    assert [resumed.update(z) for z in numbers[250:].tolist()] == alarms[250:]
    assert resumed.save() == whole.save()


@pytest.mark.parametrize("kind", ERRORS)
@pytest.mark.parametrize("updates", [0, 1, 40, 700])
def test_a_saved_error_detector_goes_on_exactly(kind: RiverKind, updates: int) -> None:
    """Saved after any number of events and built again: the same alarms and bytes, without pickle."""
    errors = np.random.default_rng(updates).random(updates + 900) < np.where(np.arange(updates + 900) < 400, 0.1, 0.6)
    whole = cell(kind, 10.0)
    for error in errors[:updates].tolist():
        whole.update(error)
    resumed = cell(kind, 10.0, whole.save())

    assert [resumed.update(error) for error in errors[updates:].tolist()] == [
        whole.update(error) for error in errors[updates:].tolist()
    ]
    assert resumed.save() == whole.save()


@pytest.mark.parametrize("kind", ERRORS)
def test_an_error_detector_finds_a_rise_of_the_rate(kind: RiverKind) -> None:
    """From 10 to 60 % errors in panes of 50: an alarm within 40 panes, whatever the order inside a pane; EDDM apart."""
    group = RiverDetector(kind, 1_000.0, rate=0.1).build(2)
    row = np.array([group.add(SeriesReference(np.array([900, 100])))])
    quiet = [group.step(row, np.array([[45, 5]]))[0] for _ in range(20)]
    risen = [group.step(row, np.array([[20, 30]]))[0] for _ in range(40)]

    assert max(quiet) == -np.inf
    assert max(risen) == np.inf or kind is RiverKind.EDDM
