"""Which plan the judge partitions were judged with so far: asked before a worker with another one is started."""

from __future__ import annotations

from stream_monitor.kafka.clients import open_admin
from stream_monitor.kafka.judge.records import COMMIT_KEY, Commit, decode_commit
from stream_monitor.kafka.readers import read_topics
from stream_monitor.kafka.settings import KafkaSettings
from stream_monitor.kafka.topics import describe_topics


def stored_commits(settings: KafkaSettings, topic: str) -> dict[int, Commit]:
    """Return the last commit of each judge partition that has one; nothing where the topic is missing.

    Reads the whole topic, which compaction keeps small.

    Args:
        settings: of the cluster.
        topic: name of the topic of judge states.

    Raises:
        Stop: the cluster refuses us, or a state is of a later version.
    """
    if not describe_topics(open_admin(settings), [topic]):
        return {}
    last = {record.partition: record.value for record in read_topics(settings, [topic]) if record.key == COMMIT_KEY}
    return {partition: decode_commit(value) for partition, value in sorted(last.items()) if value is not None}


def discarded(commits: dict[int, Commit], plan_hash: str) -> list[str]:
    """Return what a start with this plan would find judged with another, in words, a line for each other plan."""
    others = sorted({commit.plan for commit in commits.values()} - {plan_hash})
    lines = []
    for plan in others:
        places = [
            f"partition {partition} up to offset {commit.next_offset}"
            for partition, commit in commits.items()
            if commit.plan == plan
        ]
        lines.append(
            f"judge state of plan {plan[:10]}, configured is {plan_hash[:10]}: a worker does not start on it; going on"
            " under another group and topics discards evidence, windows, demand's reference and open alerts of"
            f" {', '.join(places)}"
        )
    return lines
