"""Instants come from one place: no test depends on the day on which it runs."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import instants

TESTS = Path(__file__).resolve().parents[1]
HOME = TESTS / "instants.py"
CLOCKS = {"time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "datetime.today", "date.today"}
YEARS = range(1_500_000_000, 2_500_000_000)
"""Seconds since 1970 that look like a time of our years; in milliseconds, microseconds or nanoseconds likewise."""


def clock_reads(source: str) -> Iterator[int]:
    """Yield the lines that read the wall clock."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ".".join(ast.unparse(node.func).split(".")[-2:]) in CLOCKS:
            yield node.lineno


def fixed_instants(source: str) -> Iterator[int]:
    """Yield the lines with a number that is an instant of our years."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Constant(value=int(number)) if any(number // scale in YEARS for scale in (1, 10**3, 10**6, 10**9)):
                yield node.lineno


def places(files: Iterator[Path], search: object) -> list[str]:
    """Return where a search finds something."""
    assert callable(search)
    return [f"{file.relative_to(TESTS)}:{line}" for file in sorted(files) for line in search(file.read_text())]


def test_only_one_file_reads_the_clock() -> None:
    """Whoever needs an instant near now asks `tests.instants`; spans are measured by `time.monotonic`."""
    assert places((f for f in TESTS.rglob("*.py") if f != HOME), clock_reads) == []


def test_no_test_of_kafka_has_an_instant_of_its_own() -> None:
    """A record gets the time at which it is written: a fixed event time grows older than `time.max_past`."""
    with_a_broker = (TESTS / "kafka").glob("*.py")  # its folders hold tests without one

    assert places(with_a_broker, fixed_instants) == []


@pytest.mark.parametrize(
    "source",
    ["x = time.time()", "x = datetime.now(UTC)", "x = datetime.datetime.now(UTC)", "f(int(time.time_ns() / 10**6))"],
)
def test_a_reading_of_the_clock_is_found(source: str) -> None:
    """The rule above is alive."""
    assert list(clock_reads(f"\n{source}")) == [2]


@pytest.mark.parametrize("literal", ["1_795_331_960", "1795331960000", "1_795_331_960_000_000", "1795331960000000000"])
def test_a_fixed_instant_is_found(literal: str) -> None:
    """In seconds as in nanoseconds; a port, a size or a span is none."""
    assert list(fixed_instants(f"T0 = {literal}\nROWS = 2_000_000")) == [1]


@pytest.mark.parametrize("edge_ms", [1, 1_000, 10_000, 60_000])
def test_an_instant_of_a_while_ago_lies_on_an_edge_and_before_now(edge_ms: int) -> None:
    """At least so long ago, and less than one pane longer."""
    before_ms = instants.now_ms()
    found = instants.ago_ms(60.0, edge_ms=edge_ms)

    assert found % edge_ms == 0
    assert before_ms - 60_000 - edge_ms < found <= instants.now_ms() - 60_000
