"""How many plans the judge partitions have gone through: asked once, when a worker starts."""

from __future__ import annotations

from stream_monitor.kafka.client_settings import KafkaSettings
from stream_monitor.kafka.clients import open_admin
from stream_monitor.kafka.judge.sealed import BrokenSeal
from stream_monitor.kafka.judge.state_records import COMMIT_KEY, NewerFormat, decode_commit
from stream_monitor.kafka.readers import read_topics
from stream_monitor.kafka.topics import describe_topics


def plan_counts(settings: KafkaSettings, topic: str) -> dict[int, int]:
    """Return how many plans each judge partition has gone through; what cannot be read is left to its restore.

    Raises:
        Stop: the cluster refuses us.
    """
    found: dict[int, int] = {}
    for partition, value in _last_commits(settings, topic).items():
        try:
            found[partition] = len(decode_commit(value).history)
        except (BrokenSeal, NewerFormat):
            continue
    return found


def _last_commits(settings: KafkaSettings, topic: str) -> dict[int, bytes]:
    if not describe_topics(open_admin(settings), [topic]):
        return {}
    last = {record.partition: record.value for record in read_topics(settings, [topic]) if record.key == COMMIT_KEY}
    return {partition: value for partition, value in sorted(last.items()) if value is not None}
