"""What a configuration file may hold: the one typed list of settings, from which docs and JSON Schema are generated.

Strict: unknown keys and wrong types are errors, nothing is converted silently. Spans are written as durations and kept
in milliseconds. Rules that compare two settings live in `checks`; what the file means is made in `build`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from stream_monitor.config.effect_presets import PRESETS
from stream_monitor.config.fields import (
    Identifier,
    Json,
    LabelName,
    Librdkafka,
    Name,
    Number,
    PositiveNumber,
    PositiveSpan,
    Section,
    Span,
    SpanOrOff,
    TopicName,
    listed,
    written,
)
from stream_monitor.core.calendar import Calendar
from stream_monitor.core.plan import CompareVersions, DetectorInput, Severity, Task, Threshold


class InputFormat(StrEnum):
    """How the records of an input topic are read."""

    NATIVE = "native"
    NATIVE_LABELS = "native_labels"
    NATIVE_INSTANCES = "native_instances"
    CLOUDEVENTS = "cloudevents"
    KSERVE = "kserve"
    OPEN_INFERENCE = "open_inference"
    SELDON1 = "seldon1"
    SELDON2 = "seldon2"
    MLSERVER = "mlserver"
    SAGEMAKER = "sagemaker"
    AVRO = "avro"
    PROTOBUF = "protobuf"
    JSON = "json"


class Comparison(StrEnum):
    """A distance of a window to the baseline."""

    PSI = "psi"
    JENSEN_SHANNON = "jensen_shannon"
    KOLMOGOROV_SMIRNOV = "kolmogorov_smirnov"
    WASSERSTEIN = "wasserstein"
    WASSERSTEIN_SIGMA = "wasserstein_sigma"
    HELLINGER = "hellinger"
    LINF = "linf"
    CHI_SQUARE = "chi_square"
    TOTAL_VARIATION = "total_variation"


class ExportedComparison(StrEnum):
    """A comparison that has a metric of its own."""

    PSI = "psi"
    JENSEN_SHANNON = "jensen_shannon"
    KOLMOGOROV_SMIRNOV = "kolmogorov_smirnov"
    WASSERSTEIN = "wasserstein"


class KafkaSection(BaseModel):
    """librdkafka's own settings, passed on as they are; only the overrides by role are ours."""

    model_config = ConfigDict(strict=True, extra="allow", frozen=True)
    __pydantic_extra__: dict[str, Librdkafka] = Field(init=False)

    consumer: dict[str, Librdkafka] = Field(default={}, description="Overrides for consumers.")
    producer: dict[str, Librdkafka] = Field(default={}, description="Overrides for producers.")


class SchemaRegistrySection(Section):
    """Where Avro, Protobuf and JSON Schema inputs find their schemas."""

    url: str = Field(description="Address of the Schema Registry.")
    username: str | None = Field(default=None, description="User name.")
    password: str | None = Field(default=None, description="Password.")


class InputSection(Section):
    """One input topic."""

    topic: TopicName = Field(description="Name of the topic.")
    format: Annotated[InputFormat, Field(strict=False)] = Field(
        default=InputFormat.NATIVE, description="How its records are read."
    )
    model: Name | None = Field(
        default=None, description="Model of every event of the topic, when the events do not say."
    )
    mapping: dict[str, str] | None = Field(
        default=None,
        description="Where fields of an event are in a record. Of native events: `event_id: key` or `record.offset`.",
    )
    time: dict[str, Json] | None = Field(default=None, description="Time settings of this input alone.")
    join: dict[str, Json] | None = Field(default=None, description="Join of request and response records.")
    columns: Annotated[tuple[Name, ...], BeforeValidator(listed)] | None = Field(
        default=None, description="Names of positional columns."
    )


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


class TimeSection(Section):
    """How event time is read, and how long the monitor waits for it."""

    unit: Literal["s", "ms", "us", "ns", "iso"] = Field(
        default="ms", description="Unit of numbers in non-native inputs."
    )
    zone: str = Field(default="UTC", description="Time zone of stamps without one, in non-native inputs.")
    fallback: Literal["none", "record"] = Field(
        default="none", description="`record`: an event without a time stamp gets the time of its Kafka record."
    )
    allowed_lateness: Span = Field(
        default=written("30s"),
        description="An event older than this, against the newest of its partition, is counted as late.",
    )
    idle_after: SpanOrOff = Field(
        default=written("30s"),
        description="A silent, caught-up partition advances by broker time after this long; `off`: it never does.",
    )
    idle_limit: Span = Field(
        default=written("1d"), description="Data older than this is history and never jumps to today."
    )
    max_ahead: PositiveSpan = Field(
        default=written("10m"), description="A partition this far ahead of the slowest one waits."
    )
    max_future: Span = Field(
        default=written("5m"),
        description="An event this far after its record's own time is a dead letter; one that is further ahead of the"
        " broker's clock moves the watermark to that clock only.",
    )
    max_past: Span = Field(
        default=written("7d"), description="An event this far before its record's own time is a dead letter."
    )


class BudgetSection(Section):
    """Expected false alarms of one model, all its series together."""

    false_alarms: PositiveNumber = Field(default=1.0, description="This many false alarms ...")
    per: PositiveSpan = Field(default=written("30d"), description="... are expected, at most, in this time.")


class CalibrateSection(Section):
    """How `check --calibrate` finds the parameter that the budget sets."""

    parameter: str = Field(default="", description="Its name; known of detectors by name.")
    short: PositiveNumber = Field(description="A value with which it alarms more often than once in 1,000 inputs.")
    long: PositiveNumber = Field(description="A value with which it alarms more rarely than any budget simulated.")
    rate: Number | None = Field(default=None, gt=0, lt=1, description="Share of errors, for `input: errors`.")
    targets: Annotated[tuple[PositiveNumber, ...], BeforeValidator(listed)] = Field(
        default=(1_000.0, 10_000.0), min_length=2, description="Run lengths looked for, in inputs, rising."
    )


def _pairs(value: object) -> object:
    return tuple(listed(pair) for pair in value) if isinstance(value, list) else value


class DetectorSection(Section):
    """A detector that runs beside the evidence of the rules."""

    kind: str = Field(description="Name of the detector, or `module:Class` of one with river's interface.")
    params: dict[str, Json] = Field(default={}, description="Parameters that differ from its defaults.")
    input: Annotated[DetectorInput, Field(strict=False)] = Field(
        default=DetectorInput.NUMBERS,
        description="What a class takes: a standard number a pane (numeric series), or 0 and 1 (yes/no series).",
    )
    calibrate: CalibrateSection | None = Field(default=None, description="Which parameter the budget sets.")
    run_lengths: Annotated[tuple[tuple[PositiveNumber, PositiveNumber], ...], BeforeValidator(_pairs)] = Field(
        default=(), description="What `check --calibrate` found: pairs of parameter and run length in inputs."
    )
    memory: int = Field(
        default=10_000, ge=100, le=100_000, description="Inputs without an alarm after which a class begins anew."
    )
    insist: bool = Field(default=False, description="Let a rule name a class that is not calibrated.")


def _detector(value: object) -> object:
    return {"kind": value} if isinstance(value, str) else value


Detector = Annotated[
    DetectorSection,
    BeforeValidator(_detector, json_schema_input_type=str | DetectorSection),
]


class DetectionSection(Section):
    """The clock of detection, its budget, and what runs in it."""

    pane: PositiveSpan = Field(
        default=written("10s"), description="The clock of detection: series are tested once a pane."
    )
    window: PositiveSpan = Field(
        default=written("5m"), description="Span of the comparisons: a multiple of the pane, aim at 500 events."
    )
    budget: BudgetSection = Field(default=BudgetSection(), description="The false-alarm budget of every model.")
    detectors: Annotated[tuple[Detector, ...], BeforeValidator(listed)] = Field(
        default=written(("rank_shiryaev_roberts", "adwin", "page_hinkley")),
        description="Detectors by name, all calibrated to the budget.",
    )
    comparisons: Annotated[tuple[Annotated[Comparison, Field(strict=False)], ...], BeforeValidator(listed)] = Field(
        default=written(("psi", "jensen_shannon", "kolmogorov_smirnov", "wasserstein")),
        description="Distances of the window to the baseline that are computed, beside those that rules need.",
    )
    threshold: Annotated[Threshold, Field(strict=False)] = Field(
        default=Threshold.BOUND,
        description="`bound`: the false-alarm budget by theorem. `calibrated`: lower, by simulation; finds more, "
        "promises an estimate.",
    )


class BaselineSection(Section):
    """Where the baseline of a model comes from when none was activated."""

    from_: Literal["first_events", "published", "dataset", "topic", "sagemaker"] = Field(
        default="first_events",
        alias="from",
        description="`first_events`: the first events seen. `published`: none until `baseline build --activate`.",
    )
    events: int = Field(default=4095, ge=63, le=65_535, description="Events of an automatic baseline.")
    path: str | None = Field(default=None, description="File of a `dataset`.")
    since: str | None = Field(default=None, description="Start of a `topic` range.")
    until: str | None = Field(default=None, description="End of a `topic` range.")
    statistics: str | None = Field(default=None, description="SageMaker's `statistics.json`.")
    constraints: str | None = Field(default=None, description="SageMaker's `constraints.json`.")


class FeaturesSection(Section):
    """Which features of a model are watched."""

    include: Annotated[tuple[str, ...], BeforeValidator(listed)] = Field(
        default=("*",), description="Shell patterns of names to watch."
    )
    exclude: Annotated[tuple[str, ...], BeforeValidator(listed)] = Field(
        default=(), description="Shell patterns of names to leave out."
    )


class LabelsSection(Section):
    """How late truth is joined with its prediction."""

    join: PositiveSpan | None = Field(default=None, description="How long a prediction waits for its label.")
    min_share: Number | None = Field(default=None, ge=0, le=1, description="Share of labels that must be in.")
    max_wait: PositiveSpan | None = Field(default=None, description="Judged after this long whatever the share.")


class ModelSection(Section):
    """What is watched of one model."""

    name: Name = Field(default="*", description="Name of the model; `*` is every model without a section of its own.")
    task: Annotated[Task, Field(strict=False)] = Field(default=Task.AUTO, description="What the model predicts.")
    baseline: BaselineSection = Field(default=BaselineSection(), description="Its baseline.")
    features: FeaturesSection = Field(default=FeaturesSection(), description="Its features.")
    segments: Annotated[tuple[Name, ...], BeforeValidator(listed)] = Field(
        default=(),
        description="Segments watched, one at a time: the values that the baseline has enough rows of are judged.",
    )
    budget: BudgetSection | None = Field(default=None, description="Its own false-alarm budget.")
    tolerance: Number | None = Field(
        default=None,
        gt=0,
        lt=0.5,
        description="A change of shares of values that nobody minds, 0.02 for example: only more is tested for.",
    )
    strata: Annotated[Calendar, Field(strict=False)] = Field(
        default=Calendar.NONE,
        description="Hours that are compared with the same hours of the baseline; the finest that two cycles and 255"
        " values in each allow, else a coarser one.",
    )
    compare_versions: Annotated[CompareVersions, Field(strict=False)] = Field(
        default=CompareVersions.ALERT,
        description="A new version against the one before, at its first automatic baseline: `alert`, `report`: log and"
        " `/status` only, `off`.",
    )
    labels: LabelsSection | None = Field(default=None, description="Join of delayed labels.")


def _effect(value: object) -> object:
    """Return the measure and floor of a preset."""
    if isinstance(value, dict):
        return value
    if isinstance(value, str) and value in PRESETS:
        return {PRESETS[value].measure: PRESETS[value].floor}
    raise ValueError(f"must be a mapping of a measure to its floor, or a preset: one of {', '.join(PRESETS)}")


Effect = Annotated[
    dict[str, PositiveNumber | dict[str, PositiveNumber]],
    BeforeValidator(_effect, json_schema_input_type=dict[str, PositiveNumber | dict[str, PositiveNumber]] | str),
]


class RuleSection(Section):
    """When an alert is raised: evidence over the budget, and an effect above a floor."""

    name: LabelName = Field(description="Name of the rule, a label of its alerts.")
    series: Annotated[tuple[str, ...], BeforeValidator(listed)] = Field(
        default=(), description="Shell patterns of the series it speaks of."
    )
    evidence: str = Field(default="rank_shiryaev_roberts", description="Detector whose alarm opens the rule.")
    effect: Effect = Field(
        default={"psi": 0.1},
        description="One measure and its floor: a comparison, `share_change`, `relative_change`, `ratio`;"
        " or a preset: `evidently` ...",
    )
    tolerance: Number | None = Field(
        default=None,
        gt=0,
        lt=0.5,
        description="A change of shares that this rule does not mind, instead of that of the model.",
    )
    severity: Annotated[Severity, Field(strict=False)] = Field(
        default=Severity.WARNING, description="How loudly it is told."
    )
    target: str | None = Field(default=None, description="`module:Class` of a rule of your own.")
    params: dict[str, Json] = Field(default={}, description="Its parameters.")


Loudness = Literal["off", "info", "warning", "critical"]
"""Severity of the alerts of a condition, or none at all."""


class ConditionsSection(Section):
    """Severity of the alerts about a model as a whole; `off` looks for none."""

    extra_column: Loudness = Field(default="info", description="Events hold a name that the baseline lacks.")
    frozen_values: Loudness = Field(
        default="warning", description="A numeric series holds one value where its values used to differ."
    )
    kind_changed: Loudness = Field(
        default="warning", description="Most values of a series are of another kind than in the baseline."
    )
    missing_column: Loudness = Field(default="warning", description="No event names a column of the baseline.")
    new_model: Loudness = Field(default="info", description="A model that nobody declared, an hour after the start.")
    not_monitored: Loudness = Field(
        default="warning", description="A version has events that nothing is judged by, for `alerts.warm_up_limit`."
    )
    undeclared_names: Loudness = Field(
        default="warning", description="More new names than are told one by one; models over `limits.models`."
    )
    version_changed: Loudness = Field(
        default="warning", description="The first baseline of a version differs from that of the version before."
    )


class AlertsSection(Section):
    """The life cycle of alerts; counts are panes in a row."""

    open_after: int = Field(default=2, ge=1, le=10_000, description="Panes with the effect before an alert fires.")
    open_events: int = Field(
        default=200,
        ge=1,
        le=1_000_000,
        description="Events since the alarm before an alert fires, unless the effect is clear without them.",
    )
    resolve_after: int = Field(default=30, ge=1, le=100_000, description="Panes without it before the alert resolves.")
    cooldown: Span = Field(default=written("30m"), description="A rule resolved less than this ago stays pending.")
    reminder: PositiveSpan = Field(default=written("4h"), description="A firing alert is published again this often.")
    warm_up_limit: PositiveSpan = Field(
        default=written("1h"), description="A version with events and no baseline for longer is `NotMonitored`."
    )
    forget_after: PositiveSpan = Field(
        default=written("7d"), description="The state of a resolved alert is deleted after this long."
    )
    max_open: int = Field(
        default=200, ge=1, le=10_000, description="Open alerts of a model; more are one `AlertStorm`."
    )
    publish_pending: bool = Field(default=False, description="Also publish alerts that are only pending.")
    labels: dict[LabelName, Name] = Field(default={}, description="Constant labels of every alert.")
    external_url: str = Field(default="", description="Address that `generatorURL` begins with.")
    runbook_url: str = Field(default="", description="Annotation `runbook_url` of every alert.")


class AlertmanagerSection(Section):
    """Delivery to Alertmanager."""

    urls: Annotated[tuple[str, ...], BeforeValidator(listed)] = Field(description="Addresses of all members.")
    resend: PositiveSpan = Field(default=written("1m"), description="Firing alerts are sent again this often.")


class WebhookSection(Section):
    """Delivery to a webhook."""

    name: LabelName = Field(description="Name of the output.")
    url: str = Field(description="Address.")
    min_severity: Annotated[Severity, Field(strict=False)] = Field(
        default=Severity.INFO, description="Least severity delivered."
    )


class OutputsSection(Section):
    """Where committed alerts are delivered to beyond Kafka."""

    alertmanager: AlertmanagerSection | None = Field(default=None, description="Alertmanager.")
    webhooks: Annotated[tuple[WebhookSection, ...], BeforeValidator(listed)] = Field(
        default=(), description="Webhooks."
    )
    pagerduty: dict[str, Json] | None = Field(default=None, description="PagerDuty Events v2.")
    slack: dict[str, Json] | None = Field(default=None, description="Slack incoming webhook.")


class LimitsSection(Section):
    """What one event, one model and one deployment may hold at most."""

    event_bytes: int = Field(default=65_536, ge=256, le=1_048_576, description="Bytes of one record's value.")
    features: int = Field(default=512, ge=1, le=512, description="Features of one event.")
    categories: int = Field(
        default=256, ge=2, le=256, description="Categories of one series; more are pooled in `other`."
    )
    models: int = Field(default=200, ge=1, le=100_000, description="Models watched.")
    series_per_model: int = Field(
        default=1_000,
        ge=1,
        le=100_000,
        description="Series of a version and its segments; a feature with its missing, invalid and unseen counts once.",
    )
    segments_warn: int = Field(
        default=200, ge=1, le=100_000, description="More segments of a model than this are logged."
    )
    segments: int = Field(
        default=2_000, ge=1, le=100_000, description="Segments judged of one model; of more, the first by name."
    )


class DeadLettersSection(Section):
    """When bad records are too many, and what then."""

    max_share: Number = Field(default=0.1, gt=0, le=1, description="Share of a partition's last 10,000 records.")
    max_consecutive: int = Field(default=1_000, ge=1, le=10_000_000, description="Bad records in a row.")
    on_excess: Literal["stop", "pause", "continue"] = Field(
        default="stop",
        description="When there are more: end the worker with exit code 4, leave the partition alone (not ready,"
        " judging waits for it), or go on.",
    )


class PrivacySection(Section):
    """What of an event may be shown in an alert."""

    example_values: bool = Field(default=False, description="`true` is not available yet.")
    example_tags: Annotated[tuple[Name, ...], BeforeValidator(listed)] = Field(
        default=(), description="Tags shown with examples."
    )


class MetricsSection(Section):
    """Which series are exported to Prometheus."""

    per_series: Literal["top_k", "all", "none"] = Field(
        default="top_k", description="Series exported: the k of most evidence a model, all, none."
    )
    top_k: int = Field(default=20, ge=1, le=1_000, description="k.")
    max_series: int = Field(
        default=5_000,
        ge=1,
        le=10_000,
        description="Time series of the process; past it the series of least evidence go.",
    )
    comparisons: Annotated[tuple[Annotated[ExportedComparison, Field(strict=False)], ...], BeforeValidator(listed)] = (
        Field(
            default=written(("psi", "kolmogorov_smirnov")),
            description="Comparisons exported; the default, as far as computed.",
        )
    )


class HttpSection(Section):
    """Metrics, probes and status."""

    address: str = Field(
        default="127.0.0.1:9464",
        pattern=r"^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}$",
        description="host:port; port 0 takes a free one. Beyond loopback `/status` is not served.",
    )
    stall_after: PositiveSpan = Field(
        default=written("60s"), description="`/healthz` fails when a loop made no progress for this long."
    )


class LoggingSection(Section):
    """What the worker logs, to standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="Least level logged.")
    format: Literal["json", "text"] = Field(
        default="json", description="One JSON object or one line of text a message."
    )


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
