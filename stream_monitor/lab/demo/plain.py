"""The demo without a terminal: one line per event, for logs and for CI."""

from __future__ import annotations

from collections.abc import Callable

from stream_monitor.lab.demo.story import AlertNotice
from stream_monitor.lab.drifts import Drift


class PlainView:
    """Writes what is new since the last look."""

    def __init__(self, write: Callable[[str], None]) -> None:
        self._write = write
        self._notices = 0
        self._begun: set[Drift] = set()
        self._ended: set[Drift] = set()

    def drifts(self, injected: tuple[Drift, ...], second: float) -> None:
        """Tell of drifts that have begun or ended."""
        for drift in injected:
            if drift not in self._begun:
                self._begun.add(drift)
                self._write(f"{drift.at_s:6.1f} s  drift begins: {drift.title}")
            if drift.until_s <= second and drift not in self._ended:
                self._ended.add(drift)
                self._write(f"{drift.until_s:6.1f} s  drift ends: {drift.title}")

    def notices(self, notices: list[AlertNotice], second: float) -> None:
        """Tell of alert events that have arrived."""
        for notice in notices[self._notices :]:
            self._write(f"{second:6.1f} s  {notice.status} ({notice.reason}, {notice.severity}): {notice.summary}")
        self._notices = len(notices)
