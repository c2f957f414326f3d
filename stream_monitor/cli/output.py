"""Where a command's words go: results to standard output, everything about them to standard error."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from stream_monitor.core.canonical import Json, canonical_json

if TYPE_CHECKING:
    from rich.progress import Progress


def say(line: str = "") -> None:
    """Write one line of a result."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def emit(value: Json) -> None:
    """Write one result as a line of canonical JSON."""
    say(canonical_json(value).decode())


def note(line: str) -> None:
    """Write one line about a result: a choice that was made, a warning, an error."""
    sys.stdout.flush()
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


def counted(number: int, thing: str) -> str:
    """Return a number with what it counts.

    >>> counted(1, "warning"), counted(2_000, "warning")
    ('1 warning', '2,000 warnings')
    """
    return f"{number:,} {thing}" + ("" if number == 1 else "s")


class NoteHandler(logging.Handler):
    """Turns log lines of a command that has no log of its own into notes."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        note(f"{record.levelname.lower()}: {' '.join(record.getMessage().split())}")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write rows under a head, columns aligned, the last one as long as it is."""
    lines = [list(head), *[list(row) for row in rows]]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    for line in lines:
        say("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


class Advance(Protocol):
    """Told how much of a long work is done."""

    def __call__(self, done: float, /) -> None:
        """Show that `done` units of the total are done."""


@contextmanager
def progress(title: str, total: float | None) -> Iterator[Advance]:
    """Show a progress bar on standard error while the block runs; nothing when that is no terminal.

    Args:
        title: what is being done.
        total: units of the whole work, None when nobody knows.
    """
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    bar = _bar()
    with bar:
        task = bar.add_task(title, total=total)

        def advance(done: float, /) -> None:
            bar.update(task, completed=done)

        yield advance


def _bar() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
