"""`simulate SCENARIO`: traffic with drifts made to order, to a file or to a topic."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from stream_monitor.cli.failures import CommandError
from stream_monitor.cli.output import emit, note, progress
from stream_monitor.cli.state import GlobalOptions

if TYPE_CHECKING:
    from stream_monitor.lab.demo.backend import Events
    from stream_monitor.lab.scenario import Scenario

REFERENCE_ROWS = 4_095


class ScenarioName(StrEnum):
    """Scenarios that can be simulated."""

    FRAUD = "fraud"


def simulate(
    context: typer.Context,
    scenario: Annotated[ScenarioName, typer.Argument(help="What happens.")],
    to: Annotated[Path | None, typer.Option("--to", help="Write events to a file, one a line, at once.")] = None,
    topic: Annotated[str | None, typer.Option("--topic", help="Send events to a topic, as time goes by.")] = None,
    duration: Annotated[
        str | None,
        typer.Option("--for", metavar="SPAN", help="For so long; without it a file gets 5m, a topic no end."),
    ] = None,
    rate: Annotated[int, typer.Option("--rate", min=1, max=200_000, help="Events per second.")] = 1_000,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Names the traffic: the same seed, the same events.")] = 1,
    start: Annotated[
        str | None, typer.Option("--start", metavar="INSTANT", help="Of the first event of a file; default 2026-01-01.")
    ] = None,
    reference: Annotated[
        Path | None,
        typer.Option("--reference", help=f"Also write {REFERENCE_ROWS:,} healthy events for a baseline to this file."),
    ] = None,
) -> None:
    """Make traffic whose inputs drift on a schedule.

    The same scenario, seed and start give the same bytes. Injected drifts are reported on standard error; with
    --format json on standard output, an object a line, the number of events last.
    """
    from stream_monitor.lab.scenario import demo_scenario

    options = context.ensure_object(GlobalOptions)
    if (to is None) == (topic is None):
        raise CommandError("simulate: needs either --to FILE or --topic NAME")
    made = {ScenarioName.FRAUD: demo_scenario}[scenario](seed=seed, rate=rate)
    seconds = _seconds(duration)
    start_ms = _start_ms(start) if topic is None else (int(time.time()) + 1) * 1_000
    if reference is not None:
        with reference.open("wb") as file:
            file.writelines(value + b"\n" for _, value in made.reference(REFERENCE_ROWS, start_ms=start_ms))
        note(f"{REFERENCE_ROWS:,} healthy events to {reference}")
    if to is not None:
        _to_file(options, made, to, seconds=300 if seconds is None else seconds, start_ms=start_ms)
    elif topic is not None:
        _to_topic(options, made, topic, seconds=seconds, start_ms=start_ms)


def _to_file(options: GlobalOptions, scenario: Scenario, to: Path, *, seconds: int, start_ms: int) -> None:
    with to.open("wb") as file, progress("simulate", float(seconds)) as advance:
        for second in range(seconds):
            file.writelines(value + b"\n" for _, value in scenario.second(second, start_ms=start_ms))
            advance(second + 1)
    _report(scenario, seconds, scenario.rate * seconds, str(to), as_json=options.json)


def _to_topic(options: GlobalOptions, scenario: Scenario, topic: str, *, seconds: int | None, start_ms: int) -> None:
    import threading

    from stream_monitor.kafka.event_producer import EventProducer
    from stream_monitor.lab.demo.sender import Sender
    from stream_monitor.runtimes.connection import reached
    from stream_monitor.runtimes.stopping import stopping_on_signals

    producer = EventProducer(reached(options.settings(needs_group=False)), topic)

    def send(events: Events) -> None:
        for at_ms, value in events:
            producer.send(value, timestamp_ms=at_ms)

    sender = Sender(scenario, send, start_ms=start_ms)
    ending = threading.Event()
    with stopping_on_signals(ending.set):
        sender.start()
        while not ending.is_set() and sender.failed is None and (seconds is None or sender.second < seconds):
            ending.wait(0.1)
        passed = int(sender.second)
        sender.stop()
    if sender.failed is not None:
        raise sender.failed
    producer.flush()
    _report(scenario, passed, producer.sent, topic, as_json=options.json)


def _report(scenario: Scenario, seconds: int, events: int, to: str, *, as_json: bool) -> None:
    """Report what was injected and how many events were written where."""
    for drift in scenario.injected(until_s=seconds):
        if as_json:
            emit({"drift": drift.title, "from_s": drift.at_s, "until_s": drift.until_s})
        else:
            note(f"second {drift.at_s:g} to {drift.until_s:g}: {drift.title}")
    if as_json:
        emit({"events": events, "to": to})
    else:
        note(f"{events:,} events to {to}")


def _seconds(text: str | None) -> int | None:
    from stream_monitor.config.durations import parse_duration

    if text is None:
        return None
    try:
        return max(1, parse_duration(text) // 1_000)
    except ValueError as error:
        raise CommandError(f"--for: {error}, got {text}") from None


def _start_ms(text: str | None) -> int:
    from stream_monitor.core.time import parse_instant

    try:
        return parse_instant(text or "2026-01-01T00:00:00Z")
    except ValueError as error:
        raise CommandError(f"--start: {error}, got {text}") from None
