"""Which partitions are not fetched for a while: those too far ahead, those left alone, or all of them."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping

from confluent_kafka import Consumer, TopicPartition

from stream_monitor.core.plan import TimePlan
from stream_monitor.kafka.profile.alignment import Progress, too_far_ahead
from stream_monitor.kafka.profile.owned import InputPartition, OwnedPartition
from stream_monitor.kafka.profile.readiness import Cause, Readiness

_LOG = logging.getLogger("stream_monitor.kafka.profile")


class FetchPauses:
    """Pauses and resumes the fetching of owned partitions.

    Args:
        consumer: fetches them.
        owned: all that are read now; kept up by the membership.
        time_plan: how far ahead one partition may be of the others.
        readiness: learns what is waited for.
    """

    def __init__(
        self,
        consumer: Consumer,
        owned: Mapping[InputPartition, OwnedPartition],
        *,
        time_plan: TimePlan,
        readiness: Readiness,
    ) -> None:
        self._consumer = consumer
        self._owned = owned
        self._time = time_plan
        self._readiness = readiness
        self._held = False

    def hold(self, hold: bool) -> bool:
        """Stop fetching while the baselines are not known up to now; return whether that is so."""
        if hold != self._held:
            self._held = hold
            detail = "the baseline reader is behind" if hold else None
            _LOG.warning("counting %s", f"waits: {detail}" if hold else "goes on")
            self._readiness.waits(Cause.BASELINES, detail)
            self.align()
        if hold:
            time.sleep(0.05)  # the loop is due at once again
        return hold

    def align(self) -> None:
        """Pause partitions that are too far ahead, or all while counting waits; resume the others."""
        progress = {
            place: Progress(p.chain.watermark_ms(self._time.allowed_lateness_ms), p.at_end and not len(p.pending))
            for place, p in self._owned.items()
            if p.excess is None  # nobody waits for one that is left alone
        }
        ahead = too_far_ahead(progress, max_ahead_ms=self._time.max_ahead_ms)
        for place, partition in self._owned.items():
            pause = self._held or place in ahead or partition.excess is not None
            if pause == partition.paused:
                continue
            (self._consumer.pause if pause else self._consumer.resume)([TopicPartition(*place)])
            partition.paused = pause
            partition.heard_at = time.monotonic()
