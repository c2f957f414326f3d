"""The roster: which source partitions a stream has, and how far each has come.

A pane of a stream closes only when every partition of every topic of that stream has reported and passed it. The topics
come from the plan, the partition count of a topic is the largest that any progress record states. A partition without a
watermark, or a topic that nobody has reported on, holds every pane open.
"""

from __future__ import annotations

from collections.abc import Mapping

from stream_monitor.core.plan import InputPlan

EVENTS = "events"
LABELS = "labels"
INSTANCES = "instances"

_STREAM_OF_FORMAT: Mapping[str, str] = {"native_labels": LABELS, "native_instances": INSTANCES}
"""Formats that do not carry inference events. Each stream has its own pane clock: a quiet label topic stops nothing."""


class Roster:
    """Partition counts and watermarks of every input topic of a plan."""

    def __init__(self, inputs: tuple[InputPlan, ...]) -> None:
        self._stream_of = {item.topic: _STREAM_OF_FORMAT.get(item.format, EVENTS) for item in inputs}
        self.counts: dict[str, int] = {}
        self.watermarks: dict[tuple[str, int], int] = {}

    @property
    def streams(self) -> tuple[str, ...]:
        """The streams of the plan, sorted."""
        return tuple(sorted(set(self._stream_of.values())))

    def stream(self, topic: str) -> str | None:
        """Return the stream of a topic, None for a topic that the plan does not name."""
        return self._stream_of.get(topic)

    def extend(self, topic: str, partitions: int) -> None:
        """Note how many partitions a topic has; a count never shrinks."""
        self.counts[topic] = max(self.counts.get(topic, 0), partitions)

    def reach(self, topic: str, partition: int, watermark_ms: int | None) -> None:
        """Note how far a partition has come."""
        if watermark_ms is not None:
            self.watermarks[topic, partition] = watermark_ms

    def watermark(self, stream: str) -> int | None:
        """Return the event time up to which a stream is complete, None while somebody is awaited."""
        places = self._places(stream)
        if places is None or any(place not in self.watermarks for place in places):
            return None
        return min((self.watermarks[place] for place in places), default=None)

    def awaited(self) -> tuple[tuple[str, int], ...]:
        """Return the partitions that never reported a watermark; (topic, -1) stands for a whole topic."""
        missing: list[tuple[str, int]] = []
        for topic in sorted(self._stream_of):
            count = self.counts.get(topic)
            known = [(topic, -1)] if count is None else [(topic, partition) for partition in range(count)]
            missing += [place for place in known if place not in self.watermarks]
        return tuple(missing)

    def _places(self, stream: str) -> list[tuple[str, int]] | None:
        topics = sorted(topic for topic, belongs in self._stream_of.items() if belongs == stream)
        if any(topic not in self.counts for topic in topics):
            return None
        return [(topic, partition) for topic in topics for partition in range(self.counts[topic])]
