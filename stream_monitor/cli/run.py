"""`run`: the worker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from stream_monitor.cli.failures import CommandError
from stream_monitor.cli.state import GlobalOptions

if TYPE_CHECKING:
    from stream_monitor.runtimes.roles import Role


def run(
    context: typer.Context,
    role: Annotated[
        str, typer.Option("--role", metavar="ROLES", help="profile, judge, or both joined by a comma.")
    ] = "profile,judge",
    engine: Annotated[
        str, typer.Option("--engine", help="What reads the input: default, or faust (slower; for teams that run it).")
    ] = "default",
    wait_for_broker: Annotated[
        str,
        typer.Option("--wait-for-broker", metavar="SPAN", help="How long the start waits for a broker that comes up."),
    ] = "60s",
) -> None:
    """Run the worker until SIGTERM or Ctrl-C.

    The round in hand is finished and committed; a second signal ends the process at once.
    """
    from stream_monitor.runtimes.kafka import KafkaRuntime
    from stream_monitor.runtimes.logs import configure_logging
    from stream_monitor.runtimes.roles import Engine
    from stream_monitor.runtimes.stopping import stopping_on_signals

    settings = context.ensure_object(GlobalOptions).settings()
    roles = parse_roles(role)
    if engine not in set(Engine):
        raise CommandError(f"--engine: must be {' or '.join(Engine)}, got {engine}")
    configure_logging(level=settings.logging.level, line_format=settings.logging.format, secrets=settings.secrets)
    runtime = KafkaRuntime(settings, roles, engine=Engine(engine), broker_wait_s=_seconds(wait_for_broker))
    with stopping_on_signals(runtime.stop):
        runtime.run()


def _seconds(span: str) -> float:
    from stream_monitor.config.durations import parse_duration

    try:
        return parse_duration(span) / 1_000
    except ValueError as error:
        raise CommandError(f"--wait-for-broker: {error}, got {span}") from None


def parse_roles(text: str) -> tuple[Role, ...]:
    """Return the roles of a list joined by commas.

    Raises:
        CommandError: a role is unknown, or one that this version does not have.
    """
    from stream_monitor.runtimes import roles

    known = {role.name: role for role in roles.ROLES}
    names = [name.strip() for name in text.split(",") if name.strip()]
    if "relay" in names and "relay" not in known:
        raise CommandError("--role: relay is not available yet; follow the topic of alerts instead")
    if not names or not set(names) <= set(known):
        several = "both" if len(known) == 2 else "several"
        raise CommandError(f"--role: must be {', '.join(known)}, or {several} joined by a comma, got {text}")
    return tuple(known[name] for name in dict.fromkeys(names))
