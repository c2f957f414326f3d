"""The instants of all tests: one that is fixed, and those that are so long before now.

A fixed instant serves where the time of the record is data of the test, too: no clock is met, so no day matters. What
goes through a broker meets clocks: a record gets the time at which it is written, an event that is older than
`time.max_past` becomes a dead letter, and retention deletes what is old. Such tests begin a while before now.

Nothing else under `tests/` reads the clock for an instant, and no test of Kafka has an instant of its own:
`tests/source/test_instants.py` holds that.
"""

from __future__ import annotations

import time
from typing import Final

T0_MS: Final = 1_795_331_960_000
"""2026-11-22T07:19:20Z, on the edge of a pane of 10 s, for tests without a clock."""

PANE_MS: Final = 10_000

HOUR_S: Final = 3_600


def now_ms() -> int:
    """Return this instant."""
    return time.time_ns() // 1_000_000


def ago_ms(seconds: float, *, edge_ms: int = PANE_MS) -> int:
    """Return the last edge of a pane that lies so many seconds before now, in epoch milliseconds.

    Args:
        seconds: before now.
        edge_ms: the span of a pane.
    """
    return (now_ms() - round(seconds * 1_000)) // edge_ms * edge_ms
