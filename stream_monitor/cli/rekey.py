"""`rekey`: more judge partitions without losing a state."""

from __future__ import annotations

from typing import Annotated

import typer

from stream_monitor.cli.output import emit, note, say
from stream_monitor.cli.recover import seconds
from stream_monitor.cli.state import GlobalOptions


def rekey(
    context: typer.Context,
    partitions: Annotated[int, typer.Option("--partitions", min=2, help="How many judge partitions there will be.")],
    yes: Annotated[
        bool, typer.Option("--yes", "--execute", help="Do it; without this, only show what would be done.")
    ] = False,
    wait: Annotated[
        str, typer.Option("--wait", metavar="SPAN", help="How long to wait for stopped workers to leave their groups.")
    ] = "0s",
) -> None:
    """Split the judge partitions into a multiple of them: models move with their whole state, nothing starts anew.

    Everything has to be judged, and all workers stopped.
    """
    from stream_monitor.kafka.client_settings import outsider
    from stream_monitor.kafka.clients import close_consumer, open_admin, open_consumer
    from stream_monitor.kafka.judge import JudgeJob
    from stream_monitor.kafka.recovery.judge_states import judge_states
    from stream_monitor.kafka.recovery.members import require_none
    from stream_monitor.kafka.recovery.partition_split import add_partitions, plan_alert_moves, plan_rekey, write_states
    from stream_monitor.kafka.topics import describe_topics
    from stream_monitor.runtimes.connection import reached, topic_names
    from stream_monitor.runtimes.detectors import resolve_detectors
    from stream_monitor.runtimes.roles import consumer_groups
    from stream_monitor.runtimes.rules import resolve_rules

    options = context.ensure_object(GlobalOptions)
    settings = options.settings()
    plan, kafka, names = settings.plan, reached(settings), topic_names(settings)
    admin = open_admin(kafka)
    for group in consumer_groups(settings.group):
        require_none(admin, group, wait_s=seconds(wait, "--wait"))
    job = JudgeJob(
        kafka,
        plan,
        group=settings.group,
        instance=settings.instance,
        topics=names,
        rules=resolve_rules(plan),
        detectors=resolve_detectors(plan),
    )
    source = open_consumer(outsider(kafka, group=settings.group), lambda _: None)
    try:
        with judge_states(job, admin) as states:
            stored = [states.stored(partition) for partition in range(states.context.partitions)]
            topics = describe_topics(admin, [item.topic for item in plan.inputs])
            inputs = [(name, p) for name, state in topics.items() for p in range(state.partitions)]
            made = plan_rekey(states, stored, to=partitions, source=source, inputs=inputs)
            old = min((found.commit.partitions for found in stored if found.commit is not None), default=0)
            moves = plan_alert_moves(states, old=old, to=partitions) if made else []
            for new in made:
                if options.json:
                    emit({"partition": new.partition, "from": new.parent, "models": list(new.models)})
                elif new.partition != new.parent:
                    moved = ", ".join(new.models) or "no model yet"
                    say(f"partition {new.partition}, from partition {new.parent}: {moved}")
            if not made:
                note(f"nothing to do: {partitions} partitions, each with its state")
            elif not yes:
                note("models move with evidence, windows, open alerts and baselines; nothing starts anew")
                note("nothing is written yet: run it again with --yes")
            else:
                add_partitions(admin, names, partitions)
                write_states(states, made, stored, moves=moves, old=old, to=partitions)
                note(f"{partitions} judge partitions: set topics.partitions to that, then start the workers")
    finally:
        close_consumer(source)
