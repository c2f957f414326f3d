"""What every comparison promises rules and dashboards, whatever it computes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri
from scipy.stats import kstest

from stream_monitor.core.arrays import Int64
from stream_monitor.core.comparisons import COMPARISONS, Comparison, Reference, comparison
from stream_monitor.core.comparisons.monte_carlo import null_quantile, null_windows, p_value, size_on_grid
from stream_monitor.core.grid import spacings
from stream_monitor.lab.counts import draw_masses, drifted, pane_counts

every_comparison = pytest.mark.parametrize("measure", COMPARISONS, ids=lambda c: c.name)


def reference(m: int = 1023) -> Reference:
    """A normal reference of m values."""
    layout = spacings(m)
    edges = ndtri(layout.cumsum()[:-1] / (m + 1))
    return Reference(layout, edges=edges, minimum=-3.5, maximum=3.5, std=1.0, seed="test")


def windows(n: int, *, shift: float = 0.0, count: int = 400, m: int = 1023) -> Int64:
    """Windows of n events, each with a reference of its own."""
    generator = np.random.default_rng(n)
    masses = drifted(draw_masses(spacings(m), generator, series=count), shift=shift)
    counts: Int64 = pane_counts(masses, events=n, panes=1, generator=generator)[0]
    return counts


@every_comparison
def test_equal_shares_have_no_distance(measure: Comparison) -> None:
    """A window in proportion to the reference is at 0, up to rounding."""
    assert measure.measure(reference(), 3 * spacings(1023)) == pytest.approx(0.0, abs=1e-7)


@every_comparison
def test_a_larger_shift_is_farther(measure: Comparison) -> None:
    """The mean distance grows with the shift."""
    means = [measure.distances(reference(), windows(1000, shift=s)).mean() for s in (0.0, 0.3, 0.8, 2.0)]

    assert means == sorted(means)
    assert means[-1] > 2 * means[1]


@every_comparison
@given(counts=st.lists(st.integers(0, 50), min_size=5, max_size=5).filter(any))
def test_every_window_has_a_finite_distance(measure: Comparison, counts: list[int]) -> None:
    """Empty bins, bins the reference has not, single events: a finite number, not below 0, corrected or not."""
    known = Reference(np.array([7, 0, 30, 1, 2]), edges=np.arange(4.0), minimum=-1.0, maximum=5.0, std=1.3)
    window = np.array(counts)
    distance, corrected = measure.measure(known, window), measure.corrected(known, window)

    assert np.isfinite([distance, corrected, measure.noise_95(known, int(window.sum()))]).all()
    assert 0.0 <= corrected <= distance + 1e-12


@every_comparison
def test_many_windows_at_once_are_the_same_as_one_by_one(measure: Comparison) -> None:
    """The Monte-Carlo thresholds measure by the thousand what rules measure singly."""
    some = windows(200, shift=0.2, count=7)

    assert measure.distances(reference(), some) == pytest.approx([measure.measure(reference(), w) for w in some])


@every_comparison
@pytest.mark.parametrize("n", [50, 500, 5000])
def test_the_noise_is_what_chance_stays_below(measure: Comparison, n: int) -> None:
    """About 5 % of undrifted windows exceed it, the reference's error included; KS is conservative."""
    above = (measure.distances(reference(), windows(n)) > measure.noise_95(reference(), n)).mean()

    assert above <= 0.09
    assert above >= (0.0 if measure.name == "kolmogorov_smirnov" else 0.015)


@every_comparison
def test_the_correction_takes_out_chance(measure: Comparison) -> None:
    """Without drift little is left of the distance; of a large shift most."""
    quiet, moved = windows(1000, count=100), windows(1000, shift=1.0, count=20)
    left = np.mean([measure.corrected(reference(), w) for w in quiet]) / measure.distances(reference(), quiet).mean()
    kept = np.mean([measure.corrected(reference(), w) for w in moved]) / measure.distances(reference(), moved).mean()

    assert left < 0.4
    assert kept > 0.7


@every_comparison
def test_p_values_are_uniform_without_drift(measure: Comparison) -> None:
    """At most α of undrifted windows have a p-value of α, for α = 1, 5, 20 and 50 %, up to chance."""
    p = np.array([p_value(measure, reference(), w) for w in windows(956, count=600)])

    for level in (0.01, 0.05, 0.2, 0.5):
        assert (p <= level).mean() == pytest.approx(level, abs=4 * np.sqrt(level * (1 - level) / 600))
    assert p_value(measure, reference(), windows(956, shift=1.0, count=1)[0]) == pytest.approx(0.001)


@pytest.mark.parametrize("n", [50, 500, 5000])
@pytest.mark.parametrize("name", ["psi", "jensen_shannon", "hellinger"])
def test_p_values_are_uniform_at_every_size(name: str, n: int) -> None:
    """Where windows have few or many events a reference value; each window has a reference and draws of its own."""
    generator = np.random.default_rng(n + 1)
    masses = draw_masses(spacings(1023), generator, series=150)
    some = pane_counts(masses, events=n, panes=1, generator=generator)[0]
    p = [p_value(comparison(name), Reference(spacings(1023), seed=f"{i}"), w) for i, w in enumerate(some)]

    assert kstest(p, "uniform").pvalue > 0.001


def test_p_values_hold_the_error_of_the_reference() -> None:
    """Taken as known, a reference of a thousand values makes windows of five thousand look drifted."""
    known = Reference(1000 * spacings(1023), seed="known")
    p = np.array([p_value(comparison("psi"), known, w) for w in windows(5000, count=40)])

    assert (p <= 0.01).mean() > 0.5


@every_comparison
def test_an_empty_or_foreign_window_is_a_mistake(measure: Comparison) -> None:
    """No event, or another grid: the message names the window."""
    with pytest.raises(ValueError, match="window: must hold at least one event"):
        measure.measure(reference(), np.zeros(42, dtype=np.int64))
    with pytest.raises(ValueError, match="window: must have the reference's 42 bins, got 3"):
        measure.measure(reference(), np.array([1, 2, 3]))


@every_comparison
def test_a_comparison_is_found_by_its_name(measure: Comparison) -> None:
    """Names are those of plans, metrics and alerts."""
    assert comparison(measure.name) is measure


def test_an_unknown_name_lists_the_known_ones() -> None:
    """A misspelt comparison is a mistake of the configuration."""
    with pytest.raises(ValueError, match=r"comparison: must be one of psi, jensen_shannon, .* got 'pis'"):
        comparison("pis")


def test_thresholds_are_the_same_for_everybody() -> None:
    """Seeded by the baseline: two processes show the same digits; another baseline draws anew."""
    again = Reference(reference().counts, edges=reference().edges, minimum=-3.5, maximum=3.5, std=1.0, seed="test")
    other = Reference(reference().counts, edges=reference().edges, minimum=-3.5, maximum=3.5, std=1.0, seed="other")

    assert null_windows(reference(), 100).tolist() == null_windows(again, 100).tolist()
    assert null_windows(reference(), 100).tolist() != null_windows(other, 100).tolist()
    assert null_quantile(COMPARISONS[0], again, 1000, 0.95) == null_quantile(COMPARISONS[0], reference(), 1000, 0.95)


def test_sizes_are_taken_in_steps_of_a_tenth() -> None:
    """Every size is within 5 % of the one that stands for it."""
    assert all(abs(size_on_grid(n) / n - 1) < 0.055 for n in range(10, 100_000, 7))
