"""What the log says of records that are stamped ahead of the broker's clock: a line a minute and partition."""

from __future__ import annotations

import logging

from stream_monitor.core.profile import Ahead
from stream_monitor.core.time import instant_words
from stream_monitor.kafka.profile.owned import InputPartition

_LOG = logging.getLogger("stream_monitor.kafka.profile")
EVERY_S = 60.0


class FutureLog:
    """Says what was seen.

    Args:
        max_future_ms: how far ahead an event may be.
    """

    def __init__(self, max_future_ms: int) -> None:
        self._max_future_ms = max_future_ms
        self._said: dict[InputPartition, tuple[float, int]] = {}

    def note(self, place: InputPartition, ahead: Ahead, *, now: float) -> None:
        """Learn of the events of one committed chunk.

        Args:
            place: the partition.
            ahead: its events.
            now: seconds of the monotonic clock.
        """
        said_at, unsaid = self._said.get(place, (-EVERY_S, 0))
        events = unsaid + ahead.events
        if now - said_at < EVERY_S:
            self._said[place] = said_at, events
            return
        self._said[place] = now, 0
        _LOG.warning(
            "%s[%d]: events stamped more than %d s ahead of the broker's clock: %d, the one at offset %d with %s when"
            " it was %s. They count in their own panes and move the watermark no further than that clock. Mend the"
            " clock of the producer, or set message.timestamp.type=LogAppendTime on the topic",
            *place,
            self._max_future_ms // 1_000,
            events,
            ahead.offset,
            instant_words(ahead.stamped_ms),
            instant_words(ahead.broker_ms),
        )
