"""Effects that are bounds: SageMaker's robust distance, and the proven one."""

from __future__ import annotations

import numpy as np
import pytest

from stream_monitor.config.effect_presets import PRESETS
from stream_monitor.config.sections.rules import MEASURES as CONFIGURABLE
from stream_monitor.core.arrays import Int64
from stream_monitor.core.comparisons import Reference, comparison
from stream_monitor.core.grid import spacings
from stream_monitor.core.names import SeriesKind
from stream_monitor.core.rules import MEASURES, EffectWindow, measure
from stream_monitor.lab.counts import draw_masses, drifted, pane_counts


def window(counts: Int64, m: int, design_effect: float = 1.0) -> EffectWindow:
    """A window beside a reference of m values."""
    reference = Reference(spacings(m), design_effect=design_effect)
    return EffectWindow("m", "", "", "s", SeriesKind.NUMERIC, None, reference, counts, 1, 0, 1)


def looks(m: int, shift: float, *, seed: int, panes: int = 30, events: int = 50) -> Int64:
    """Growing windows of a stream that has shifted, shape (panes, bins)."""
    generator = np.random.default_rng(seed)
    masses = drifted(draw_masses(spacings(m), generator), shift=shift)
    return pane_counts(masses, events=events, panes=panes, generator=generator).cumsum(axis=0)


@pytest.mark.parametrize("m", [1023, 16_383])
def test_a_proven_effect_is_hardly_ever_too_large(m: int) -> None:
    """Of 60 streams without a change, looked at 30 times each, at most two ever prove one."""
    proven = measure("kolmogorov_smirnov_proven")
    wrong = [any(proven.value(window(seen, m)) > 0.0 for seen in looks(m, 0.0, seed=seed)) for seed in range(60)]

    assert sum(wrong) <= 2


def test_a_clear_shift_is_proven() -> None:
    """At 1 standard deviation a gap of .05 is proven from a hundred events on; it stays below the true .38."""
    proven = measure("kolmogorov_smirnov_proven")
    values = [proven.value(window(seen, 16_383)) for seen in looks(16_383, 1.0, seed=1)]

    assert values[3] > 0.05
    assert max(values) < 0.383


def test_dependent_events_prove_less() -> None:
    """With a design effect of 9 the same counts are worth a ninth."""
    seen = looks(16_383, 0.5, seed=2)[-1]
    proven = measure("kolmogorov_smirnov_proven")

    assert proven.value(window(seen, 16_383, 9.0)) < proven.value(window(seen, 16_383))


def test_the_robust_distance_is_sagemakers() -> None:
    """The gap less 1.8 √(1/n + 1/m), and 0 in nearly all windows without drift."""
    robust = measure("kolmogorov_smirnov_robust")
    seen = looks(1023, 0.5, seed=3)[-1]
    gap = comparison("kolmogorov_smirnov").measure(Reference(spacings(1023)), seen)
    quiet = [robust.value(window(looks(1023, 0.0, seed=seed, panes=4)[-1], 1023)) for seed in range(100)]

    assert robust.value(window(seen, 1023)) == pytest.approx(gap - 1.8 * np.sqrt(1 / 1500 + 1 / 1024))
    assert np.count_nonzero(quiet) <= 2


def test_presets_are_measures_that_rules_know() -> None:
    """Every preset names a measure, here and in the configuration, and a floor above 0."""
    known = {by.name for by in MEASURES}

    assert {preset.measure for preset in PRESETS.values()} <= known & set(CONFIGURABLE)
    assert min(preset.floor for preset in PRESETS.values()) > 0
