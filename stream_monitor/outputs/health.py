"""Is the process alive, and is it ready: what the probes answer.

Alive: every loop came round not too long ago (an idle poll counts, so a broker that is away never fails it). Ready:
every loop has its partitions and its state.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from threading import Lock


class Health:
    """Collects what the loops say.

    A loop may be named by a member of an enum; what is returned has plain strings, as JSON wants its keys.

    Args:
        loops: those that run in this process.
        stall_after_s: a loop that was silent for longer is stalled.
        monotonic: a clock that never goes back, in seconds.
    """

    def __init__(
        self, loops: Iterable[str], *, stall_after_s: float, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._monotonic = monotonic
        self._stall_after_s = stall_after_s
        self._lock = Lock()
        self._last_s = dict.fromkeys(map(str, loops), monotonic())
        self._waiting = dict.fromkeys(self._last_s, "starting")

    def progress(self, loop: str) -> None:
        """Note that a loop came round."""
        with self._lock:
            self._last_s[str(loop)] = self._monotonic()

    def readiness(self, loop: str, *, ready: bool, detail: str) -> None:
        """Note that a loop can work, or what it waits for."""
        with self._lock:
            if ready:
                self._waiting.pop(str(loop), None)
            else:
                self._waiting[str(loop)] = detail

    def stalled(self) -> Mapping[str, float]:
        """Return the seconds since the last progress of each loop that is stalled; empty when the process is alive."""
        with self._lock:
            now = self._monotonic()
            silent = {loop: now - last for loop, last in self._last_s.items()}
        return {loop: seconds for loop, seconds in sorted(silent.items()) if seconds > self._stall_after_s}

    def waiting(self) -> Mapping[str, str]:
        """Return what each loop waits for that is not ready; empty when the process is ready."""
        with self._lock:
            return dict(sorted(self._waiting.items()))
