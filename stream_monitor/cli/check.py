"""`check`: is the configuration good, what does it promise, and does the cluster agree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from stream_monitor.cli.failures import CommandError, Exit
from stream_monitor.cli.output import emit, say
from stream_monitor.cli.state import GlobalOptions

if TYPE_CHECKING:
    from stream_monitor.config import Settings
    from stream_monitor.core.canonical import Json
    from stream_monitor.core.plan import Plan
    from stream_monitor.kafka.topics import Difference

COARSE = 1_023
"""Events of a reference below which small drifts drown in its own error."""


def check(
    context: typer.Context,
    connect: Annotated[bool, typer.Option("--connect", help="Also compare with the cluster.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Count warnings as errors.")] = False,
) -> None:
    """Validate the configuration and print its plan.

    Exit code 2: the configuration cannot be used. Exit code 1: it can, and there are findings.
    """
    from stream_monitor.kafka.topics import Weight
    from stream_monitor.runtimes.connection import kafka_settings

    options = context.ensure_object(GlobalOptions)
    settings = options.settings()
    kafka = kafka_settings(settings)
    warnings = list(_lint(settings.plan))
    errors: list[str] = []
    for difference in _compare(settings) if connect else ():
        (errors if difference.weight is Weight.ERROR else warnings).append(str(difference))
    if options.json:
        emit(_report(settings, kafka.redacted(), errors, warnings))
    else:
        _print(settings, kafka.redacted())
        for line in warnings:
            say(f"warning: {line}")
        for line in errors:
            say(f"error: {line}")
    found = len(errors) + (len(warnings) if strict else 0)
    if found:
        raise CommandError(f"{found} findings", Exit.UNEXPECTED)
    if not options.json:
        say("good" if not warnings else f"good, with {len(warnings)} warnings")


def _compare(settings: Settings) -> list[Difference]:
    from stream_monitor.kafka.clients import open_admin
    from stream_monitor.kafka.topics import check_inputs, verify_topics
    from stream_monitor.runtimes.connection import kafka_settings, topic_specs

    admin = open_admin(kafka_settings(settings))
    inputs = [source.topic for source in settings.plan.inputs]
    return [
        *verify_topics(admin, topic_specs(settings)),
        *check_inputs(admin, inputs, allowed_lateness_ms=settings.plan.time.allowed_lateness_ms),
    ]


def _lint(plan: Plan) -> list[str]:
    """Return what is legal and doubtful about a plan."""
    from stream_monitor.core.plan import BaselineFrom

    found = [
        f"rules.{rule.name}: {rule.evidence} is calibrated to the budget by simulation, not bound to it by theorem; its"
        " status says so"
        for rule in plan.rules
        if rule.evidence in ("adwin", "page_hinkley")
    ]
    found += [
        f"models.{model.name}.baseline.events: {model.baseline_events} events are a coarse reference: small drifts will"
        " not be seen"
        for model in plan.models
        if model.baseline is BaselineFrom.FIRST_EVENTS and model.baseline_events < COARSE
    ]
    return found


def _print(settings: Settings, kafka: dict[str, str]) -> None:
    from stream_monitor.config.durations import format_duration

    plan = settings.plan
    detection = plan.detection
    say(f"group {settings.group}, instance {settings.instance}, plan {plan.hash}")
    say("kafka " + " ".join(f"{key}={_shown(settings, key, value)}" for key, value in sorted(kafka.items())))
    for source in plan.inputs:
        say(f"input {source.topic}: {source.format}" + (f", model {source.model}" if source.model else ""))
    say(
        f"pane {format_duration(detection.pane_ms)}, window {format_duration(detection.window_ms)},"
        f" lateness {format_duration(plan.time.allowed_lateness_ms)}"
    )
    for model in plan.models:
        budget = plan.budget(model.name)
        say(
            f"model {model.name}: at most {budget.false_alarms:g} false alarm in {format_duration(budget.per_ms)}"
            f" expected over all its series together: A = {budget.panes(detection.pane_ms):g} panes;"
            f" baseline from {model.baseline.value}"
        )
    for rule in plan.rules:
        say(
            f"rule {rule.name} ({rule.severity.value}): {rule.evidence} and {rule.effect.measure} >="
            f" {rule.effect.floor:g} on {', '.join(rule.series)}"
        )


def _shown(settings: Settings, key: str, value: str) -> str:
    return "***" if f"kafka.{key}" in settings.expanded else value


def _report(settings: Settings, kafka: dict[str, str], errors: list[str], warnings: list[str]) -> dict[str, Json]:
    import orjson

    return {
        "group": settings.group,
        "instance": settings.instance,
        "plan_hash": settings.plan.hash,
        "plan": orjson.loads(settings.plan.canonical),
        "kafka": {key: _shown(settings, key, value) for key, value in kafka.items()},
        "errors": errors,
        "warnings": warnings,
    }
