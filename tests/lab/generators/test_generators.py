"""The generators: their moments, their changes, their truth."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest

from stream_monitor.lab.generators import (
    Autoregressive,
    Bernoulli,
    Bimodal,
    Categorical,
    CategoryStream,
    Demand,
    Law,
    LogNormal,
    LostNames,
    Normal,
    NullStorm,
    NumberStream,
    OtherShares,
    Overdispersed,
    Ramp,
    Recurring,
    Replaced,
    Scale,
    Seasonal,
    Shift,
    Step,
    Stream,
    StudentT3,
    Temporary,
    Uniform,
    ZeroInflated,
    write_csv,
    write_truth,
)
from stream_monitor.lab.scores import Change

ROWS = 200_000
LAWS = (
    Normal(3.0, 2.0),
    LogNormal(),
    Uniform(),
    Bernoulli(0.1),
    ZeroInflated(),
    Bimodal(),
    Autoregressive(0.5),
    Seasonal(),
    Overdispersed(),
    Demand(),
)


@pytest.mark.parametrize("law", LAWS, ids=lambda law: type(law).__name__)
def test_a_law_has_the_moments_that_it_names(law: Law) -> None:
    """Sizes of changes are stated in standard deviations of the law."""
    values = law.draw(ROWS, np.random.default_rng(20261124))

    assert values.mean() == pytest.approx(law.mean, abs=0.03 * law.std)
    assert values.std() == pytest.approx(law.std, rel=0.08)


def test_student_t_has_its_variance_slowly() -> None:
    """Without a fourth moment the sample variance wanders: quartiles of t(3) are ±.7649."""
    values = StudentT3().draw(ROWS, np.random.default_rng(1))

    assert np.quantile(values, 0.75) == pytest.approx(0.7649, abs=0.01)


def test_equal_streams_are_equal_and_another_seed_is_another_stream() -> None:
    """Nothing random hides outside the seed."""
    stream = NumberStream(Normal(), 100, 1, (NullStorm(0.5, Step(50)),))

    assert np.array_equal(stream.values(), stream.values(), equal_nan=True)
    assert not np.array_equal(stream.values()[:50], NumberStream(Normal(), 100, 2).values()[:50])


def test_a_change_touches_nothing_before_it() -> None:
    """The stream with a change begins as the one without."""
    plain = NumberStream(LogNormal(), 1000, 5).values()
    for change in (Shift(1.0, Step(400)), Scale(2.0, Ramp(400, over=100)), Replaced(Uniform(), Step(400))):
        changed = NumberStream(LogNormal(), 1000, 5, (change,)).values()

        assert np.array_equal(plain[:400], changed[:400])
        assert not np.array_equal(plain[400:], changed[400:])


def test_a_shift_is_in_standard_deviations_of_the_law() -> None:
    """Half a sigma of N(3, 2²) is 1."""
    plain = NumberStream(Normal(3.0, 2.0), 10, 5).values()
    moved = NumberStream(Normal(3.0, 2.0), 10, 5, (Shift(0.5, Step(0)),)).values()

    assert moved - plain == pytest.approx(1.0)


def test_two_humps_keep_mean_and_spread() -> None:
    """What a detector of moments cannot see."""
    after = NumberStream(Normal(), ROWS, 3, (Replaced(Bimodal(), Step(0)),)).values()

    assert after.mean() == pytest.approx(0.0, abs=0.01)
    assert after.std() == pytest.approx(1.0, abs=0.01)
    assert np.mean(np.abs(after) < 0.3) < 0.12 < 0.23  # of a normal: .236


def test_a_gradual_drift_mixes_both_laws() -> None:
    """In the middle of the ramp the error rate is between .1 and .5."""
    change = Replaced(Bernoulli(0.5), Ramp(0, over=ROWS))
    values = NumberStream(Bernoulli(0.1), ROWS, 3, (change,)).values()

    assert values[90_000:110_000].mean() == pytest.approx(0.3, abs=0.02)


def test_a_temporary_and_a_recurring_change_go_away() -> None:
    """The truth names their ends."""
    once = NumberStream(Normal(), 100, 3, (Shift(9.0, Temporary(20, 30)),))
    again = NumberStream(Normal(), 100, 3, (Shift(9.0, Recurring(20, lasts=10, every=50)),))

    assert once.truth == (Change(20, 30),)
    assert again.truth == (Change(20, 30), Change(70, 80))
    assert np.flatnonzero(again.values() > 5).tolist() == [*range(20, 30), *range(70, 80)]


def test_two_names_swap_their_shares() -> None:
    """c0 and c2 of a Zipf law of three: 6/11 and 2/11."""
    law = Categorical.zipf(3)
    after = CategoryStream(law, ROWS, 3, (OtherShares(law.swapped("c0", "c2"), Step(0)),)).values()

    assert np.mean(after == "c0") == pytest.approx(2 / 11, abs=0.01)
    assert np.mean(after == "c2") == pytest.approx(6 / 11, abs=0.01)


def test_a_new_category_takes_its_share_from_another() -> None:
    """5 % of all rows go from c0 to new."""
    law = Categorical.even(4)
    after = CategoryStream(law, ROWS, 3, (OtherShares(law.moved(0.05, "c0", "new"), Step(0)),)).values()

    assert np.mean(after == "new") == pytest.approx(0.05, abs=0.01)
    with pytest.raises(ValueError, match="share"):
        law.moved(0.5, "c0", "new")


def test_lost_names_are_none() -> None:
    """A fifth of them."""
    after = CategoryStream(Categorical.even(4), ROWS, 3, (LostNames(0.2, Step(0)),)).values()

    assert after.tolist().count(None) / ROWS == pytest.approx(0.2, abs=0.01)


def test_files_hold_values_and_truth(tmp_path: Path) -> None:
    """A column a stream, an empty cell for a missing value, and when each changed."""
    streams: dict[str, Stream] = {
        "x": NumberStream(Normal(), 4, 1, (NullStorm(1.0, Step(2)),)),
        "c": CategoryStream(Categorical.even(2), 4, 1, (LostNames(1.0, Temporary(1, 2)),)),
    }
    write_csv(tmp_path / "x.csv", streams)
    write_truth(tmp_path / "x.json", streams)
    lines = (tmp_path / "x.csv").read_text().splitlines()

    assert lines[0] == "x,c"
    assert [line.split(",")[0] == "" for line in lines[1:]] == [False, False, True, True]
    assert [line.split(",")[1] == "" for line in lines[1:]] == [False, True, False, False]
    assert json.loads((tmp_path / "x.json").read_text()) == [
        {"series": "x", "from": 2},
        {"series": "c", "from": 1, "to": 2},
    ]
    with pytest.raises(ValueError, match="equally long"):
        write_csv(tmp_path / "y.csv", {**streams, "z": NumberStream(Normal(), 5, 1)})


def test_autocorrelation_is_what_it_says() -> None:
    """Lag one of AR(1)."""
    values = Autoregressive(0.8).draw(ROWS, np.random.default_rng(1))

    assert np.corrcoef(values[1:], values[:-1])[0, 1] == pytest.approx(0.8, abs=0.01)


def test_panes_share_their_effect() -> None:
    """The variance of pane means is share + (1 - share) / pane."""
    values = Overdispersed(pane=50, share=0.1).draw(ROWS, np.random.default_rng(1))

    assert values.reshape(-1, 50).mean(axis=1).var() == pytest.approx(0.1 + 0.9 / 50, rel=0.1)
    assert math.isclose(Overdispersed().std, 1.0)
