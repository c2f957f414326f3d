"""Which pane an event belongs to, and whether it comes too late for it.

Decided event by event with a running maximum that continues over chunks, so the answer does not depend on where a chunk
ends. The maximum takes min(event time, record time): one time stamp in the future cannot make all others late.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stream_monitor.core.arrays import Bool, Int64
from stream_monitor.core.chain import ChainState
from stream_monitor.core.time import pane_starts, running_max

_NEVER = -(2**62)
"""Before every instant, and still far from overflow when spans are taken off."""


@dataclass(frozen=True, slots=True)
class PlacedEvents:
    """Events by pane.

    Attributes:
        panes: start of the pane that counts each event, shape (g,). A late event is counted by the pane that holds the
            maximum at that moment, which is never closed.
        late: True where the event's own pane had ended at the watermark before it; None when that happened nowhere.
        max_ms: running maximum after the last event; None when there was never one.
    """

    panes: Int64
    late: Bool | None
    max_ms: int | None


def place_events(
    event_ms: Int64, record_ms: Int64, *, chain: ChainState, pane_ms: int, allowed_lateness_ms: int
) -> PlacedEvents:
    """Return the pane of each event and whether it is late, given the chain state before the first of them.

    An event is late if the end of its pane is at or before max(running maximum - allowed lateness, idle instant) as
    they were before the event.
    """
    panes = pane_starts(event_ms, pane_ms)
    if not event_ms.size:
        return PlacedEvents(panes, None, chain.max_ms)
    highest = running_max(np.minimum(event_ms, record_ms), chain.max_ms)
    before = np.empty_like(highest)
    before[0] = _NEVER if chain.max_ms is None else chain.max_ms
    before[1:] = highest[:-1]
    watermark = np.maximum(before - allowed_lateness_ms, _NEVER if chain.idle_ms is None else chain.idle_ms)
    late = panes + pane_ms <= watermark
    if not late.any():
        return PlacedEvents(panes, None, int(highest[-1]))
    return PlacedEvents(
        np.where(late, pane_starts(np.maximum(before, watermark), pane_ms), panes), late, int(highest[-1])
    )
