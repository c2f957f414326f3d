"""Remembers that brokers were away: says so in the log once, once a minute and at the end, and excuses one fencing.

A broker that dies takes answers along. The member that joins again without having heard its new member id, and the
producer whose transaction timed out meanwhile, are both told that another process has their name. Soon after an outage
that is most likely ourselves, so the clients are opened anew, once; a true rival fences the new ones as well, and then
the process ends.

Every client reports every attempt to reach a broker, several times a second. Whoever reads the log at night wants
three facts: since when, why, and when it was over.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from confluent_kafka import KafkaError

from stream_monitor.kafka.client_words import first_words

_LOG = logging.getLogger("stream_monitor.kafka")

RECENT_S = 120.0
"""Longer than a session or a transaction lives without its broker."""

SETTLED_S = 5.0
"""A broker that answers again within this time was not away: a leader moved, or an idle connection was closed."""

REMINDER_S = 60.0
"""How often an outage, or an error that comes again and again, is said."""

_AWAY = frozenset({KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT, KafkaError._RESOLVE})


class OutageWatch:
    """Hears the global errors of the clients of one worker, and what the brokers answer.

    Args:
        name: of the worker, for the log.
        clock: seconds that never go back.
    """

    def __init__(self, name: str = "worker", clock: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._clock = clock
        self._last_s: float | None = None
        self._since_s: float | None = None
        self._said_s: float | None = None
        self._why = ""
        self._quiet_until: dict[str, float] = {}

    def note(self, error: KafkaError) -> None:
        """Hear an error."""
        now = self._clock()
        if error.code() in _AWAY:
            self._last_s = now
            if error.code() == KafkaError._ALL_BROKERS_DOWN:
                self._since_s = now if self._since_s is None else self._since_s
            else:
                self._why = first_words(error.str())
        elif now >= self._quiet_until.get(error.name(), 0.0):
            self._quiet_until[error.name()] = now + REMINDER_S
            _LOG.warning("%s: client: %s: %s", self._name, error.name(), first_words(error.str()))

    def answered(self) -> None:
        """Hear that a broker has answered: an outage is over."""
        if self._since_s is not None and self._said_s is not None:
            _LOG.info(
                "%s: brokers answer again after %.0f s: nothing is lost, work goes on from what was committed",
                self._name,
                self._clock() - self._since_s,
            )
        self._since_s = self._said_s = None

    @property
    def suspected(self) -> bool:
        """Say whether every known broker was lost and none has answered since."""
        return self._since_s is not None

    def look(self) -> str | None:
        """Return what a worker waits for while brokers are away, None while they are not; log it from time to time."""
        now = self._clock()
        if self._since_s is None or now - self._since_s < SETTLED_S:
            return None
        detail = f"no broker answers: {self._why or 'every connection was lost'}"
        if self._said_s is None or now - self._said_s >= REMINDER_S:
            _LOG.warning("%s: %s, for %.0f s", self._name, detail, now - self._since_s)
            self._said_s = now
        return detail

    def excuses(self) -> bool:
        """Say whether brokers were away lately; only the first question after an outage is answered with yes."""
        last_s, self._last_s = self._last_s, None
        return last_s is not None and self._clock() - last_s <= RECENT_S
