"""`recover`: an operator's decisions when state is lost; each is shown first, and done with `--yes`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from stream_monitor.cli.failures import CommandError
from stream_monitor.cli.output import emit, note, say, table
from stream_monitor.cli.state import GlobalOptions

if TYPE_CHECKING:
    from stream_monitor.core.canonical import Json
    from stream_monitor.kafka.profile.owned import InputPartition
    from stream_monitor.kafka.recovery.gap import GapStep
    from stream_monitor.kafka.recovery.offsets import OffsetStep, PartitionFacts, Target

app = typer.Typer(
    help="Go on after a loss of state: offsets, watermark, chain, gap. Nothing is written without --yes.",
    no_args_is_help=True,
)

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
    from stream_monitor.kafka.recovery.offset_log import now_ms
    from stream_monitor.kafka.recovery.offsets import plan_offsets

    target = _target(to)

    def plan(
        facts: Mapping[InputPartition, PartitionFacts], named: Sequence[InputPartition] | None
    ) -> list[OffsetStep]:
        if isinstance(target, int) and len(facts if named is None else named) > 1:
            raise CommandError("--to OFFSET: name the one partition that is meant, with --topic and --partition")
        return plan_offsets(facts, to=target, named=named, now_ms=now_ms())

    _inputs(context, plan, topic=topic, partition=partition, yes=yes, wait=wait)


def _inputs(
    context: typer.Context,
    plan: Callable[[Mapping[InputPartition, PartitionFacts], Sequence[InputPartition] | None], list[OffsetStep]],
    *,
    topic: str | None,
    partition: int | None,
    yes: bool,
    wait: str,
) -> None:
    """Show what a plan makes of the input partitions, and commit it when it is wanted."""
    from stream_monitor.kafka.clients import open_admin
    from stream_monitor.kafka.recovery.offset_log import OffsetLog
    from stream_monitor.runtimes.connection import reached

    options = context.ensure_object(GlobalOptions)
    settings = options.settings()
    kafka = reached(settings)
    log = OffsetLog(
        kafka,
        group=settings.group,
        inputs=[source.topic for source in settings.plan.inputs],
        profiles=settings.topics.profiles,
        admin=open_admin(kafka),
    )
    try:
        if yes:
            log.require_free(wait_s=seconds(wait, "--wait"))
        facts = log.facts()
        named = None
        if topic is not None or partition is not None:
            named = [p for p in facts if topic in (None, p[0]) and partition in (None, p[1])]
            if not named:
                raise CommandError("--topic, --partition: no input partition is called that")
        try:
            steps = plan(facts, named)
        except ValueError as error:
            raise CommandError(str(error)) from None
        _show(options, steps)
        wanted = [step for step in steps if step.next is not None]
        if yes and wanted:
            log.commit(wanted)
            note(f"{len(wanted)} offsets committed: start the workers")
        elif wanted:
            note("nothing is written yet: run it again with --yes")
        open_steps = [step for step in steps if step.needs_target]
        if open_steps:
            raise CommandError(f"{len(open_steps)} partitions need --to: the log does not say where they go on")
    finally:
        log.close()


@app.command("watermark")
def watermark(
    context: typer.Context,
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="INSTANT", help="Nothing may stand after this instant. Default: now."),
    ] = None,
    topic: Annotated[str | None, typer.Option("--topic", help="Only this input topic.")] = None,
    partition: Annotated[int | None, typer.Option("--partition", min=0, help="Only this partition.")] = None,
    yes: Yes = False,
    wait: Wait = "0s",
) -> None:
    """Set back the running maximum of event time of partitions, after records that were stamped in the future.

    Good events are late while it stands too far ahead. The chain goes on at the same offset, in a new epoch.
    """
    from stream_monitor.cli.moments import ago_ms
    from stream_monitor.kafka.recovery.offset_log import now_ms
    from stream_monitor.kafka.recovery.watermark import plan_watermark

    to_ms = now_ms() if to is None else ago_ms(to, "--to")
    _inputs(
        context,
        lambda facts, named: plan_watermark(facts, to_ms=to_ms, named=named, now_ms=now_ms()),
        topic=topic,
        partition=partition,
        yes=yes,
        wait=wait,
    )


@app.command("gap")
def gap(context: typer.Context, yes: Yes = False, wait: Wait = "0s") -> None:
    """Let the judge go on behind a loss that nothing heals: lost history, a log made anew, lost state, a chain gap.

    Says for each judge partition what is the matter, what is lost and where it goes on.
    """
    _judge(context, yes=yes, wait_s=seconds(wait, "--wait"), is_filled=False)


@app.command("chain")
def chain(context: typer.Context, yes: Yes = False, wait: Wait = "0s") -> None:
    """Count again what the log of profiles lost, where the input topics still hold it: nothing is left out.

    For chain gaps, lost history and a log made anew; the workers of the inputs have to have written to the new log.
    """
    _judge(context, yes=yes, wait_s=seconds(wait, "--wait"), is_filled=True)


def _judge(context: typer.Context, *, yes: bool, wait_s: float, is_filled: bool) -> None:
    from stream_monitor.formats import build_decoder
    from stream_monitor.kafka.clients import open_admin
    from stream_monitor.kafka.judge import JudgeJob
    from stream_monitor.kafka.recovery.gap import plan_gap
    from stream_monitor.kafka.recovery.judge_states import judge_states, recount_of
    from stream_monitor.runtimes.connection import reached, topic_names
    from stream_monitor.runtimes.detectors import resolve_detectors
    from stream_monitor.runtimes.rules import resolve_rules

    options = context.ensure_object(GlobalOptions)
    settings = options.settings()
    plan, kafka = settings.plan, reached(settings)
    job = JudgeJob(
        kafka,
        plan,
        group=settings.group,
        instance=settings.instance,
        topics=topic_names(settings),
        rules=resolve_rules(plan),
        detectors=resolve_detectors(plan),
    )
    admin = open_admin(kafka)
    with judge_states(job, admin) as states:
        if yes:
            states.require_free(wait_s=wait_s)
        decoders = {source.topic: build_decoder(source, plan) for source in plan.inputs}
        recount = recount_of(states.context, decoders, admin) if is_filled else None
        stored = [states.stored(partition) for partition in range(states.context.partitions)]
        steps = [plan_gap(states.context, partition, found, recount=recount) for partition, found in enumerate(stored)]
        _show_gaps(options, settings.topics.profiles, steps)
        if is_filled and not all(step.is_whole for step in steps):
            raise CommandError(
                "not everything can be counted again: start the profile workers so that the log says where each chain"
                " goes on and run this again, or run 'stream-monitor recover gap' to go on without the rest"
            )
        wanted = [step for step in steps if step.judge is not None]
        if yes:
            for step in wanted:
                states.write(step, stored[step.partition])
            note(f"{len(wanted)} judge partitions go on: start the workers" if wanted else "nothing to do")
        elif wanted:
            note("nothing is written yet: run it again with --yes")


def _show_gaps(options: GlobalOptions, topic: str, steps: list[GapStep]) -> None:
    if options.json:
        for step in steps:
            emit(
                {
                    "partition": step.partition,
                    "condition": step.condition.value,
                    "next": None if step.judge is None else step.position,
                    "text": step.text,
                    "resumed": [
                        {
                            "topic": c.place[0],
                            "partition": c.place[1],
                            "expected": c.expected,
                            "first": c.first,
                            "filled": c.is_filled,
                        }
                        for c in step.resumed
                    ],
                }
            )
        return
    for step in steps:
        say(f"{topic}[{step.partition}]: {step.text}" + ("" if step.judge is None else f": goes on at {step.position}"))
        for chain in step.resumed:
            say(f"  {chain}")


def _target(text: str | None) -> Target:
    if text is None or text in ("earliest", "latest"):
        return text
    try:
        return int(text)
    except ValueError:
        raise CommandError(f"--to: must be an offset, earliest or latest, got {text!r}") from None


def seconds(span: str, option: str) -> float:
    """Return a span of the command line in seconds.

    Raises:
        CommandError: it is none.
    """
    from stream_monitor.config.durations import parse_duration

    try:
        return parse_duration(span) / 1_000
    except ValueError as error:
        raise CommandError(f"{option}: {error}, got {span}") from None


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
