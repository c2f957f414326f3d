"""The scores, against numbers reckoned by hand."""

from __future__ import annotations

import math

import pytest
from scipy.stats import chi2

from stream_monitor.lab.scores import (
    Change,
    alarms_per_horizon,
    delay,
    detection,
    episode_recall,
    false_alarm_probability,
    match,
    rate_limits,
    run_length,
    share_limits,
)


def test_a_run_length_counts_censored_streams_to_their_end() -> None:
    """Two alarms at 300 and 500 and one silent stream of 1000: 1800 panes, two alarms."""
    found = run_length([300, None, 500], horizon=1000)

    assert (found.mean, found.alarms, found.streams) == (900.0, 2, 3)


def test_limits_of_a_run_length_are_those_of_an_exponential_law() -> None:
    """2 Σ / χ²_{2r+2}(.975) and 2 Σ / χ²_{2r}(.025)."""
    found = run_length([300, None, 500], horizon=1000)

    assert found.lower == pytest.approx(3600 / chi2.ppf(0.975, 6))
    assert found.upper == pytest.approx(3600 / chi2.ppf(0.025, 4))


def test_streams_without_any_alarm_give_a_lower_limit_only() -> None:
    """Ten streams of 100 panes, silent: at least 1000 / 3.69 panes to an alarm."""
    found = run_length([None] * 10, horizon=100)

    assert math.isinf(found.mean)
    assert math.isinf(found.upper)
    assert found.lower == pytest.approx(1000 / -math.log(0.025))


def test_an_alarm_beyond_the_horizon_is_none() -> None:
    """What happens after the end that was agreed on does not count."""
    assert run_length([None, 50], horizon=100) == run_length([120, 50], horizon=100)


def test_a_share_has_the_limits_of_clopper_and_pearson() -> None:
    """3 of 10: .0667 and .6525, as in every table."""
    limits = share_limits(3, 10)

    assert limits.lower == pytest.approx(0.0667, abs=5e-5)
    assert limits.upper == pytest.approx(0.6525, abs=5e-5)


def test_a_share_of_all_or_nothing_reaches_the_end() -> None:
    """None of 100 leaves 1 - .025^(1/100) open."""
    assert share_limits(0, 100).lower == 0.0
    assert share_limits(0, 100).upper == pytest.approx(1 - 0.025 ** (1 / 100))
    assert share_limits(100, 100).upper == 1.0


def test_a_rate_of_no_event_has_an_upper_limit_of_three_point_seven() -> None:
    """-ln .025 events in one exposure."""
    assert rate_limits(0, 1.0).lower == 0.0
    assert rate_limits(0, 1.0).upper == pytest.approx(3.6889, abs=1e-4)


def test_a_false_alarm_probability_counts_streams_up_to_n() -> None:
    """Of alarms at 10, 1000 and 1001, two are within 1000."""
    found = false_alarm_probability([10, 1000, 1001, None], within=1000)

    assert (found.share, found.alarmed, found.streams) == (0.5, 2, 4)
    assert (found.lower, found.upper) == share_limits(2, 4)


def test_alarms_per_horizon_spread_over_streams() -> None:
    """0, 0, 0, 4: mean 1, standard deviation 2, standard error 1."""
    found = alarms_per_horizon([0, 0, 0, 4])

    assert found.mean == 1.0
    assert found.lower == 0.0
    assert found.upper == pytest.approx(1 + 1.959964)


def test_no_alarm_at_all_is_not_a_proof_of_none() -> None:
    """Fifty silent streams: up to 3.69 alarms in them all."""
    assert alarms_per_horizon([0] * 50).upper == pytest.approx(3.6889 / 50, abs=1e-5)


def test_a_missed_change_has_an_infinite_delay() -> None:
    """Delays 10, 30, 50 and a miss: median 40, the worst tenth never."""
    found = delay([5010, 5030, None, 5050], change=5000)

    assert (found.median, found.worst_tenth, found.detected, found.early) == (40.0, math.inf, 0.75, 0.0)


def test_more_misses_than_hits_leave_no_median() -> None:
    """Two of three are missed."""
    assert math.isinf(delay([5010, None, None], change=5000).median)


def test_streams_that_alarm_early_are_counted_apart() -> None:
    """Of an early one and one with delay 7, the delay is 7 and half are early."""
    found = delay([100, 5007], change=5000)

    assert (found.median, found.detected, found.early) == (7.0, 1.0, 0.5)


def test_streams_that_are_all_early_have_no_delay() -> None:
    """A detector that alarms everywhere is not quick."""
    found = delay([100, 200], change=5000)

    assert (found.median, found.detected, found.early) == (math.inf, 0.0, 1.0)


def test_the_first_alarm_in_time_is_the_hit_and_later_ones_are_ignored() -> None:
    """An alarm at the change itself is in time, and so is one at the very end."""
    assert match([500, 600], [Change(500)], max_delay=100).hits == (500,)
    assert match([500, 600], [Change(500)], max_delay=100).ignored == (600,)
    assert match([600], [Change(500)], max_delay=100).hits == (600,)


def test_an_alarm_that_comes_too_late_is_false() -> None:
    """101 after the change, with at most 100."""
    found = match([601], [Change(500)], max_delay=100)

    assert (found.hits, found.false) == ((None,), (601,))


def test_an_alarm_belongs_to_the_last_change_before_it() -> None:
    """The first change was not found until the second came."""
    found = match([2100], [Change(2000), Change(500)], max_delay=5000)

    assert found.hits == (None, 2100)


def test_precision_recall_and_f1_by_hand() -> None:
    """Three changes, two hits, one false alarm before and one in a stream without change: 2/4, 2/3."""
    found = detection(
        [
            match([100, 520], [Change(500)], max_delay=200),
            match([530], [Change(500)], max_delay=200),
            match([], [Change(500)], max_delay=200),
            match([77], [], max_delay=200),
        ]
    )

    assert found.precision == 0.5
    assert found.recall == pytest.approx(2 / 3)
    assert found.f1 == pytest.approx(2 * 0.5 * (2 / 3) / (0.5 + 2 / 3))
    assert found.false_per_stream == 0.5
    assert (found.median_delay, found.worst_tenth) == (30.0, math.inf)


def test_who_says_nothing_says_nothing_wrong() -> None:
    """No alarm: precision 1, recall 0, F1 0."""
    found = detection([match([], [Change(500)])])

    assert (found.precision, found.recall, found.f1) == (1.0, 0.0, 0.0)


def test_an_episode_that_is_told_after_its_end_is_missed() -> None:
    """[100, 200) is told at 200, [500, 600) at 500."""
    assert episode_recall([200, 500], [Change(100, 200), Change(500, 600)]) == 0.5
    assert episode_recall([200, 500], [Change(100, 200), Change(500, 600)], grace=1) == 1.0


def test_the_limits_of_a_median_are_two_of_the_values() -> None:
    """Of ten values the second and the ninth: P(at most one of ten below the median) = 11/1024 <= .025."""
    found = delay([5000.0 + d for d in range(10, 110, 10)], change=5000)

    assert found.median == 55.0
    assert found.limits == (20.0, 90.0)
