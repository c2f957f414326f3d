"""`demo`: a scoring service with drifts, watched live."""

from __future__ import annotations

from typing import Annotated

import typer

from stream_monitor.cli.failures import CommandError, Exit
from stream_monitor.cli.output import emit, note
from stream_monitor.cli.state import GlobalOptions


def demo(
    context: typer.Context,
    duration: Annotated[
        str | None, typer.Option("--for", metavar="SPAN", help="End by itself after so long, with a verdict.")
    ] = None,
    rate: Annotated[int, typer.Option("--rate", min=100, max=20_000, help="Events per second.")] = 1_500,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Names the traffic: the same seed, the same events.")] = 7,
    no_broker: Annotated[bool, typer.Option("--no-broker", help="Run without Kafka, in this process alone.")] = False,
) -> None:
    """Watch drift being caught: a fraud model, a mean shift, a null storm and a new category, on a schedule.

    The broker is the one of --bootstrap-servers, else a real Apache Kafka that is started here (Java 17 and Maven),
    else none. Exit code 0 only if every drift that was due was found and nothing else alarmed. Ctrl-C ends it.
    With --format json the verdict is an object on standard output, and all else goes to standard error.
    """
    from rich.console import Console

    from stream_monitor.lab.demo.backend import DemoError
    from stream_monitor.lab.demo.choice import choose
    from stream_monitor.lab.demo.live import Demo
    from stream_monitor.lab.scenario import demo_scenario
    from stream_monitor.runtimes.logs import configure_logging
    from stream_monitor.runtimes.stopping import interrupted_by_sigterm

    options = context.ensure_object(GlobalOptions)
    seconds = _seconds(duration)
    scenario = demo_scenario(seed=seed, rate=rate)
    console = Console(highlight=False, stderr=options.json)
    configure_logging(level="error", line_format="text", secrets=frozenset())
    try:
        with (
            interrupted_by_sigterm(),
            choose(scenario, bootstrap=options.bootstrap, no_broker=no_broker, say=note) as backend,
        ):
            note(f"metrics: http://{backend.address}/metrics")
            verdict = Demo(backend, scenario, console).run(seconds)
    except DemoError as error:
        raise CommandError(str(error), Exit.UNEXPECTED) from error
    if options.json:
        emit(verdict.as_json())
    else:
        console.print(str(verdict), markup=False, soft_wrap=True)
    if not verdict.good and (seconds is not None or verdict.missed or verdict.wrong):
        raise typer.Exit(Exit.UNEXPECTED)


def _seconds(text: str | None) -> float | None:
    from stream_monitor.config.durations import parse_duration

    if text is None:
        return None
    try:
        return parse_duration(text) / 1_000
    except ValueError as error:
        raise CommandError(f"--for: {error}, got {text}") from None
