"""What a profile worker is given, once, for all lives of its clients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from stream_monitor.core.batch import Decoder
from stream_monitor.core.plan import Plan
from stream_monitor.kafka.client_settings import KafkaSettings
from stream_monitor.kafka.failpoints import Failpoints, NoFailpoints
from stream_monitor.kafka.observer import NullObserver, Observer
from stream_monitor.kafka.profile.policy import ProfilePolicy, Tuning
from stream_monitor.kafka.topics import TopicNames


@dataclass(frozen=True, slots=True)
class ProfileJob:
    """One worker's task.

    Attributes:
        group: prefix of the consumer group `<group>-profile`.
        instance: stable name of this worker; two of one name fence each other.
        decoders: by input topic; these topics are subscribed to.
        formats: name of the format of each input topic, for the headers of dead letters.
    """

    settings: KafkaSettings
    plan: Plan
    group: str
    instance: str
    decoders: Mapping[str, Decoder]
    topics: TopicNames = field(default_factory=TopicNames)
    policy: ProfilePolicy = field(default_factory=ProfilePolicy)
    tuning: Tuning = field(default_factory=Tuning)
    observer: Observer = field(default_factory=NullObserver)
    failpoints: Failpoints = field(default_factory=NoFailpoints)

    @property
    def inputs(self) -> list[str]:
        """Topics to read, in order of name."""
        return sorted(self.decoders)

    @property
    def formats(self) -> Mapping[str, str]:
        """Name of the format of each input topic."""
        return {item.topic: item.format for item in self.plan.inputs}

    @property
    def group_id(self) -> str:
        """Consumer group of the role."""
        return f"{self.group}-profile"

    @property
    def member_name(self) -> str:
        """`group.instance.id` of the worker."""
        return f"{self.group_id}-{self.instance}"
