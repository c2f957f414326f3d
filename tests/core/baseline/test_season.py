"""Seasons: found whatever their length and shape, beside a change as well; slow series have none."""

from __future__ import annotations

import numpy as np
import pytest

from stream_monitor.core.baseline.season import season
from stream_monitor.lab.generators import (
    Autoregressive,
    Held,
    Law,
    LogNormal,
    Normal,
    NumberStream,
    Overdispersed,
    Regimes,
    Seasonal,
    Shift,
    Step,
    ZeroInflated,
)

ROWS = 2_000


@pytest.mark.parametrize("shift", [0.0, 1.0])
@pytest.mark.parametrize("period", [7, 12, 24, 48, 96, 200])
def test_a_season_is_found_whatever_its_length(period: int, shift: float) -> None:
    """In nine of ten files; a season of a tenth of the file may be off by a row."""
    changes = (Shift(shift, Step(ROWS // 2)),)
    found = [season(NumberStream(Seasonal(period, 2.0), ROWS, seed, changes).values()) for seed in range(20)]

    assert np.mean([abs(own - period) <= period // 200 for own in found]) >= 0.9


def test_a_week_is_found_behind_its_days() -> None:
    """A daily wave that is lower on two days of seven repeats itself after 168 hours, not after 24."""
    hours = np.arange(3_000)
    weekend = (hours // 24) % 7 >= 5
    wave = np.sin(hours * (2 * np.pi / 24)) - 2.0 * weekend + 0.5 * np.random.default_rng(1).standard_normal(3_000)

    assert season(wave) == 168


def test_lost_values_do_not_hide_a_season() -> None:
    """Every fifth one is missing."""
    rng = np.random.default_rng(2)
    wave = Seasonal(24, 2.0).draw(ROWS, rng)
    wave[rng.random(ROWS) < 0.2] = np.nan

    assert season(wave) == 24


@pytest.mark.parametrize("shift", [0.0, 2.0])
@pytest.mark.parametrize(
    "law",
    [
        Normal(),
        LogNormal(),
        ZeroInflated(),
        Autoregressive(0.8),
        Autoregressive(0.98),
        Overdispersed(50, 0.3),
        Held(30),
        Regimes(50),
        Regimes(50, quiet=True),
    ],
)
def test_what_does_not_repeat_has_no_season(law: Law, shift: float) -> None:
    """Independent, slow, stuck or two-sided: at most one file in twenty is thought to repeat itself."""
    changes = (Shift(shift, Step(ROWS // 2)),)
    found = [season(NumberStream(law, ROWS, seed, changes).values()) for seed in range(20)]

    assert sum(own != 1 for own in found) <= 1


def test_a_walk_a_trend_and_a_constant_have_no_season() -> None:
    """Nor has a file that is too short for one."""
    rng = np.random.default_rng(3)

    assert season(rng.standard_normal(ROWS).cumsum()) == 1
    assert season(np.arange(ROWS) / 500.0 + rng.standard_normal(ROWS)) == 1
    assert season(np.ones(ROWS)) == 1
    assert season(np.tile([0.0, 1.0], 10)) == 1
