"""Settings of features that this version does not have: each is an error with a way out, none is silently ignored."""

from __future__ import annotations

from collections.abc import Iterator

from stream_monitor.config.errors import Finding
from stream_monitor.config.file import ConfigFile, InputFormat, InputSection, ModelSection, RuleSection
from stream_monitor.core.plan import Task

AVAILABLE_FORMATS = (InputFormat.NATIVE,)

EVENT_ID_SOURCES = ("key", "record.offset")
"""What may stand for the event id of native events that have none."""

_PREFIX = "not available yet"


def unavailable(file: ConfigFile) -> Iterator[Finding]:
    """Yield a finding for every setting that would do nothing."""
    if file.schema_registry is not None:
        yield Finding("schema_registry", f"{_PREFIX}: no input format of this version uses one; remove it")
    for index, source in enumerate(file.inputs):
        yield from _input(f"inputs[{index}]", source)
    if file.time.unit != "ms":
        yield Finding("time.unit", f"{_PREFIX}: native events say their unit by type; remove it", file.time.unit)
    if file.time.zone != "UTC":
        yield Finding("time.zone", f"{_PREFIX}: native events carry an offset; remove it", file.time.zone)
    for index, model in enumerate(file.models):
        yield from _model(f"models[{index}]", model)
    if file.privacy.example_values:
        yield Finding("privacy.example_values", f"{_PREFIX}: alerts hold no values of events; remove it", "true")
    if file.privacy.example_tags:
        yield Finding("privacy.example_tags", f"{_PREFIX}: tags are not kept; remove it")
    for index, rule in enumerate(file.rules or ()):
        yield from _rule(f"rules[{index}]", rule)
    for name in ("alertmanager", "pagerduty", "slack"):
        if getattr(file.outputs, name) is not None:
            yield Finding(
                f"outputs.{name}", f"{_PREFIX}: follow the topic {file.topics.named()['alerts']} instead; remove it"
            )
    if file.outputs.webhooks:
        yield Finding(
            "outputs.webhooks", f"{_PREFIX}: follow the topic {file.topics.named()['alerts']} instead; remove it"
        )


def _input(path: str, source: InputSection) -> Iterator[Finding]:
    if source.format not in AVAILABLE_FORMATS:
        known = ", ".join(AVAILABLE_FORMATS)
        yield Finding(f"{path}.format", f"{_PREFIX}; available: {known}", source.format.value)
    for field, where in (source.mapping or {}).items():
        if field != "event_id" or where not in EVENT_ID_SOURCES:
            known = ", ".join(EVENT_ID_SOURCES)
            yield Finding(f"{path}.mapping.{field}", f"{_PREFIX}: of native events only event_id: {known}", where)
    for name in ("time", "join", "columns"):
        if getattr(source, name) is not None:
            yield Finding(f"{path}.{name}", f"{_PREFIX}: native events need none; remove it")


def _model(path: str, model: ModelSection) -> Iterator[Finding]:
    if model.task is not Task.AUTO:
        yield Finding(
            f"{path}.task", f"{_PREFIX}: the baseline says what kind predictions are of; write auto", model.task
        )
    if model.labels is not None:
        yield Finding(f"{path}.labels", f"{_PREFIX}: delayed labels are not joined by this version; remove it")
    if model.baseline.from_ not in ("first_events", "published"):
        yield Finding(
            f"{path}.baseline.from",
            f"{_PREFIX}",
            model.baseline.from_,
            "write 'published' and run: stream-monitor baseline build FILE --model NAME --activate",
        )


def _rule(path: str, rule: RuleSection) -> Iterator[Finding]:
    if rule.target is None and rule.params:
        yield Finding(f"{path}.params", "are for a rule with a target; remove them")
    for measure, floor in rule.effect.items():
        if isinstance(floor, dict):
            yield Finding(f"{path}.effect.{measure}", f"{_PREFIX}: the floor must be a number")
