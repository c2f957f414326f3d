"""Where a command's words go: results to standard output, everything about them to standard error."""

from __future__ import annotations

import logging
import sys
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from stream_monitor.core.canonical import Json, canonical_json

if TYPE_CHECKING:
    from rich.progress import Progress

_WIDTH = 100


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


def listed(names: Sequence[str], most: int | None, *, hint: str = "") -> str:
    """Return names with commas between them, at most so many.

    >>> listed(["a", "b", "c"], 2), listed(["a", "b", "c"], 2, hint=" (-v)"), listed(["a", "b"], None)
    ('a, b and 1 more', 'a, b and 1 more (-v)', 'a, b')
    """
    more = 0 if most is None else len(names) - most
    return ", ".join(names[:most]) + (f" and {more:,} more{hint}" if more > 0 else "")


def folded(line: str) -> list[str]:
    """Return a line as lines of at most 100 characters, the later ones four to the right; no word is broken.

    A line with a command in it is better left whole: it is copied.
    """
    inner = " " * (len(line) - len(line.lstrip()) + 4)
    return textwrap.wrap(
        line, _WIDTH, subsequent_indent=inner, break_long_words=False, break_on_hyphens=False, drop_whitespace=True
    )


class NoteHandler(logging.Handler):
    """Turns log lines of a command that has no log of its own into notes."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        note(f"{record.levelname.lower()}: {' '.join(record.getMessage().split())}")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write rows under a head."""
    for line in aligned(head, rows):
        say(line)


def aligned(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows under a head as lines, columns aligned, the last one as long as it is."""
    lines = [list(head), *[list(row) for row in rows]]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]


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
