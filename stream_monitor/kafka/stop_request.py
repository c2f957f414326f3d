"""Whether a worker was asked to stop, and how long it may still take over the stop."""

from __future__ import annotations

import math
import threading
import time


class StopRequest:
    """Asked once, from any thread or a signal handler; the worker looks wherever it waits.

    Args:
        drain_s: seconds for finishing the round in hand.
    """

    def __init__(self, drain_s: float) -> None:
        self._drain_s = drain_s
        self._asked = threading.Event()
        self._until = math.inf

    def ask(self) -> None:
        """Ask for the stop."""
        if not self._asked.is_set():
            self._until = time.monotonic() + self._drain_s
            self._asked.set()

    def is_asked(self) -> bool:
        """Say whether it was asked for."""
        return self._asked.is_set()

    def left_s(self) -> float:
        """Return how many seconds are left: without end before the stop was asked for, zero when they are over."""
        return max(0.0, self._until - time.monotonic())

    def wait(self, timeout_s: float) -> None:
        """Sleep, but not past the moment at which the stop is asked for."""
        self._asked.wait(timeout_s)
