"""What all tests share: programs from outside; the last lines that say what failed before, or could not run here."""

from __future__ import annotations

import os
from pathlib import Path
from zlib import crc32

import pytest
from _pytest.terminal import TerminalReporter
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests import debian, needs

settings.register_profile("stream_monitor", deadline=None, print_blob=True)  # no timing assertion; a failure repeats
settings.load_profile("stream_monitor")


KAFKA_PROCESSES = 2


class KafkaApart(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    """Gives two processes the tests of Kafka, which share a broker and mostly wait, and others file by file."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return f"kafka {crc32(file.encode()) % KAFKA_PROCESSES}" if file.startswith("tests/kafka/") else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Say how `-n` shares the tests between processes."""
    return KafkaApart(config, log)


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Name the earlier steps that failed, and each missing need with its reason and what it cost."""
    outcomes = [terminalreporter.stats.get(outcome, []) for outcome in ("skipped", "error", "failed")]
    missed = needs.missed(report for found in outcomes for report in found if isinstance(report, pytest.TestReport))
    if missed:
        terminalreporter.section("NOT TESTED", sep="=", yellow=True)
    for (need, reason), lost in sorted(missed.items()):
        terminalreporter.line(f"{lost} tests did not run, {need} is missing: {reason}", yellow=True)
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
