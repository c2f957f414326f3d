"""`export TOPIC...`: records as JSON lines, exact to the byte: what `backtest` replays."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from stream_monitor.cli.moments import ago_ms
from stream_monitor.cli.output import emit, note
from stream_monitor.cli.state import GlobalOptions


def export(
    context: typer.Context,
    topics: Annotated[list[str], typer.Argument(metavar="TOPIC...", help="Topics to read, to their present ends.")],
    to: Annotated[Path | None, typer.Option("--to", help="File to write; standard output without it.")] = None,
    since: Annotated[str | None, typer.Option("--since", metavar="SPAN", help="Records of the last 2h, 7d ...")] = None,
    until: Annotated[str | None, typer.Option("--until", metavar="INSTANT", help="Records before an instant.")] = None,
) -> None:
    """Write the records of topics as JSON lines.

    A line has topic, partition, offset, record time, key, value and headers: what backtest replays exactly.
    """
    from stream_monitor.kafka.clients import open_admin
    from stream_monitor.kafka.readers import Span, export_topics
    from stream_monitor.kafka.readers.topic import partition_counts
    from stream_monitor.runtimes.connection import reached

    options = context.ensure_object(GlobalOptions)
    settings = options.settings(needs_group=False)
    span = Span(
        since_ms=None if since is None else ago_ms(since, "--since"),
        until_ms=None if until is None else ago_ms(until, "--until"),
    )
    kafka = reached(settings)
    if to is None:
        count = export_topics(kafka, topics, sys.stdout.buffer, span=span)
    else:
        partition_counts(open_admin(kafka), topics)  # a topic that is missing costs nobody the file of before
        with to.open("wb") as file:
            count = export_topics(kafka, topics, file, span=span)
    if options.json and to is not None:
        emit({"records": count, "to": str(to)})
    else:
        note(f"{count:,} records" + ("" if to is None else f" to {to}"))
