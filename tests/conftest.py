"""What every test shares: the last lines that say which tests could not run here."""

from __future__ import annotations

from collections import Counter

import pytest
from _pytest.terminal import TerminalReporter

from tests import needs


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Name each missing need with its reason and what it cost."""
    if not needs.MISSED:
        return
    lost: Counter[str] = Counter()
    for report in (*terminalreporter.stats.get("skipped", []), *terminalreporter.stats.get("error", [])):
        if isinstance(report, pytest.TestReport):
            lost.update(need for need in needs.MISSED if f"{need} is missing" in report.longreprtext)
    terminalreporter.section("NOT TESTED", sep="=", yellow=True)
    for need, reason in sorted(needs.MISSED.items()):
        terminalreporter.line(f"{lost[need]} tests did not run, {need} is missing: {reason}", yellow=True)
