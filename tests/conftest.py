"""What all tests share: programs from outside; the last lines that say what failed before, or could not run here."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest
from _pytest.terminal import TerminalReporter
from hypothesis import settings

from tests import debian, needs

settings.register_profile("stream_monitor", deadline=None, print_blob=True)  # no timing assertion; a failure repeats
settings.load_profile("stream_monitor")


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Name the earlier steps that failed, and each missing need with its reason and what it cost."""
    if needs.MISSED:
        terminalreporter.section("NOT TESTED", sep="=", yellow=True)
    lost: Counter[str] = Counter()
    for outcome in ("skipped", "error", "failed"):
        reports = terminalreporter.stats.get(outcome, [])
        texts = [report.longreprtext for report in reports if isinstance(report, pytest.TestReport)]
        lost.update(need for text in texts for need in needs.MISSED if f"{need} is missing" in text)
    for need, reason in sorted(needs.MISSED.items()):
        terminalreporter.line(f"{lost[need]} tests did not run, {need} is missing: {reason}", yellow=True)
    failed = os.environ.get("TESTS_FAILED_STEPS")
    if failed:
        terminalreporter.section("FAILED BEFORE PYTEST", sep="=", red=True)
        for step in failed.splitlines():
            terminalreporter.line(f"{step} (its output is above)", red=True)


@pytest.fixture(scope="session")
def promtool() -> Path:
    """Prometheus' own checker."""
    return _program("promtool")


@pytest.fixture(scope="session")
def prometheus() -> Path:
    """A Prometheus server."""
    return _program("prometheus")


def _program(name: str) -> Path:
    reason = debian.provide(name)  # a no-op after the test command, which has said so already
    found = debian.program(name)
    if found is None:
        needs.missing(name, str(reason))
    return found
