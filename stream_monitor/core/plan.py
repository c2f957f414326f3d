"""The plan: everything that decides what is counted, tested and alerted, frozen and named by its hash.

A plan holds no address, worker name or secret: two deployments with the same plan and the same events publish the same
alerts. `config` builds it from YAML; tests and the local runtime build it directly.

>>> Plan().detection.budget.panes(10_000)
259200.0
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cached_property

from stream_monitor.core.calendar import NO_SEASONS, Calendar, Seasons
from stream_monitor.core.canonical import Json, canonical_json

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

Params = tuple[tuple[str, Json], ...]
"""Keyword parameters as a sorted tuple of pairs: hashable, and equal when equal."""


class Task(StrEnum):
    """What a model predicts; `auto` follows the type of the predictions in the baseline."""

    AUTO = "auto"
    CLASSIFICATION = "classification"
    REGRESSION = "regression"


class Severity(StrEnum):
    """How loudly an alert of a rule is to be told."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class ConditionName(StrEnum):
    """A condition: a fact about a model as a whole that is alerted without a rule of the plan."""

    MISSING_COLUMN = "missing_column"
    EXTRA_COLUMN = "extra_column"
    FROZEN_VALUES = "frozen_values"
    KIND_CHANGED = "kind_changed"
    NEW_MODEL = "new_model"
    NOT_MONITORED = "not_monitored"
    UNDECLARED_NAMES = "undeclared_names"
    VERSION_CHANGED = "version_changed"


class CompareVersions(StrEnum):
    """What becomes of a new version whose first baseline differs from that of the version before it."""

    ALERT = "alert"
    REPORT = "report"
    OFF = "off"


class BaselineFrom(StrEnum):
    """Where a model's baseline comes from when no activation names one."""

    FIRST_EVENTS = "first_events"
    PUBLISHED = "published"


@dataclass(frozen=True, slots=True)
class InputPlan:
    """One input topic and how its records are read.

    Attributes:
        topic: name of the Kafka topic.
        format: name of a format in `formats`.
        model: model of every event of the topic, when events do not say.
        params: format specific settings.
    """

    topic: str
    format: str = "native"
    model: str | None = None
    params: Params = ()


@dataclass(frozen=True, slots=True)
class TimePlan:
    """How event time is read and how long the monitor waits for it; all spans in milliseconds, None is off."""

    unit: str = "ms"
    zone: str = "UTC"
    fallback: str = "none"
    allowed_lateness_ms: int = 30 * SECOND_MS
    idle_after_ms: int | None = 30 * SECOND_MS
    idle_limit_ms: int = DAY_MS
    max_ahead_ms: int = 10 * MINUTE_MS
    max_future_ms: int = 5 * MINUTE_MS
    max_past_ms: int = 7 * DAY_MS


@dataclass(frozen=True, slots=True)
class Budget:
    """Expected false alarms of one model, all its series together: at most `false_alarms` per `per_ms`."""

    false_alarms: float = 1.0
    per_ms: int = 30 * DAY_MS

    def panes(self, pane_ms: int) -> float:
        """Return A, the budget in panes: expected false alarms in n panes are at most n/A."""
        return self.per_ms / pane_ms / self.false_alarms


class Threshold(StrEnum):
    """Where a rank detector alarms: at the bound that the theorem gives, or below it, where simulation keeps it."""

    BOUND = "bound"
    CALIBRATED = "calibrated"


class DetectorInput(StrEnum):
    """What a detector of the user's takes."""

    NUMBERS = "numbers"
    """One standard number a pane, of numeric series."""
    ERRORS = "errors"
    """Single events of yes/no series, 1 for an error."""


@dataclass(frozen=True, slots=True)
class CalibrationPlan:
    """How the parameter that the budget sets is found by simulation; read by `check --calibrate` alone.

    Attributes:
        parameter: its name.
        short, long: a value with a shorter and one with a longer run length than any asked for.
        rate: share of errors of the simulated streams; of detectors of errors.
        targets: run lengths, in inputs, that are looked for.
    """

    parameter: str
    short: float
    long: float
    rate: float | None = None
    targets: tuple[float, ...] = (1_000.0, 10_000.0)


@dataclass(frozen=True, slots=True)
class DetectorPlan:
    """A detector by name or as `module:Class`, with the parameters that differ from its defaults.

    Attributes:
        input: what a class of the user's takes.
        calibration: of a class, or of parameters, whose run lengths are not shipped.
        run_lengths: (value of the calibrated parameter, average run length in inputs), the shortest first.
        memory: inputs without an alarm after which a class of the user's begins anew.
    """

    kind: str
    params: Params = ()
    input: DetectorInput = DetectorInput.NUMBERS
    calibration: CalibrationPlan | None = None
    run_lengths: tuple[tuple[float, float], ...] = ()
    memory: int = 10_000

    @property
    def is_own(self) -> bool:
        """Whether it is a class of the user's."""
        return ":" in self.kind


@dataclass(frozen=True, slots=True)
class DetectionPlan:
    """The clock of detection, the budget, and what runs beside the evidence of the rules."""

    pane_ms: int = 10 * SECOND_MS
    window_ms: int = 5 * MINUTE_MS
    budget: Budget = Budget()
    detectors: tuple[DetectorPlan, ...] = (
        DetectorPlan("rank_shiryaev_roberts"),
        DetectorPlan("adwin"),
        DetectorPlan("page_hinkley"),
    )
    comparisons: tuple[str, ...] = ("psi", "jensen_shannon", "kolmogorov_smirnov", "wasserstein")
    threshold: Threshold = Threshold.BOUND

    @property
    def window_panes(self) -> int:
        """Panes in a comparison window."""
        return self.window_ms // self.pane_ms


@dataclass(frozen=True, slots=True)
class ModelPlan:
    """What is watched of one model; the name `*` stands for every model without a plan of its own.

    `tolerance` is a change of a share that nobody minds: values are then tested for more than that, and their null
    learns nothing. `strata` are the hours that are told apart: traffic is then compared with the same hours of the
    baseline, as far as that has rows enough of each.
    """

    name: str = "*"
    task: Task = Task.AUTO
    baseline: BaselineFrom = BaselineFrom.FIRST_EVENTS
    baseline_events: int = 4095
    include: tuple[str, ...] = ("*",)
    exclude: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    budget: Budget | None = None
    tolerance: float | None = None
    strata: Calendar = Calendar.NONE
    compare_versions: CompareVersions = CompareVersions.ALERT

    def watches(self, feature: str) -> bool:
        """Say whether a feature of that name is profiled: included by a pattern and excluded by none."""
        return any(fnmatchcase(feature, p) for p in self.include) and not any(
            fnmatchcase(feature, p) for p in self.exclude
        )


@dataclass(frozen=True, slots=True)
class EffectPlan:
    """The effect below which nobody wants an alert: a measure (a comparison, share_change or ratio) and its floor."""

    measure: str
    floor: float


@dataclass(frozen=True, slots=True)
class RulePlan:
    """When an alert is raised: evidence of one detector over the budget, and an effect above a floor.

    Attributes:
        series: shell patterns of series names.
        evidence: name of the detector whose alarm opens the rule.
        tolerance: change of a share that the rule does not mind; None: that of the model.
        target: dotted `module:Class` of a rule of the user's, None for the built-in rule.
    """

    name: str
    series: tuple[str, ...]
    evidence: str = "rank_shiryaev_roberts"
    effect: EffectPlan = EffectPlan("psi", 0.1)
    severity: Severity = Severity.WARNING
    target: str | None = None
    params: Params = ()
    tolerance: float | None = None

    def covers(self, series: str) -> bool:
        """Say whether the rule speaks of a series of that name."""
        return any(fnmatchcase(series, p) for p in self.series)


DEFAULT_RULES = (
    RulePlan("drift", ("feature:*", "prediction", "confidence", "latency")),
    RulePlan(
        "severe_drift",
        ("feature:*", "prediction", "confidence", "latency"),
        effect=EffectPlan("psi", 0.25),
        severity=Severity.CRITICAL,
    ),
    RulePlan(
        "data_quality",
        ("missing:*", "invalid:*", "unseen:*"),
        evidence="interval_bernoulli",
        effect=EffectPlan("share_change", 0.01),
    ),
    RulePlan(
        "serving_errors",
        ("serving_error",),
        evidence="interval_bernoulli",
        effect=EffectPlan("share_change", 0.01),
        severity=Severity.CRITICAL,
    ),
    RulePlan(
        "traffic",
        ("demand",),
        evidence="negative_binomial",
        effect=EffectPlan("ratio", 0.3),
        severity=Severity.CRITICAL,
    ),
)


DEFAULT_CONDITIONS = (
    (ConditionName.EXTRA_COLUMN, Severity.INFO),
    (ConditionName.FROZEN_VALUES, Severity.WARNING),
    (ConditionName.KIND_CHANGED, Severity.WARNING),
    (ConditionName.MISSING_COLUMN, Severity.WARNING),
    (ConditionName.NEW_MODEL, Severity.INFO),
    (ConditionName.NOT_MONITORED, Severity.WARNING),
    (ConditionName.UNDECLARED_NAMES, Severity.WARNING),
    (ConditionName.VERSION_CHANGED, Severity.WARNING),
)


@dataclass(frozen=True, slots=True)
class AlertsPlan:
    """The life cycle of alerts; `open_after` and `resolve_after` are panes in a row, spans are milliseconds.

    `open_events` is how many events since the alarm an effect needs that is not clear without them, `warm_up_limit`
    how long a version may have traffic that nothing is judged by.
    """

    open_after: int = 2
    open_events: int = 200
    resolve_after: int = 30
    cooldown_ms: int = 30 * MINUTE_MS
    reminder_ms: int = 4 * HOUR_MS
    warm_up_limit_ms: int = HOUR_MS
    forget_after_ms: int = 7 * DAY_MS
    max_open: int = 200
    publish_pending: bool = False
    labels: tuple[tuple[str, str], ...] = ()
    external_url: str = ""
    runbook_url: str = ""


@dataclass(frozen=True, slots=True)
class LimitsPlan:
    """What one event, one model and one deployment may hold at most."""

    event_bytes: int = 65_536
    features: int = 512
    categories: int = 256
    models: int = 200
    series_per_model: int = 1_000
    segments: int = 2_000


@dataclass(frozen=True, slots=True)
class PrivacyPlan:
    """What of an event may be shown in an alert."""

    example_values: bool = False
    example_tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """Everything that decides which alerts the same events give."""

    inputs: tuple[InputPlan, ...] = (InputPlan("inference-events"),)
    time: TimePlan = field(default_factory=TimePlan)
    detection: DetectionPlan = field(default_factory=DetectionPlan)
    models: tuple[ModelPlan, ...] = (ModelPlan(),)
    rules: tuple[RulePlan, ...] = DEFAULT_RULES
    conditions: tuple[tuple[ConditionName, Severity], ...] = DEFAULT_CONDITIONS
    alerts: AlertsPlan = field(default_factory=AlertsPlan)
    limits: LimitsPlan = field(default_factory=LimitsPlan)
    privacy: PrivacyPlan = field(default_factory=PrivacyPlan)

    def model(self, name: str) -> ModelPlan | None:
        """Return the plan of a model: its own, else that of `*`, else None (the model is not watched)."""
        by_name = {m.name: m for m in self.models}
        return by_name.get(name) or by_name.get("*")

    def severity(self, condition: ConditionName) -> Severity | None:
        """Return how loudly a condition is to be reported, None for one that is off."""
        return dict(self.conditions).get(condition)

    def budget(self, model: str) -> Budget:
        """Return the false-alarm budget of a model."""
        own = self.model(model)
        return own.budget if own is not None and own.budget is not None else self.detection.budget

    def seasons(self, model: str) -> Seasons:
        """Return the seasons that a reference of a model is to tell apart."""
        own = self.model(model)
        return NO_SEASONS if own is None else Seasons(own.strata, self.detection.pane_ms)

    @cached_property
    def canonical(self) -> bytes:
        """The plan as canonical JSON."""
        return canonical_json(_plain(self))

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the canonical plan, in hex; its first 10 digits name the plan in records."""
        return hashlib.sha256(self.canonical).hexdigest()

    @property
    def short_hash(self) -> str:
        """First 10 hex digits of the plan's hash: the `plan` of progress records."""
        return self.hash[:10]


def _plain(value: object) -> Json:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, tuple | list):
        return [_plain(v) for v in value]
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise TypeError(f"plan: a {type(value).__name__} has no canonical form")
