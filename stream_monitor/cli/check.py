"""`check`: is the configuration good, what does it promise, and does the cluster agree."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stream_monitor.cli.failures import CommandError, Exit
from stream_monitor.cli.output import counted, emit, say
from stream_monitor.cli.state import GlobalOptions

if TYPE_CHECKING:
    from stream_monitor.cli.outlook import ModelReport
    from stream_monitor.config import Settings
    from stream_monitor.core.baseline import Baseline
    from stream_monitor.core.canonical import Json
    from stream_monitor.kafka.judge.forecast import Forecast
    from stream_monitor.kafka.topics import Difference


NAMED = 5
"""Names that a line of text lists."""


def check(
    context: typer.Context,
    connect: Annotated[bool, typer.Option("--connect", help="Also compare with the cluster.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Count warnings as errors.")] = False,
    baseline: Annotated[
        Path | None, typer.Option("--baseline", metavar="FILE", help="Document of a baseline to speak about.")
    ] = None,
    rate: Annotated[
        float | None, typer.Option("--rate", metavar="EVENTS_PER_S", min=1e-6, help="Traffic of a model.")
    ] = None,
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="Simulate the run lengths of detectors that have `calibrate`.")
    ] = False,
) -> None:
    """Validate the configuration, print its plan and what its budget lets you see.

    With a baseline, every series shows its weight, its threshold and how soon shifts of .1 to 1 standard deviations are
    seen, at the traffic of --rate, or of the input topics with --connect.

    With --connect, the newest records of each input topic are read, decoded as by a worker, and compared with the plan
    and the baselines: what is rejected, of another kind, missing, new, or without a baseline is told.

    With --calibrate, the run lengths of detectors of your own are simulated, the same on every machine, and printed as
    the `run_lengths` that belong into the configuration; those that it holds already are compared.

    Exit code 2: the configuration cannot be used. Exit code 1: it can, and there are findings.
    """
    from stream_monitor.cli.calibration import calibrate_detectors
    from stream_monitor.cli.doubts import doubtful_plan, idle_warnings
    from stream_monitor.cli.outlook import model_reports, rulebook_of
    from stream_monitor.cli.records import active_references, compare_records, records_json
    from stream_monitor.kafka.topics import Weight
    from stream_monitor.runtimes.connection import kafka_settings

    options = context.ensure_object(GlobalOptions)
    settings = options.settings()
    kafka = kafka_settings(settings)
    warnings = doubtful_plan(settings.plan)
    errors: list[str] = []
    for difference in _compare(settings) if connect else ():
        (errors if difference.weight is Weight.ERROR else warnings).append(str(difference))
    for forecast in _forecasts(settings) if connect else ():
        (errors if forecast.stops else warnings).append(forecast.text)
    if calibrate:
        settings, differing = calibrate_detectors(settings)
        errors += differing
    references = active_references(settings) if connect else {}
    if baseline is not None:
        given = _of_file(settings, baseline)
        references.pop((given.model, given.version), None)
        references[given.model, given.version] = (given,)
    records = compare_records(settings, references) if connect else None
    if records is not None:
        most = None if options.json else NAMED
        errors += records.errors(most)
        warnings += records.warnings(most)
    documents = {model: own for (model, _), own in references.items()}
    baselines = {model: own[0] for model, own in documents.items()}
    names = {*baselines, *(model.name for model in settings.plan.models)}
    rates = _measured(settings, names) if connect and rate is None else {}
    if rate is not None:
        rates = dict.fromkeys(names, rate)
    rulebook = rulebook_of(settings.plan)
    reports = [
        replace(report, supplements=tuple(documents.get(report.model, ())[1:]))
        for report in model_reports(settings.plan, rulebook, baselines, rates)
    ]
    warnings += idle_warnings(settings.plan, rulebook, baselines)
    warnings += [line for report in reports for line in report.warnings]
    if options.json:
        found_records = None if records is None else records_json(records)
        emit({**_report(settings, kafka.redacted(), errors, warnings, reports), "records": found_records})
    else:
        _print(settings, kafka.redacted(), reports)
        if records is not None:
            say(records.summary())
        for line in warnings:
            say(f"warning: {line}")
        for line in errors:
            say(f"error: {line}")
    found = len(errors) + (len(warnings) if strict else 0)
    if found:
        raise CommandError(counted(found, "finding"), Exit.UNEXPECTED)
    if not options.json:
        say("good" if not warnings else f"good, with {counted(len(warnings), 'warning')}")


def _compare(settings: Settings) -> list[Difference]:
    from stream_monitor.kafka.clients import open_admin
    from stream_monitor.kafka.topics import check_inputs, verify_topics
    from stream_monitor.runtimes.connection import reached, topic_specs

    admin = open_admin(reached(settings))
    inputs = [source.topic for source in settings.plan.inputs]
    return [
        *verify_topics(admin, topic_specs(settings)),
        *check_inputs(admin, inputs, allowed_lateness_ms=settings.plan.time.allowed_lateness_ms),
    ]


def _of_file(settings: Settings, file: Path) -> Baseline:
    """Return the baseline of a document."""
    from stream_monitor.core.baseline import Baseline, BaselineError

    try:
        found = Baseline.decode(file.read_bytes().strip())
    except (OSError, BaselineError) as error:
        raise CommandError(f"--baseline: {file}: {error}") from None
    if settings.plan.model(found.model) is None:
        raise CommandError(f"--baseline: the plan watches no model {found.model}")
    return found


def _forecasts(settings: Settings) -> list[Forecast]:
    """Return what the plan would change where another one judges now."""
    from stream_monitor.kafka.judge import JudgeJob
    from stream_monitor.kafka.judge.forecast import forecasts
    from stream_monitor.runtimes.connection import kafka_settings, topic_names
    from stream_monitor.runtimes.detectors import resolve_detectors
    from stream_monitor.runtimes.rules import resolve_rules

    return forecasts(
        JudgeJob(
            kafka_settings(settings),
            settings.plan,
            group=settings.group,
            instance=settings.instance,
            topics=topic_names(settings),
            rules=resolve_rules(settings.plan),
            detectors=resolve_detectors(settings.plan),
        )
    )


def _measured(settings: Settings, models: set[str]) -> Mapping[str, float]:
    """Return events a second by model, from the inputs: a topic that holds any model counts for each."""
    from stream_monitor.kafka.clients import open_admin
    from stream_monitor.kafka.traffic import records_per_second
    from stream_monitor.runtimes.connection import kafka_settings

    admin = open_admin(kafka_settings(settings))
    inputs = settings.plan.inputs
    by_topic = records_per_second(admin, [source.topic for source in inputs], now_ms=int(time.time() * 1_000))
    rates = {
        model: sum(by_topic.get(source.topic, 0.0) for source in inputs if source.model in (None, model))
        for model in models
    }
    return {model: rate for model, rate in rates.items() if rate > 0.0}


def _print(settings: Settings, kafka: dict[str, str], reports: list[ModelReport]) -> None:
    from stream_monitor.cli.coverage import print_coverage
    from stream_monitor.cli.outlook import print_report
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
    for rule in plan.rules:
        say(
            f"rule {rule.name} ({rule.severity.value}): {rule.evidence} and {rule.effect.measure} >="
            f" {rule.effect.floor:g} on {', '.join(rule.series)}"
        )
    for report in reports:
        print_report(plan, report)
        print_coverage(plan, report.model, report.documents)


def _shown(settings: Settings, key: str, value: str) -> str:
    return "***" if f"kafka.{key}" in settings.expanded else value


def _report(
    settings: Settings, kafka: dict[str, str], errors: list[str], warnings: list[str], reports: list[ModelReport]
) -> dict[str, Json]:
    import orjson

    from stream_monitor.cli.outlook import report_json

    return {
        "group": settings.group,
        "instance": settings.instance,
        "plan_hash": settings.plan.hash,
        "plan": orjson.loads(settings.plan.canonical),
        "kafka": {key: _shown(settings, key, value) for key, value in kafka.items()},
        "models": [report_json(settings.plan, report) for report in reports],
        "errors": errors,
        "warnings": warnings,
    }
