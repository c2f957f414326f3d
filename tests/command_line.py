"""Parses commands as the command line would, without running them: for commands in documents and deployment files."""

from __future__ import annotations

from collections.abc import Sequence

from typer.main import get_command

from stream_monitor.cli.main import app, hoisted


def parse(arguments: Sequence[str]) -> str:
    """Return the path of the command that the arguments (without the program's name) call.

    Raises:
        Exception: there is no such command or option, or a value does not fit (an error of the command line's library).
    """
    command = get_command(app)
    rest = hoisted(list(arguments))
    path = "stream-monitor"
    context = None
    while True:
        context = command.make_context(path, rest, parent=context)
        rest = [*context._protected_args, *context.args]
        if not hasattr(command, "resolve_command") or not rest:
            return path
        name, found, rest = command.resolve_command(context, rest)
        if found is None or name is None:
            raise LookupError(f"no command {rest[0]} in {path}")
        command, path = found, f"{path} {name}"
