"""What a judge worker is given, once, for all lives of its clients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from stream_monitor.core.detectors import DetectorClass
from stream_monitor.core.plan import Plan
from stream_monitor.core.rules import RuleFactory
from stream_monitor.kafka.client_settings import ClientConfig, Delivery, KafkaSettings, reader
from stream_monitor.kafka.failpoints import Failpoints, NoFailpoints
from stream_monitor.kafka.judge.tuning import JudgeTuning
from stream_monitor.kafka.observer import NullObserver, Observer
from stream_monitor.kafka.topics import TopicNames


@dataclass(frozen=True, slots=True)
class JudgeJob:
    """One worker's task.

    Attributes:
        group: prefix of the consumer group `<group>-judge`.
        instance: stable name of this worker; a second one of that name fences the first.
        delivery: exactly once, or at least once on brokers without transactions.
        rules: factories of the user's own rules, by target.
        detectors: the user's own detectors, by kind.
    """

    settings: KafkaSettings
    plan: Plan
    group: str
    instance: str
    topics: TopicNames = field(default_factory=TopicNames)
    delivery: Delivery = Delivery.EXACTLY_ONCE
    rules: Mapping[str, RuleFactory] = field(default_factory=dict)
    detectors: Mapping[str, DetectorClass] = field(default_factory=dict)
    tuning: JudgeTuning = field(default_factory=JudgeTuning)
    observer: Observer = field(default_factory=NullObserver)
    failpoints: Failpoints = field(default_factory=NoFailpoints)

    @property
    def name(self) -> str:
        """`group.instance.id` and `transactional.id` of the worker."""
        return f"{self.group}-judge-{self.instance}"

    @property
    def source(self) -> str:
        """CloudEvents source of the alerts."""
        return f"/stream-monitor/{self.group}"

    @property
    def reader(self) -> ClientConfig:
        """Configuration of a consumer without a group."""
        return reader(self.settings)
