"""Partitions that the group has forgotten.

A static member that comes back under its name gets its old assignment again, without a rebalance; partitions added to a
topic while it was away then belong to nobody, and nothing reports it. Every pane would wait for them for ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from confluent_kafka import ConsumerGroupState
from confluent_kafka.admin import AdminClient

from stream_monitor.kafka.profile.owned import Place


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a stable group leaves out.

    Attributes:
        unassigned: partitions that no member has.
        first: the member, by `group.instance.id`, that is to ask for a new assignment, so that only one does.
    """

    unassigned: frozenset[Place] = frozenset()
    first: str = ""


def look_at_coverage(admin: AdminClient, group: str, topics: Mapping[str, int], *, timeout_s: float) -> Coverage:
    """Return which partitions no member of the group has; nothing while the group rebalances.

    Args:
        admin: the client.
        group: consumer group.
        topics: number of partitions by topic.
        timeout_s: of the request.

    Raises:
        KafkaException: no answer, or not authorised.
    """
    (future,) = admin.describe_consumer_groups([group], request_timeout=timeout_s).values()
    described = future.result()
    if described.state is not ConsumerGroupState.STABLE:
        return Coverage()
    assigned = {(p.topic, p.partition) for m in described.members for p in m.assignment.topic_partitions}
    every = {(topic, p) for topic, count in topics.items() for p in range(count)}
    names = sorted(m.group_instance_id or m.member_id for m in described.members)
    return Coverage(frozenset(every - assigned), names[0] if names else "")
