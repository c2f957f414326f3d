"""Sends a scenario at its own pace: each second of traffic in slices, every event at about its event time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from stream_monitor.lab.demo.backend import Events
from stream_monitor.lab.scenario import Scenario

SLICES = 20


class Sender:
    """A thread that sends a scenario from `start_ms` on until it is stopped.

    Attributes:
        start_ms: event time of second 0, in epoch milliseconds.
        sent: events handed over so far.
        failed: what ended the thread before its time.
    """

    def __init__(self, scenario: Scenario, send: Callable[[Events], None], *, start_ms: int) -> None:
        self.start_ms = start_ms
        self.sent = 0
        self.failed: Exception | None = None
        self._scenario = scenario
        self._send = send
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="demo-sender", daemon=True)

    @property
    def second(self) -> float:
        """Seconds of the scenario that have passed."""
        return max(0.0, time.time() - self.start_ms / 1000)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Send no more, and wait until the slice in hand is sent."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            second = 0
            while not self._stopped.is_set():
                self._send_second(second)
                second += 1
        except Exception as error:  # noqa: BLE001 - the loop that owns this thread raises it again
            self.failed = error

    def _send_second(self, second: int) -> None:
        events = self._scenario.second(second, start_ms=self.start_ms)
        size = -(-len(events) // SLICES)
        for first in range(0, len(events), size):
            piece = events[first : first + size]
            wait_s = piece[-1][0] / 1000 - time.time()
            if wait_s > 0 and self._stopped.wait(wait_s):
                return
            self._send(piece)
            self.sent += len(piece)
