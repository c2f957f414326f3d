"""Remembers that brokers were away: an outage of ours can look like a rival of ours.

A broker that dies takes answers along. The member that joins again without having heard its new member id, and the
producer whose transaction timed out meanwhile, are both told that another process has their name. Soon after an outage
that is most likely ourselves, so the clients are opened anew, once; a true rival fences the new ones as well, and then
the process ends.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from confluent_kafka import KafkaError

RECENT_S = 120.0
"""Longer than a session or a transaction lives without its broker."""

_AWAY = frozenset({KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT})


class OutageWatch:
    """Hears the global errors of clients, and excuses one fencing after an outage."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last_s: float | None = None

    def note(self, error: KafkaError) -> None:
        """Hear an error."""
        if error.code() in _AWAY:
            self._last_s = self._clock()

    def excuses(self) -> bool:
        """Say whether brokers were away lately; only the first question after an outage is answered with yes."""
        last_s, self._last_s = self._last_s, None
        return last_s is not None and self._clock() - last_s <= RECENT_S
