"""`baseline build`, `show`, `list`, `activate`, `cancel`, `retire`: the reference of a model version."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stream_monitor.cli.activations import activate_baseline, baseline_by_id
from stream_monitor.cli.coverage import print_coverage
from stream_monitor.cli.failures import CommandError, Exit
from stream_monitor.cli.output import emit, note, say, table
from stream_monitor.cli.schedule import read_schedule
from stream_monitor.cli.sources import source_file
from stream_monitor.cli.state import GlobalOptions

if TYPE_CHECKING:
    from stream_monitor.config import Settings
    from stream_monitor.core.baseline import Baseline, Schedule
    from stream_monitor.core.canonical import Json
    from stream_monitor.formats.tables import Reference
    from stream_monitor.runtimes.backtest.training import DoubtfulColumn

app = typer.Typer(help="Baselines: build, show, list, activate, cancel, retire.", no_args_is_help=True)


@app.command()
def build(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="CSV, Parquet, JSON, or native events; - is standard input.")],
    model: Annotated[str, typer.Option("--model", help="Name of the model; without it, the name of the file.")] = "",
    version: Annotated[str, typer.Option("--version", help="Version of the model.")] = "",
    columns: Annotated[
        list[str] | None,
        typer.Option(
            "--column",
            metavar="ROLE=COLUMN",
            help="Which column has a role: timestamp, event_id, model, version, prediction, confidence, label, latency"
            " or error. Without it, its name decides. May be given several times.",
        ),
    ] = None,
    label: Annotated[
        str, typer.Option("--label", metavar="COLUMN", help="The column of the label; live events do not have it.")
    ] = "",
    excluded: Annotated[
        list[str] | None,
        typer.Option("--exclude", metavar="COLUMN", help="A column that is no feature. May be given several times."),
    ] = None,
    features: Annotated[
        list[str] | None,
        typer.Option(
            "--feature",
            metavar="COLUMN",
            help="A column that is a feature although it looks like a label or an identifier. May be given several"
            " times.",
        ),
    ] = None,
    to: Annotated[Path | None, typer.Option("--to", help="Write the document to a file.")] = None,
    publish: Annotated[bool, typer.Option("--publish", help="Write it to the topic of baselines.")] = False,
    activate: Annotated[
        bool, typer.Option("--activate", help="Also make it the reference as soon as that can be known everywhere.")
    ] = False,
) -> None:
    """Build a baseline from training data and show it, write it, publish it or activate it.

    Columns named like `models[].segments` of the configuration are segments: each of their values with enough rows gets
    a reference of its own. The label is left out. A column that looks like a label or an identifier is not taken for a
    feature: the command ends with exit code 2 and says which options decide.

    Series that live events have and the table lacks (predictions, latencies, errors ...) get their reference from live
    events, unless `models[].baseline.from` is `published`.
    """
    from stream_monitor.cli.roles import parse_columns
    from stream_monitor.core.study.survey import TooManyRejects
    from stream_monitor.formats.tables import TableError
    from stream_monitor.runtimes.backtest.rows import build_baselines
    from stream_monitor.runtimes.backtest.training import training_rows

    options = context.ensure_object(GlobalOptions)
    settings = options.settings(needs_group=False)
    roles = parse_columns([*(columns or []), *([f"label={label}"] if label else [])])
    try:
        with source_file(file) as path:
            found = training_rows(
                path,
                model=model,
                version=version,
                columns=roles,
                excluded=excluded or [],
                features=features or [],
                settings=settings,
            )
    except TableError as error:
        raise CommandError(str(error)) from None
    except TooManyRejects as error:
        raise CommandError(str(error), Exit.DEAD_LETTERS) from None
    for line in found.notes:
        note(line)
    _ask(file, found.doubtful)
    if found.label:
        note(f"label: {found.label} is left out: live events do not have it")
    built, refused = build_baselines(list(found.references), settings.plan)
    for line in refused:
        note(f"no baseline for {line}")
    if not built:
        raise CommandError(f"{file}: no baseline could be built", Exit.UNEXPECTED)
    _say_empty(found.references, built, settings)
    if to is not None and len(built) > 1:
        raise CommandError(f"--to: {file} holds {len(built)} models or versions; a document holds one")
    for baseline in built:
        if options.json and to is None and not (publish or activate):
            say(baseline.encode().decode())
        else:
            _describe(options, baseline, settings)
        if to is not None:
            to.write_bytes(baseline.encode() + b"\n")
            note(f"wrote {to}")
        if publish or activate:
            _publish(settings, baseline)
        if activate:
            activate_baseline(settings, baseline, from_ms=None)


@app.command()
def show(
    context: typer.Context,
    which: Annotated[
        str | None, typer.Argument(metavar="[ID|FILE]", help="A baseline's id or document; without it, the schedule.")
    ] = None,
) -> None:
    """Show the baselines of the topic and since when each is active, or one of them."""
    options = context.ensure_object(GlobalOptions)
    if which is not None and Path(which).is_file():
        from stream_monitor.core.baseline import Baseline, BaselineError

        try:
            baseline = Baseline.decode(Path(which).read_bytes().strip())
        except BaselineError as error:
            raise CommandError(f"{which}: {error}") from None
        _describe(options, baseline, options.settings(needs_group=False))
        return
    settings = options.settings(needs_group=False)
    schedule = read_schedule(settings)
    if which is not None:
        _describe(options, baseline_by_id(schedule, which), settings)
        return
    _show_schedule(options, schedule)


@app.command()
def activate(
    context: typer.Context,
    baseline_id: Annotated[str, typer.Argument(metavar="ID", help="Id of a published baseline, or a beginning of it.")],
    from_: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="INSTANT", help="First pane; without it, as soon as it can be known everywhere."
        ),
    ] = None,
) -> None:
    """Make a published baseline the reference of its model and version from a pane on."""
    from stream_monitor.core.time import parse_instant

    options = context.ensure_object(GlobalOptions)
    settings = options.settings(needs_group=False)
    try:
        from_ms = None if from_ is None else parse_instant(from_)
    except ValueError as error:
        raise CommandError(f"--from: {error}") from None
    activate_baseline(settings, baseline_by_id(read_schedule(settings), baseline_id), from_ms=from_ms)


@app.command("list")
def list_(context: typer.Context) -> None:
    """List every activation: which reference counts from when, until when, and who wrote it."""
    from stream_monitor.cli.activations import show_activations

    options = context.ensure_object(GlobalOptions)
    show_activations(options, read_schedule(options.settings(needs_group=False)))


@app.command()
def cancel(
    context: typer.Context,
    baseline_id: Annotated[str, typer.Argument(metavar="ID", help="Id of a scheduled baseline, or a beginning of it.")],
) -> None:
    """Cancel an activation that is scheduled, so that its baseline never counts.

    What is so close that workers may know it already counts for a few minutes; the command says so.
    """
    from stream_monitor.cli.activations import end_activation

    settings = context.ensure_object(GlobalOptions).settings(needs_group=False)
    end_activation(settings, baseline_id, scheduled=True)


@app.command()
def retire(
    context: typer.Context,
    baseline_id: Annotated[str, typer.Argument(metavar="ID", help="Id of an active baseline, or a beginning of it.")],
) -> None:
    """Retire a baseline or supplement that counts now, as soon as that can be known everywhere.

    What counted before it counts again. Without any, the first events from then on become the baseline, unless
    `models[].baseline.from` is `published`.
    """
    from stream_monitor.cli.activations import end_activation

    settings = context.ensure_object(GlobalOptions).settings(needs_group=False)
    end_activation(settings, baseline_id, scheduled=False)


def _say_empty(references: Sequence[Reference], built: Sequence[Baseline], settings: Settings) -> None:
    """Name the columns that have too few values to be a reference, and what becomes of them."""
    from stream_monitor.core.grid import SMALLEST_REFERENCE
    from stream_monitor.core.names import feature_of
    from stream_monitor.core.plan import BaselineFrom

    known = {(own.model, own.version): own.series for own in built}
    for own in references:
        series = known.get((own.model, own.version))
        empty = [] if series is None else sorted(feature_of(name) or name for name in own.table.columns.keys() - series)
        if empty:
            plan = settings.plan.model(own.model)
            waits = plan is None or plan.baseline is BaselineFrom.FIRST_EVENTS
            then = "live events that have values give it a reference" if waits else "'baseline.from' is 'published'"
            note(f"not watched, fewer than {SMALLEST_REFERENCE} values: {', '.join(empty)}; {then}")


def _ask(file: Path, doubtful: Sequence[DoubtfulColumn]) -> None:
    """Refuse to take doubtful columns for features, and say what decides."""
    if not doubtful:
        return
    from stream_monitor.runtimes.backtest.training import Doubt

    lines = [
        f"{item.column}: may be {'a label' if item.doubt is Doubt.LABEL else 'an identifier'}: {item.why};"
        f" {f'--label {item.column}' if item.doubt is Doubt.LABEL else f'--exclude {item.column}'} leaves it out,"
        f" --feature {item.column} takes it for a feature"
        for item in doubtful
    ]
    for line in lines:
        note(line)
    raise CommandError(f"{file}: nothing was built: say of each of these columns what it is")


def _publish(settings: Settings, baseline: Baseline) -> None:
    from stream_monitor.runtimes.connection import baseline_writer

    baseline_writer(settings).document(baseline)
    note(f"published {baseline.id} to {settings.topics.baselines}; it counts once it is activated")


def _show_schedule(options: GlobalOptions, schedule: Schedule) -> None:
    from stream_monitor.core.time import format_instant

    active: dict[str, list[str]] = {}
    for activation in schedule.activations:
        since = format_instant(activation.from_ms) if activation.from_ms else "the beginning"
        active.setdefault(activation.baseline, []).append(since)
    rows: list[list[str]] = []
    for own, baseline in sorted(schedule.documents.items(), key=lambda item: (item[1].model, item[1].version, item[0])):
        since = ", ".join(active.get(own, ["never"]))
        if options.json:
            emit(_summary(baseline) | {"active_from": list(active.get(own, []))})
        rows.append([baseline.model, baseline.version, own[:19], f"{baseline.origin.rows:,}", since])
    if not options.json:
        if rows:
            table(("model", "version", "baseline", "rows", "active from"), rows)
        else:
            say("no baselines")
        for void in schedule.void:
            note(f"void: {void.baseline} for {void.model} {void.version} from {format_instant(void.from_ms)}: too late")


def _describe(options: GlobalOptions, baseline: Baseline, settings: Settings) -> None:
    from stream_monitor.core.plan import ModelPlan
    from stream_monitor.runtimes.backtest.notes.dependence_notes import dependence_notes
    from stream_monitor.runtimes.backtest.notes.season_notes import season_notes
    from stream_monitor.runtimes.backtest.notes.segment_notes import segment_notes

    if options.json:
        emit(_summary(baseline))
        return
    say(f"baseline {baseline.id}")
    named = f"{baseline.model} {baseline.version}".strip()
    say(f"of {named}: {baseline.origin.rows:,} rows of {baseline.origin.type.value}")
    own = settings.plan.model(baseline.model) or ModelPlan()
    notes = (dependence_notes(baseline), season_notes(baseline, own.strata), segment_notes(baseline, own.segments))
    for line in (line for lines in notes for line in lines):
        say(line)
    rows = [
        (name, series.kind.value, f"{series.observed:,}", f"{series.missing:,}", str(series.bins))
        for name, series in sorted(baseline.series.items())
    ]
    table(("series", "kind", "values", "missing", "bins"), rows)
    print_coverage(settings.plan, baseline.model, [baseline])


def _summary(baseline: Baseline) -> dict[str, Json]:
    return {
        "id": baseline.id,
        "model": baseline.model,
        "version": baseline.version,
        "rows": baseline.origin.rows,
        "series": {
            name: {"kind": own.kind.value, "values": own.observed, "missing": own.missing}
            | ({} if own.strata is None else {"strata": own.strata.calendar.value})
            for name, own in baseline.series.items()
        },
        "segments": {label: own.rows for label, own in baseline.segments.items()},
    }
