"""`backtest SOURCE`: the same core without Kafka, over a file, exported topics or a range of profiles."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stream_monitor.cli.failures import CommandError, Exit
from stream_monitor.cli.notes.totals import AlertPrinter, instant
from stream_monitor.cli.output import note, progress
from stream_monitor.cli.sources import source_file
from stream_monitor.cli.state import GlobalOptions

if TYPE_CHECKING:
    from stream_monitor.runtimes.local import LocalAlert


@dataclass(slots=True)
class RowOptions:
    """What the user says about a file of rows.

    Attributes:
        baseline: file whose rows are the reference.
        baseline_rows: rows of the file itself that are, instead of the chosen number.
        model: name of the model when rows do not say.
        columns: `role=column` texts.
        row_order: ignore time stamps.
        time_unit: of numeric time stamps; empty: by their size.
        segments: columns whose values are judged apart.
        keeps_baseline: no new reference after an alert.
        truth: file of known changes, to score the alerts against.
        max_delay: rows within which an alert finds a change.
        plot: picture to write.
    """

    baseline: Path | None = None
    baseline_rows: int | None = None
    model: str = ""
    columns: list[str] = field(default_factory=list)
    row_order: bool = False
    time_unit: str = ""
    segments: list[str] = field(default_factory=list)
    keeps_baseline: bool = False
    truth: Path | None = None
    max_delay: int | None = None
    plot: Path | None = None


def backtest(
    context: typer.Context,
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="A file of rows (CSV, Parquet, JSON), of native events or of exported topics, - for standard input;"
            " or the name of the profiles topic, whose records are judged again.",
        ),
    ],
    baseline: Annotated[
        Path | None, typer.Option("--baseline", help="File whose rows are the reference; without it, the first rows.")
    ] = None,
    baseline_rows: Annotated[
        int | None, typer.Option("--baseline-rows", min=63, help="First rows that are the reference.")
    ] = None,
    model: Annotated[str, typer.Option("--model", help="Name of the model; without it, the name of the file.")] = "",
    columns: Annotated[
        list[str] | None,
        typer.Option("--column", metavar="ROLE=COLUMN", help="Which column is the timestamp, prediction, label ..."),
    ] = None,
    row_order: Annotated[bool, typer.Option("--row-order", help="Ignore time stamps: rows are the clock.")] = False,
    time_unit: Annotated[
        str,
        typer.Option("--time-unit", help="Of time stamps that are numbers: s, ms, us, ns; without it, by their size."),
    ] = "",
    segments: Annotated[
        list[str] | None,
        typer.Option("--segment", metavar="COLUMN", help="Judge the rows of each value of a column apart, too."),
    ] = None,
    keep_baseline: Annotated[
        bool,
        typer.Option(
            "--keep-baseline",
            help="Compare with the first reference to the end, as a live worker does.",
        ),
    ] = False,
    truth: Annotated[
        Path | None,
        typer.Option("--truth", help="Known changes (CSV or JSON: rows, instants or spans, of the file or by series)."),
    ] = None,
    max_delay: Annotated[
        int | None, typer.Option("--max-delay", min=0, metavar="ROWS", help="With --truth: how late an alert may be.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option("--plot", help="Picture (.svg) of series, evidence, alerts and known changes.")
    ] = None,
    partitions: Annotated[
        list[str] | None,
        typer.Option("--partitions", metavar="TOPIC=N", help="Of an exported topic with partitions without records."),
    ] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="SPAN", help="Of profiles on Kafka: those of the last 7d ...")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="INSTANT", help="Of profiles on Kafka: those before an instant.")
    ] = None,
) -> None:
    """Find drift in data that is already there.

    Needs neither Kafka nor a configuration.

    Alerts go to standard output, choices and totals to standard error. With --format json an alert is the event that
    the worker would publish, byte for byte.
    """
    from stream_monitor.formats.tables.values import TIME_UNITS

    if time_unit and time_unit not in TIME_UNITS:
        raise CommandError(f"--time-unit: must be one of {', '.join(TIME_UNITS)}, got {time_unit}")
    options = context.ensure_object(GlobalOptions)
    rows = RowOptions(
        baseline=baseline,
        baseline_rows=baseline_rows,
        model=model,
        columns=columns or [],
        row_order=row_order,
        time_unit=time_unit,
        segments=segments or [],
        keeps_baseline=keep_baseline,
        truth=truth,
        max_delay=max_delay,
        plot=plot,
    )
    of_kafka, of_exports = {"--since": since, "--until": until}, {"--partitions": partitions or []}
    if source != "-" and not Path(source).exists():
        _need_rows(rows)
        _refuse(of_exports, "the topic of profiles tells its own partitions")
        _profiles_of_kafka(options, source, since=since, until=until)
        return
    from stream_monitor.runtimes.replay import is_export

    _refuse(of_kafka, "only profiles on Kafka are cut by time: export a span of a topic with 'export --since'")
    with source_file(source) as path:
        if is_export(path):
            _need_rows(rows)
            _export(options, path, partitions or [])
        else:
            _refuse(of_exports, "only exported topics have partitions")
            _rows(options, path, rows)


def _need_rows(said: RowOptions) -> None:
    """Refuse what is said of rows where there are none: left unheard, it would seem to be obeyed."""
    _refuse({"--truth": said.truth, "--plot": said.plot, "--max-delay": said.max_delay}, _NO_ROWS)
    _refuse({"--baseline": said.baseline, "--baseline-rows": said.baseline_rows}, f"{_PLANNED}: models[].baseline")
    _refuse({"--model": said.model, "--column": said.columns, "--time-unit": said.time_unit}, f"{_PLANNED}: inputs")
    _refuse({"--segment": said.segments}, f"{_PLANNED}: models[].segments")
    _refuse({"--row-order": said.row_order}, "records of topics have times")


_NO_ROWS = "needs a file of rows: records of topics have no row numbers"
_PLANNED = "is for a file of rows: of topics the configuration says it"


def _refuse(given: Mapping[str, object], why: str) -> None:
    for name, value in given.items():
        if value is not None and value is not False and value not in ("", []):
            raise CommandError(f"{name}: {why}")


# --- exported topics --------------------------------------------------------------------------------------------------


def _export(options: GlobalOptions, path: Path, partitions: list[str]) -> None:
    from stream_monitor.runtimes.replay import ExportError, replay, survey

    settings = options.settings(needs_group=False)
    printer = AlertPrinter(options, instant)
    try:
        contents = survey(path)
        note(f"{path}: " + ", ".join(f"{count:,} records of {topic}" for topic, count in contents.records.items()))
        with progress("replay", float(sum(contents.records.values()))) as advance:
            pipeline = replay(
                path,
                settings,
                contents=contents,
                partitions=_counts(partitions),
                on_alert=printer,
                on_progress=advance,
            )
    except ExportError as error:
        raise CommandError(str(error)) from None
    printer.totals(pipeline)
    printer.check(pipeline)


def _counts(texts: list[str]) -> dict[str, int]:
    found = {}
    for text in texts:
        topic, _, count = text.rpartition("=")
        if not topic or not count.isdecimal() or not int(count):
            raise CommandError(f"--partitions: must be TOPIC=N, got {text}")
        found[topic] = int(count)
    return found


def _profiles_of_kafka(options: GlobalOptions, topic: str, *, since: str | None, until: str | None) -> None:
    from stream_monitor.cli.moments import ago_ms
    from stream_monitor.core.baseline import Schedule
    from stream_monitor.kafka.baseline_log import BaselineLog
    from stream_monitor.kafka.client_settings import reader
    from stream_monitor.kafka.clients import open_admin, open_consumer
    from stream_monitor.kafka.readers import Span, read_profiles
    from stream_monitor.kafka.topics import describe_topics
    from stream_monitor.runtimes.connection import reached
    from stream_monitor.runtimes.local import LocalPipeline

    settings = options.settings(needs_group=False)
    if topic != settings.topics.profiles:
        raise CommandError(
            f"SOURCE: must be a file or the topic of profiles ({settings.topics.profiles}), got {topic}:"
            " no such file; other topics are exported first"
        )
    kafka = reached(settings)
    states = describe_topics(open_admin(kafka), [topic])
    if topic not in states:
        raise CommandError(f"topic {topic}: does not exist")
    log = BaselineLog(open_consumer(reader(kafka), lambda _: None), settings.topics.baselines, Schedule())
    try:
        log.read_to_end()
    finally:
        log.close()
    pipeline = LocalPipeline(
        settings.plan,
        group=settings.group,
        partitions=states[topic].partitions,
        sources={},
        schedule=log.schedule,
    )
    span = Span(
        since_ms=None if since is None else ago_ms(since, "--since"),
        until_ms=None if until is None else ago_ms(until, "--until"),
    )
    printer = AlertPrinter(options, instant)
    for partition in range(states[topic].partitions):
        for entry in read_profiles(kafka, topic, partition, span=span):
            for alert in pipeline.fold(partition, entry):
                printer(alert)
    printer.totals(pipeline)
    printer.check(pipeline)


# --- files of rows ----------------------------------------------------------------------------------------------------


def _rows(options: GlobalOptions, path: Path, said: RowOptions) -> None:
    from stream_monitor.core.study.sizing import TooFewRows
    from stream_monitor.core.study.survey import TooManyRejects
    from stream_monitor.formats.tables import TableError

    try:
        _run_rows(options, path, said)
    except TooManyRejects as error:
        raise CommandError(str(error), Exit.DEAD_LETTERS) from None
    except (TableError, TooFewRows) as error:
        text = str(error)
        raise CommandError(text if text.startswith(str(path)) or "/" in text else f"{path}: {text}") from None


def _run_rows(options: GlobalOptions, path: Path, said: RowOptions) -> None:
    from stream_monitor.cli.notes.scores_and_picture import Aftermath
    from stream_monitor.cli.plotting import check_plot
    from stream_monitor.cli.roles import parse_columns
    from stream_monitor.runtimes.backtest.prepare import prepare_rows
    from stream_monitor.runtimes.backtest.renewal import Renewal, Renewed
    from stream_monitor.runtimes.backtest.rows import run_rows

    if said.plot is not None:
        check_plot(said.plot)
    prepared = prepare_rows(
        path,
        baseline=said.baseline,
        baseline_rows=said.baseline_rows,
        model=said.model,
        columns=parse_columns(said.columns),
        row_order=said.row_order,
        time_unit=said.time_unit,
        segments=said.segments,
        settings=lambda base: options.settings(needs_group=False, base=base),
        chooses=options.config is None,
    )
    for line in prepared.notes:
        note(line)
    after = Aftermath(prepared, title=path.name, truth=said.truth, max_delay=said.max_delay, plot=said.plot)
    printer = AlertPrinter(options, prepared.when)
    settings = prepared.settings
    renewal = None
    if not said.keeps_baseline and options.config is None:
        renewal = Renewal(settings.plan, rows=prepared.renewal_rows, timed=prepared.timed, baselines=prepared.measured)
        note(f"after an alert: {prepared.renewal_rows:,} settled rows behind it are the next reference")

    def tell(made: Renewed) -> None:
        note(f"new reference: {made.baseline.origin.rows:,} rows, up to {prepared.when(made.from_ms)}")
        after.renewed(made)

    def show(alert: LocalAlert) -> None:
        printer(alert)
        after.take(alert)

    with progress("backtest", float(prepared.seen.rows)) as advance:
        run = run_rows(
            prepared.rows,
            settings.plan,
            topic=path.name,
            group=settings.group,
            partitions=settings.topics.partitions,
            baselines=prepared.baselines,
            renewal=renewal,
            piece_rows=prepared.pane_rows,
            on_alert=show,
            on_renewed=tell,
            on_judged=after.look,
            on_progress=advance,
        )
    printer.totals(run.pipeline)
    after.speak(run.pipeline, as_json=options.json)
    printer.check(run.pipeline)
