"""`alerts list`, `follow`, `show`: what `drift-alerts` holds, and what comes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from stream_monitor.cli.alert_page import event_lines, page, terminal_width
from stream_monitor.cli.failures import CommandError, Exit
from stream_monitor.cli.output import say, table
from stream_monitor.cli.state import GlobalOptions

if TYPE_CHECKING:
    from stream_monitor.kafka.client_settings import KafkaSettings
    from stream_monitor.kafka.readers import AlertRecord

app = typer.Typer(help="Alerts: list, follow, show.", no_args_is_help=True)


@app.command("list")
def list_alerts(
    context: typer.Context,
    firing: Annotated[bool, typer.Option("--firing", help="Only those that are firing now.")] = False,
    model: Annotated[str | None, typer.Option("--model", help="Only those of one model.")] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="SPAN", help="Only those with an event in the last 2h, 7d ...")
    ] = None,
    limit: Annotated[int, typer.Option("-n", "--limit", min=1, help="At most so many, newest first.")] = 100,
) -> None:
    """List alerts with their last event, newest first."""
    from stream_monitor.kafka.readers import Span, alert_events, alerts_of

    span = Span() if since is None else Span(since_ms=_since_ms(since))
    options, kafka, topic = _connect(context)
    found = [
        alert
        for alert in alerts_of(alert_events(kafka, topic, span=span))
        if (not firing or alert.status == "firing") and (model is None or alert.labels.get("model") == model)
    ][:limit]
    if options.json:
        for alert in found:
            say(alert.event.decode())
        return
    if not found:
        say("no alerts")
        return
    table(("since", "until", "status", "severity", "alert", "summary"), [_row(alert) for alert in found])


@app.command()
def follow(
    context: typer.Context,
    from_beginning: Annotated[bool, typer.Option("--from-beginning", help="Begin with the oldest event.")] = False,
) -> None:
    """Print alert events as they are published, until Ctrl-C."""
    import threading

    from stream_monitor.kafka.readers import follow_alerts
    from stream_monitor.runtimes.stopping import stopping_on_signals

    options, kafka, topic = _connect(context)
    ending = threading.Event()
    with stopping_on_signals(ending.set):
        for alert in follow_alerts(kafka, topic, from_beginning=from_beginning, is_stopping=ending.is_set):
            lines = [alert.event.decode()] if options.json else event_lines(alert, terminal_width())
            for line in lines:
                say(line)


@app.command()
def show(
    context: typer.Context,
    alert_id: Annotated[str, typer.Argument(metavar="ID", help="Id or fingerprint of an alert, or a beginning of it.")],
) -> None:
    """Show one alert: its text, a histogram of normally against now, every event. All numbers: `--format json`."""
    from stream_monitor.kafka.readers import alert_events

    options, kafka, topic = _connect(context)
    events = [event for event in alert_events(kafka, topic) if event.alert_id.startswith(alert_id)]
    if not events:
        raise CommandError(f"{topic}: holds no alert whose id begins with {alert_id}", Exit.UNEXPECTED)
    newest = max(events, key=lambda event: event.starts_ms).alert_id
    events = [event for event in events if event.alert_id == newest]
    if options.json:
        for event in events:
            say(event.event.decode())
        return
    for line in page(events, terminal_width()):
        say(line)


def _row(alert: AlertRecord) -> tuple[str, ...]:
    from stream_monitor.core.time import format_instant

    return (
        format_instant(alert.starts_ms),
        "" if alert.ends_ms is None else format_instant(alert.ends_ms),
        alert.status,
        alert.labels.get("severity", ""),
        alert.alert_id,
        alert.summary,
    )


def _connect(context: typer.Context) -> tuple[GlobalOptions, KafkaSettings, str]:
    from stream_monitor.runtimes.connection import reached

    options = context.ensure_object(GlobalOptions)
    settings = options.settings(needs_group=False)
    return options, reached(settings), settings.topics.alerts


def _since_ms(text: str) -> int:
    from stream_monitor.cli.moments import ago_ms

    return ago_ms(text, "--since")
