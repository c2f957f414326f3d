"""What no client reports (step 18): topics deleted or made anew, partitions gone silent, transactions left open, a loop
that does not come round.
"""

from __future__ import annotations

import faulthandler
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from stream_monitor.kafka.errors import ClientRestart, DataLoss, RestartReason
from stream_monitor.kafka.profile.owned import InputPartition, OwnedPartition
from stream_monitor.kafka.topics import TopicState

_LOG = logging.getLogger("stream_monitor.kafka.profile")

MISSES = 2
"""Looks in a row at which a topic must be missing: one broker's metadata may lag behind."""


@dataclass(slots=True)
class TopicWatch:
    """Compares the input topics with what they were when the clients were opened."""

    first: Mapping[str, TopicState]
    _missed: dict[str, int] = field(default_factory=dict)

    def look(self, now: Mapping[str, TopicState]) -> None:
        """Compare once.

        Raises:
            DataLoss: a topic was made anew, or is gone.
        """
        for topic, before in self.first.items():
            state = now.get(topic)
            if state is None:
                self._missed[topic] = self._missed.get(topic, 0) + 1
                if self._missed[topic] >= MISSES:
                    raise DataLoss(f"{topic}: the topic is gone")
            elif state.topic_id != before.topic_id:
                raise DataLoss(
                    f"{topic}: the topic was made anew: its id is {state.topic_id}, counted was {before.topic_id}"
                )
            else:
                self._missed.pop(topic, None)


@dataclass(slots=True)
class OwnTopicWatch:
    """Compares our own topics with what they were when the clients were opened."""

    first: Mapping[str, TopicState]
    _missed: dict[str, int] = field(default_factory=dict)

    def look(self, now: Mapping[str, TopicState]) -> str | None:
        """Return what is missing and how to mend it, None when nothing is.

        Raises:
            ClientRestart: a topic was made anew; the start looks whether it is as it must be.
        """
        for topic, before in self.first.items():
            state = now.get(topic)
            if state is not None and state.topic_id != before.topic_id:
                raise ClientRestart(RestartReason.ERROR, f"{topic}: the topic was made anew")
            self._missed[topic] = 0 if state is not None else self._missed.get(topic, 0) + 1
        gone = sorted(topic for topic, missed in self._missed.items() if missed >= MISSES)
        if not gone:
            return None
        return f"topics missing: {', '.join(gone)}: run 'stream-monitor topics create'"


@dataclass(slots=True)
class SilenceWatch:
    """Finds partitions that have records and give none, and ends that an open transaction holds.

    Attributes:
        silent_s: how long either may last.
    """

    silent_s: float
    _held: dict[InputPartition, tuple[int, int, float]] = field(default_factory=dict)

    def look(
        self,
        owned: Iterable[OwnedPartition],
        *,
        stable: Mapping[InputPartition, int],
        high: Mapping[InputPartition, int],
        now: float,
    ) -> None:
        """Compare once.

        Args:
            owned: partitions of the worker.
            stable: their last stable offsets.
            high: their high watermarks.
            now: seconds of the monotonic clock.

        Raises:
            ClientRestart: a partition is stuck.
        """
        for partition in owned:
            place = partition.place
            if place not in stable or partition.paused:
                continue
            waiting = stable[place] > max(partition.pending.expected, partition.end or 0)
            if waiting and now - partition.heard_at > self.silent_s:
                name = f"{place[0]}[{place[1]}]"
                raise ClientRestart(
                    RestartReason.ERROR, f"{name}: records are there and none came for {self.silent_s:g} s"
                )
            self._look_at_end(place, stable[place], high[place], now=now)

    def _look_at_end(self, place: InputPartition, stable: int, high: int, *, now: float) -> None:
        if stable == high:
            self._held.pop(place, None)
            return
        held_at, high_then, since = self._held.setdefault(place, (stable, high, now))
        if held_at != stable:
            self._held[place] = (stable, high, now)
        elif high > high_then and now - since > self.silent_s:
            _LOG.error(
                "%s[%d]: a producer's open transaction holds the partition at offset %d for %d s; %d records wait",
                *place,
                stable,
                round(now - since),
                high - stable,
            )
            self._held[place] = (stable, high, now)


_AWAY_S = 5.0
"""A loop that has not come round for so long is asked what it waits for."""


class LoopWatch:
    """A thread that says why the loop does not come round, and shows where it stands when nobody knows.

    Args:
        stalled_s: how long a loop may be away.
        stalled: called with the reason, once when it has been away so long, and at every look while the brokers are
            the reason; called from the watching thread.
        waits_for: returns what of the brokers is waited for too long, None when it is not they.
    """

    def __init__(
        self, stalled_s: float, stalled: Callable[[str], None], waits_for: Callable[[], str | None] = lambda: None
    ) -> None:
        self._stalled_s = stalled_s
        self._stalled = stalled
        self._waits_for = waits_for
        self._beat = time.monotonic()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="profile-watchdog", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self.beat()
        self._thread.start()

    def beat(self) -> None:
        """The loop came round."""
        self._beat = time.monotonic()

    def stop(self) -> None:
        """End the watch."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    def _watch(self) -> None:
        shown = 0.0
        while not self._ended.wait(min(1.0, self._stalled_s / 4)):
            beat = self._beat
            away_s = time.monotonic() - beat
            waits_for = self._waits_for() if away_s > min(_AWAY_S, self._stalled_s) else None
            if waits_for is not None:
                self._stalled(waits_for)
            elif beat != shown and away_s > self._stalled_s:
                shown = beat
                _LOG.error(
                    "the profile loop has not come round for %g s; stacks follow on standard error", self._stalled_s
                )
                faulthandler.dump_traceback(file=sys.__stderr__ or sys.stderr, all_threads=True)
                self._stalled("the loop does not come round")
