"""A scenario: a service, its rate, and the drifts that come round again and again on a schedule.

Everything is a function of (seed, second): a scenario can be sent live, written to a file or replayed.

>>> demo = demo_scenario(seed=1, rate=100)
>>> [round(o.at_s) for o in demo.injected(until_s=60.0)]
[15, 45]
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeVar

from stream_monitor.lab.drifts import Drift, Interval, MeanShift, NewCategory, NullStorm
from stream_monitor.lab.fraud import Fraud

D = TypeVar("D", bound=Interval)

REFERENCE_SECOND = 2**31
"""Seconds from here on are the training data: never sent, so reference and traffic share no event."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """Traffic with drifts.

    Attributes:
        service: makes the events.
        rate: events per second.
        drifts: what changes within one cycle, in seconds from its start.
        cycle_s: after so many seconds the same drifts come again.
    """

    name: str
    service: Fraud
    rate: int
    drifts: tuple[MeanShift | NullStorm | NewCategory, ...]
    cycle_s: int

    def second(self, second: int, *, start_ms: int) -> list[tuple[int, bytes]]:
        """Return the events of one second as (event time in ms, value)."""
        return self.service.events(second=second, rows=self.rate, start_ms=start_ms, drifts=self.active(second))

    def reference(self, rows: int, *, start_ms: int) -> list[tuple[int, bytes]]:
        """Return healthy events for a baseline, none of which is ever sent as traffic."""
        return self.service.events(
            second=REFERENCE_SECOND,
            rows=rows,
            start_ms=start_ms - REFERENCE_SECOND * 1000,
        )

    def active(self, second: float) -> tuple[Drift, ...]:
        """Return the drifts that are on at a second."""
        return tuple(drift for drift in self.drifts if drift.active(second % self.cycle_s))

    def injected(self, *, until_s: float) -> tuple[Drift, ...]:
        """Return every drift that has begun before `until_s`, in order, at its own place in time."""
        return tuple(self._occurrences(until_s))

    def _occurrences(self, until_s: float) -> Iterator[Drift]:
        cycle = 0
        while cycle * self.cycle_s < until_s:
            for drift in self.drifts:
                moved = _moved(drift, by_s=cycle * self.cycle_s)
                if moved.at_s < until_s:
                    yield moved
            cycle += 1


def _moved(drift: D, *, by_s: float) -> D:
    return replace(drift, at_s=drift.at_s + by_s, until_s=drift.until_s + by_s)


def demo_scenario(*, seed: int, rate: int) -> Scenario:
    """Return the scenario of the demo: a mean shift, a null storm, a new category, every two minutes."""
    return Scenario(
        name="fraud",
        service=Fraud(seed),
        rate=rate,
        drifts=(
            MeanShift("amount", at_s=15.0, until_s=35.0, factor=1.8),
            NullStorm("age", at_s=45.0, until_s=60.0, share=0.4),
            NewCategory("merchant", at_s=68.0, until_s=85.0, value="metaverse", share=0.12),
        ),
        cycle_s=120,
    )
