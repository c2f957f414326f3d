"""Which pane an event belongs to, and whether it comes too late for it.

Decided event by event with a running maximum that continues over chunks, so the answer does not depend on where a chunk
ends. The maximum takes min(event time, record time): one time stamp in the future cannot make all others late.

Where producers set the record's time, both may lie in the future. What is further ahead of the broker's clock than an
event may be moves the maximum to that clock at most. The clock is data: the chain state has what it showed when the
last chunk was written, so the answer is a function of events and chain state, at every repetition.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stream_monitor.core.arrays import Bool, Int64
from stream_monitor.core.chain import ChainState
from stream_monitor.core.plan import TimePlan
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
        ahead: True where an event was stamped too far ahead of the broker's clock; None when that happened nowhere.
    """

    panes: Int64
    late: Bool | None
    max_ms: int | None
    ahead: Bool | None = None


def place_events(event_ms: Int64, record_ms: Int64, *, chain: ChainState, pane_ms: int, time: TimePlan) -> PlacedEvents:
    """Return the pane of each event and whether it is late, given the chain state before the first of them.

    An event is late if the end of its pane is at or before max(running maximum - allowed lateness, idle instant) as
    they were before the event. One that is stamped later than the broker's clock plus `time.max_future` belongs to its
    own pane and counts as that clock in the maximum: were it left out, events that are all ahead would stop time.
    """
    panes = pane_starts(event_ms, pane_ms)
    if not event_ms.size:
        return PlacedEvents(panes, None, chain.max_ms)
    known = np.minimum(event_ms, record_ms)
    ahead = None
    if chain.broker_ms is not None:
        beyond = known > chain.broker_ms + time.max_future_ms
        if beyond.any():
            ahead, known = beyond, np.where(beyond, chain.broker_ms, known)
    highest = running_max(known, chain.max_ms)
    before = np.empty_like(highest)
    before[0] = _NEVER if chain.max_ms is None else chain.max_ms
    before[1:] = highest[:-1]
    watermark = np.maximum(before - time.allowed_lateness_ms, _NEVER if chain.idle_ms is None else chain.idle_ms)
    late = panes + pane_ms <= watermark
    if not late.any():
        return PlacedEvents(panes, None, int(highest[-1]), ahead)
    panes = np.where(late, pane_starts(np.maximum(before, watermark), pane_ms), panes)
    return PlacedEvents(panes, late, int(highest[-1]), ahead)
