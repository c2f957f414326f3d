"""`topics show`, `create`, `verify`, `acls`, `delete`: the topics of the product, and who may do what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from stream_monitor.cli.failures import CommandError, Exit
from stream_monitor.cli.output import emit, note, say, table
from stream_monitor.cli.state import GlobalOptions

if TYPE_CHECKING:
    from stream_monitor.kafka.topics import Difference, TopicSpec

app = typer.Typer(help="Topics: show, create, verify, acls, delete.", no_args_is_help=True)


@app.command()
def show(context: typer.Context) -> None:
    """Show the topics that the configuration stands for; asks no broker."""
    options = context.ensure_object(GlobalOptions)
    _print(options, _specs(options))


@app.command()
def create(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print the plan.")] = False,
) -> None:
    """Create the topics that are missing; the plan is printed first. Existing topics are left alone."""
    from stream_monitor.kafka.clients import open_admin
    from stream_monitor.kafka.topics import create_topics, describe_topics
    from stream_monitor.runtimes.connection import reached

    options = context.ensure_object(GlobalOptions)
    specs = _specs(options)
    admin = open_admin(reached(options.settings(needs_group=False)))
    existing = describe_topics(admin, [spec.name for spec in specs])
    missing = tuple(spec for spec in specs if spec.name not in existing)
    for spec in specs:
        if spec.name in existing:
            note(f"topic {spec.name}: exists, left alone")
    if not missing:
        return
    _print(options, missing)
    if dry_run:
        return
    made = create_topics(admin, missing)
    for name in made:
        note(f"topic {name}: created")


@app.command()
def verify(context: typer.Context) -> None:
    """Compare the topics with the broker; exit code 1 when a difference would stop a worker."""
    from stream_monitor.kafka.clients import open_admin
    from stream_monitor.kafka.topics import Weight, verify_topics
    from stream_monitor.runtimes.connection import reached

    options = context.ensure_object(GlobalOptions)
    found = verify_topics(open_admin(reached(options.settings(needs_group=False))), _specs(options))
    for difference in found:
        _tell(options, difference)
    errors = sum(d.weight is Weight.ERROR for d in found)
    if errors:
        raise CommandError(f"{errors} of the differences would stop a worker", Exit.UNEXPECTED)
    if not options.json:
        say("all topics are as they should be" if not found else "no difference would stop a worker")


@app.command()
def acls(
    context: typer.Context,
    users: Annotated[
        list[str] | None,
        typer.Option("--user", metavar="ROLE=User:NAME", help="Who acts in a role; prints the commands that grant it."),
    ] = None,
) -> None:
    """Show what each role may do on a cluster with ACLs, or print the commands that grant it; asks no broker."""
    from stream_monitor.kafka.permissions import Principal, acl_command, permissions
    from stream_monitor.runtimes.connection import topic_names

    options = context.ensure_object(GlobalOptions)
    settings = options.settings(needs_group=False)
    named = _users(users or [])
    inputs = [source.topic for source in settings.plan.inputs]
    found = [
        line
        for role in Principal
        if not named or role in named
        for line in permissions(role, group=settings.group, inputs=inputs, topics=topic_names(settings))
    ]
    commands = {line: acl_command(line, named[line.principal]) for line in found if named}
    if options.json:
        for line in found:
            emit(
                {
                    "role": line.principal,
                    "resource": line.resource,
                    "name": line.name,
                    "pattern": "prefixed" if line.is_prefix else "literal",
                    "operations": line.operations,
                    "why": line.why,
                    "command": commands.get(line),
                }
            )
    elif named:
        for command in commands.values():
            say(command)
    else:
        head = ("role", "resource", "name", "operations", "why")
        rows = [
            (line.principal, line.resource, line.name + "*" * line.is_prefix, ", ".join(line.operations), line.why)
            for line in found
        ]
        table(head, rows)


def _users(texts: list[str]) -> dict[str, str]:
    from stream_monitor.kafka.permissions import Principal

    found = {}
    for text in texts:
        role, equals, user = text.partition("=")
        if not equals or role not in set(Principal) or not user.startswith("User:"):
            raise CommandError(f"--user: must be ROLE=User:NAME with a role of {', '.join(Principal)}, got {text}")
        found[role] = user
    return found


@app.command()
def delete(
    context: typer.Context,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    wait: Annotated[
        str, typer.Option("--wait", metavar="SPAN", help="How long to wait for stopped workers to leave their groups.")
    ] = "0s",
) -> None:
    """Delete our own topics and consumer groups, with everything in them: alerts, baselines, history.

    Asks first. Input topics are never touched, nor is a topic that holds records of others.
    """
    from stream_monitor.cli.recover import seconds
    from stream_monitor.kafka.clients import open_admin
    from stream_monitor.kafka.ours import stranger
    from stream_monitor.kafka.recovery.members import delete_groups, existing_groups, require_none
    from stream_monitor.kafka.topics import delete_topics, describe_topics
    from stream_monitor.runtimes.connection import reached, topic_names
    from stream_monitor.runtimes.roles import consumer_groups

    options = context.ensure_object(GlobalOptions)
    settings = options.settings()
    kafka, names = reached(settings), topic_names(settings)
    admin = open_admin(kafka)
    found = describe_topics(admin, [spec.name for spec in _specs(options)])
    for name, state in sorted(found.items()):
        other = stranger(kafka, names, name, partitions=state.partitions, admin=admin)
        if other is not None:
            raise CommandError(
                f"topic {name}: the record at offset {other.offset} of partition {other.partition} is not ours:"
                " nothing is deleted; look at `topics` in the configuration"
            )
    groups = existing_groups(admin, consumer_groups(settings.group))
    if options.json:
        emit({"topics": sorted(found), "groups": list(groups)})
    else:
        for name in sorted(found):
            say(f"topic {name}")
        for group in groups:
            say(f"consumer group {group}")
    if not found and not groups:
        note("nothing is there to be deleted")
        return
    if not yes and not typer.confirm("Delete all of it, for good?", default=False, err=True):
        raise CommandError("nothing is deleted", Exit.UNEXPECTED)
    for group in groups:
        require_none(admin, group, wait_s=seconds(wait, "--wait"))
    delete_topics(admin, sorted(found))
    delete_groups(admin, groups)
    note(f"{len(found)} topics and {len(groups)} consumer groups deleted")


def _specs(options: GlobalOptions) -> tuple[TopicSpec, ...]:
    from stream_monitor.runtimes.connection import topic_specs

    return topic_specs(options.settings(needs_group=False))


def _print(options: GlobalOptions, specs: tuple[TopicSpec, ...]) -> None:
    if options.json:
        for spec in specs:
            emit(
                {
                    "name": spec.name,
                    "partitions": spec.partitions,
                    "replication": spec.replication,
                    "config": dict(spec.config),
                }
            )
        return
    table(
        ("topic", "partitions", "replication", "settings"),
        [
            (s.name, str(s.partitions), str(s.replication), " ".join(f"{k}={v}" for k, v in s.config.items()))
            for s in specs
        ],
    )


def _tell(options: GlobalOptions, difference: Difference) -> None:
    if options.json:
        emit(
            {
                "topic": difference.topic,
                "setting": difference.setting,
                "expected": difference.expected,
                "found": difference.found,
                "weight": difference.weight.value,
                "fix": difference.fix,
            }
        )
    else:
        say(f"{difference.weight}: {difference}")
