"""Which pane counts an event, and when it is late."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stream_monitor.core.chain import ChainState
from stream_monitor.core.plan import TimePlan
from stream_monitor.core.profile.lateness import place_events

PANE_MS = 10_000
LATENESS_MS = 5_000
TIME = TimePlan(allowed_lateness_ms=LATENESS_MS, max_future_ms=20_000)

times = st.lists(st.tuples(st.integers(-30_000, 90_000), st.integers(-30_000, 90_000)), max_size=30)
known = st.none() | st.integers(-20_000, 80_000)


def place(events: list[tuple[int, int]], chain: ChainState) -> tuple[list[int], list[bool], int | None]:
    event_ms = np.array([event for event, _ in events], dtype=np.int64)
    record_ms = np.array([record for _, record in events], dtype=np.int64)
    placed = place_events(event_ms, record_ms, chain=chain, pane_ms=PANE_MS, time=TIME)
    late = [False] * len(events) if placed.late is None else placed.late.tolist()
    return placed.panes.tolist(), late, placed.max_ms


@given(events=times, max_ms=known, idle_ms=known, broker_ms=known)
def test_events_are_placed_one_by_one(
    events: list[tuple[int, int]], max_ms: int | None, idle_ms: int | None, broker_ms: int | None
) -> None:
    """What arrays compute is what the rule says for each event in turn."""
    panes, late = [], []
    highest = max_ms
    for event, record in events:
        known_before = [ms for ms in (None if highest is None else highest - LATENESS_MS, idle_ms) if ms is not None]
        watermark = max(known_before, default=None)
        own = event // PANE_MS * PANE_MS
        is_late = watermark is not None and own + PANE_MS <= watermark
        home = max(ms for ms in (highest, watermark) if ms is not None) if is_late else event
        panes.append(home // PANE_MS * PANE_MS)
        late.append(is_late)
        stamped = min(event, record)
        if broker_ms is not None and stamped > broker_ms + TIME.max_future_ms:
            stamped = broker_ms
        highest = stamped if highest is None else max(highest, stamped)

    assert (panes, late, highest) == place(events, ChainState("t", max_ms=max_ms, idle_ms=idle_ms, broker_ms=broker_ms))


@pytest.mark.parametrize(
    ("event", "record", "expected"),
    [
        (44_999, 44_999, False),  # the pane [30, 40) ends at the watermark 39.999: still open
        (45_000, 45_000, True),  # and is closed at 40.000
        (99_000, 20_000, False),  # a stamp in the future moves the watermark no further than its record's time
    ],
)
def test_a_pane_is_closed_when_the_watermark_reaches_its_end(event: int, record: int, expected: bool) -> None:
    """The watermark is the largest min(event time, record time) less the allowed lateness."""
    _, late, _ = place([(event, record), (31_000, 31_000)], ChainState("t"))

    assert late == [False, expected]


def test_broker_time_makes_events_late_too() -> None:
    """Producers that come back after the partition was advanced by broker time find their pane closed."""
    panes, late, max_ms = place([(31_000, 80_000)], ChainState("t", max_ms=20_000, idle_ms=70_000))

    assert (panes, late, max_ms) == ([70_000], [True], 31_000)


def test_one_record_from_the_future_makes_no_event_late() -> None:
    """Event and record are 50 minutes ahead: the event waits in its own pane, the watermark stays at the clock."""
    ahead = 3_000_000
    events = [(ahead, ahead), *((at, at) for at in range(50_000, 60_000, 250))]
    panes, late, max_ms = place(events, ChainState("t", max_ms=19_000, broker_ms=55_000))

    assert (any(late), panes[0], max_ms) == (False, ahead, 59_750)


def test_time_goes_on_when_all_events_are_from_the_future() -> None:
    """The watermark follows the broker's clock, from chunk to chunk."""
    event = (3_000_000, 3_000_000)

    assert [
        20_000,
        21_000,
    ] == [place([event] * 3, ChainState("t", max_ms=19_000, broker_ms=ms))[2] for ms in (20_000, 21_000)]
