"""The design effect: one for independent events, its textbook value for autocorrelated ones."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

from stream_monitor.core.arrays import Int64
from stream_monitor.core.detectors import Mixture, RankShiryaevRoberts, SeriesReference
from stream_monitor.core.detectors.dependence import design_effect
from stream_monitor.core.grid import spacings

LAYOUT = spacings(255)


def autocorrelated(rho: float, *, events: int, panes: int, seed: int) -> Int64:
    """Panes of an AR(1) stream beside a reference of independent values of the same law, shape (panes, bins)."""
    generator = np.random.default_rng(seed)
    edges = np.sort(generator.standard_normal(255))[LAYOUT.cumsum()[:-1] - 1]
    noise = generator.standard_normal(events * panes + 200) * np.sqrt(1.0 - rho * rho)
    values = lfilter([1.0], [1.0, -rho], noise)[200:]
    bins = np.searchsorted(edges, values, side="right").reshape(panes, events)
    return np.array([np.bincount(row, minlength=LAYOUT.size) for row in bins])


def test_independent_events_have_no_design_effect() -> None:
    """In at least 95 of 100 streams d is exactly 1, and the promise is the exact one."""
    found = [design_effect(autocorrelated(0.0, events=10, panes=200, seed=s), LAYOUT) for s in range(100)]

    assert sum(d == (1.0, "bound") for d in found) >= 95


@pytest.mark.parametrize(("rho", "textbook"), [(0.3, 1.86), (0.5, 3.0), (0.8, 9.0)])
def test_the_median_is_that_of_the_textbook(rho: float, textbook: float) -> None:
    """(1 + ρ)/(1 - ρ) of an AR(1) stream, within a fifth."""
    found = [design_effect(autocorrelated(rho, events=20, panes=200, seed=s), LAYOUT).value for s in range(30)]

    assert np.median(found) == pytest.approx(textbook, rel=0.2)


def test_dependence_beyond_the_runs_is_called_so() -> None:
    """A wave of a hundred panes: no finite factor describes it, and nothing is promised."""
    generator = np.random.default_rng(0)
    tilt = np.outer(np.sin(np.arange(200) / 16.0), np.linspace(-0.5, 0.5, LAYOUT.size))
    shares = np.exp(tilt) * LAYOUT
    panes = generator.multinomial(200, shares / shares.sum(axis=1, keepdims=True))

    assert design_effect(panes, LAYOUT).status == "none:dependence"


def test_a_few_panes_cannot_tell() -> None:
    """Eleven panes, or no event at all: no promise."""
    panes = autocorrelated(0.0, events=10, panes=11, seed=1)

    assert design_effect(panes, LAYOUT) == (1.0, "none:dependence")
    assert design_effect(np.zeros((200, LAYOUT.size), dtype=np.int64), LAYOUT) == (1.0, "none:dependence")


def test_a_tempered_detector_keeps_the_budget_on_dependent_events() -> None:
    """AR(1) with ρ = .5, 60 streams of 300 panes, A = 3,000: at most a tenth may alarm; untempered most do."""
    streams = [autocorrelated(0.5, events=10, panes=500, seed=seed) for seed in range(60)]
    group = RankShiryaevRoberts(Mixture.BASE).build(255)
    tempered = [SeriesReference(LAYOUT, design_effect=design_effect(panes[:200], LAYOUT).value) for panes in streams]
    rows = np.array([group.add(reference) for reference in [SeriesReference(LAYOUT)] * 60 + tempered])
    alarmed = np.zeros(120, dtype=np.bool_)
    for pane in range(200, 500):
        counts = np.array([panes[pane] for panes in streams])
        alarmed |= group.step(rows, np.concatenate([counts, counts])) >= np.log(3000.0)

    assert alarmed[:60].sum() > 20
    assert alarmed[60:].sum() <= 6
