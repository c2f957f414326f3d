"""Our own topics: their names, and the shape in which they are made."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from stream_monitor.config.errors import Finding
from stream_monitor.config.fields import Section, TopicName
from stream_monitor.config.settings import Topics

LONGEST_TOPIC = 249
"""Characters of a topic's name that Kafka takes."""


class TopicsSection(Section):
    """Names of our own topics, and the shape in which `topics create` makes them."""

    prefix: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9._-]{0,100}$",
        description="Stands before the names of all our own topics and before `group`: another monitor by one setting.",
    )
    profiles: TopicName = Field(default="drift-profiles", description="Profiles and progress: the log the judge folds.")
    baselines: TopicName = Field(default="drift-baselines", description="Baselines and their activations.")
    alerts: TopicName = Field(default="drift-alerts", description="Alert events.")
    alert_state: TopicName = Field(default="drift-alert-state", description="The last event of every alert, compacted.")
    judge_state: TopicName = Field(default="drift-judge-state", description="Snapshots of the judge; no interface.")
    dead_letters: TopicName = Field(default="drift-dead-letters", description="Records that could not be read.")
    partitions: int = Field(
        default=4, ge=1, le=16, description="Partitions of profiles, alerts and states: the judge's parallelism."
    )
    replication: int = Field(default=3, ge=1, le=32, description="Replication factor; 1 on a single broker.")

    def named(self) -> dict[str, str]:
        """Return the full names of our topics by setting."""
        names = ("profiles", "baselines", "alerts", "alert_state", "judge_state", "dead_letters")
        return {name: self.prefix + getattr(self, name) for name in names}

    def inconsistent(self, path: str) -> Iterator[Finding]:
        """Yield a finding for every name that two topics share or that is too long."""
        ours: dict[str, str] = {}
        for name, topic in self.named().items():
            if topic in ours:
                yield Finding(f"{path}.{name}", f"must differ from {path}.{ours[topic]}", topic)
            if len(topic) > LONGEST_TOPIC:
                yield Finding(f"{path}.prefix", f"makes {path}.{name} longer than {LONGEST_TOPIC} characters", topic)
            ours.setdefault(topic, name)

    def to_settings(self) -> Topics:
        """Return the topics by their full names."""
        return Topics(**self.named(), partitions=self.partitions, replication=self.replication)
