"""`baseline build`, `show`, `activate`: the reference of a model version."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stream_monitor.cli.failures import CommandError, Exit
from stream_monitor.cli.output import emit, note, say, table
from stream_monitor.cli.schedule import read_schedule
from stream_monitor.cli.sources import source_file
from stream_monitor.cli.state import GlobalOptions

if TYPE_CHECKING:
    from stream_monitor.config import Settings
    from stream_monitor.core.baseline import Baseline, Schedule
    from stream_monitor.core.canonical import Json

app = typer.Typer(help="Baselines: build, show, activate.", no_args_is_help=True)


@app.command()
def build(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="CSV, Parquet, JSON, or native events; - is standard input.")],
    model: Annotated[str, typer.Option("--model", help="Name of the model; without it, the name of the file.")] = "",
    version: Annotated[str, typer.Option("--version", help="Version of the model.")] = "",
    columns: Annotated[
        list[str] | None, typer.Option("--column", metavar="ROLE=COLUMN", help="Which column is the prediction ...")
    ] = None,
    to: Annotated[Path | None, typer.Option("--to", help="Write the document to a file.")] = None,
    publish: Annotated[bool, typer.Option("--publish", help="Write it to the topic of baselines.")] = False,
    activate: Annotated[
        bool, typer.Option("--activate", help="Also make it the reference as soon as that can be known everywhere.")
    ] = False,
) -> None:
    """Build a baseline from training data and show it, write it, publish it or activate it.

    Columns named like `models[].segments` of the configuration are segments: each of their values with enough rows gets
    a reference of its own.
    """
    from stream_monitor.cli.roles import parse_columns
    from stream_monitor.formats.tables import TableError
    from stream_monitor.runtimes.backtesting import reference_rows
    from stream_monitor.runtimes.rows import build_baselines
    from stream_monitor.runtimes.survey import TooManyRejects

    options = context.ensure_object(GlobalOptions)
    settings = options.settings(needs_group=False)
    try:
        with source_file(file) as path:
            found, notes = reference_rows(
                path, model=model, version=version, columns=parse_columns(columns or []), settings=settings
            )
    except TableError as error:
        raise CommandError(str(error)) from None
    except TooManyRejects as error:
        raise CommandError(str(error), Exit.DEAD_LETTERS) from None
    for line in notes:
        note(line)
    built, refused = build_baselines(found, settings.plan)
    for line in refused:
        note(f"no baseline for {line}")
    if not built:
        raise CommandError(f"{file}: no baseline could be built", Exit.UNEXPECTED)
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
            _activate(settings, baseline, from_ms=None)


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
        _describe(options, _by_id(schedule, which), settings)
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
    _activate(settings, _by_id(read_schedule(settings), baseline_id), from_ms=from_ms)


def _publish(settings: Settings, baseline: Baseline) -> None:
    from stream_monitor.runtimes.connection import baseline_writer

    baseline_writer(settings).document(baseline)
    note(f"published {baseline.id} to {settings.topics.baselines}")


def _activate(settings: Settings, baseline: Baseline, *, from_ms: int | None) -> None:
    from stream_monitor.core.baseline import activation_lead_ms, proposed_activation_ms
    from stream_monitor.core.time import format_instant, pane_start
    from stream_monitor.kafka.baseline_log import is_void
    from stream_monitor.runtimes.connection import baseline_writer

    plan = settings.plan
    schedule = read_schedule(settings)
    writer = baseline_writer(settings)
    started = settings.group in schedule.starts
    if from_ms is None:
        # Broker time is what the rule is about: the document, written once more, tells it.
        now_ms = writer.document(baseline)
        lead_ms = activation_lead_ms(plan.time)
        from_ms = proposed_activation_ms(now_ms, lead_ms=lead_ms, pane_ms=plan.detection.pane_ms) if started else 0
    elif from_ms % plan.detection.pane_ms:
        from_ms = pane_start(from_ms, plan.detection.pane_ms) + plan.detection.pane_ms
    written_ms = writer.activation(baseline, from_ms)
    if started and is_void(plan.time, written_ms=written_ms, from_ms=from_ms):
        raise CommandError(
            f"--from: {format_instant(from_ms)} is too soon: written at {format_instant(written_ms)}, it must lie at"
            f" least {activation_lead_ms(plan.time) // 1_000} s later, because panes before may be counted already;"
            " the activation is void for everybody: give a later instant",
            Exit.UNEXPECTED,
        )
    named = f"{baseline.model} {baseline.version}".strip()
    since = format_instant(from_ms) if from_ms else "the beginning (no worker of the group has started yet)"
    note(f"{baseline.id} is the reference of {named} from {since} on")


def _by_id(schedule: Schedule, beginning: str) -> Baseline:
    wanted = beginning if beginning.startswith("sha256:") else f"sha256:{beginning}"
    found = [baseline for own, baseline in sorted(schedule.documents.items()) if own.startswith(wanted)]
    if len(found) != 1:
        what = "no baseline" if not found else f"{len(found)} baselines"
        raise CommandError(f"{what} with an id that begins with {beginning}", Exit.UNEXPECTED)
    return found[0]


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
    from stream_monitor.runtimes.dependence import dependence_notes
    from stream_monitor.runtimes.seasons import season_notes
    from stream_monitor.runtimes.segments import segment_notes

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
