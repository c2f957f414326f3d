"""From the checked file to frozen settings and the plan: what each section means, and what several mean together."""

from __future__ import annotations

from stream_monitor.config.comparisons import computed, exported
from stream_monitor.config.file import ConfigFile
from stream_monitor.config.settings import Settings
from stream_monitor.core.plan import DEFAULT_RULES, ModelPlan, Plan


def build_settings(file: ConfigFile, *, group: str, secrets: frozenset[str], expanded: frozenset[str]) -> Settings:
    """Return the settings of a file that passed all checks.

    Args:
        file: the checked file.
        group: name of the group, without the prefix of topics.
        secrets: what `${...}` references stood for.
        expanded: dotted paths of the settings that held a reference.
    """
    return Settings(
        group=file.topics.prefix + group,
        instance=file.instance,
        kafka=file.kafka.to_settings(),
        topics=file.topics.to_settings(),
        plan=build_plan(file),
        start=file.start,
        on_data_loss=file.on_data_loss,
        delivery=file.delivery,
        dead_letters=file.dead_letters.to_settings(),
        metrics=file.metrics.to_settings(exported(file)),
        http=file.http.to_settings(),
        logging=file.logging.to_settings(),
        segments_warn=file.limits.segments_warn,
        secrets=secrets,
        expanded=expanded,
    )


def build_plan(file: ConfigFile) -> Plan:
    """Return the plan: what decides which alerts the events give."""
    return Plan(
        inputs=tuple(source.to_plan() for source in file.inputs),
        time=file.time.to_plan(),
        detection=file.detection.to_plan(computed(file)),
        models=_models(file),
        rules=DEFAULT_RULES if file.rules is None else tuple(rule.to_plan() for rule in file.rules),
        conditions=file.conditions.to_plan(),
        alerts=file.alerts.to_plan(),
        limits=file.limits.to_plan(),
        privacy=file.privacy.to_plan(),
    )


def _models(file: ConfigFile) -> tuple[ModelPlan, ...]:
    """Return the plans of models; the others are watched like `*` unless `models_only` refuses them."""
    models = tuple(model.to_plan() for model in file.models)
    if file.models_only or any(model.name == "*" for model in models):
        return models
    return (*models, ModelPlan())
