"""`dead-letters list`, `show`, `requeue`: records that could not be counted, why, and back with them."""

from __future__ import annotations

import base64
import sys
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from stream_monitor.cli.failures import CommandError
from stream_monitor.cli.output import counted, emit, note, say, table
from stream_monitor.cli.state import GlobalOptions
from stream_monitor.core.canonical import Json
from stream_monitor.core.names import safe_label

if TYPE_CHECKING:
    from stream_monitor.kafka.readers import DeadLetter

app = typer.Typer(help="Records that could not be counted: list, show, requeue.", no_args_is_help=True)


_REASON = Annotated[str | None, typer.Option("--reason", help="Only those with this reason.")]
_TOPIC = Annotated[str | None, typer.Option("--topic", help="Only those of one input topic.")]
_SINCE = Annotated[str | None, typer.Option("--since", metavar="SPAN", help="Only those of the last 2h, 7d ...")]


@app.command("list")
def list_letters(
    context: typer.Context,
    reason: _REASON = None,
    topic: _TOPIC = None,
    since: _SINCE = None,
    limit: Annotated[int, typer.Option("-n", "--limit", min=1, help="Show at most so many, newest first.")] = 20,
) -> None:
    """List dead letters, newest first; values are not shown, they may hold anything."""
    options = context.ensure_object(GlobalOptions)
    letters = _chosen(options, reason=reason, topic=topic, since=since)
    reasons = Counter(letter.reason for letter in letters)
    letters.sort(key=lambda letter: -letter.record.timestamp_ms)
    if options.json:
        for letter in letters[:limit]:
            emit(_plain(letter))
        return
    if not letters:
        say("no dead letters")
        return
    by_reason = ", ".join(f"{count:,} {name}" for name, count in reasons.most_common())
    say(f"{counted(len(letters), 'dead letter')}: {by_reason}")
    table(("time", "position", "reason", "message"), [_row(letter) for letter in letters[:limit]])
    if len(letters) > limit:
        note(f"{len(letters) - limit:,} more; --limit shows them")


@app.command()
def show(
    context: typer.Context,
    position: Annotated[str, typer.Argument(metavar="TOPIC/PARTITION/OFFSET", help="Position of the original record.")],
    raw: Annotated[bool, typer.Option("--raw", help="Write the value alone, byte for byte.")] = False,
) -> None:
    """Show one dead letter with its value, as text with control characters escaped.

    The value may hold personal data.
    """
    options = context.ensure_object(GlobalOptions)
    topic, partition, offset = _position(position)
    found = [
        letter
        for letter in _chosen(options, reason=None, topic=topic, since=None)
        if (letter.partition, letter.offset) == (partition, offset)
    ]
    if not found:
        raise CommandError(f"{position}: no dead letter of that position; 'dead-letters list' shows positions")
    letter = found[0]
    value = letter.record.value or b""
    if raw:
        sys.stdout.buffer.write(value)
        return
    if options.json:
        emit(_plain(letter) | {"key_base64": _base64(letter.record.key), "value_base64": _base64(value)})
        return
    for name, shown in _plain(letter).items():
        say(f"{name:<10} {_printable(str(shown))}")
    for name, header in letter.original_headers:
        say(f"header     {_printable(name)}: {_printable((header or b'').decode('utf-8', 'backslashreplace'))}")
    key = letter.record.key
    say(f"key        {'none' if key is None else _printable(key.decode('utf-8', 'backslashreplace'))}")
    say(f"value      {_printable(value.decode('utf-8', 'backslashreplace'))}")


@app.command("requeue")
def requeue_letters(
    context: typer.Context,
    reason: _REASON = None,
    topic: _TOPIC = None,
    since: _SINCE = None,
    to: Annotated[str | None, typer.Option("--to", metavar="TOPIC", help="Another topic than each came from.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Write dead letters back to their topic as they were, once what was wrong with them has been mended.

    Nothing remembers that it was done: the same letters requeued twice count twice. --since and --reason choose them.
    """
    from stream_monitor.kafka.requeue import requeue
    from stream_monitor.runtimes.connection import kafka_settings

    options = context.ensure_object(GlobalOptions)
    letters = _chosen(options, reason=reason, topic=topic, since=since)
    if not letters:
        note("no dead letters to requeue")
        return
    targets = Counter(to or letter.topic for letter in letters if letter.topic and not letter.is_cut)
    if targets:
        note(", ".join(f"{counted(count, 'record')} to {safe_label(name)}" for name, count in sorted(targets.items())))
        _ask(yes)
    done = requeue(kafka_settings(options.settings(needs_group=False)), letters, topic=to)
    if options.json:
        emit({"written": done.written, "cut": done.cut, "foreign": done.foreign})
    else:
        say(f"{counted(done.written, 'record')} written")
        if done.cut:
            say(f"{counted(done.cut, 'record')} left alone, too large: only a part was kept")
        if done.foreign:
            say(f"{counted(done.foreign, 'record')} left alone: no header says where from")


def _ask(yes: bool) -> None:
    if not yes and not sys.stdin.isatty():
        raise CommandError("nothing was written: there is no terminal to ask on, --yes answers beforehand")
    if not yes and not typer.confirm("write them?", err=True):
        raise CommandError("nothing was written")


def _chosen(options: GlobalOptions, *, reason: str | None, topic: str | None, since: str | None) -> list[DeadLetter]:
    from stream_monitor.cli.moments import ago_ms
    from stream_monitor.kafka.readers import Span, read_dead_letters
    from stream_monitor.runtimes.connection import reached

    settings = options.settings(needs_group=False)
    span = Span() if since is None else Span(since_ms=ago_ms(since, "--since"))
    return [
        letter
        for letter in read_dead_letters(reached(settings), settings.topics.dead_letters, span=span)
        if (reason is None or letter.reason == reason) and (topic is None or letter.topic == topic)
    ]


def _position(text: str) -> tuple[str, int, int]:
    topic, _, rest = text.rpartition("/")
    topic, _, partition = topic.rpartition("/")
    if not topic or not partition.isdecimal() or not rest.isdecimal():
        raise CommandError(f"TOPIC/PARTITION/OFFSET: must be like inference-events/0/17, got {text}")
    return topic, int(partition), int(rest)


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def _base64(value: bytes | None) -> str | None:
    return None if value is None else base64.b64encode(value).decode("ascii")


def _row(letter: DeadLetter) -> tuple[str, ...]:
    from stream_monitor.core.time import format_instant

    position = f"{letter.topic}/{letter.partition}/{letter.offset}"
    return (
        format_instant(letter.record.timestamp_ms),
        safe_label(position),
        safe_label(letter.reason),
        safe_label(letter.message),
    )


def _plain(letter: DeadLetter) -> dict[str, Json]:
    return {
        "time_ms": letter.record.timestamp_ms,
        "original_ms": letter.original_ms,
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "reason": letter.reason,
        "stage": letter.stage,
        "message": letter.message,
        "format": letter.format,
        "bytes": len(letter.record.value or b""),
    }
