"""The distances against published or hand-made values."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

from stream_monitor.core.arrays import Float64
from stream_monitor.core.comparisons import Reference, comparison
from stream_monitor.core.comparisons.grouping import grouped_shares, grouping, groups
from stream_monitor.core.comparisons.hellinger import hellinger
from stream_monitor.core.comparisons.jensen_shannon import jensen_shannon
from stream_monitor.core.comparisons.kolmogorov_smirnov import kolmogorov_smirnov
from stream_monitor.core.comparisons.psi import population_stability_index
from stream_monitor.core.comparisons.total_variation import total_variation
from stream_monitor.core.comparisons.wasserstein import area_between
from stream_monitor.core.grid import spacings

NORMAL = spacings(65_535) / 65_536.0


def shifted(delta: float) -> Float64:
    """Bin masses of N(δ, 1) over the bins of N(0, 1)."""
    below = ndtr(ndtri(NORMAL.cumsum()[:-1]) - delta)
    return np.diff(np.concatenate([[0.0], below, [1.0]]))


@pytest.mark.parametrize(
    ("delta", "ks", "psi", "js", "hell", "rank"),
    [
        (0.05, 0.01995, 0.0025, 0.0212, 0.01767, 0.0141),
        (0.1, 0.0399, 0.01, 0.0424, 0.03533, 0.0282),
        (0.25, 0.0995, 0.0625, 0.1057, 0.0882, 0.0702),
        (0.5, 0.1974, 0.25, 0.209, 0.1754, 0.138),
        (1.0, 0.3829, 1.0, 0.401, 0.3428, 0.26),
    ],
)
def test_a_normal_shift_has_the_known_distances(
    delta: float, ks: float, psi: float, js: float, hell: float, rank: float
) -> None:
    """A mean shift of δ standard deviations, within 1 % of the integrals for all measures; TVD equals KS."""
    p, q = NORMAL, shifted(delta)

    assert float(kolmogorov_smirnov(p, q)) == pytest.approx(ks, rel=0.01)
    assert float(total_variation(p, q)) == pytest.approx(ks, rel=0.01)
    assert float(population_stability_index(p, q)) == pytest.approx(psi, rel=0.01)
    assert float(jensen_shannon(p, q)) == pytest.approx(js, rel=0.01)
    assert float(hellinger(p, q)) == pytest.approx(hell, rel=0.01)
    assert float(area_between(p, q, p)) == pytest.approx(rank, rel=0.01)


@pytest.mark.parametrize("delta", [0.1, 0.5, 1.0])
def test_wasserstein_in_sigma_is_the_shift(delta: float) -> None:
    """Moving everything by δ standard deviations moves it by δ, from edges, minimum and maximum."""
    layout = spacings(65_535)
    edges = ndtri(NORMAL.cumsum()[:-1])
    known = Reference(layout, edges=edges, minimum=-4.4, maximum=4.4, std=1.0)
    window = np.round(shifted(delta) * 1e9).astype(np.int64)

    assert comparison("wasserstein_sigma").measure(known, window) == pytest.approx(delta, rel=0.01)


def test_a_constant_reference_has_no_sigma() -> None:
    """Standard deviation 0: no scale, no distance, no division by zero."""
    known = Reference(np.array([1, 1]), edges=np.array([5.0]), minimum=5.0, maximum=5.0, std=0.0)

    assert comparison("wasserstein_sigma").measure(known, np.array([0, 9])) == 0.0


def test_wasserstein_in_sigma_needs_values() -> None:
    """A reference of counts only is a mistake of the caller."""
    with pytest.raises(ValueError, match="needs the values of the edges"):
        comparison("wasserstein_sigma").measure(Reference(np.array([1, 1])), np.array([0, 9]))


def test_areas_are_counted_on_both_sides_of_a_crossing() -> None:
    """Gaps of +0.2 and -0.2 at the ends of a cell of width 1 enclose two triangles: 0.1, not 0 and not 0.2."""
    p, q = np.array([0.2, 0.6, 0.2]), np.array([0.4, 0.2, 0.4])

    assert float(area_between(p, q, np.array([0.0, 1.0, 0.0]))) == pytest.approx(0.1)


def test_disjoint_shares_are_at_distance_one() -> None:
    """The two bounded distances reach their bound."""
    p, q = np.array([1.0, 1e-300]), np.array([1e-300, 1.0])

    assert float(jensen_shannon(p, q)) == pytest.approx(1.0)
    assert float(hellinger(p, q)) == pytest.approx(1.0)


def test_the_alert_of_the_format_description_is_reproduced() -> None:
    """PSI and its noise of the example alert: window of 5,000 against m = 1023 in five groups."""
    known = Reference(np.array([205, 205, 205, 205, 204]))
    window = np.array([420, 655, 940, 1265, 1720])

    assert comparison("psi").measure(known, window) == pytest.approx(0.222373, rel=1e-5)
    assert comparison("psi").noise_95(known, 5000) == pytest.approx(0.0111629, rel=1e-5)


@pytest.mark.parametrize("n", [1, 30, 50, 200, 10_000])
@pytest.mark.parametrize("m", [63, 1023, 65_535])
def test_groups_expect_enough_events(n: int, m: int) -> None:
    """At least five, at least a tenth; at most ten groups; one group where there are too few events."""
    starts = groups(spacings(m), n)
    expected = np.add.reduceat(spacings(m), starts) / (m + 1.0) * n

    assert starts.size <= 10
    assert starts.size == 1 or (expected >= max(5.0, n / 10) - 1e-9).all()


def test_smoothing_adds_one_event_spread_like_the_reference() -> None:
    """No cell is empty, and the shares sum to 1."""
    known = Reference(np.array([50, 50]))

    p, q = grouped_shares(known, np.array([[100, 0]]))

    assert p.tolist() == [0.5, 0.5]
    assert q.tolist() == [[100.5 / 101, 0.5 / 101]]


CATEGORIES = Reference(np.array([3000, 397, 600, 40, 30, 28, 0, 0]), ordered=False, apart=2, seed="categories")
"""Shares of 73, 9.7, 15, 1, .7 and .7 %, then other and unseen."""


def test_each_frequent_category_stands_alone() -> None:
    """One that falls from 9.7 % to 1 % is a large PSI, whatever its place in the alphabet."""
    window = np.array([385, 5, 90, 8, 6, 6, 0, 0])
    measure = comparison("psi")

    assert measure.corrected(CATEGORIES, window) > 0.15
    assert measure.noise_95(CATEGORIES, 500) < 0.05


def test_a_new_category_shows() -> None:
    """A category that nobody expects is never pooled with the others."""
    window = np.array([322, 43, 65, 4, 3, 3, 0, 60])

    assert comparison("psi").corrected(CATEGORIES, window) > 0.5
    assert comparison("jensen_shannon").corrected(CATEGORIES, window) > 0.2


def test_rare_categories_are_pooled() -> None:
    """Below five expected events a category says nothing alone; more than twenty are too many to look at."""
    many = Reference(np.array([100] * 40 + [1] * 10 + [0, 0]), ordered=False, apart=2)
    few = grouping(CATEGORIES, 500)

    assert grouping(many, 10_000).count == 20 + 1 + 2
    assert few.order is not None
    assert few.order.tolist() == [0, 2, 1, 3, 4, 5, 6, 7]
    assert few.starts.tolist() == [0, 1, 2, 3, 6, 7]


@pytest.mark.parametrize("name", ["psi", "jensen_shannon", "hellinger", "total_variation", "chi_square"])
@pytest.mark.parametrize("n", [50, 500, 5000])
def test_chance_on_rare_categories_is_simulated(name: str, n: int) -> None:
    """About 5 % of undrifted windows exceed the 95 % point, and the correction leaves little, where χ² is poor."""
    generator = np.random.default_rng(n)
    masses = generator.dirichlet(CATEGORIES.weights, size=400)
    windows = generator.multinomial(n, masses)
    measure = comparison(name)
    distances = measure.distances(CATEGORIES, windows)
    left = np.mean([measure.corrected(CATEGORIES, window) for window in windows[:100]])

    assert (distances > measure.noise_95(CATEGORIES, n)).mean() <= 0.09
    assert left < 0.5 * distances.mean()


def test_dependent_events_make_more_noise() -> None:
    """With a design effect of 4 a window of 1,000 events has the noise of 250 against a quarter of the reference."""
    counts = spacings(4095)
    dependent = Reference(counts, design_effect=4.0)

    for name in ("psi", "jensen_shannon", "hellinger", "kolmogorov_smirnov", "wasserstein", "linf"):
        assert comparison(name).noise_95(dependent, 956) == pytest.approx(
            comparison(name).noise_95(Reference(counts), 239), rel=0.25
        )
