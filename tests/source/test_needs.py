"""A need that cannot be had is said in the last lines, and is a failure in CI."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

TESTS = """
from tests import needs

def test_needs_a_thing():
    needs.missing("a thing", "nobody has one")

def test_needs_a_thing_too():
    needs.missing("a thing", "nobody has one")

def test_needs_nothing():
    pass
"""


def run(folder: Path, *, ci: str, failed_steps: str = "") -> tuple[int, list[str]]:
    """Run three tests in a folder of their own; return pytest's exit code and lines."""
    (folder / "conftest.py").write_text("from tests.conftest import pytest_terminal_summary\n", encoding="utf-8")
    (folder / "test_three.py").write_text(TESTS, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "CI": ci, "TESTS_FAILED_STEPS": failed_steps}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder)]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout.rstrip().splitlines()


def test_the_last_lines_name_what_was_not_tested(tmp_path: Path) -> None:
    """The need, its reason and the number of tests that it cost stand right above the summary."""
    code, lines = run(tmp_path, ci="")

    assert (code, lines[-2], lines[-1].split(" in ")[0]) == (
        0,
        "2 tests did not run, a thing is missing: nobody has one",
        "1 passed, 2 skipped",
    )


@pytest.mark.parametrize("ci", ["true", "True", "1"])
def test_in_ci_a_missing_need_is_a_failure(tmp_path: Path, ci: str) -> None:
    """A green run that tested nothing must not exist there."""
    code, lines = run(tmp_path, ci=ci)

    assert (code, lines[-1].split(" in ")[0]) == (1, "2 failed, 1 passed")


def test_the_last_lines_name_the_steps_that_failed_before(tmp_path: Path) -> None:
    """A lint that failed is not lost above a long run of tests."""
    _, lines = run(tmp_path, ci="", failed_steps="ruff check\nmypy --strict")

    assert [line.split(" (")[0] for line in lines[-3:-1]] == ["ruff check", "mypy --strict"]
