"""`dead-letters list`: records that could not be counted, and why."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from stream_monitor.cli.output import emit, say, table
from stream_monitor.cli.state import GlobalOptions

if TYPE_CHECKING:
    from stream_monitor.kafka.readers import DeadLetter

app = typer.Typer(help="Records that could not be counted: list.", no_args_is_help=True)


@app.command("list")
def list_letters(
    context: typer.Context,
    reason: Annotated[str | None, typer.Option("--reason", help="Only those with this reason.")] = None,
    topic: Annotated[str | None, typer.Option("--topic", help="Only those of one input topic.")] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="SPAN", help="Only those of the last 2h, 7d ...")
    ] = None,
    limit: Annotated[int, typer.Option("-n", "--limit", min=1, help="Show at most so many, newest first.")] = 20,
) -> None:
    """List dead letters, newest first; values are not shown, they may hold anything."""
    from stream_monitor.cli.moments import ago_ms
    from stream_monitor.kafka.readers import Span, read_dead_letters
    from stream_monitor.runtimes.connection import reached

    options = context.ensure_object(GlobalOptions)
    settings = options.settings(needs_group=False)
    span = Span() if since is None else Span(since_ms=ago_ms(since, "--since"))
    letters = [
        letter
        for letter in read_dead_letters(reached(settings), settings.topics.dead_letters, span=span)
        if (reason is None or letter.reason == reason) and (topic is None or letter.topic == topic)
    ]
    reasons = Counter(letter.reason for letter in letters)
    letters.sort(key=lambda letter: -letter.record.timestamp_ms)
    if options.json:
        for letter in letters[:limit]:
            emit(_plain(letter))
        return
    if not letters:
        say("no dead letters")
        return
    say(f"{len(letters)} dead letters: " + ", ".join(f"{count} {name}" for name, count in reasons.most_common()))
    table(("time", "position", "reason", "message"), [_row(letter) for letter in letters[:limit]])


def _row(letter: DeadLetter) -> tuple[str, ...]:
    from stream_monitor.core.names import safe_label
    from stream_monitor.core.time import format_instant

    position = f"{letter.topic}/{letter.partition}/{letter.offset}"
    return (
        format_instant(letter.record.timestamp_ms),
        safe_label(position),
        safe_label(letter.reason),
        safe_label(letter.message),
    )


def _plain(letter: DeadLetter) -> dict[str, str | int]:
    return {
        "time_ms": letter.record.timestamp_ms,
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "reason": letter.reason,
        "stage": letter.stage,
        "message": letter.message,
        "format": letter.format,
        "bytes": len(letter.record.value or b""),
    }
