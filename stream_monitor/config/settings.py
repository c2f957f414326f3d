"""The settings of one worker, frozen: the plan, and everything that does not decide which alerts the events give."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from stream_monitor.core.plan import Plan


@dataclass(frozen=True, slots=True)
class KafkaConfig:
    """librdkafka's settings as text, for both roles and the overrides of each."""

    common: Mapping[str, str] = field(default_factory=dict)
    consumer: Mapping[str, str] = field(default_factory=dict)
    producer: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Topics:
    """Names of our own topics, and the shape in which they are made."""

    profiles: str = "drift-profiles"
    baselines: str = "drift-baselines"
    alerts: str = "drift-alerts"
    alert_state: str = "drift-alert-state"
    judge_state: str = "drift-judge-state"
    dead_letters: str = "drift-dead-letters"
    partitions: int = 4
    replication: int = 3


@dataclass(frozen=True, slots=True)
class DeadLetters:
    """The share of bad records, of a partition's last 10,000, and the run of them that are too many, and what then.

    Attributes:
        on_excess: stop, pause the partition, or continue.
    """

    max_share: float = 0.1
    max_consecutive: int = 1_000
    on_excess: str = "stop"


@dataclass(frozen=True, slots=True)
class MetricsSettings:
    """Which series are exported: `per_series` is top_k, all or none."""

    per_series: Literal["top_k", "all", "none"] = "top_k"
    top_k: int = 20
    max_series: int = 5_000
    comparisons: tuple[str, ...] = ("psi", "kolmogorov_smirnov")


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """Where metrics and probes are served, and when a silent loop makes `/healthz` fail."""

    host: str = "127.0.0.1"
    port: int = 9464
    stall_after_s: float = 60.0


@dataclass(frozen=True, slots=True)
class LoggingSettings:
    """Least level logged, and the form of a line: json or text."""

    level: str = "info"
    format: str = "json"


@dataclass(frozen=True, slots=True)
class Settings:
    """One worker's settings.

    Attributes:
        start: where a group begins that has never run: earliest, latest or fail.
        on_data_loss: fail, or continue and record the gap.
        delivery: exactly_once or at_least_once.
        segments_warn: more segments of a model than this are logged.
        secrets: what `${...}` references stood for; never printed.
        expanded: dotted paths of the settings that held a reference.
    """

    group: str
    instance: str
    kafka: KafkaConfig = field(default_factory=KafkaConfig)
    topics: Topics = field(default_factory=Topics)
    plan: Plan = field(default_factory=Plan)
    start: str = "earliest"
    on_data_loss: str = "fail"
    delivery: str = "exactly_once"
    dead_letters: DeadLetters = field(default_factory=DeadLetters)
    metrics: MetricsSettings = field(default_factory=MetricsSettings)
    http: HttpSettings = field(default_factory=HttpSettings)
    logging: LoggingSettings = field(default_factory=LoggingSettings)
    segments_warn: int = 200
    secrets: frozenset[str] = field(default=frozenset(), repr=False)
    expanded: frozenset[str] = frozenset()
