"""Files of a few regimes: their jumps are found, and nothing that wanders is taken for them."""

from __future__ import annotations

import numpy as np
import pytest

from stream_monitor.core.arrays import Float64, Intp
from stream_monitor.core.baseline import ReferenceTable, regimes_along
from stream_monitor.core.baseline.regimes import FEW_JUMPS, category_regimes, regimes
from stream_monitor.core.baseline.table import Column
from stream_monitor.core.keys import file_row_hashes
from stream_monitor.lab.generators import Autoregressive, Held, Law, Normal, NumberStream, Overdispersed, Seasonal

LEVELS = np.array([0.0, 1.0, 0.0, 2.0, 1.0, 2.0, 0.0, 1.0, 2.0, 1.0])


def noise(rows: int, seed: int = 1) -> Float64:
    return np.random.default_rng(seed).standard_normal(rows)


@pytest.mark.parametrize(("length", "size"), [(100, 2.0), (200, 1.0), (1_000, 0.5)])
def test_ten_levels_are_nine_jumps(length: int, size: float) -> None:
    """Each is located to a tenth of a regime, and within the regimes the rows are independent."""
    files = [size * np.repeat(LEVELS, length) + noise(10 * length, seed) for seed in range(20)]
    found = [regimes(own) for own in files]
    right = [
        own is not None
        and own.jumps.size == 9
        and bool((np.abs(own.jumps - length * np.arange(1, 10)) <= length / 10).all())
        for own in found
    ]

    assert np.mean(right) >= 0.8
    assert np.mean([own is not None and own.effect == 1.0 for own in found]) >= 0.9


def test_spreads_and_shares_jump_too() -> None:
    """The standard deviation doubles and halves; errors of one in ten become three in ten."""
    spread = regimes(np.repeat([1.0, 2.0] * 4, 400) * noise(3_200))
    rates = np.repeat([0.1, 0.3] * 3, 1_000)
    errors = regimes((np.random.default_rng(2).random(6_000) < rates).astype(np.float64))

    assert spread is not None
    assert errors is not None
    assert (spread.jumps.size, errors.jumps.size) == (7, 5)
    assert (spread.effect, errors.effect) == (1.0, 1.0)


def test_jumps_in_rows_that_depend_on_each_other_must_be_clearer() -> None:
    """What ρ = .5 does within the regimes is measured there: a factor of three, not of forty."""
    levels = 3.0 * np.repeat([0.0, 1.0] * 4, 500)
    found = [regimes(levels + NumberStream(Autoregressive(0.5), 4_000, seed).values()) for seed in range(20)]
    told = [own for own in found if own is not None]

    assert len(told) >= 10
    assert {own.jumps.size for own in told} == {7}
    assert all(2.0 < own.effect <= 6.0 for own in told)


def test_a_season_hides_no_jump() -> None:
    """It is taken out first; one that nobody names is none."""
    daily = 2.0 * np.sin(np.arange(2_400) * (2 * np.pi / 24))
    found = regimes(daily + 2.0 * np.repeat([0.0, 1.0, 0.0, 1.0], 600) + noise(2_400), period=24)

    assert found is not None
    assert found.jumps.size == 3
    assert found.effect == 1.0


def test_more_jumps_than_a_few_are_a_habit() -> None:
    """Thirteen regimes are told apart, thirty are how the series is; a long file may have twenty."""
    levels = np.resize([0.0, 2.0], 30)
    few = regimes(np.repeat(levels[: FEW_JUMPS + 1], 200) + noise(200 * (FEW_JUMPS + 1)))
    twenty = regimes(np.repeat(levels[:20], 500) + noise(10_000))

    assert few is not None
    assert twenty is not None
    assert (few.jumps.size, twenty.jumps.size) == (FEW_JUMPS, 19)
    assert regimes(np.repeat(levels, 200) + noise(6_000)) is None


@pytest.mark.parametrize(
    "law",
    [
        pytest.param(Normal(), id="independent"),
        pytest.param(Autoregressive(0.8), id="rho .8"),
        pytest.param(Autoregressive(0.95), id="rho .95"),
        pytest.param(Autoregressive(0.98), id="rho .98"),
        pytest.param(Held(20), id="held for 20 rows"),
        pytest.param(Held(50), id="held for 50 rows"),
        pytest.param(Held(200), id="held for 200 rows"),
        pytest.param(Overdispersed(20), id="effects of 20 rows"),
        pytest.param(Seasonal(400), id="a slow season"),
    ],
)
def test_what_wanders_has_no_regimes(law: Law) -> None:
    """Of files of 2,000 rows one in twenty at most."""
    found = [regimes(NumberStream(law, 2_000, seed).values()) for seed in range(40)]

    assert np.mean([own is not None for own in found]) <= 0.05


def sticky(stay: float, names: int, rows: int, seed: int) -> Intp:
    """Codes of a chain that keeps its name with a probability."""
    rng = np.random.default_rng(seed)
    found = [0]
    for keeps, other in zip(rng.random(rows - 1) < stay, rng.integers(0, names, rows - 1), strict=True):
        found.append(found[-1] if keeps else int(other))
    return np.array(found, dtype=np.intp)


@pytest.mark.parametrize("stay", [0.0, 0.9, 0.98])
def test_names_that_stay_for_a_while_have_no_regimes(stay: float) -> None:
    """Nor has a yes or no that does."""
    rows = 2_000
    names = [category_regimes(sticky(stay, 4, rows, seed), places=np.arange(rows)) for seed in range(40)]
    yes = [regimes((sticky(stay, 4, rows, seed) > 0).astype(np.float64)) for seed in range(40)]

    assert np.mean([own is not None for own in names]) <= 0.05
    assert np.mean([own is not None for own in yes]) <= 0.05


def test_shares_of_categories_jump() -> None:
    """Red and blue change places again and again; green and a rare grey have no part in it."""
    rng = np.random.default_rng(3)
    shares = np.array([[0.6, 0.3, 0.05, 0.05], [0.1, 0.3, 0.55, 0.05]])
    codes = np.array([rng.choice(4, p=shares[row // 200 % 2]) for row in range(2_000)], dtype=np.intp)
    found = category_regimes(codes, places=np.arange(codes.size))

    assert found is not None
    assert found.effect < 2.0
    assert (np.abs(found.jumps - 200 * np.arange(1, 10)) <= 15).all()


def test_a_walk_and_a_slow_rise_have_no_regimes() -> None:
    """They move between their levels step by step."""
    walks = [regimes(noise(2_000, seed).cumsum()) for seed in range(40)]
    rises = [regimes(np.linspace(0.0, 6.0, 4_000) + noise(4_000, seed)) for seed in range(40)]

    assert np.mean([own is not None for own in walks]) <= 0.05
    assert np.mean([own is not None for own in rises]) <= 0.1


def test_jumps_are_counted_over_all_rows() -> None:
    """In the order of time, those without a value among them; a constant or a text has none."""
    rows = 1_000
    values = np.repeat([0.0, 3.0], rows // 2) + noise(rows)
    values[100:200] = np.nan
    select, tie = file_row_hashes("m", range(rows))
    columns: dict[str, Column] = {
        "feature:x": values[::-1],
        "feature:same": np.ones(rows),
        "feature:text": ["a", "b"] * (rows // 2),
    }
    found = regimes_along(ReferenceTable(columns, select, tie, np.arange(rows)[::-1]))

    assert list(found) == ["feature:x"]
    assert found["feature:x"].jumps.size == 1
    assert abs(int(found["feature:x"].jumps[0]) - 500) <= 3
