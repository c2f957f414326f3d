"""Partitions that the group has forgotten.

A static member that comes back under its name gets its old assignment again, without a rebalance; partitions added to a
topic while it was away then belong to nobody, and nothing reports it. Every pane would wait for them for ever.

Whoever takes a partition up commits for it at once, so a partition without a committed offset is one that nobody has.
The group itself is not asked for its members: the admin client's requests to a coordinator abort the process when the
coordinator's connection breaks at the wrong moment (`rd_kafka_enq_once_del_source_return`, librdkafka 2.16).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from confluent_kafka import Consumer, TopicPartition

from stream_monitor.kafka.clients import committed
from stream_monitor.kafka.profile.owned import InputPartition


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a group leaves out.

    Attributes:
        unclaimed: partitions that no member ever took up.
        first: the first one that was taken up: its owner asks for a new assignment, so that only one member does.
    """

    unclaimed: frozenset[InputPartition] = frozenset()
    first: InputPartition | None = None


def look_at_coverage(outsider: Consumer, topics: Mapping[str, int], *, timeout_s: float) -> Coverage:
    """Return which partitions have no committed offset.

    Args:
        outsider: has the group's id and never joins it.
        topics: number of partitions by topic.
        timeout_s: how long the question may be repeated.

    Raises:
        Stop: the group refuses us.
        KafkaException: no answer.
    """
    every = [TopicPartition(topic, p) for topic, count in topics.items() for p in range(count)]
    answers = committed(outsider, every, timeout_s=timeout_s) if every else []
    claimed = {(answer.topic, answer.partition) for answer in answers if answer.offset >= 0}
    return Coverage(frozenset((p.topic, p.partition) for p in every) - claimed, min(claimed, default=None))


@dataclass(slots=True)
class CoverageWatch:
    """Tells the one member that has to speak for partitions which nobody takes up.

    Attributes:
        forgotten_s: how long a member may take over taking a partition up.
    """

    forgotten_s: float
    _since: dict[InputPartition, float] = field(default_factory=dict)

    def look(self, coverage: Coverage, *, owned: Collection[InputPartition], now: float) -> list[InputPartition]:
        """Return the forgotten partitions that this worker has to speak for, and count their time anew.

        Args:
            coverage: of the group.
            owned: partitions that this worker has taken up.
            now: seconds of the monotonic clock.
        """
        self._since = {place: self._since.get(place, now) for place in coverage.unclaimed}
        forgotten = sorted(place for place, since in self._since.items() if now - since >= self.forgotten_s)
        if not forgotten or coverage.first not in owned:
            return []
        self._since.clear()
        return forgotten
