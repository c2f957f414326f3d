"""IntervalBernoulli and IntervalCategories: limits, validity over the whole interval, delays, special cases."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import beta, binom

from stream_monitor.core.arrays import Float64, Int64
from stream_monitor.core.detectors import IntervalBernoulli, IntervalCategories, SeriesReference
from stream_monitor.core.detectors.bernoulli_ratios import log_factors, log_weights
from stream_monitor.core.detectors.interval_group import Part
from stream_monitor.core.detectors.interval_limits import Limits, clopper_pearson


def test_limits_are_those_of_clopper_and_pearson() -> None:
    """Quantiles of the beta distribution, rounded outwards."""
    found = clopper_pearson(10, 1000, miss=0.01)

    assert found.lower == pytest.approx(beta.ppf(0.005, 10, 991), rel=3e-8)
    assert found.lower <= beta.ppf(0.005, 10, 991)
    assert found.upper == pytest.approx(beta.ppf(0.995, 11, 990), rel=3e-8)
    assert found.upper >= beta.ppf(0.995, 11, 990)


@pytest.mark.parametrize("upward", [0.5, 0.95, 1.0])
def test_limits_hold_the_true_share_as_often_as_promised(upward: float) -> None:
    """Summed over all outcomes of 400 events; the worst shares are those right outside of an outcome's limits."""
    outcomes = np.arange(401)
    lower, upper, _ = np.array([clopper_pearson(int(k), 400, miss=0.01, upward=upward) for k in outcomes]).T
    shares = np.concatenate([upper[:60] + 1e-9, lower[-60:] - 1e-9, [0.001, 0.02, 0.3, 0.5, 0.98]])
    shares = shares[shares > 0.0]
    missed = (shares[:, None] < lower) | (shares[:, None] > upper)
    promised = np.where(missed, binom.pmf(outcomes, 400, shares[:, None]), 0.0).sum(axis=1)

    assert promised.max() <= 0.01
    assert promised.max() > 0.005


def test_nothing_seen_leaves_only_the_upper_side() -> None:
    """The limit at k = 0 is `1 - miss^(1/m)` of what the upper side has of `miss`; k = m is the mirror."""
    assert clopper_pearson(0, 500, miss=0.002) == pytest.approx((0.0, 1 - 0.001 ** (1 / 500), 0.5), rel=3e-8)
    assert clopper_pearson(0, 500, miss=0.001, upward=1.0).upper == pytest.approx(1 - 0.001 ** (1 / 500), rel=3e-8)
    assert clopper_pearson(500, 500, miss=0.002) == pytest.approx((0.001 ** (1 / 500), 1.0, 0.5), rel=3e-8)
    assert clopper_pearson(500, 500, miss=0.001, upward=1.0)[:2] == (0.0, 1.0)
    assert clopper_pearson(0, 0, miss=0.001) == Limits(0.0, 1.0)


@pytest.mark.parametrize("p", [0.02, 0.05, 0.11, 0.19, 0.2])
def test_the_expectation_is_at_most_one_for_every_share_inside(p: float) -> None:
    """E[e] over all panes of 30 events, for shares from limit to limit; exactly one at the limit tested."""
    lower, upper = np.array([0.02]), np.array([0.2])
    inside, outside = log_factors(lower, upper)
    s = np.arange(31)
    e = np.exp(s[:, None] * inside[0] + (30 - s)[:, None] * outside[0])

    expectation = binom.pmf(s, 30, p) @ e

    assert (expectation <= 1 + 1e-9).all()
    if p == 0.2:
        assert expectation[:5] == pytest.approx(np.ones(5))
    if p == 0.02:
        assert expectation[5:] == pytest.approx(np.ones(5))


def test_weights_are_shared_by_the_sides_that_can_be_tested() -> None:
    """Two sides share the weight as they are told; a single one has all of it; none has none."""
    lower, upper = np.array([0.1, 0.1, 0.0, 0.1, 0.0]), np.array([0.2, 0.2, 0.2, 1.0, 1.0])
    weights = np.exp(log_weights(lower, upper, np.array([0.5, 0.95, 0.5, 0.5, 0.5])))

    assert weights.sum(axis=1) == pytest.approx([1.0, 1.0, 1.0, 1.0, 0.0])
    assert weights[:, :5].sum(axis=1) == pytest.approx([0.5, 0.95, 1.0, 0.0, 0.0])


def delays(p: float, after: float, *, m: int, upward: float, streams: int = 200) -> Float64:
    """Events to the alarm after a change, panes of 50, a budget of 100,000 events; one reference a stream."""
    generator = np.random.default_rng(8)
    group = IntervalBernoulli(upward).build()
    known = generator.binomial(m, p, size=streams)
    rows = np.array([group.add(SeriesReference(np.array([m - k, k]))) for k in known])
    found = np.full(streams, np.inf)
    for pane in range(40 + 200):
        true = generator.binomial(50, p if pane < 40 else after, size=streams)
        evidence = group.step(rows, np.stack([50 - true, true], axis=1))
        if pane < 40:
            assert (evidence < np.log(2000.0)).mean() > 0.98
        found = np.where((evidence >= np.log(2000.0)) & np.isinf(found), (pane - 39) * 50.0, found)
    return found


@pytest.mark.parametrize(
    ("p", "shift", "upward", "events"),
    [
        *[(0.2, 0.5, 0.5, 150), (0.2, 1.0, 0.5, 50), (0.2, -0.25, 0.95, 800)],
        *[(0.02, 0.25, 0.5, 800), (0.02, 0.5, 0.5, 250), (0.02, 1.0, 0.5, 100)],
        *[(0.02, 0.25, 1.0, 700), (0.02, 0.5, 1.0, 200), (0.02, 1.0, 1.0, 100)],
    ],
)
def test_a_change_of_the_share_is_found(p: float, shift: float, upward: float, events: int) -> None:
    """Median delay after a shift in standard deviations, m = 4095."""
    after = p + shift * np.sqrt(p * (1 - p))

    assert np.median(delays(p, after, m=4095, upward=upward)) <= events


def test_a_share_that_wanders_inside_its_interval_does_not_alarm() -> None:
    """The test is right for any path inside, also one that stays at a limit: 100 series, 300 panes, A = 1000."""
    generator = np.random.default_rng(9)
    group = IntervalBernoulli().build()
    rows = np.array([group.add(SeriesReference(np.array([960, 40]))) for _ in range(100)])
    limits = group.parts(0)[0].limits
    alarmed = np.zeros(100, dtype=np.bool_)
    for pane in range(300):
        p = limits.upper if pane % 100 < 70 else limits.lower
        true = generator.binomial(200, p, size=100)
        alarmed |= group.step(rows, np.stack([200 - true, true], axis=1)) >= np.log(1000.0)

    assert alarmed.mean() <= 0.3


def test_a_fall_is_no_alarm_where_only_rises_count() -> None:
    """Fewer unseen categories than in the reference is nothing to report."""
    group = IntervalBernoulli(upward=1.0).build()
    row = group.add(SeriesReference(np.array([500, 500])))
    for _ in range(50):
        group.step(np.array([row]), np.array([[100, 0]]))

    assert group.log_evidence(np.array([row]))[0] < 0.0


def test_tolerance_widens_the_interval() -> None:
    """A change nobody minds is part of the null; a side that reaches 0 or 1 is not tested."""
    exact = IntervalBernoulli().parts(SeriesReference(np.array([900, 100])))[0].limits
    wide = IntervalBernoulli(tolerance=0.02).parts(SeriesReference(np.array([900, 100])))[0].limits

    assert wide == pytest.approx((exact.lower - 0.02, exact.upper + 0.02, 0.5))
    assert IntervalBernoulli(tolerance=1.0).parts(SeriesReference(np.array([900, 100])))[0].limits == Limits(0.0, 1.0)


def parts(counts: list[int], **reference: object) -> list[Part]:
    """Parts of a categorical series."""
    return IntervalCategories().parts(SeriesReference(np.array(counts), **reference))  # type: ignore[arg-type]


def test_categories_of_a_percent_are_tested_each_on_its_own() -> None:
    """The rare one is left to the others; `unseen` is tested upwards, against rows that did not define it."""
    found = parts([600, 395, 5, 0, 0], unseen=(1, 500))

    assert [(p.first, p.last) for p in found] == [(0, 0), (1, 1), (4, 4)]
    assert found[-1].limits == clopper_pearson(1, 500, miss=1e-3 / 4, upward=1.0)


def test_at_most_twenty_categories_are_tested_ties_in_order() -> None:
    """Thirty equal categories: the first twenty of the list."""
    found = parts([*[33] * 30, 10, 0], unseen=(0, 500))

    assert [p.first for p in found] == [*range(20), 30, 31]


def test_what_is_outside_a_cut_list_is_tested_against_other_rows() -> None:
    """The list was chosen by counts, so `other` is too small in the rows that chose it."""
    found = parts([600, 390, 10, 0], unseen=(1, 500), unlisted=(9, 500))

    assert (found[2].first, found[2].last) == (2, 3)
    assert found[2].limits == clopper_pearson(9, 500, miss=1e-3 / 4)


def test_unknown_names_that_count_as_other_raise_its_limit() -> None:
    """Without the pooled names an unseen category lands in `other`."""
    known, pooled = (
        parts([600, 390, 10, 0], unseen=(3, 500)),
        parts([600, 390, 10, 0], unseen=(3, 500), unseen_in_other=True),
    )

    assert pooled[-1].limits.upper == pytest.approx(known[2].limits.upper + known[3].limits.upper)
    assert len(pooled) == len(known) - 1


def category_panes(shares: list[float], generator: np.random.Generator, panes: int) -> Int64:
    """Panes of 100 events."""
    return generator.multinomial(100, shares, size=panes)


def test_a_new_category_is_found() -> None:
    """A category nobody saw takes 3 % of the traffic: found within 1,000 events; without it no alarm."""
    generator = np.random.default_rng(4)
    group = IntervalCategories().build(5)
    row = np.array([group.add(SeriesReference(np.array([2500, 1500, 95, 0, 0]), unseen=(0, 2048)))])
    for pane in category_panes([0.61, 0.366, 0.024, 0.0, 0.0], generator, 200):
        assert group.step(row, pane[None])[0] < np.log(1e4)

    evidence = [group.step(row, p[None])[0] for p in category_panes([0.59, 0.356, 0.024, 0.0, 0.03], generator, 10)]
    assert max(evidence) >= np.log(1e4)
