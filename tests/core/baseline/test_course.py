"""Dependence from the whole course of a file: what a change adds is not dependence, what a season does cancels."""

from __future__ import annotations

import numpy as np
import pytest

from stream_monitor.core.arrays import Float64
from stream_monitor.core.baseline import (
    Dependence,
    Origin,
    OriginType,
    ReferenceTable,
    build_baseline,
    measured_along,
)
from stream_monitor.core.baseline.course import RANKS, course_effect, holding_effect, ranked, with_course
from stream_monitor.core.baseline.dependence import DesignEffect, category_scores, numeric_scores
from stream_monitor.core.keys import file_row_hashes
from stream_monitor.core.plan import LimitsPlan
from stream_monitor.lab.generators import (
    Autoregressive,
    Held,
    Law,
    LogNormal,
    Normal,
    NumberStream,
    Overdispersed,
    Regimes,
    Scale,
    Seasonal,
    Shift,
    Step,
)

SCORES = numeric_scores(np.ones(RANKS, np.int64))


def effects(law: Law, rows: int, *, files: int = 20, shift: float = 0.0, factor: float = 1.0) -> Float64:
    """Design effects of files that change in the middle."""
    middle = Step(rows // 2)
    changes = (Shift(shift, middle), Scale(factor, middle))
    return np.array(
        [course_effect(ranked(NumberStream(law, rows, seed, changes).values()), SCORES) for seed in range(files)]
    )


@pytest.mark.parametrize(("shift", "factor"), [(0.0, 1.0), (1.0, 1.0), (3.0, 1.0), (0.0, 2.0)])
@pytest.mark.parametrize("rows", [500, 2_000, 10_000])
def test_independent_rows_have_no_design_effect_whatever_changes(rows: int, shift: float, factor: float) -> None:
    """In 95 of 100 files d is exactly 1: a change of level or spread is not taken for dependence."""
    assert (effects(Normal(), rows, files=100, shift=shift, factor=factor) == 1.0).mean() >= 0.95


def test_independent_rows_of_other_laws_have_none() -> None:
    """Skewed values, and yes and no."""
    yes = [np.random.default_rng(seed).random(2_000) < 0.03 for seed in range(60)]
    binary = [course_effect(own.astype(np.int64), category_scores(np.array([97, 3]))) for own in yes]

    assert (effects(LogNormal(), 2_000, files=60) == 1.0).mean() >= 0.95
    assert np.mean(np.array(binary) == 1.0) >= 0.95


def test_three_changes_are_not_dependence() -> None:
    """Four levels, a standard deviation and more apart: in 19 of 20 files d is 1."""
    levels = np.repeat([0.0, 1.0, -0.5, 0.8], 500)
    files = [np.random.default_rng(seed).standard_normal(2_000) + levels for seed in range(60)]

    assert np.mean([course_effect(ranked(own), SCORES) == 1.0 for own in files]) >= 0.95


def test_a_change_leaves_nothing_beyond_the_ranks() -> None:
    """Ten standard deviations up: what varied before varies after, and the factor of ρ = .8 stays about nine."""
    median = float(np.median(effects(Autoregressive(0.8), 3_000, shift=10.0)))

    assert 4.5 <= median <= 11.0


@pytest.mark.parametrize("shift", [0.0, 1.0])
@pytest.mark.parametrize(
    ("law", "textbook"),
    [
        (Autoregressive(0.5), 3.0),
        (Autoregressive(0.8), 9.0),
        (Autoregressive(0.95), 39.0),
        (Overdispersed(50, 0.1), 5.9),
    ],
)
def test_the_textbook_factor_is_met_beside_a_change(law: Law, textbook: float, shift: float) -> None:
    """The median is between half of the textbook's and a third above it: half is enough for the budget."""
    median = float(np.median(effects(law, 3_000, shift=shift)))

    assert 0.5 * textbook <= median <= 1.3 * textbook


def test_a_season_is_dependence_only_if_panes_cut_it() -> None:
    """Of a wave of 24 rows four rows say as much as one; in whole waves all of them do, also where the level moves."""
    bins = [ranked(NumberStream(Seasonal(24, 2.0), 3_000, s, (Shift(1.0, Step(1_500)),)).values()) for s in range(20)]

    assert np.median([course_effect(own, SCORES) for own in bins]) > 2.5
    assert np.mean([course_effect(own, SCORES, period=24) == 1.0 for own in bins]) >= 0.9


def test_rows_without_a_value_keep_their_place() -> None:
    """A third of the values is lost: the dependence of those that are left is the smaller one of a sample."""
    values = Autoregressive(0.9).draw(6_000, np.random.default_rng(3))
    bins = np.where(np.random.default_rng(4).random(6_000) < 1 / 3, -1, ranked(values))

    assert course_effect(bins, SCORES) == pytest.approx(1.0 + 18.0 * 2 / 3, rel=0.35)


def test_too_few_rows_tell_nothing() -> None:
    """None, and a hundred."""
    assert course_effect(np.empty(0, np.int64), SCORES) == 1.0
    assert course_effect(np.repeat(np.arange(10), 10), SCORES) == 1.0


@pytest.mark.parametrize("rows", [20.0, 50.0])
def test_a_stretch_of_equal_values_is_one_observation(rows: float) -> None:
    """Sensors that hold a value for a while: the rows of a stretch, on average."""
    found = [holding_effect(Held(rows).draw(5_000, np.random.default_rng(seed))) for seed in range(20)]

    assert np.median(found) == pytest.approx(rows, rel=0.2)


def test_zeros_between_bursts_are_stretches_too() -> None:
    """Half of the rows are zeros in stretches of two hundred: a row meets one of a hundred, or none."""
    found = [holding_effect(Regimes(200, quiet=True).draw(20_000, np.random.default_rng(seed))) for seed in range(10)]

    assert 50.0 < np.median(found) < 200.0


def test_equal_values_by_chance_are_no_stretches() -> None:
    """Small counts, mostly zeros, and one value only: nothing is held."""
    rng = np.random.default_rng(5)
    files = [rng.poisson(rate, 2_000).astype(np.float64) for rate in (0.05, 0.7, 3.0) for _ in range(30)]

    assert np.mean([holding_effect(own) == 1.0 for own in files]) >= 0.98
    assert holding_effect(np.zeros(500)) == 1.0
    assert holding_effect(np.empty(0)) == 1.0


def test_the_course_alone_is_believed_where_it_is_long() -> None:
    """A reference of 400 rows overrates by chance; a short course underrates: then the larger one counts."""
    short = DesignEffect(60.0, settled=False)

    assert with_course(short, 30.0, rows=2_000, observed=800, seasonal=False) == (30.0, True)
    assert with_course(short, 29.0, rows=2_000, observed=2_000, seasonal=False) == (60.0, False)
    assert with_course(short, 30.0, rows=1_000, observed=800, seasonal=False) == (60.0, False)
    assert with_course(short, 1.0, rows=2_000, observed=400, seasonal=False) == (60.0, False)
    assert with_course(short, 1.0, rows=2_000, observed=400, seasonal=True) == (1.0, True)
    assert with_course(None, 30.0, rows=2_000, observed=400, seasonal=False) == (30.0, False)


def test_a_season_is_as_long_for_a_segment_as_for_all_rows() -> None:
    """A third of the rows, drawn by chance, keeps its place in the wave: judged in whole waves it is independent."""
    rows = 3_000
    values, rng = Seasonal(24, 2.0).draw(rows, np.random.default_rng(1)), np.random.default_rng(2)
    select, tie = file_row_hashes("m", range(rows))
    country = [("DE", "FR", "US")[code] for code in rng.integers(0, 3, rows)]
    table = ReferenceTable({"feature:x": values}, select, tie, np.arange(rows), segments={"country": country})
    built = build_baseline("m", "", table, origin=Origin(OriginType.DATASET, rows), limits=LimitsPlan())
    whole = measured_along(built, table, period=24).segments.values()
    cut = measured_along(built, table).segments.values()

    assert [own.series["feature:x"].dependence for own in whole] == [Dependence()] * 3
    assert all(own.series["feature:x"].dependence != Dependence() for own in cut)


@pytest.mark.parametrize("moving", [slice(0, 1_200), slice(1_800, 3_000)])
def test_a_column_that_freezes_or_begins_to_move_does_not_hang_together(moving: slice) -> None:
    """The stretch at the end or the beginning is the change that is looked for."""
    values = np.full(3_000, 5.0)
    values[moving] = np.random.default_rng(1).standard_normal(1_200)

    assert holding_effect(values) == 1.0


def test_a_column_that_stands_still_now_and_then_hangs_together() -> None:
    """A long stretch at the end is none that is longer than others by far."""
    values = np.repeat(np.random.default_rng(1).standard_normal(10), 300)

    assert holding_effect(values) == pytest.approx(150.0)
