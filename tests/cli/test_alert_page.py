"""An alert on a terminal: text, histogram, events; it fits the width."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from stream_monitor.cli.alert_page import event_lines, histogram, page
from stream_monitor.core.alerts.event import Bins
from stream_monitor.kafka.readers import AlertRecord
from stream_monitor.kafka.readers.alert_reader import decode_alert

EXAMPLE = Path(__file__).parents[1] / "schemas" / "examples" / "alert.json"


def event(**changes: object) -> AlertRecord:
    """The documented event, with other data."""
    value = orjson.loads(EXAMPLE.read_bytes())
    value["data"] |= changes
    return decode_alert(orjson.dumps(value))


def test_a_page_has_text_histogram_and_events() -> None:
    """What a person needs, in the order in which it is needed."""
    lines = page([event()], 100)

    assert lines[0] == "fraud 7: amount rose: median 61 → 117, p95 289 → 402 (PSI 0.22)"
    assert lines[1].startswith(
        "firing (fired) since 2026-11-22T07:19:20.000Z, warning, rule drift, alert b371c53ded674fc8"
    )
    assert any(line.startswith("below 12.5 ") and "20.0%" in line for line in lines)
    assert lines[-1].endswith("[b371c53ded674fc8-1795331960000-1]")


def test_a_resolved_alert_shows_the_drift_that_it_was_about() -> None:
    """The histogram is that of the last report before the end; the head says from when to when."""
    over = event(status="resolved", reason="recovered", sequence=2, endsAt="2026-11-22T07:31:20.000Z")
    lines = page([event(), over], 100)

    assert "resolved (recovered) from 2026-11-22T07:19:20.000Z to 2026-11-22T07:31:20.000Z" in lines[1]
    assert any("34.4%" in line for line in lines)


@pytest.mark.parametrize("width", [48, 80, 160])
def test_a_histogram_fits_the_terminal(width: int) -> None:
    """Whatever the width; hundreds of categories are sixteen bars, and no event is lost from them."""
    names = tuple(f"category {i}" for i in range(40))
    lines = histogram(Bins(categories=names, baseline=(25,) * 40, window=(50,) * 40), width)

    assert max(map(len, lines)) <= width
    assert len(lines) == 17
    assert lines[-1].startswith("25 others")
    assert lines[-1].count("62.5%") == 2


def test_a_histogram_without_events_is_none() -> None:
    """Nothing is drawn of an empty window."""
    assert histogram(Bins(edges=(1.0,), baseline=(5, 5), window=(0, 0)), 80) == []


def test_an_event_that_is_followed_has_its_description_below() -> None:
    """One line to scan, the rest indented."""
    lines = event_lines(event(), 80)

    assert lines[0].startswith("2026-11-22T07:19:40.000Z firing (fired) warning: fraud 7: amount rose")
    assert all(line.startswith("    ") and len(line) <= 80 for line in lines[1:])
