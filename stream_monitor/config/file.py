"""What a configuration file may hold: the list of its sections, from which docs and JSON Schema are generated.

Strict: unknown keys and wrong types are errors, nothing is converted silently. Spans are written as durations and kept
in milliseconds. A section stands in `sections/`, with its own checks and its meaning; `checks`, `availability` and
`build` hold what speaks of several sections.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from stream_monitor.config.fields import Identifier, Section, listed, written
from stream_monitor.config.sections.alerts import AlertsSection
from stream_monitor.config.sections.conditions import ConditionsSection
from stream_monitor.config.sections.dead_letters import DeadLettersSection
from stream_monitor.config.sections.detection import DetectionSection
from stream_monitor.config.sections.http import HttpSection
from stream_monitor.config.sections.inputs import InputSection
from stream_monitor.config.sections.kafka import KafkaSection
from stream_monitor.config.sections.limits import LimitsSection
from stream_monitor.config.sections.logging import LoggingSection
from stream_monitor.config.sections.metrics import MetricsSection
from stream_monitor.config.sections.models import ModelSection
from stream_monitor.config.sections.outputs import OutputsSection
from stream_monitor.config.sections.privacy import PrivacySection
from stream_monitor.config.sections.rules import RuleSection
from stream_monitor.config.sections.schema_registry import SchemaRegistrySection
from stream_monitor.config.sections.time import TimeSection
from stream_monitor.config.sections.topics import TopicsSection


class ConfigFile(Section):
    """The whole file."""

    version: Literal[1] = Field(default=1, description="Version of the file's format.")
    group: Identifier | None = Field(
        default=None, description="Required: prefix of consumer groups, transactional ids and the `source` of alerts."
    )
    instance: Identifier = Field(
        default="0",
        description="Name of this worker, stable over restarts; two workers with one name fence each other.",
    )
    kafka: KafkaSection = Field(default=KafkaSection(), description="librdkafka settings, passed through.")
    schema_registry: SchemaRegistrySection | None = Field(default=None, description="Schema Registry.")
    inputs: Annotated[tuple[InputSection, ...], BeforeValidator(listed), Field(min_length=1)] = Field(
        default=written(({"topic": "inference-events"},)), description="Input topics."
    )
    topics: TopicsSection = Field(default=TopicsSection(), description="Our own topics.")
    start: Literal["earliest", "latest", "fail"] = Field(
        default="earliest", description="Where a group begins that has never run."
    )
    on_data_loss: Literal["fail", "continue"] = Field(
        default="fail",
        description="When offsets were deleted unread: stop with exit code 6, or go on and record the gap.",
    )
    delivery: Literal["exactly_once", "at_least_once"] = Field(
        default="exactly_once", description="Of alerts; `at_least_once` is for brokers without transactions."
    )
    time: TimeSection = Field(default=TimeSection(), description="Event time.")
    detection: DetectionSection = Field(default=DetectionSection(), description="Detection.")
    models: Annotated[tuple[ModelSection, ...], BeforeValidator(listed), Field(min_length=1)] = Field(
        default=written(({"name": "*"},)), description="Models."
    )
    models_only: bool = Field(
        default=False, description="Refuse events of models that `models` does not list; without it they are as `*`."
    )
    rules: Annotated[tuple[RuleSection, ...], BeforeValidator(listed)] | None = Field(
        default=None, description="Alert rules; the list replaces the default rules."
    )
    conditions: ConditionsSection = Field(default=ConditionsSection(), description="Alerts without a rule.")
    alerts: AlertsSection = Field(default=AlertsSection(), description="Alerts.")
    outputs: OutputsSection = Field(default=OutputsSection(), description="Deliveries.")
    limits: LimitsSection = Field(default=LimitsSection(), description="Limits.")
    dead_letters: DeadLettersSection = Field(default=DeadLettersSection(), description="Dead letters.")
    privacy: PrivacySection = Field(default=PrivacySection(), description="Privacy.")
    metrics: MetricsSection = Field(default=MetricsSection(), description="Metrics.")
    http: HttpSection = Field(default=HttpSection(), description="HTTP.")
    logging: LoggingSection = Field(default=LoggingSection(), description="Logging.")
