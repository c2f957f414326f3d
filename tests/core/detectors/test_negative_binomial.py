"""Demand: its own reference, overdispersion, silence."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import nbinom

from stream_monitor.core.arrays import Float64, Int64
from stream_monitor.core.detectors import NegativeBinomial, SeriesReference
from stream_monitor.core.detectors.negative_binomial import DemandLimits


def demand(mean: float, kappa: float, size: tuple[int, ...], generator: np.random.Generator) -> Int64:
    """Negative-binomial counts."""
    return generator.poisson(mean * generator.gamma(kappa, 1.0 / kappa, size=size))


def evidence(panes: Int64) -> Float64:
    """Log M after each pane, panes (t, series)."""
    group = NegativeBinomial().build()
    rows = np.array([group.add() for _ in range(panes.shape[1])])
    return np.array([group.step(rows, pane[:, None]) for pane in panes])


def test_the_first_pane_is_left_out_and_two_hundred_are_the_reference() -> None:
    """A model appears in the middle of a pane: its first count says nothing."""
    group = NegativeBinomial().build()
    row = group.add(SeriesReference(np.zeros(0, dtype=np.int64)))
    for count in [3, *[100, 110] * 100]:
        assert group.warming_up(row)
        assert group.step(np.array([row]), np.array([[count]]))[0] == -np.inf

    assert not group.warming_up(row)
    assert group.reference_mean(row) == 105.0
    assert group.step(np.array([row]), np.array([[105]]))[0] > -np.inf


def test_the_expectation_is_at_most_one_inside_the_limits() -> None:
    """Over all counts of every mean inside and every larger κ; exactly one at the corner tested."""
    spec = NegativeBinomial(reference_panes=20)
    group = spec.build()
    row = group.add()
    generator = np.random.default_rng(0)
    for count in demand(30.0, 5.0, (21,), generator):
        group.step(np.array([row]), np.array([[count]]))
    limits = group.limits(row)
    assert limits is not None
    x = np.arange(4000)
    log_e = group._log_e(np.full(x.size, row), x, np.zeros(x.size, np.intp))
    for mean in (limits.lower, (limits.lower + limits.upper) / 2, limits.upper):
        for kappa in (limits.kappa, 3 * limits.kappa, 1e7):
            probability = nbinom.pmf(x, kappa, kappa / (kappa + mean))

            assert (probability @ np.exp(log_e) <= 1 + 1e-6).all()


def test_overdispersed_demand_keeps_the_budget() -> None:
    """200 services with κ = 10 at 200 events a pane, 300 panes, A = 1000: at most 30 % may alarm."""
    panes = demand(200.0, 10.0, (501, 200), np.random.default_rng(1))

    alarmed = (evidence(panes) >= np.log(1000.0)).any(axis=0)

    assert alarmed.mean() <= 0.05


def test_half_as_much_again_is_found_within_25_panes() -> None:
    """κ = 10 at 200 events a pane, A = 1000: median of 50 services."""
    generator = np.random.default_rng(2)
    panes = np.concatenate([demand(200.0, 10.0, (201, 50), generator), demand(300.0, 10.0, (60, 50), generator)])

    alarmed = evidence(panes)[201:] >= np.log(1000.0)

    assert np.median(np.where(alarmed.any(axis=0), alarmed.argmax(axis=0) + 1, 99)) <= 25


def test_silence_is_found() -> None:
    """No request at all: a few empty panes are enough."""
    panes = demand(50.0, 10.0, (201, 1), np.random.default_rng(3))

    alarmed = evidence(np.concatenate([panes, np.zeros((10, 1), dtype=np.int64)]))[201:] >= np.log(1e5)

    assert alarmed[:, 0].argmax() + 1 <= 6
    assert alarmed.any()


def test_a_service_that_never_had_traffic_has_limits() -> None:
    """All panes empty: no lower side, and an upper limit above zero, so that a first event is no alarm."""
    limits = NegativeBinomial().limits(np.zeros(200, dtype=np.int64))

    assert limits.lower == 0.0
    assert 0.01 < limits.upper < 0.1


def test_steady_demand_is_poisson() -> None:
    """No spread beyond chance: κ is as good as infinite, the limits those of a Poisson mean at least."""
    limits = NegativeBinomial().limits(np.full(200, 7))

    assert limits == DemandLimits(lower=limits.lower, upper=limits.upper, kappa=1e9)
    assert limits.lower < 7.0 < limits.upper


def test_slow_waves_widen_the_limits() -> None:
    """Panes that depend on each other tell less about the mean than independent ones."""
    generator = np.random.default_rng(4)
    wave = np.repeat(generator.normal(0, 20, size=25), 8)
    independent = NegativeBinomial().limits(generator.permutation(200 + wave.round().astype(np.int64)))
    dependent = NegativeBinomial().limits(200 + wave.round().astype(np.int64))

    assert dependent.upper - dependent.lower > 1.8 * (independent.upper - independent.lower)


def test_one_count_a_pane_is_the_only_layout() -> None:
    """A layout of several bins is a mistake of the caller."""
    with pytest.raises(ValueError, match="layout: negative_binomial has one count"):
        NegativeBinomial().build(2)
