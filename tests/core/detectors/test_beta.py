"""BetaBernoulli and BetaCategories: what is promised of e, how often they alarm without drift, how soon with it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from stream_monitor.core.arrays import Float64
from stream_monitor.core.detectors import (
    BetaBernoulli,
    BetaCategories,
    Direction,
    IntervalBernoulli,
    IntervalCategories,
    SeriesReference,
)
from stream_monitor.core.detectors.group import DetectorSpec


def mean_e(p: float, *, m: int, n: int, direction: Direction) -> float:
    """E[e] of one pane over all references of m events and all panes of n; after one pane M is the mean of e."""
    known, seen = np.arange(m + 1), np.arange(n + 1)
    group = BetaBernoulli(direction).build()
    mean = 0.0
    for true in seen[binom.pmf(seen, n, p) > 1e-13].tolist():
        rows = np.array([group.add(SeriesReference(np.array([m - k, k]))) for k in known])
        e = np.exp(group.step(rows, np.tile([n - true, true], (rows.size, 1))))
        mean += float(binom.pmf(true, n, p)) * float(binom.pmf(known, m, p) @ e)
        for row in rows.tolist():
            group.remove(row)
    return mean


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("p", [0.001, 0.02, 0.3, 0.5, 0.95, 0.999])
@pytest.mark.parametrize(("m", "n"), [(63, 1), (63, 10), (63, 200), (400, 10), (400, 50)])
def test_the_expectation_is_at_most_one_for_every_share(p: float, m: int, n: int, direction: Direction) -> None:
    """Summed over every reference and every pane: the error of the reference is inside the null."""
    assert mean_e(p, m=m, n=n, direction=direction) <= 1.0 + 1e-9


def alarms(spec: DetectorSpec, p: float, after: float, *, m: int, change: int, panes: int, budget: float) -> Float64:
    """First pane of 10 with an alarm, of 600 streams with a reference each; infinite without."""
    generator = np.random.default_rng(20)
    group = spec.build(2)
    rows = np.array([group.add(SeriesReference(np.array([m - k, k]))) for k in generator.binomial(m, p, size=600)])
    first = np.full(rows.size, np.inf)
    for pane in range(panes):
        true = generator.binomial(10, p if pane < change else after, size=rows.size)
        evidence = group.step(rows, np.stack([10 - true, true], axis=1))
        first[(evidence >= np.log(budget)) & np.isinf(first)] = pane
    return first


@pytest.mark.parametrize("p", [0.005, 0.05, 0.2, 0.5])
@pytest.mark.parametrize("m", [63, 400])
def test_alarms_without_drift_are_within_the_budget(p: float, m: int) -> None:
    """In 200 panes at A = 2,000 at most a tenth of the streams alarm: measured, two thirds of that at most."""
    first = alarms(BetaBernoulli(), p, p, m=m, change=0, panes=200, budget=2_000.0)

    assert np.isfinite(first).mean() <= 0.067


def test_a_doubled_error_rate_is_found_where_an_interval_cannot() -> None:
    """400 reference events, .1 to .2: the median is seen in 300 events, by the interval hardly ever."""
    learnt, fixed = (
        alarms(spec, 0.1, 0.2, m=400, change=60, panes=160, budget=10_000.0)
        for spec in (BetaBernoulli(), IntervalBernoulli())
    )

    assert np.median(learnt[learnt >= 60]) - 60 <= 30
    assert np.isinf(fixed).mean() > 0.5


def test_fewer_errors_are_found_too() -> None:
    """.2 to .1, unless only more of them is drift."""
    both, up = (
        alarms(BetaBernoulli(direction), 0.2, 0.1, m=400, change=60, panes=160, budget=10_000.0)
        for direction in (Direction.BOTH, Direction.UP)
    )

    assert np.median(both) - 60 <= 40
    assert np.isfinite(up).mean() <= 0.02


def test_of_two_categories_one_is_tested() -> None:
    """The other one says the same; `unseen` has its own part."""
    reference = SeriesReference(np.array([300, 100, 0, 0]), unseen=(0, 200))
    parts = BetaCategories().parts(reference, reference)

    assert [(part.first, part.inside, part.outside, part.both) for part in parts] == [
        (0, 300, 100, True),
        (3, 0, 200, False),
    ]


def test_a_new_category_is_found_although_the_reference_is_short() -> None:
    """5 % of a name that 400 reference rows and 600 later ones lack: half of the streams within 300 events."""
    found = {}
    for spec in (BetaCategories(), IntervalCategories()):
        group = spec.build(6)
        reference = SeriesReference(np.array([160, 120, 80, 40, 0, 0]), unseen=(0, 200))
        rows = np.array([group.add(reference) for _ in range(100)])
        generator = np.random.default_rng(3)
        highest = np.full(rows.size, -np.inf)
        for pane in range(90):
            shares = [0.4, 0.3, 0.2, 0.1, 0.0, 0.0] if pane < 60 else [0.38, 0.285, 0.19, 0.095, 0.0, 0.05]
            counts = generator.multinomial(10, shares, size=rows.size)
            highest = np.maximum(highest, group.step(rows, counts))
        found[type(spec)] = (highest >= np.log(10_000.0)).mean()

    assert found[BetaCategories] >= 0.5
    assert found[IntervalCategories] <= 0.05
