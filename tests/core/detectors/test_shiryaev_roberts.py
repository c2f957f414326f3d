"""The recursion, its ceiling, and the posterior of the change."""

from __future__ import annotations

import numpy as np
import pytest

from stream_monitor.core.detectors.shiryaev_roberts import (
    LOG_CAP,
    Starts,
    advance,
    advance_with_starts,
    change_range,
    log_mixture,
    stepped_panes,
)


def test_the_recursion_is_that_of_shiryaev_and_roberts() -> None:
    """R = (1 + R) e, three panes by hand: 2, then (1+2)·½, then (1+1.5)·4."""
    log_r = np.array([-np.inf])
    seen = []
    for e in (2.0, 0.5, 4.0):
        log_r = advance(log_r, np.log([e]))
        seen.append(float(np.exp(log_r[0])))

    assert seen == pytest.approx([2.0, 1.5, 10.0])


def test_evidence_stops_at_the_ceiling() -> None:
    """A storm of evidence does not overflow, and can still be added up."""
    log_r = advance(np.array([599.0, 599.0]), np.array([1e4, 1e4]))

    assert log_r.tolist() == [LOG_CAP, LOG_CAP]
    assert float(log_mixture(log_r, np.log([0.5, 0.5]))) == pytest.approx(LOG_CAP)


def test_an_abrupt_change_is_dated_to_its_pane() -> None:
    """Five quiet panes, then three loud ones: the change began with the sixth."""
    log_e = np.array([-6.0, -6.0, -6.0, -6.0, -6.0, 6.0, 6.0, 6.0])[:, None]
    log_r = np.array([-np.inf])
    for e in log_e:
        log_r = advance(log_r, e)

    assert change_range(log_r, log_e, np.zeros(1)) == (5, 5, 5)


def test_a_change_older_than_the_panes_is_before_them() -> None:
    """What R holds beyond the panes at hand began earlier, and is said so."""
    log_r = np.array([-np.inf])
    for _ in range(20):
        log_r = advance(log_r, np.array([2.0]))

    assert change_range(log_r, np.full((4, 1), 2.0), np.zeros(1)) == (-1, -1, -1)


def test_only_panes_since_the_restart_are_dated() -> None:
    """Empty panes did not step, and panes before the restart are not in R."""
    panes = np.array([[1], [0], [2], [0], [3], [4]])

    assert stepped_panes(panes, 3).tolist() == [2, 4, 5]
    assert stepped_panes(panes, 100).tolist() == [0, 2, 4, 5]
    assert stepped_panes(panes, 0).tolist() == []


def test_the_starts_of_a_sum_are_known_without_its_panes() -> None:
    """Mean and variance of the age are those of all starts by their products, which nobody keeps."""
    rng = np.random.default_rng(5)
    log_e = rng.normal(0.1, 1.0, size=(40, 1))
    log_r, starts = np.array([-np.inf]), Starts(np.zeros(1), np.zeros(1))
    for e in log_e:
        log_r, starts = advance_with_starts(log_r, e, starts)

    weights = np.exp(log_e[::-1].cumsum()[::-1])
    ages = np.arange(40, 0, -1)
    mean = np.average(ages, weights=weights)
    assert float(starts.age[0]) == pytest.approx(mean)
    assert float(starts.spread[0]) == pytest.approx(np.average((ages - mean) ** 2, weights=weights))


def test_a_change_before_the_panes_is_dated_by_the_starts() -> None:
    """Sixty quiet panes, then forty loud ones of which twenty are at hand: it began about twenty before those."""
    log_e = np.array([-1.0] * 60 + [1.0] * 40)[:, None]
    log_r, starts = np.array([-np.inf]), Starts(np.zeros(1), np.zeros(1))
    for e in log_e:
        log_r, starts = advance_with_starts(log_r, e, starts)

    found = change_range(log_r, log_e[80:], np.zeros(1), Starts(starts.age, starts.spread, 100))
    assert -23 <= found.first <= -20
    assert change_range(log_r, log_e[80:], np.zeros(1), Starts(starts.age, starts.spread, 30)).first == -10
