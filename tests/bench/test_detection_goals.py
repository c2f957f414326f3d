"""What decides the exit code of the detection bench."""

from __future__ import annotations

import multiprocessing
import time
from pathlib import Path

import numpy as np
import pytest

from bench.detection.goals import COVERAGE, Outcome
from bench.detection.goals.outcome import alarms_at_most, median_at_most, run_length_at_least, share_surely_at_most
from bench.detection.laws import SEVEN, Marginal
from bench.detection.run import awaited, verdict
from stream_monitor.core.keys import TIE_BITS

ROOT = Path(__file__).parents[2]


def test_a_median_above_its_goal_misses_it_even_where_its_limits_do_not() -> None:
    """Nothing is left open: 7 is more than 6, whatever more streams would tell."""
    outcome = median_at_most("panes <= 6", [5.0, 7.0, 8.0], 6)

    assert outcome.holds is False
    assert median_at_most("panes <= 7", [5.0, 7.0, 8.0], 7).holds is True


def test_promises_hold_by_their_limits() -> None:
    """A run length of 110 from four alarms proves no 100, 19.9 alarms with a wide spread no 20, 1 of 10 no .2."""
    few = run_length_at_least("A", [[100, 110, 120, 110]], names=["normal"], horizon=300.0, least=100.0)

    assert few.holds is False
    assert alarms_at_most("alarms", [0, 39, 20, 19], 20).holds is False
    assert share_surely_at_most("P", 1, 10, 0.2).holds is False
    assert share_surely_at_most("P", 10, 1_000, 0.2).holds is True


def test_the_verdict_names_what_does_not_hold() -> None:
    """With its figure, in one line; what was not measured is not held."""
    outcomes = [Outcome("a: <= 1", "1", True), Outcome("b: <= 2", "3", False), Outcome("c", "no data", None)]

    assert verdict(outcomes, "") == "FAIL: 1 of 3 goals hold; no: b: <= 2: 3; not measured: c: no data"
    assert verdict(outcomes[:1], "") == "PASS: 1 of 1 goals hold"
    assert "not installed (`make bench-setup`: no network)" in verdict(outcomes[:1], "no network")


def test_a_task_that_is_out_of_time_gives_nothing() -> None:
    """The run goes on to write what it has."""
    with multiprocessing.Pool(1) as pool:
        assert awaited(pool.apply_async(time.sleep, (60,)), time.monotonic() + 0.05) is None
        pool.terminate()


@pytest.mark.parametrize("marginal", SEVEN, ids=lambda marginal: marginal.name)
def test_the_masses_of_a_law_are_those_of_its_values(marginal: Marginal) -> None:
    """Fifty thousand values, counted by the grid: chi-square within its chance, atoms cut by their tie-breakers."""
    rng = np.random.default_rng(11)
    grid, masses = marginal.reference(63, rng)
    counts = grid.count(marginal.draw(50_000, rng), rng.integers(0, 1 << TIE_BITS, 50_000))
    expected = 50_000 * masses
    some = expected > 5.0

    assert masses.sum() == pytest.approx(1.0)
    assert (((counts - expected) ** 2)[some] / expected[some]).sum() < some.sum() + 5 * np.sqrt(2 * some.sum())


@pytest.mark.parametrize("where", COVERAGE.values())
def test_every_goal_is_measured_where_it_is_said_to_be(where: str) -> None:
    """Files that are named exist."""
    named = [word for word in where.replace(",", " ").replace(";", " ").split() if word.startswith("tests/")]

    assert named or where.startswith("this table")
    assert all((ROOT / name).exists() for name in named)


def test_the_readme_quotes_the_last_run() -> None:
    """How many goals hold is what the last line of the results says."""
    last = (ROOT / "bench/results/detection_quick.md").read_text(encoding="utf-8").rstrip().splitlines()[-1]
    held = last.partition(": ")[2].partition(" goals hold")[0]

    assert held
    assert f"{held} goals hold" in (ROOT / "README.md").read_text(encoding="utf-8")
