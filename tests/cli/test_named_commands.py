"""Every command that a message or a document names exists, with the options that it is named with."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from stream_monitor.cli.main import _ALONE, _WITH_VALUE, app

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "stream_monitor").rglob("*.py"))
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "deploy").rglob("*.y*ml"))]

# In a message across lines of source, strings are joined first.
_JOINED = re.compile(r"\"\s*\n\s*f?\"")
_QUOTED = re.compile(r"['`]stream-monitor ([^'`\n]+)['`]")
_LINE = re.compile(r"^(?:\$ )?(?:\.venv/bin/)?stream-monitor ([^#\n|>]+)", re.MULTILINE)


def named() -> Iterator[tuple[str, str]]:
    """Yield (file, words after the program's name) of every command that is named."""
    for path in SOURCES:
        text = _JOINED.sub("", path.read_text("utf-8"))
        yield from ((path.name, words) for words in _QUOTED.findall(text))
    for path in DOCUMENTS:
        text = path.read_text("utf-8")
        yield from ((path.name, words) for words in [*_QUOTED.findall(text), *_LINE.findall(text)])


def wrong(words: str) -> str | None:
    """Return what is wrong with a command line, None when nothing is."""
    command = typer.main.get_command(app)
    left = words.split()
    while left:
        word = left.pop(0).rstrip(".,;:")
        name = word.partition("=")[0]
        if name in _WITH_VALUE:
            if "=" not in word:
                left = left[1:]
        elif name in (*_ALONE, "--help", "--version"):
            continue
        elif name.startswith("--"):
            if not any(name in parameter.opts + parameter.secondary_opts for parameter in command.params):
                return f"{command.name} has no option {name}"
        elif isinstance(getattr(command, "commands", None), dict):
            if not re.fullmatch(r"[a-z][a-z-]*", word):
                return None  # a placeholder
            if word not in command.commands:  # type: ignore[attr-defined]  # asked for above
                return f"no command {word!r}"
            command = command.commands[word]  # type: ignore[attr-defined]  # likewise
    return None


def test_every_named_command_exists() -> None:
    """A runbook that names a command which is not there is worth nothing at three in the morning."""
    found = list(named())

    assert len(found) > 40
    assert {(name, words): why for name, words in found if (why := wrong(words)) is not None} == {}


@pytest.mark.parametrize("words", ["recover everything", "recover offsets --for-ever", "rekeys"])
def test_a_command_that_is_not_there_is_noticed(words: str) -> None:
    """The check itself can fail."""
    assert wrong(words) is not None
