"""The e-values of a pane: exact expectation by enumeration, and agreement with the rule for single events."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy.special import gammaln

from stream_monitor.core.arrays import Float64, Int64
from stream_monitor.core.detectors.dirichlet_multinomial import Alternatives, Null
from stream_monitor.core.detectors.mixtures import TILT_ONE, Mixture, Tilts

SPACINGS = np.array([2, 5, 1])


def alternatives() -> Alternatives:
    """Two tilts and two memories over three bins."""
    ratios = np.array([[3, 1, 2], [1, 4, 9]]) * (TILT_ONE // 3)
    tilts = Tilts(ratios, (2.0, 30.0), np.full(4, 0.25))
    of_bin = ratios.T.astype(np.float64)
    return Alternatives(tilts, of_bin, np.log(of_bin), 50.0 * SPACINGS / SPACINGS.sum())


def null(past: Int64, rows: int, design_effect: float = 1.0) -> Null:
    """The null after some past counts, with memories of them."""
    memory = np.stack([past * 0.5, past * 0.9])
    return Null(np.tile(SPACINGS + past, (rows, 1)), np.tile(memory, (rows, 1, 1)), np.full(rows, design_effect))


def compositions(n: int, bins: int = 3) -> Int64:
    """All count vectors of n events."""
    rows = [c for c in itertools.product(range(n + 1), repeat=bins) if sum(c) == n]
    return np.array(rows, dtype=np.int64)


def probability_of_counts(alpha: Int64, counts: Int64) -> Float64:
    """Dirichlet-multinomial probability of unordered counts."""
    n, total = counts.sum(axis=1), float(alpha.sum())
    runs = gammaln(n + 1.0) - gammaln(counts + 1.0).sum(axis=1)
    ordered = gammaln(total) - gammaln(total + n) + (gammaln(alpha + counts) - gammaln(alpha)).sum(axis=1)
    probability: Float64 = np.exp(runs + ordered)
    return probability


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("past", [(0, 0, 0), (4, 0, 7)])
def test_every_alternative_expects_exactly_one(n: int, past: tuple[int, int, int]) -> None:
    """Over all runs of n events the e-values average to 1 under the null: the fact behind the promise."""
    counts = compositions(n)
    e = np.exp(alternatives().log_e_values(null(np.array(past), len(counts)), counts))

    expectation = probability_of_counts(SPACINGS + np.array(past), counts) @ e

    assert expectation == pytest.approx(np.ones(4), abs=1e-12)


@pytest.mark.parametrize("mixture", list(Mixture))
def test_the_real_mixtures_expect_exactly_one(mixture: Mixture) -> None:
    """The shipped alternatives over a grid of twelve bins, all 364 panes of three events."""
    layout = np.array([1, 1, 2, 4, 8, 16, 16, 8, 4, 2, 1, 1])
    counts = compositions_of_3(layout.size)
    shipped = Alternatives.over(layout, mixture)
    memory = np.zeros((len(counts), len(shipped.tilts.half_lives), layout.size))
    before = Null(np.tile(layout, (len(counts), 1)), memory, np.ones(len(counts)))

    expectation = probability_of_counts(layout, counts) @ np.exp(shipped.log_e_values(before, counts))

    assert expectation == pytest.approx(np.ones(shipped.count), abs=1e-12)


def compositions_of_3(bins: int) -> Int64:
    """All count vectors of three events."""
    rows = np.zeros((math.comb(bins + 2, 3), bins), dtype=np.int64)
    for row, run in enumerate(itertools.combinations_with_replacement(range(bins), 3)):
        for bin_ in run:
            rows[row, bin_] += 1
    return rows


def test_a_pane_of_one_event_follows_the_sequential_rule() -> None:
    """At n = 1 a tilt's e-value is `g_j S / sum alpha g`."""
    past = np.array([4, 0, 7])
    alpha = SPACINGS + past
    ratios = alternatives().tilts.ratios
    expected = ratios.T * float(alpha.sum()) / (ratios @ alpha)

    found = np.exp(alternatives().log_e_values(null(past, 3), np.eye(3, dtype=np.int64))[:, :2])

    assert found == pytest.approx(expected, rel=1e-13)


def test_a_design_effect_divides_counts_and_parameters() -> None:
    """Counts, reference and memories of twice the size with d = 2 are those of the single size."""
    past, counts = np.array([4, 2, 6]), np.array([[3, 1, 2]])
    single = Null((SPACINGS + past)[None], np.ones((1, 2, 3)), np.ones(1))
    double = Null(2 * (SPACINGS + past)[None], np.ones((1, 2, 3)), np.array([2.0]))

    found = alternatives().log_e_values(double, 2 * counts)

    assert found == pytest.approx(alternatives().log_e_values(single, counts), rel=1e-12)


def test_a_null_of_a_trillion_events_does_not_overflow() -> None:
    """Plain integer sums of counts times tilts would leave 64 bits after a few weeks of heavy traffic."""
    small, large = np.array([3, 5, 8]) << 20, np.array([3, 5, 8]) << 45
    counts = np.array([[30, 50, 90]])
    before = [Null(alpha[None], np.ones((1, 2, 3)), np.ones(1)) for alpha in (small, large)]

    few, many = (alternatives().log_e_values(null, counts)[0] for null in before)

    assert many == pytest.approx(few, abs=2e-3)


def test_memories_are_reckoned_back() -> None:
    """What the memories were before some panes follows from what they are after them."""
    generator = np.random.default_rng(1)
    panes = generator.integers(0, 6, size=(12, 3))
    start = np.array([[[3.0, 1.0, 0.5], [10.0, 2.0, 4.0]]])
    memory = start
    for pane in panes:
        memory = alternatives().after(memory, pane[None], np.ones(1))

    recovered = alternatives().before(memory[0], panes, 1.0)

    assert recovered[1] == pytest.approx(start[0, 1], rel=1e-9)
    assert recovered[0].tolist() == [0.0, 0.0, 0.0]  # faded by 2^-90 with a half-life of two events: gone
