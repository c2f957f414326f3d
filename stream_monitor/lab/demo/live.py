"""Carries a demo: sends the scenario, reads metrics and alerts back, shows them, and judges the judge."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live

from stream_monitor.lab.demo import exposition
from stream_monitor.lab.demo.backend import Backend, DemoError
from stream_monitor.lab.demo.plain import PlainView
from stream_monitor.lab.demo.screen import Frame, render
from stream_monitor.lab.demo.sender import Sender
from stream_monitor.lab.demo.story import AlertNotice, Story, Verdict
from stream_monitor.lab.scenario import Scenario

LOOK_S = 0.25
SCRAPE_S = 1.0
DRAIN_S = 8.0
"""After the last event the verdicts on it are still awaited for so long: lateness, two chunks, a pane."""


class Demo:
    """One run of a scenario on a backend."""

    def __init__(self, backend: Backend, scenario: Scenario, console: Console) -> None:
        self._backend = backend
        self._scenario = scenario
        self._console = console
        start_ms = (int(time.time()) + 1) * 1000
        self._sender = Sender(scenario, backend.send, start_ms=start_ms)
        self._story = Story(start_ms)
        self._plain = PlainView(lambda line: console.print(line, highlight=False, markup=False, soft_wrap=True))
        self._readings = exposition.Readings()
        self._scraped = 0.0

    def run(self, duration_s: float | None) -> Verdict:
        """Run for `duration_s` seconds, or until Ctrl-C when None, and return the verdict on what was injected.

        Raises:
            DemoError: the worker or the sender ended on its own.
        """
        self._sender.start()
        ended_s = 0.0
        try:
            with self._view() as live:
                while duration_s is None or self._sender.second < duration_s:
                    self._look(live)
                    time.sleep(LOOK_S)
                ended_s = self._end_of_traffic()
                while self._sender.second < ended_s + DRAIN_S and self._verdict(ended_s).not_due:
                    self._look(live)
                    time.sleep(LOOK_S)
                self._look(live)
        except KeyboardInterrupt:
            ended_s = ended_s or self._end_of_traffic()
        return self._verdict(ended_s)

    def _verdict(self, ended_s: float) -> Verdict:
        return self._story.verdict(self._scenario.injected(until_s=ended_s), at_s=ended_s)

    def _end_of_traffic(self) -> float:
        second = self._sender.second
        self._sender.stop()
        return second

    def _look(self, live: Live | None) -> None:
        self._backend.check()
        if self._sender.failed is not None:
            raise DemoError(f"events could not be sent: {self._sender.failed}") from self._sender.failed
        second = self._sender.second
        self._story.add([AlertNotice.decode(value) for value in self._backend.alerts()])
        if live is None:
            self._plain.drifts(self._scenario.injected(until_s=second), second)
            self._plain.notices(self._story.notices, second)
            return
        live.update(render(self.frame(), height=self._console.height - 1), refresh=True)

    def frame(self) -> Frame:
        """Return what the screen shows at this moment."""
        second = self._sender.second
        if second - self._scraped >= SCRAPE_S:
            self._scraped = second
            self._readings = exposition.scrape(self._backend.address) or self._readings
        cycle = int(second // self._scenario.cycle_s) * self._scenario.cycle_s
        drifts = self._scenario.injected(until_s=cycle + self._scenario.cycle_s)
        return Frame(
            broker=self._backend.name,
            address=self._backend.address,
            second=second,
            sent=self._sender.sent,
            rate=self._scenario.rate,
            readings=self._readings,
            drifts=self._scenario.active(second),
            schedule=tuple(drift for drift in drifts if drift.at_s >= cycle),
            notices=tuple(self._story.notices),
            open=frozenset(self._story.open),
        )

    @contextmanager
    def _view(self) -> Iterator[Live | None]:
        if not self._console.is_terminal:
            yield None
            return
        with Live(console=self._console, auto_refresh=False, screen=True) as live:
            yield live
