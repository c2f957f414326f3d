"""What a loop waits for from the brokers while it does not come round: a silent broker is no fault of the loop.

The loop says what it is about to wait for; a thread beside it looks. An outage whose connections are refused is seen by
`outage`; a broker that is frozen, or behind a network that swallows packets, refuses nothing and only does not answer.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from stream_monitor.kafka.outage import REMINDER_S

_LOG = logging.getLogger("stream_monitor.kafka")

SILENT_S = 10.0
"""A broker that is well answers sooner, also while it elects a leader."""


class BrokerWait:
    """One answer of the brokers that a loop waits for, or none.

    Args:
        name: of the worker, for the log.
        clock: seconds that never go back.
    """

    def __init__(self, name: str = "worker", clock: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._clock = clock
        self._wait: tuple[str, float] | None = None
        self._said_s: float | None = None

    @contextmanager
    def of(self, answer: str) -> Iterator[None]:
        """Say what is waited for inside the block."""
        self._wait = (answer, self._clock())
        try:
            yield
        finally:
            self._wait = None

    def look(self) -> str | None:
        """Return what has been waited for too long, None while nothing has; log it from time to time."""
        wait, now = self._wait, self._clock()
        if wait is None or now - wait[1] < SILENT_S:
            self._said_s = None
            return None
        detail = f"no broker answers: {wait[0]} since {now - wait[1]:.0f} s"
        if self._said_s is None or now - self._said_s >= REMINDER_S:
            _LOG.warning("%s: %s", self._name, detail)
            self._said_s = now
        return detail
