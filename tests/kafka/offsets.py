"""How far the groups of a deployment are: what they have committed, and where the logs that they read end."""

from __future__ import annotations

import time

from confluent_kafka import Consumer, TopicPartition

from stream_monitor.config import Settings
from stream_monitor.kafka.client_settings import reader
from stream_monitor.kafka.clients import committed, end_offsets, open_admin
from stream_monitor.runtimes.connection import kafka_settings

InputPartition = tuple[str, int]
"""A topic and a partition."""

ROLES = ("profile", "judge")
NAMED_AFTER_S = 3.0


class GroupOffsets:
    """Asks the broker, without joining the groups.

    Args:
        settings: of the deployment.
        input_partitions: of its one input topic.
    """

    def __init__(self, settings: Settings, *, input_partitions: int) -> None:
        kafka = kafka_settings(settings)
        self._admin = open_admin(kafka)  # kept: the answers of a client that nobody holds never come
        self._groups = {role: Consumer({**reader(kafka), "group.id": f"{settings.group}-{role}"}) for role in ROLES}
        (source,) = settings.plan.inputs
        counts = {
            "profile": (source.topic, input_partitions),
            "judge": (settings.topics.profiles, settings.topics.partitions),
        }
        self._places = {role: [(topic, p) for p in range(count)] for role, (topic, count) in counts.items()}
        self._profiled_at: float | None = None
        self._named: dict[InputPartition, int] = {}

    def committed(self, role: str) -> dict[InputPartition, int]:
        """Return the committed offsets of a role's group; open transactions are waited for."""
        found = committed(self._groups[role], [TopicPartition(*place) for place in self._places[role]])
        return {(p.topic, p.partition): p.offset for p in found if p.offset >= 0}

    def ends(self, role: str) -> dict[InputPartition, int]:
        """Return the ends of what a role reads."""
        return end_offsets(self._admin, [TopicPartition(*place) for place in self._places[role]])

    def is_caught_up(self, role: str) -> bool:
        """Say whether a role has committed everything in what it reads."""
        ends = self.ends(role)
        found = self.committed(role)
        return all(found.get(place, 0) >= end for place, end in ends.items())

    def is_judged(self) -> bool:
        """Say whether all events of the inputs are judged; to be asked again and again.

        The last chunk of a partition is named a second later, by the first of the empty ones that come with every pane.
        """
        if not self.is_caught_up("profile"):
            self._profiled_at, self._named = None, {}
        elif self._profiled_at is None:
            self._profiled_at = time.monotonic()
        elif not self._named and time.monotonic() - self._profiled_at >= NAMED_AFTER_S:
            self._named = self.ends("judge")
        found = self.committed("judge") if self._named else {}
        return bool(self._named) and all(found.get(place, 0) >= end for place, end in self._named.items())

    def close(self) -> None:
        """Close the clients."""
        for consumer in self._groups.values():
            consumer.close()
