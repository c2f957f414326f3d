"""The picture of a backtest: what is drawn, and that it is well-formed whatever the names."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import numpy as np
import pytest

from stream_monitor.lab.plot import AlertMark, Panel, Reduction, picture
from stream_monitor.lab.scores import Change

SVG = "{http://www.w3.org/2000/svg}"


def _numbers() -> Reduction:
    reduction = Reduction(rows=1000, buckets=100)
    reduction.add(np.arange(1000), np.arange(1000.0))
    return reduction


def _panel(values: Reduction | None, name: str = "x") -> Panel:
    alerts = [AlertMark(530, "x drifts <badly>", (490, 510))]
    return Panel(name, values, [100, 500, 530], [float("nan"), 0.2, 1.0], alerts, [Change(500, 700)], [(0, 200)])


def _of(drawn: str, kind: str) -> list[ET.Element]:
    return [element for element in ET.fromstring(drawn).iter() if element.get("class") == kind]


def test_a_picture_marks_alerts_changes_and_references() -> None:
    """One of each, the alert to the right of the change."""
    drawn = picture("file", 1000, [_panel(_numbers())])
    (_, change), (alert,) = _of(drawn, "change"), _of(drawn, "alert")  # the first one is in the legend

    assert len(_of(drawn, "changed")) == 1
    assert len(_of(drawn, "reference")) == 2
    assert float(change.get("x1", "nan")) < float(alert.get("x1", "nan"))


def test_evidence_that_is_not_there_is_not_drawn() -> None:
    """Of three looks the first was before the first pane."""
    drawn = picture("file", 1000, [_panel(_numbers())])
    (evidence,) = [element for element in _of(drawn, "evidence") if element.tag == f"{SVG}polyline"]

    assert len((evidence.get("points") or "").split()) == 2


def test_names_are_escaped() -> None:
    """A column may be called what it likes."""
    drawn = picture('<script>&"', 1000, [_panel(_numbers(), name="a<b&c")])

    assert "<script>" not in drawn
    assert any(element.text == "a<b&c" for element in ET.fromstring(drawn).iter(f"{SVG}text"))


def test_a_column_of_names_is_drawn_as_shares() -> None:
    """A line a name, at most five."""
    reduction = Reduction(rows=700, buckets=100)
    reduction.add(np.arange(700), [f"name {row % 7}" for row in range(700)])
    drawn = picture("file", 700, [_panel(reduction)])

    assert [len(_of(drawn, f"n{place}")) for place in range(6)] == [1, 1, 1, 1, 1, 0]


def test_names_at_the_ends_of_lines_do_not_overlap() -> None:
    """Equal shares end at one height, their names do not."""
    reduction = Reduction(rows=500, buckets=100)
    reduction.add(np.arange(500), [f"c{row % 5}" for row in range(500)])
    root = ET.fromstring(picture("file", 500, [_panel(reduction)]))
    heights = sorted(float(e.get("y", "nan")) for e in root.iter(f"{SVG}text") if (e.text or "").startswith("c"))

    assert min(np.diff(heights)) >= 11


def test_a_constant_column_and_no_column_at_all_are_drawn() -> None:
    """Nothing is divided by a spread of zero."""
    constant = Reduction(rows=10, buckets=100)
    constant.add(np.arange(10), np.full(10, 3.0))

    assert "NaN" not in picture("file", 10, [_panel(constant), _panel(None), _panel(Reduction(rows=10, buckets=5))])
    assert "no series was judged" in picture("file", 10, [])


def test_what_is_left_out_is_said() -> None:
    """Not silently."""
    assert "7 more series" in picture("file", 1000, [_panel(None)], left_out=7)


def test_a_reduction_does_not_depend_on_the_pieces() -> None:
    """Whole or in three parts, the same bands."""
    values = np.random.default_rng(1).normal(size=999)
    whole, parts = Reduction(rows=999, buckets=100), Reduction(rows=999, buckets=100)
    whole.add(np.arange(999), values)
    for places in np.array_split(np.arange(999), 3):
        parts.add(places, values[places])

    for one, other in zip(whole.numbers(), parts.numbers(), strict=True):
        assert one == pytest.approx(other)


def test_shares_are_of_the_values_that_are_there() -> None:
    """Missing ones are in no share."""
    reduction = Reduction(rows=4, buckets=1)
    reduction.add(np.arange(4), ["a", "a", "b", None])

    assert {name: share.tolist() for name, share in reduction.shares(5).items()} == {"a": [2 / 3], "b": [1 / 3]}
