"""What rules measure an effect by."""

from __future__ import annotations

import numpy as np
import pytest

from stream_monitor.core.comparisons import Reference
from stream_monitor.core.names import SeriesKind
from stream_monitor.core.plan import EffectPlan, RulePlan
from stream_monitor.core.rules import MEASURES, EffectWindow, build_rule, judges, measure


def window(
    counts: list[int], reference: list[int] | None, *, panes: int = 1, mean: float | None = None, spread: float = 1.0
) -> EffectWindow:
    return EffectWindow(
        model="m",
        version="",
        segment="",
        series="s",
        kind=SeriesKind.COUNT if reference is None else SeriesKind.BINARY,
        baseline=None,
        reference=None if reference is None else Reference(np.array(reference)),
        counts=np.array(counts),
        panes=panes,
        from_ms=0,
        to_ms=10_000,
        reference_mean=mean,
        reference_variance=None if mean is None else spread,
    )


def test_share_change_is_the_largest_change_of_a_share() -> None:
    """Of a yes/no series: by how much the share of yes has moved."""
    assert measure("share_change").value(window([60, 40], [90, 10])) == pytest.approx(0.3)


def test_the_noise_of_a_share_shrinks_with_both_samples() -> None:
    """A large window beside a large reference shows small changes."""
    noise = [measure("share_change").noise_95(window([8 * n, 2 * n], [80 * m, 20 * m])) for n, m in ((1, 1), (9, 9))]

    assert noise[1] == pytest.approx(noise[0] / 3, rel=0.05)
    assert measure("share_change").noise_95(window([100, 0], [1000, 0])) > 0


@pytest.mark.parametrize(("yes", "n"), [(15, 1_000), (150, 10_000)])
def test_a_relative_change_says_how_much_a_rare_share_has_grown(yes: int, n: int) -> None:
    """A share of .5 % that tripled is 2, whatever a distance thinks of it; a third of it is 2 as well."""
    relative, seen = measure("relative_change"), window([n - yes, yes], [19_900, 100])

    assert relative.value(seen) == pytest.approx(2.0, rel=0.05)
    assert relative.decisive(seen) < relative.value(seen) < relative.most(seen)
    assert relative.value(window([29_950, 50], [19_900, 100])) == pytest.approx(2.0, rel=0.05)
    assert measure("psi").value(seen) < 0.012


def test_one_event_is_no_relative_change() -> None:
    """One where a tenth was expected: a factor that chance shows in one of ten windows decides nothing."""
    relative, seen = measure("relative_change"), window([19, 1], [19_900, 100])

    assert relative.decisive(seen) < 0.1 < 8.0 < relative.value(seen)
    assert relative.decisive(window([100, 0], [19_900, 100])) == 0.0
    assert relative.decisive(window([2_000, 0], [19_900, 100])) > 1.0


def test_a_relative_change_is_that_of_the_bin_that_changed_most_at_least() -> None:
    """One event of a category that the reference had once says less than three hundred of one that it had often."""
    seen = window([500, 299, 1], [7_999, 2_000, 1])

    assert measure("relative_change").value(seen) == pytest.approx(299 / 800 / 0.2 - 1.0)


@pytest.mark.parametrize(("counts", "expected"), [(130, 0.3), (0, 1.0), (100, 0.0), (50, 0.5)])
def test_a_ratio_is_the_relative_change_of_the_count_per_pane(counts: int, expected: float) -> None:
    """More and less weigh alike, and silence is a change of 1."""
    assert measure("ratio").value(window([counts * 2], None, panes=2, mean=100.0)) == pytest.approx(expected)


def test_a_ratio_to_nothing_is_the_count_itself() -> None:
    """A reference without events has no ratio; what comes then is shown as it is."""
    assert measure("ratio").value(window([6], None, panes=2, mean=0.0)) == 3.0
    assert measure("ratio").value(window([6], None, panes=2)) == 0.0


def test_the_noise_of_a_ratio_follows_the_spread_of_the_reference() -> None:
    """Two standard errors of the mean, in units of the mean."""
    four_panes = window([400], None, panes=4, mean=100.0, spread=400.0)

    assert measure("ratio").noise_95(four_panes) == pytest.approx(0.196, rel=1e-3)


def test_the_decisive_value_has_no_chance_in_it() -> None:
    """A window like its reference has some PSI and no decisive one."""
    same = window([52, 48], [500, 500])

    assert measure("psi").value(same) > 0.0
    assert measure("psi").decisive(same) == 0.0


def test_a_distance_needs_a_reference() -> None:
    """A count per pane has no distribution to be compared with."""
    with pytest.raises(ValueError, match="no reference distribution"):
        measure("psi").value(window([5], None))


def test_measures_have_names_of_their_own() -> None:
    """A name in a rule means one measure; an unknown one is refused with the list."""
    names = [known.name for known in MEASURES]

    assert len(set(names)) == len(names)
    with pytest.raises(ValueError, match=r"must be one of psi, .*, got 'pis'"):
        measure("pis")


def test_a_rule_speaks_only_where_its_measure_means_something() -> None:
    """Patterns may be wide: KS says nothing about categories, a ratio nothing about values."""
    everything = ("*",)

    assert judges(RulePlan("r", everything, effect=EffectPlan("psi", 0.1)), "prediction", SeriesKind.CATEGORICAL)
    assert not judges(
        RulePlan("r", everything, effect=EffectPlan("kolmogorov_smirnov", 0.1)), "prediction", SeriesKind.CATEGORICAL
    )
    assert not judges(RulePlan("r", everything, effect=EffectPlan("ratio", 0.1)), "prediction", SeriesKind.NUMERIC)
    assert judges(RulePlan("r", everything, target="m:C"), "demand", SeriesKind.COUNT)


def test_a_target_that_nobody_resolved_is_refused() -> None:
    """The core loads no code: the caller imports a rule of the user's."""
    with pytest.raises(ValueError, match=r"rule mine: nobody resolved its target 'm:C'"):
        build_rule(RulePlan("mine", ("*",), target="m:C"), {})
