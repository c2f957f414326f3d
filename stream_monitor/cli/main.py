"""`stream-monitor`: the global options, the list of commands, and what happens to errors."""

from __future__ import annotations

import logging
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from typer import _click as click

from stream_monitor.cli import (
    alerts,
    backtest,
    baseline,
    check,
    dead_letters,
    demo,
    export,
    recover,
    rekey,
    run,
    schema,
    simulate,
    topics,
)
from stream_monitor.cli.failures import Exit, describe
from stream_monitor.cli.output import NoteHandler, note
from stream_monitor.cli.state import GlobalOptions, OutputFormat

app = typer.Typer(
    name="stream-monitor",
    help="Watch the traffic of machine-learning models in Kafka for drift.",
    epilog="Global options may also stand after the command.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

# The order in which --help lists them: run it, set it up, try it, read it.
app.command("run")(run.run)
app.command("check")(check.check)
app.add_typer(topics.app, name="topics")
app.add_typer(baseline.app, name="baseline")
app.command("backtest")(backtest.backtest)
app.command("simulate")(simulate.simulate)
app.command("export")(export.export)
app.command("demo")(demo.demo)
app.add_typer(alerts.app, name="alerts")
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(recover.app, name="recover")
app.command("rekey")(rekey.rekey)
app.add_typer(schema.app, name="schema")

_WITH_VALUE = ("-c", "--config", "--set", "--bootstrap-servers", "--bootstrap-server", "-X", "--instance", "--format")
_ALONE = ("--traceback",)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        sys.stdout.write(f"stream-monitor {version('stream-monitor')}\n")
        raise typer.Exit


@app.callback()
def _root(  # one parameter an option: that is how typer is told
    context: typer.Context,
    config: Annotated[Path | None, typer.Option("-c", "--config", help="Configuration file (YAML).")] = None,
    assignments: Annotated[
        list[str] | None, typer.Option("--set", metavar="A.B=VALUE", help="One setting, over file and environment.")
    ] = None,
    bootstrap: Annotated[
        str | None,
        typer.Option("--bootstrap-servers", "--bootstrap-server", metavar="HOST:PORT,...", help="Kafka brokers."),
    ] = None,
    librdkafka: Annotated[
        list[str] | None, typer.Option("-X", metavar="KEY=VALUE", help="One librdkafka setting.")
    ] = None,
    instance: Annotated[
        str | None, typer.Option("--instance", help="Name of this worker, stable over restarts.")
    ] = None,
    output: Annotated[OutputFormat, typer.Option("--format", help="Of results.")] = OutputFormat.TEXT,
    show_traceback: Annotated[bool, typer.Option("--traceback", help="Show where an error came from.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    del version
    context.obj = GlobalOptions(
        config=config,
        assignments=tuple(assignments or ()),
        librdkafka=tuple(librdkafka or ()),
        bootstrap=bootstrap,
        instance=instance,
        output=output,
        traceback=show_traceback,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit with its code."""
    sys.exit(run_command(sys.argv[1:] if arguments is None else list(arguments)))


def run_command(arguments: list[str]) -> int:
    """Run one command and return its exit code; errors become one line on standard error."""
    arguments = hoisted(arguments)
    logging.basicConfig(handlers=[NoteHandler()])  # a worker replaces it by its own log
    try:
        code = app(arguments, prog_name="stream-monitor", standalone_mode=False)
    except click.exceptions.UsageError as error:
        where = "" if error.ctx is None else f"; see {error.ctx.command_path} --help"
        note(f"{error.format_message().rstrip('.')}{where}")
        return Exit.USAGE
    except click.exceptions.ClickException as error:
        note(error.format_message())
        return Exit.USAGE
    except (KeyboardInterrupt, typer.Abort):
        return Exit.INTERRUPTED
    except BrokenPipeError:
        # The reader of our output has gone: nothing is left to be said, not even by the interpreter at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.GOOD
    except Exception as error:  # noqa: BLE001  # the outermost loop: whatever it is, it is told and ends with its code
        if "--traceback" in arguments:
            note(_without_secrets(traceback.format_exc().rstrip()))
        failure = describe(error)
        for line in failure.lines:
            note(_without_secrets(line))
        return failure.code
    return code if isinstance(code, int) else Exit.GOOD


def hoisted(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with global options moved before the command, where the parser wants them.

    >>> hoisted(["run", "-c", "a.yaml", "--role", "judge", "--format=json"])
    ['-c', 'a.yaml', '--format=json', 'run', '--role', 'judge']
    """
    front: list[str] = []
    rest: list[str] = []
    left = list(arguments)
    while left:
        argument = left.pop(0)
        if argument == "--":
            return [*front, *rest, argument, *left]
        name, equals, _ = argument.partition("=")
        if argument in _ALONE or (equals and name in _WITH_VALUE):
            front.append(argument)
        elif argument in _WITH_VALUE and left:
            front += [argument, left.pop(0)]
        else:
            rest.append(argument)
    return front + rest


def _without_secrets(line: str) -> str:
    redaction = sys.modules.get("stream_monitor.config.redaction")
    return line if redaction is None else str(redaction.redact_text(line, ()))


if __name__ == "__main__":
    main()
