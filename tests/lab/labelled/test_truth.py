"""Files of known changes."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from stream_monitor.core.time import parse_instant
from stream_monitor.lab.labelled import EVERYTHING, Truth, TruthError, parse_truth, read_truth
from stream_monitor.lab.scores import Change


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ("[5000, 8000]", {"": (Change(5000), Change(8000))}),
        ("[[5000, 6000]]", {"": (Change(5000, 6000),)}),
        ('[{"row": 5000}]', {"": (Change(5000),)}),
        ('[{"from": 5000, "to": 6000, "series": "x"}]', {"x": (Change(5000, 6000),)}),
        ('{"x": [5000, {"from": 1, "to": 2}], "y": []}', {"x": (Change(1, 2), Change(5000))}),
        ("5000\n8000\n", {"": (Change(5000), Change(8000))}),
        ("5000,6000\n", {"": (Change(5000, 6000),)}),
        ("from,to,series\n5000,,x\n7000,7500,\n", {"x": (Change(5000),), "": (Change(7000, 7500),)}),
        ("Series,Row\nx,5000\n", {"x": (Change(5000),)}),
        ("", {}),
    ],
)
def test_changes_are_written_in_many_ways(tmp_path: Path, text: str, changes: dict[str, tuple[Change, ...]]) -> None:
    """Lists, spans, objects, lists by series; CSV with and without a head."""
    path = tmp_path / "truth"
    path.write_text(text)

    assert read_truth(path).changes == changes


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("[tomorrow]", "no JSON"),
        ('["5000"]', "a change must be a row"),
        ("[true]", "a change must be a row"),
        ("[[1, 2, 3]]", "a change must be a row, a pair"),
        ('{"x": 5}', "x: must be a list"),
        ('[{"to": 5}]', "from: must be a row number"),
        ("[[6000, 5000]]", "before `to`"),
        ("[-1]", "from 0 on"),
        ("from,to\n,5\n", "line 1: `from` is missing"),
        ("from\nsoon\n", "from: must be a row number"),
    ],
)
def test_what_is_no_change_is_named(tmp_path: Path, text: str, rule: str) -> None:
    """The message holds the file and the rule."""
    path = tmp_path / "truth.json"
    path.write_text(text)

    with pytest.raises(TruthError, match=rule) as refused:
        read_truth(path)
    assert str(path) in str(refused.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """Not a traceback."""
    with pytest.raises(TruthError, match="cannot be read"):
        read_truth(tmp_path / "none.csv")


def test_changes_of_the_whole_file_are_changes_of_every_series() -> None:
    """Once, when both name them."""
    truth = parse_truth('{"x": [10, 20], "": [20]}', "json")

    assert truth.of("x") == (Change(10), Change(20))
    assert truth.of("y") == (Change(20),)
    assert truth.by_series
    assert not Truth({EVERYTHING: (Change(1, math.inf),)}).by_series


@pytest.mark.parametrize("text", ['["2026-11-22T07:00:05Z"]', '[{"from": "22.11.2026 07:00:05"}]'])
def test_an_instant_is_the_row_that_follows_it(text: str) -> None:
    """Known changes are often noted by time; rows are found by whoever knows their stamps."""
    start_ms = parse_instant("2026-11-22T07:00:00Z")
    truth = parse_truth(text, "json", lambda at_ms: (at_ms - start_ms) // 1_000)

    assert truth.of("x") == (Change(5),)


def test_an_instant_needs_a_clock() -> None:
    """Where rows have no time stamps the file of changes is refused."""
    with pytest.raises(TruthError, match="the rows have no time stamps"):
        parse_truth("row\n2026-11-22T07:00:05Z\n", "csv")
