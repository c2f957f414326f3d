"""`recover`: an operator's decisions when state is lost; each is shown first, and done with `--yes`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from stream_monitor.cli.failures import CommandError
from stream_monitor.cli.output import emit, note, say, table
from stream_monitor.cli.state import GlobalOptions

if TYPE_CHECKING:
    from stream_monitor.core.canonical import Json
    from stream_monitor.kafka.recovery.offsets import OffsetStep, Target

app = typer.Typer(help="Go on after a loss of state: offsets. Nothing is written without --yes.", no_args_is_help=True)

Yes = Annotated[bool, typer.Option("--yes", "--execute", help="Do it; without this, only show what would be done.")]
Wait = Annotated[
    str, typer.Option("--wait", metavar="SPAN", help="How long to wait for stopped workers to leave the group.")
]


@app.command("offsets")
def offsets(
    context: typer.Context,
    to: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="OFFSET", help="Where to go on: an offset, earliest or latest. Default: the log says."
        ),
    ] = None,
    topic: Annotated[str | None, typer.Option("--topic", help="Only this input topic, also where it is good.")] = None,
    partition: Annotated[int | None, typer.Option("--partition", min=0, help="Only this partition.")] = None,
    yes: Yes = False,
    wait: Wait = "0s",
) -> None:
    """Mend the committed offsets of the inputs: from the log of profiles, or where --to says.

    Without --to nothing is counted twice and nothing is left out. With --to the judge notes a declared gap.
    """
    from stream_monitor.kafka.clients import open_admin
    from stream_monitor.kafka.recovery.offset_log import OffsetLog, now_ms
    from stream_monitor.kafka.recovery.offsets import plan_offsets
    from stream_monitor.runtimes.connection import kafka_settings

    options = context.ensure_object(GlobalOptions)
    settings = options.settings()
    kafka = kafka_settings(settings)
    log = OffsetLog(
        kafka,
        group=settings.group,
        inputs=[source.topic for source in settings.plan.inputs],
        profiles=settings.topics.profiles,
        admin=open_admin(kafka),
    )
    try:
        facts = log.facts()
        named = None
        if topic is not None or partition is not None:
            named = [p for p in facts if topic in (None, p[0]) and partition in (None, p[1])]
            if not named:
                raise CommandError("--topic, --partition: no input partition is called that")
        target = _target(to)
        if isinstance(target, int) and len(facts if named is None else named) > 1:
            raise CommandError("--to OFFSET: name the one partition that is meant, with --topic and --partition")
        try:
            steps = plan_offsets(facts, to=target, named=named, now_ms=now_ms())
        except ValueError as error:
            raise CommandError(str(error)) from None
        _show(options, steps)
        wanted = [step for step in steps if step.next is not None]
        if yes and wanted:
            log.commit(wanted, wait_s=_seconds(wait))
            note(f"{len(wanted)} offsets committed: start the workers")
        elif wanted:
            note("nothing is written yet: run it again with --yes")
        open_steps = [step for step in steps if step.needs_target]
        if open_steps:
            raise CommandError(f"{len(open_steps)} partitions need --to: the log does not say where they go on")
    finally:
        log.close()


def _target(text: str | None) -> Target:
    if text is None or text in ("earliest", "latest"):
        return text
    try:
        return int(text)
    except ValueError:
        raise CommandError(f"--to: must be an offset, earliest or latest, got {text!r}") from None


def _seconds(span: str) -> float:
    from stream_monitor.config.durations import parse_duration

    try:
        return parse_duration(span) / 1_000
    except ValueError as error:
        raise CommandError(f"--wait: {error}") from None


def _show(options: GlobalOptions, steps: list[OffsetStep]) -> None:
    if options.json:
        for step in steps:
            emit(_plain(step))
        return
    table(
        ("partition", "committed", "goes on at", "what"),
        [
            (
                f"{step.topic}[{step.partition}]",
                "-" if step.before is None else str(step.before),
                "-" if step.next is None else str(step.next),
                step.text,
            )
            for step in steps
        ],
    )
    if not steps:
        say("no partitions")


def _plain(step: OffsetStep) -> dict[str, Json]:
    chain = step.chain
    return {
        "topic": step.topic,
        "partition": step.partition,
        "condition": step.condition.value,
        "committed": step.before,
        "next": step.next,
        "epoch": None if chain is None else chain.epoch,
        "seq": None if chain is None else chain.last.seq,
        "needs_to": step.needs_target,
        "text": step.text,
    }
