"""A file that a command reads more than once; standard input becomes one."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from stream_monitor.cli.failures import CommandError

STANDARD_INPUT = "-"


@contextmanager
def source_file(source: str | Path) -> Iterator[Path]:
    """Yield the path of a file; `-` is standard input, kept until the command ends.

    Raises:
        CommandError: it is a folder, or standard input is a terminal.
    """
    if str(source) != STANDARD_INPUT:
        path = Path(source)
        if path.is_dir():
            raise CommandError(f"{path}: is a folder: name one file in it")
        yield path
        return
    if sys.stdin.isatty():
        raise CommandError("-: standard input is a terminal: send a file to it, as in 'cat FILE | stream-monitor ...'")
    with tempfile.TemporaryDirectory(prefix="stream-monitor-") as folder:
        path = Path(folder) / "stdin"
        with path.open("wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        yield path
