"""Instants: panes, the running maximum, RFC 3339 in and out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_monitor.core.time import format_instant, pane_start, pane_starts, parse_instant, running_max

MILLIS = st.integers(-62_135_596_800_000, 253_402_300_799_999)


@given(MILLIS)
def test_an_instant_survives_writing_and_reading(ms: int) -> None:
    """What is written in milliseconds is read as the same milliseconds, in every year from 1 to 9999."""
    assert ms == parse_instant(format_instant(ms))


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        pytest.param("2026-11-22T07:19:27.684Z", 1795331967684, id="the form that is written"),
        pytest.param("2026-11-22t08:19:27.684+01:00", 1795331967684, id="an offset, a small t"),
        pytest.param("2026-11-22 07:19:27z", 1795331967000, id="no fraction, a space, a small z"),
        pytest.param("2026-11-22T07:19:27.6849999999Z", 1795331967684, id="finer than a millisecond is cut off"),
        pytest.param("1969-12-31T23:59:59.9999Z", -1, id="cut off before the epoch, too"),
        pytest.param("2026-11-22T07:19:27-00:00", 1795331967000, id="offset unknown is UTC"),
    ],
)
def test_rfc_3339_is_read(text: str, ms: int) -> None:
    """Every form that RFC 3339 allows gives the instant."""
    assert ms == parse_instant(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("2026-11-22T07:19:27.684", id="no offset"),
        pytest.param("2026-11-22", id="only a date"),
        pytest.param("20261122T071927Z", id="basic format"),
        pytest.param("2026-W47-7T07:19:27Z", id="a week date"),
        pytest.param("2026-11-22T24:00:00Z", id="hour 24"),
        pytest.param("2026-11-22T07:19:60Z", id="a leap second"),
        pytest.param("2026-02-30T07:19:27Z", id="no such day"),
        pytest.param("2026-11-22T07:19:27.Z", id="a point without digits"),
        pytest.param("2026-11-22T07:19:27+0100", id="an offset without colon"),
        pytest.param("2026-11-22T07:19:27+01:99", id="no such offset"),
        pytest.param("2026-11-22T07:19:27,5Z", id="a comma"),
        pytest.param("٢٠٢٦-11-22T07:19:27Z", id="digits of another script"),
        pytest.param("", id="nothing"),
        pytest.param("1795331967684", id="a number"),
    ],
)
def test_what_is_no_rfc_3339_instant_is_refused(text: str) -> None:
    """A bare time or another ISO form has no agreed meaning; it is refused, not guessed."""
    with pytest.raises(ValueError, match=r"RFC 3339|day is out of range|hour must be|offset|second"):
        parse_instant(text)


@pytest.mark.parametrize("ms", [10**15, -(10**15), 1 << 62])
def test_an_instant_outside_the_calendar_cannot_be_written(ms: int) -> None:
    """The message says the years."""
    with pytest.raises(ValueError, match="years 1 to 9999"):
        format_instant(ms)


@given(st.lists(MILLIS, max_size=20), st.sampled_from([1, 1000, 10_000, 3_600_000]))
def test_panes_cover_all_time_without_gap_or_overlap(instants: list[int], pane_ms: int) -> None:
    """An instant lies in [start, start + length) of its pane, before the epoch too, one by one and as an array."""
    starts = [pane_start(ms, pane_ms) for ms in instants]

    assert starts == pane_starts(np.array(instants, np.int64), pane_ms).tolist()
    assert all(
        start <= ms < start + pane_ms and start % pane_ms == 0 for start, ms in zip(starts, instants, strict=True)
    )


@given(st.lists(MILLIS, min_size=1, max_size=20), st.none() | MILLIS, st.data())
def test_a_running_maximum_does_not_depend_on_cuts(
    instants: list[int], before: int | None, data: st.DataObject
) -> None:
    """Cutting a stream and carrying the maximum over gives the same numbers as not cutting it."""
    values = np.array(instants, np.int64)
    cut = data.draw(st.integers(1, values.size))
    head = running_max(values[:cut], before)
    tail = running_max(values[cut:], int(head[-1]))

    assert running_max(values, before).tolist() == [*head.tolist(), *tail.tolist()]
