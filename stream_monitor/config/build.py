"""From the checked file to frozen settings and the plan."""

from __future__ import annotations

import json
from collections.abc import Mapping

from stream_monitor.config.comparisons import computed, exported
from stream_monitor.config.detectors import BUDGET_SETS
from stream_monitor.config.file import (
    BudgetSection,
    ConditionsSection,
    ConfigFile,
    DetectorSection,
    InputSection,
    KafkaSection,
    ModelSection,
    RuleSection,
)
from stream_monitor.config.settings import (
    DeadLetters,
    HttpSettings,
    KafkaConfig,
    LoggingSettings,
    MetricsSettings,
    Settings,
    Topics,
)
from stream_monitor.core.canonical import Json
from stream_monitor.core.plan import (
    DEFAULT_RULES,
    AlertsPlan,
    BaselineFrom,
    Budget,
    CalibrationPlan,
    ConditionName,
    DetectionPlan,
    DetectorPlan,
    EffectPlan,
    InputPlan,
    LimitsPlan,
    ModelPlan,
    Params,
    Plan,
    PrivacyPlan,
    RulePlan,
    Severity,
    TimePlan,
)


def build_settings(file: ConfigFile, *, group: str, secrets: frozenset[str], expanded: frozenset[str]) -> Settings:
    """Return the settings of a file that passed all checks."""
    host, _, port = file.http.address.rpartition(":")
    topics = file.topics
    return Settings(
        group=topics.prefix + group,
        instance=file.instance,
        kafka=_kafka(file.kafka),
        topics=Topics(**topics.named(), partitions=topics.partitions, replication=topics.replication),
        plan=build_plan(file),
        start=file.start,
        on_data_loss=file.on_data_loss,
        delivery=file.delivery,
        dead_letters=DeadLetters(
            file.dead_letters.max_share, file.dead_letters.max_consecutive, file.dead_letters.on_excess
        ),
        metrics=MetricsSettings(
            file.metrics.per_series,
            file.metrics.top_k,
            file.metrics.max_series,
            exported(file),
        ),
        http=HttpSettings(host.strip("[]"), int(port), file.http.stall_after / 1_000),
        logging=LoggingSettings(file.logging.level, file.logging.format),
        segments_warn=file.limits.segments_warn,
        secrets=secrets,
        expanded=expanded,
    )


def build_plan(file: ConfigFile) -> Plan:
    """Return the plan: what decides which alerts the events give."""
    time, alerts, limits = file.time, file.alerts, file.limits
    detection = file.detection
    return Plan(
        inputs=tuple(_input(i) for i in file.inputs),
        time=TimePlan(
            unit=time.unit,
            zone=time.zone,
            fallback=time.fallback,
            allowed_lateness_ms=time.allowed_lateness,
            idle_after_ms=time.idle_after,
            idle_limit_ms=time.idle_limit,
            max_ahead_ms=time.max_ahead,
            max_future_ms=time.max_future,
            max_past_ms=time.max_past,
        ),
        detection=DetectionPlan(
            pane_ms=detection.pane,
            window_ms=detection.window,
            budget=_budget(detection.budget),
            detectors=tuple(_detector(d) for d in detection.detectors),
            comparisons=computed(file),
            threshold=detection.threshold,
        ),
        models=_models(file),
        rules=DEFAULT_RULES if file.rules is None else tuple(_rule(r) for r in file.rules),
        conditions=_conditions(file.conditions),
        alerts=AlertsPlan(
            open_after=alerts.open_after,
            open_events=alerts.open_events,
            resolve_after=alerts.resolve_after,
            cooldown_ms=alerts.cooldown,
            reminder_ms=alerts.reminder,
            warm_up_limit_ms=alerts.warm_up_limit,
            forget_after_ms=alerts.forget_after,
            max_open=alerts.max_open,
            publish_pending=alerts.publish_pending,
            labels=tuple(sorted(alerts.labels.items())),
            external_url=alerts.external_url,
            runbook_url=alerts.runbook_url,
        ),
        limits=LimitsPlan(
            event_bytes=limits.event_bytes,
            features=limits.features,
            categories=limits.categories,
            models=limits.models,
            series_per_model=limits.series_per_model,
            segments=limits.segments,
        ),
        privacy=PrivacyPlan(file.privacy.example_values, file.privacy.example_tags),
    )


def _kafka(section: KafkaSection) -> KafkaConfig:
    return KafkaConfig(_texts(section.__pydantic_extra__), _texts(section.consumer), _texts(section.producer))


def _texts(values: Mapping[str, str | int | float | bool]) -> dict[str, str]:
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in values.items()}


def _input(section: InputSection) -> InputPlan:
    where = (section.mapping or {}).get("event_id")
    params: Params = () if where is None else (("event_id", "record.key" if where == "key" else where),)
    return InputPlan(section.topic, section.format.value, section.model, params)


def _budget(section: BudgetSection) -> Budget:
    return Budget(section.false_alarms, section.per)


def _models(file: ConfigFile) -> tuple[ModelPlan, ...]:
    """Return the plans of models; who writes one of them down does not give up the others."""
    models = tuple(_model(model) for model in file.models)
    if file.models_only or any(model.name == "*" for model in models):
        return models
    return (*models, ModelPlan())


def _model(section: ModelSection) -> ModelPlan:
    return ModelPlan(
        name=section.name,
        task=section.task,
        baseline=BaselineFrom(section.baseline.from_),
        baseline_events=section.baseline.events,
        include=section.features.include,
        exclude=section.features.exclude,
        segments=section.segments,
        budget=None if section.budget is None else _budget(section.budget),
        tolerance=section.tolerance,
        strata=section.strata,
        compare_versions=section.compare_versions,
    )


def _conditions(section: ConditionsSection) -> tuple[tuple[ConditionName, Severity], ...]:
    found = ((name, getattr(section, name.value)) for name in sorted(ConditionName))
    return tuple((name, Severity(loudness)) for name, loudness in found if loudness != "off")


def _detector(section: DetectorSection) -> DetectorPlan:
    found = section.calibrate
    return DetectorPlan(
        kind=section.kind,
        params=_params(section.params),
        input=section.input,
        calibration=None
        if found is None
        else CalibrationPlan(
            found.parameter or BUDGET_SETS[section.kind], found.short, found.long, found.rate, found.targets
        ),
        run_lengths=section.run_lengths,
        memory=section.memory,
    )


def _rule(section: RuleSection) -> RulePlan:
    [(measure, floor)] = section.effect.items()
    assert isinstance(floor, float), "availability refused the other form"
    return RulePlan(
        name=section.name,
        series=section.series,
        evidence=section.evidence,
        effect=EffectPlan(measure, floor),
        severity=section.severity,
        target=section.target,
        params=_params(section.params),
        tolerance=section.tolerance,
    )


def _params(values: Mapping[str, Json]) -> Params:
    return tuple(sorted((key, _frozen(value)) for key, value in values.items()))


def _frozen(value: Json) -> Json:
    if isinstance(value, list | tuple):
        return tuple(_frozen(item) for item in value)
    return value
