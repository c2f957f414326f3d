"""Alerts against known changes, by hand."""

from __future__ import annotations

import math

import pytest

from stream_monitor.lab.labelled import EVERYTHING, Told, Truth, scorecard
from stream_monitor.lab.scores import Change

STEP = Truth({"x": (Change(500),)})


def test_series_are_streams_when_the_truth_names_one() -> None:
    """X is found after 30 rows; y, which never changes, has one false alarm."""
    card = scorecard([Told(530, "x"), Told(700, "y")], STEP, series=("x", "y", "z"), judged_from=200, rows=1000)

    assert card.streams == ("x", "y", "z")
    assert (card.found.hits, card.found.false, card.found.median_delay) == (1, 1, 30)
    assert card.found.false_per_stream == pytest.approx(1 / 3)


def test_run_length_counts_rows_without_drift_only() -> None:
    """X for 300 rows, y to its alarm at the 501st, z for 800: one alarm in 1601 rows."""
    card = scorecard([Told(530, "x"), Told(700, "y")], STEP, series=("x", "y", "z"), judged_from=200, rows=1000)

    assert card.run_length.mean == 300 + 501 + 800
    assert (card.false_alarm.alarmed, card.false_alarm.streams) == (1, 3)


def test_a_file_is_one_stream_when_the_truth_names_no_series() -> None:
    """Two series that tell the same change are one hit."""
    truth = Truth({EVERYTHING: (Change(500),)})
    card = scorecard([Told(530, "x"), Told(540, "y")], truth, series=("x", "y"), judged_from=200, rows=1000)

    assert (card.streams, card.found.hits, card.found.false) == ((EVERYTHING,), 1, 0)


def test_an_early_stream_says_nothing_about_detection() -> None:
    """X alarmed before its change and found it all the same."""
    card = scorecard([Told(300, "x"), Told(510, "x")], STEP, series=("x",), judged_from=200, rows=1000)

    assert (card.found.recall, card.found.precision, card.early) == (1.0, 0.5, 1.0)
    assert math.isnan(card.detected)


def test_a_change_inside_the_reference_is_left_out() -> None:
    """Nobody can find it."""
    truth = Truth({"x": (Change(100), Change(500))})
    card = scorecard([], truth, series=("x",), judged_from=200, rows=1000)

    assert (card.left_out, card.found.changes, card.found.recall) == (1, 1, 0.0)


def test_a_change_that_passes_must_be_told_while_it_lasts() -> None:
    """Found late is found, but not during the episode."""
    truth = Truth({"x": (Change(500, 550),), "y": (Change(500, 550),)})
    card = scorecard([Told(520, "x"), Told(560, "y")], truth, series=("x", "y"), judged_from=200, rows=1000)

    assert card.found.recall == 1.0
    assert card.episodes == 0.5


def test_an_alert_beyond_the_longest_delay_is_false() -> None:
    """With at most 20 rows, 30 are too many."""
    card = scorecard([Told(530, "x")], STEP, series=("x",), judged_from=200, rows=1000, max_delay=20)

    assert (card.found.hits, card.found.false) == (0, 1)
    assert card.false_alarm.alarmed == 0  # it is no alarm without drift
