"""`check`: is the configuration good, what does it promise, and does the cluster agree."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stream_monitor.cli.failures import CommandError, Exit
from stream_monitor.cli.output import counted, emit, folded, say
from stream_monitor.cli.state import GlobalOptions

if TYPE_CHECKING:
    from stream_monitor.cli.notes.plan_warnings import SeriesDoubt
    from stream_monitor.cli.outlook import ModelReport
    from stream_monitor.cli.records import Records
    from stream_monitor.config import Settings
    from stream_monitor.core.baseline import Baseline
    from stream_monitor.kafka.judge.forecast import Forecast
    from stream_monitor.kafka.topics import Difference


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
    verbose: Annotated[
        bool, typer.Option("-v", "--verbose", help="Every series, rule and warning, not the summary.")
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
    options = context.ensure_object(GlobalOptions)
    settings = options.settings()
    _kafka(settings)  # refuses what cannot be used, before anything that takes long
    differing: list[str] = []
    if calibrate:
        from stream_monitor.cli.calibration import calibrate_detectors

        settings, differing = calibrate_detectors(settings)
    found = _found(settings, connect=connect, baseline=baseline, rate=rate)
    found.errors += differing
    noted = _emit(settings, found) if options.json else _tell(settings, found, everything=verbose)
    errors = len(found.errors) + (0 if found.records is None else len(found.records.errors()))
    verdict = _verdict(errors, noted, strict=strict, connect=connect)
    if errors or (strict and noted):
        raise CommandError(verdict, Exit.UNEXPECTED)
    if not options.json:
        say(verdict)


@dataclass(slots=True)
class _Found:
    """What a check found.

    Attributes:
        errors, warnings: in words.
        reports: of the models, with what is doubtful about single series.
        records: beside the plan; None without a cluster.
    """

    errors: list[str]
    warnings: list[str]
    reports: list[ModelReport] = field(default_factory=list)
    records: Records | None = None

    @property
    def doubts(self) -> list[SeriesDoubt]:
        """What is doubtful about single series of all models."""
        return [doubt for report in self.reports for doubt in report.doubts]


def _found(settings: Settings, *, connect: bool, baseline: Path | None, rate: float | None) -> _Found:
    """Look at the plan, at the cluster if it is asked for, and at what both let one see."""
    from stream_monitor.cli.notes.plan_warnings import doubtful_plan, idle_warnings
    from stream_monitor.cli.outlook import model_reports, rulebook_of
    from stream_monitor.cli.records import active_references, compare_records
    from stream_monitor.kafka.topics import Weight

    found = _Found([], doubtful_plan(settings.plan))
    for difference in _compare(settings) if connect else ():
        (found.errors if difference.weight is Weight.ERROR else found.warnings).append(str(difference))
    for forecast in _forecasts(settings) if connect else ():
        (found.errors if forecast.stops else found.warnings).append(forecast.text)
    references = active_references(settings) if connect else {}
    if baseline is not None:
        given = _of_file(settings, baseline)
        references.pop((given.model, given.version), None)
        references[given.model, given.version] = (given,)  # the last one of its model: the report speaks of it
    found.records = compare_records(settings, references) if connect else None
    documents = {model: own for (model, _), own in references.items()}
    baselines = {model: own[0] for model, own in documents.items()}
    names = {*baselines, *(model.name for model in settings.plan.models)}
    if rate is not None:
        rates: Mapping[str, float] = dict.fromkeys(names, rate)
    else:
        rates = _measured(settings, names) if connect else {}
    rulebook = rulebook_of(settings.plan)
    found.reports = [
        replace(report, supplements=tuple(documents.get(report.model, ())[1:]))
        for report in model_reports(settings.plan, rulebook, baselines, rates)
    ]
    found.warnings += idle_warnings(settings.plan, rulebook, baselines)
    return found


def _tell(settings: Settings, found: _Found, *, everything: bool) -> int:
    """Write what was found for people, and return how many warnings there are."""
    from stream_monitor.cli.notes.plan_warnings import shared_lines
    from stream_monitor.cli.summary import NAMED, print_everything, print_summary

    kafka = _kafka(settings)
    most = None if everything else NAMED
    if everything:
        print_everything(settings, kafka, found.reports)
        doubts = [str(doubt) for doubt in found.doubts]
    else:
        print_summary(settings, kafka, found.reports)
        doubts = shared_lines(found.doubts, most=NAMED)
    records = found.records
    if records is not None:
        say(records.summary())
    warnings = [*found.warnings, *(() if records is None else records.warnings(most))]
    for line in warnings:
        say(f"warning: {line}")  # whole: there may be a command in it
    for line in doubts:
        for part in [f"warning: {line}"] if everything else folded(f"warning: {line}"):
            say(part)
    for line in (*found.errors, *(() if records is None else records.errors(most))):
        say(f"error: {line}")
    return len(warnings) + len(doubts)


def _emit(settings: Settings, found: _Found) -> int:
    """Write everything that was found for programs, and return how many warnings there are."""
    import orjson

    from stream_monitor.cli.outlook import report_json
    from stream_monitor.cli.records import records_json

    records = found.records
    warnings = [
        *found.warnings,
        *([] if records is None else records.warnings()),
        *(str(doubt) for doubt in found.doubts),
    ]
    emit(
        {
            "group": settings.group,
            "instance": settings.instance,
            "plan_hash": settings.plan.hash,
            "plan": orjson.loads(settings.plan.canonical),
            "kafka": {**_kafka(settings)},
            "models": [report_json(settings.plan, report) for report in found.reports],
            "records": None if records is None else records_json(records),
            "errors": [*found.errors, *([] if records is None else records.errors())],
            "warnings": [*warnings],
        }
    )
    return len(warnings)


def _verdict(errors: int, warnings: int, *, strict: bool, connect: bool) -> str:
    """Return in a line what is wrong and what to do next.

    >>> _verdict(0, 0, strict=False, connect=True), _verdict(0, 2, strict=False, connect=True)
    ('good', 'good, with 2 warnings: workers run; look whether they are meant')
    >>> _verdict(1, 2, strict=False, connect=True)
    'not good: 1 error and 2 warnings: mend the errors, then check again'
    """
    told = counted(warnings, "warning")
    if errors:
        return (
            f"not good: {counted(errors, 'error')}{f' and {told}' * bool(warnings)}: mend the errors, then check again"
        )
    if strict and warnings:
        return f"not good: {told}, which --strict counts as errors: mend them, then check again"
    more = "" if connect else "; --connect compares with the cluster"
    return f"good, with {told}: workers run; look whether they are meant{more}" if warnings else f"good{more}"


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
    except OSError as error:
        raise CommandError(f"--baseline: {file}: {error.strerror}") from None
    except BaselineError as error:
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


def _kafka(settings: Settings) -> dict[str, str]:
    """Return the settings of the cluster as they may be shown."""
    from stream_monitor.runtimes.connection import kafka_settings

    return {
        key: "***" if f"kafka.{key}" in settings.expanded else value
        for key, value in kafka_settings(settings).redacted().items()
    }
