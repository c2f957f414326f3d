"""Rounds that were refused: since when, of which partitions, and why the last one was."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Sequence

from stream_monitor.kafka.errors import ClientRestart, RestartReason, RoundFailed
from stream_monitor.kafka.profile.owned import InputPartition
from stream_monitor.kafka.profile.policy import Tuning
from stream_monitor.kafka.refusals import Refusals

_LOG = logging.getLogger("stream_monitor.kafka.profile")


class RefusedRounds:
    """Counts for how long commits have been refused.

    Args:
        tuning: how long they may be.
    """

    def __init__(self, tuning: Tuning) -> None:
        self._tuning = tuning
        self._refusals: Refusals[InputPartition] = Refusals()
        self._why = ""

    def refused(self, error: RoundFailed, places: Sequence[InputPartition]) -> None:
        """Note that a round was refused.

        Raises:
            ClientRestart: one of its partitions has been refused for too long.
        """
        _LOG.warning("round dropped: %s", error)
        self._why = str(error)
        refused_s = self._refusals.refused(places, now=time.monotonic())
        if refused_s > self._tuning.refused_s:
            raise ClientRestart(RestartReason.FENCED, f"refused for {refused_s:.0f} s: {error}")

    def accepted(self, places: Iterable[InputPartition]) -> None:
        """Note that partitions were committed, or are not ours any more."""
        self._refusals.accepted(places)

    def waits(self, now: float) -> str | None:
        """Return why a worker whose commits are refused is not ready, None when it is; `now` is monotonic, in s."""
        is_stuck = self._refusals.longest(now=now) > self._tuning.stuck_s
        return f"nothing was committed: {self._why}" if is_stuck else None
