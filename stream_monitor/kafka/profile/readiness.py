"""Whether a worker can count, and what it waits for: causes come and go on their own, the probes hear of changes."""

from __future__ import annotations

from enum import StrEnum

from stream_monitor.kafka.observer import Loop, Observer


class Cause(StrEnum):
    """What a worker may wait for; of several the first is reported."""

    BROKERS = "brokers"
    TOPICS = "topics"
    COMMITS = "commits"
    LETTERS = "dead letters"
    BASELINES = "baselines"
    PARTITIONS = "partitions"


class Readiness:
    """Reports to an observer.

    Args:
        observer: of the worker.
    """

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._waits = {Cause.PARTITIONS: "joining the group"}
        self._reported: tuple[bool, str] | None = None

    def waits(self, cause: Cause, detail: str | None) -> None:
        """Note what is waited for, None when it is there."""
        if detail is None:
            self._waits.pop(cause, None)
        else:
            self._waits[cause] = detail

    def report(self, partitions: int) -> None:
        """Report how it stands, if that has changed.

        Args:
            partitions: owned now.
        """
        waiting = next((self._waits[cause] for cause in Cause if cause in self._waits), None)
        now = (waiting is None, waiting or f"{partitions} partitions")
        if now != self._reported:
            self._reported = now
            self._observer.readiness(Loop.PROFILE, ready=now[0], detail=now[1])

    def report_again(self) -> None:
        """Forget what was reported: somebody else has reported since."""
        self._reported = None
