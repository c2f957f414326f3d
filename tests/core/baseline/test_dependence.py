"""The design effect: one for independent events, its textbook value for autocorrelated ones."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import lfilter

from stream_monitor.core.arrays import Float64, Int64
from stream_monitor.core.baseline.dependence import (
    category_scores,
    design_effect,
    design_effect_of_panes,
    numeric_scores,
)
from stream_monitor.core.detectors import Mixture, RankShiryaevRoberts, SeriesReference
from stream_monitor.core.grid import spacings

LAYOUT = spacings(255)


SCORES = numeric_scores(LAYOUT)


def waves(rho: float, *, events: int, seed: int) -> Float64:
    """An AR(1) stream of standard normal values."""
    generator = np.random.default_rng(seed)
    noise = generator.standard_normal(events + 2000) * np.sqrt(1.0 - rho * rho)
    stream: Float64 = lfilter([1.0], [1.0, -rho], noise)[2000:]
    return stream


def autocorrelated(rho: float, *, events: int, panes: int, seed: int) -> Int64:
    """Panes of an AR(1) stream beside a reference of independent values of the same law, shape (panes, bins)."""
    edges = np.sort(np.random.default_rng(seed).standard_normal(255))[LAYOUT.cumsum()[:-1] - 1]
    values = waves(rho, events=events * panes, seed=seed + 10_000)
    bins = np.searchsorted(edges, values, side="right").reshape(panes, events)
    return np.array([np.bincount(row, minlength=LAYOUT.size) for row in bins])


def binned(values: Float64) -> Int64:
    """Bins of values beside a grid that they make themselves, as a baseline of 255 or more rows has it."""
    sample = np.random.default_rng(1).permutation(np.resize(values, max(255, values.size)))[:255]
    edges = np.sort(sample)[LAYOUT.cumsum()[:-1] - 1]
    return np.searchsorted(edges, values, side="right").astype(np.int64)


@pytest.mark.parametrize("rows", [255, 1000, 10_000])
def test_independent_events_have_no_design_effect(rows: int) -> None:
    """In at least 95 of 100 streams d is exactly 1, and the promise is the exact one."""
    found = [design_effect(binned(waves(0.0, events=rows, seed=s)), SCORES) for s in range(100)]

    assert sum(d == (1.0, True) for d in found) >= 95


def test_independent_panes_have_no_design_effect() -> None:
    """The same where events are known by pane only."""
    found = [design_effect_of_panes(autocorrelated(0.0, events=10, panes=200, seed=s), SCORES) for s in range(100)]

    assert sum(d == (1.0, True) for d in found) >= 95


def test_independent_rare_categories_have_no_design_effect() -> None:
    """Two rare ones side by side are chance, however improbable a normal law finds them."""
    shares = [0.5, 0.3, 0.1, 0.05, 0.02, 0.01, 0.01, 0.005, 0.002, 0.001, 0.001, 0.001]
    events = [np.random.default_rng(seed).choice(12, size=2000, p=shares) for seed in range(100)]
    found = [design_effect(rows, category_scores(np.bincount(rows, minlength=12))) for rows in events]

    assert sum(d.value == 1.0 for d in found) >= 95


@pytest.mark.parametrize(("rho", "textbook"), [(0.3, 1.86), (0.5, 3.0), (0.8, 9.0), (0.9, 19.0)])
@pytest.mark.parametrize("rows", [1000, 10_000])
def test_the_median_is_that_of_the_textbook(rho: float, textbook: float, rows: int) -> None:
    """(1 + ρ)/(1 - ρ) of an AR(1) stream, within a fifth."""
    found = [design_effect(binned(waves(rho, events=rows, seed=s)), SCORES).value for s in range(30)]

    assert np.median(found) == pytest.approx(textbook, rel=0.2)


def test_dependence_in_a_short_stream_is_seen_in_neighbours() -> None:
    """A hundred rows hold six runs of sixteen; the correlation of neighbours tells what they cannot."""
    found = [design_effect(binned(waves(0.5, events=100, seed=s)), SCORES).value for s in range(40)]

    assert np.mean(np.array(found) > 1.5) > 0.8


def test_a_sample_depends_less_than_the_stream() -> None:
    """Of rows one in four of which was kept, the design effect is that of all of them."""
    values = waves(0.9, events=40_000, seed=3)
    kept = np.sort(np.random.default_rng(4).permutation(values.size)[:10_000])

    assert design_effect(binned(values[kept]), SCORES, share=0.25).value == pytest.approx(19.0, rel=0.35)


def test_dependence_beyond_the_runs_is_called_so() -> None:
    """A slow wave, or a walk: no finite factor describes it, and nothing is promised."""
    walk = np.random.default_rng(0).standard_normal(2000).cumsum()
    wave = np.sin(np.arange(2000) / 500.0)

    assert not design_effect(binned(walk), SCORES).settled
    assert not design_effect(binned(wave), SCORES).settled


def test_too_little_cannot_tell() -> None:
    """Eleven panes, or no event at all: no promise."""
    panes = autocorrelated(0.0, events=10, panes=11, seed=1)

    assert design_effect_of_panes(panes, SCORES) == (1.0, False)
    assert design_effect_of_panes(np.zeros((200, LAYOUT.size), dtype=np.int64), SCORES) == (1.0, False)
    assert design_effect(np.zeros(0, dtype=np.int64), SCORES) == (1.0, False)


def test_a_tempered_detector_keeps_the_budget_on_dependent_events() -> None:
    """AR(1) with ρ = .5, 60 streams of 300 panes, A = 3,000: at most a tenth may alarm; untempered most do."""
    streams = [autocorrelated(0.5, events=10, panes=500, seed=seed) for seed in range(60)]
    group = RankShiryaevRoberts(Mixture.BASE).build(255)
    tempered = [
        SeriesReference(LAYOUT, design_effect=design_effect_of_panes(panes[:200], SCORES).value) for panes in streams
    ]
    rows = np.array([group.add(reference) for reference in [SeriesReference(LAYOUT)] * 60 + tempered])
    alarmed = np.zeros(120, dtype=np.bool_)
    for pane in range(200, 500):
        counts = np.array([panes[pane] for panes in streams])
        alarmed |= group.step(rows, np.concatenate([counts, counts])) >= np.log(3000.0)

    assert alarmed[:60].sum() > 20
    assert alarmed[60:].sum() <= 6
