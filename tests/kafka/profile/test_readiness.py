"""What the probes hear of a profile worker."""

from __future__ import annotations

from stream_monitor.kafka.observer import Loop, NullObserver
from stream_monitor.kafka.profile.readiness import Cause, Readiness


class Heard(NullObserver):
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.reported: list[tuple[bool, str]] = []

    def readiness(self, loop: Loop, *, ready: bool, detail: str) -> None:
        self.reported.append((ready, detail))


def test_causes_come_and_go_on_their_own() -> None:
    """One that ends leaves the others; of several the most important is told, and what has not changed is not."""
    heard = Heard()
    readiness = Readiness(heard)
    readiness.report(0)
    readiness.waits(Cause.PARTITIONS, None)
    readiness.waits(Cause.COMMITS, "nothing was committed")
    readiness.waits(Cause.TOPICS, "topics missing")
    readiness.report(2)
    readiness.report(2)
    readiness.waits(Cause.TOPICS, None)
    readiness.report(2)
    readiness.waits(Cause.COMMITS, None)
    readiness.report(2)

    assert [
        (False, "joining the group"),
        (False, "topics missing"),
        (False, "nothing was committed"),
        (True, "2 partitions"),
    ] == heard.reported


def test_what_somebody_else_said_is_said_again() -> None:
    """The watch on the loop tells a stall from its own thread; when the loop comes round, how it stands is told."""
    heard = Heard()
    readiness = Readiness(heard)
    readiness.waits(Cause.PARTITIONS, None)
    readiness.report(1)
    readiness.report_again()
    readiness.report(1)

    assert heard.reported == [(True, "1 partitions")] * 2
