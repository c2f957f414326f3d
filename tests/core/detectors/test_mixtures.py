"""The alternatives of the rank detector."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

from stream_monitor.core.detectors.mixtures import TILT_ONE, Mixture
from stream_monitor.core.grid import spacings


@pytest.mark.parametrize("m", [63, 1023, 65_535])
def test_a_shift_has_the_bin_masses_of_a_shifted_normal(m: int) -> None:
    """The last shift of the fine mixture, λ = -1.6, against the normal distribution function."""
    layout = spacings(m)
    edges = ndtri(layout.cumsum()[:-1] / (m + 1))
    masses = np.diff(np.concatenate([[0.0], ndtr(edges + 1.6), [1.0]]))

    ratios = Mixture.FINE.tilts(layout).ratios[13]

    assert ratios == pytest.approx(np.maximum(masses * (m + 1) / layout * TILT_ONE, 1.0), abs=0.51, rel=1e-9)


def test_both_mixtures_weigh_one() -> None:
    """The weighted sum of the alternatives' sums is the evidence, so the weights are a probability."""
    assert [float(m.tilts(spacings(1023)).weights.sum()) for m in Mixture] == pytest.approx([1.0, 1.0])


def test_the_mixtures_have_the_alternatives_of_the_description() -> None:
    """Base: 10 shifts, 6 scales, one memory; fine: 14 shifts, 6 scales, three memories."""
    shapes = {m: (m.tilts(spacings(63)).ratios.shape[0], m.tilts(spacings(63)).half_lives) for m in Mixture}

    assert shapes == {Mixture.BASE: (16, (200.0,)), Mixture.FINE: (20, (50.0, 400.0, 3000.0))}


def test_no_tilt_is_zero() -> None:
    """A bin without mass under an alternative would set its evidence to zero for ever."""
    assert all(int(m.tilts(spacings(65_535)).ratios.min()) >= 1 for m in Mixture)


def test_large_panes_get_the_fine_mixture() -> None:
    """The switch is at a hundred events a pane."""
    assert [Mixture.for_events(n) for n in (10, 99, 100, 5_000)] == ["base", "base", "fine", "fine"]
