"""The tables of run lengths that are shipped are those that their commands print."""

from __future__ import annotations

import numpy as np
import pytest
from river.drift.binary import HDDMA, HDDMW

from bench import run_length, run_length_errors
from bench._hddm import HddmA, HddmW
from bench._report import RESULTS
from stream_monitor.core.detectors.error_run_lengths import RUN_LENGTHS
from stream_monitor.core.detectors.run_length import ADWIN_RUN_LENGTHS, KSWIN_RUN_LENGTHS


@pytest.mark.parametrize(
    ("ours", "rivers", "confidence", "rate"),
    [(HddmA, HDDMA, 0.3, 0.05), (HddmA, HDDMA, 0.05, 0.4), (HddmW, HDDMW, 0.2, 0.05), (HddmW, HDDMW, 0.05, 0.4)],
)
def test_many_streams_at_once_alarm_as_rivers_classes_do(
    ours: type[HddmA | HddmW], rivers: type[HDDMA | HDDMW], confidence: float, rate: float
) -> None:
    """Forty streams of 1,000 events: every first alarm at the same event."""
    errors = (np.random.default_rng(5).random((40, 1_000)) < rate).astype(np.int64)
    together = ours(confidence, 40)
    alarms = np.array([together.step(column.astype(np.float64)) for column in errors.T]).T
    expected = []
    for stream in errors.tolist():
        detector = rivers(confidence, max(confidence, 0.5))
        seen = [event for event, error in enumerate(stream) if not detector.update(error) and detector.drift_detected]  # type: ignore[no-untyped-call]
        expected.append(seen[0] if seen else -1)

    assert [int(row.argmax()) if row.any() else -1 for row in alarms] == expected
    assert 10 < sum(first >= 0 for first in expected)


def printed(name: str) -> list[list[str]]:
    """Return the lines of the table that a command has written."""
    lines = (RESULTS / f"{name}.md").read_text("utf-8").splitlines()
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines if line.startswith("| ")][2:]


def test_the_shipped_run_lengths_are_those_that_were_printed() -> None:
    """Every entry of the tables is a line of a command's report, and every line an entry."""
    numbers = printed("run_length")

    assert run_length.table(numbers, "adwin") == ADWIN_RUN_LENGTHS
    assert run_length.table(numbers, "kswin") == KSWIN_RUN_LENGTHS
    assert run_length_errors.table(printed("run_length_errors")) == RUN_LENGTHS


def test_rivers_own_classes_have_the_run_lengths_asked_for() -> None:
    """ADWIN and PageHinkley at 1,000 and 10,000 panes as the command measured them: within 15 %."""
    lines = [line for line in printed("run_length") if line[0].startswith(("adwin", "page_hinkley, delta 0.5"))]
    ratios = [float(line[3]) / float(line[1]) for line in lines if line[1] in ("1000", "10000")]

    assert len(ratios) == 4
    assert ratios == pytest.approx([1.0] * 4, abs=0.15)


def test_the_commands_print_it_again() -> None:
    """A few lines that are quick to have: the simulation of today gives the numbers of the table."""
    again = [
        *run_length_errors.cells("fhddm", (0.2,), longest=1e3),
        *run_length_errors.cells("hddm_w", (0.5,), longest=1e3),
        *run_length_errors.cells("eddm", (0.2,), longest=1e3),
        *run_length.adwin(longest=500),
    ]

    before = [*printed("run_length"), *printed("run_length_errors")]

    assert len(again) == 4
    assert [line for line in again if line not in before] == []
