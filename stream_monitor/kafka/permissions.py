"""What each role may do on the cluster, and no more: one list for the documentation, `topics acls` and the tests.

Operations and resources have Kafka's names. READ and WRITE on a topic include DESCRIBE; WRITE on a topic includes the
idempotent producer (Kafka 2.8 and later).

>>> [p.name for p in permissions(Principal.RELAY, group="fraud", inputs=["events"], topics=TopicNames())]
['drift-alerts', 'fraud-']
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from confluent_kafka import KafkaError, KafkaException, TopicCollection
from confluent_kafka.admin import AdminClient

from stream_monitor.kafka.errors import NotAuthorised, kafka_error
from stream_monitor.kafka.topics import TopicNames

_REQUEST_TIMEOUT_S = 15.0


class Principal(StrEnum):
    """Who acts: a role of a worker, who reads alerts, or a person at the command line."""

    PROFILE = "profile"
    JUDGE = "judge"
    RELAY = "relay"
    OPERATOR = "operator"


class Resource(StrEnum):
    """What is acted on."""

    TOPIC = "topic"
    GROUP = "group"
    TRANSACTIONAL_ID = "transactional-id"


class Operation(StrEnum):
    """What is done to it."""

    READ = "read"
    WRITE = "write"
    CREATE = "create"
    ALTER = "alter"
    DELETE = "delete"
    DESCRIBE = "describe"
    DESCRIBE_CONFIGS = "describe-configs"


_READ, _WRITE, _SHAPE = Operation.READ, Operation.WRITE, Operation.DESCRIBE_CONFIGS


@dataclass(frozen=True, slots=True)
class Permission:
    """One line of the table.

    Attributes:
        name: of the resource, or the beginning of its name.
        is_prefix: whether `name` is only the beginning.
        why: what fails without it.
    """

    principal: Principal
    resource: Resource
    name: str
    operations: tuple[Operation, ...]
    why: str
    is_prefix: bool = False


def permissions(
    principal: Principal, *, group: str, inputs: Sequence[str], topics: TopicNames
) -> tuple[Permission, ...]:
    """Return everything that a principal needs.

    Args:
        principal: who.
        group: of the configuration; every group and transactional id begins with it.
        inputs: input topics.
        topics: names of our own topics.
    """

    def topic(name: str, why: str, *operations: Operation) -> Permission:
        return Permission(principal, Resource.TOPIC, name, operations, why)

    def named(resource: Resource, beginning: str, why: str, *operations: Operation) -> Permission:
        return Permission(principal, resource, beginning, operations, why, is_prefix=True)

    readers = named(Resource.GROUP, f"{group}-", "the client asks for the coordinator of its group", _READ)
    match principal:
        case Principal.PROFILE:
            return (
                *(topic(name, "events are read; the clock of the topic is checked", _READ, _SHAPE) for name in inputs),
                topic(topics.profiles, "counts are written; the end of the chain is read", _READ, _WRITE, _SHAPE),
                topic(
                    topics.baselines, "references are read; the start of the group is written", _READ, _WRITE, _SHAPE
                ),
                topic(topics.dead_letters, "bad records are put aside", _WRITE, _SHAPE),
                readers,
            )
        case Principal.JUDGE:
            return (
                topic(topics.profiles, "counts are judged", _READ, _SHAPE),
                topic(topics.baselines, "references are read; automatic ones are written", _READ, _WRITE, _SHAPE),
                topic(topics.alerts, "alerts are written", _WRITE, _SHAPE),
                topic(
                    topics.alert_state,
                    "the last event of each alert is written; read where another version refolds another state",
                    _READ,
                    _WRITE,
                    _SHAPE,
                ),
                topic(topics.judge_state, "snapshots are written and read", _READ, _WRITE, _SHAPE),
                readers,
                named(
                    Resource.TRANSACTIONAL_ID,
                    f"{group}-judge-",
                    "alerts, state and position are committed together",
                    _WRITE,
                ),
            )
        case Principal.RELAY:
            return (topic(topics.alerts, "alerts are read", _READ), readers)
        case Principal.OPERATOR:
            judged = (topics.profiles, topics.alerts, topics.alert_state, topics.judge_state)
            own = (*judged, topics.dead_letters)
            made = (Operation.CREATE, Operation.DELETE, _READ, _SHAPE)
            return (
                *(
                    topic(name, "'check --connect' compares them with the configuration", _READ, _SHAPE)
                    for name in inputs
                ),
                *(topic(name, "topics are made, verified and read", *made) for name in own),
                topic(topics.baselines, "baselines are published and activated", *made, _WRITE),
                *(topic(name, "'dead-letters requeue' writes records back", _WRITE) for name in inputs),
                *(topic(name, "'rekey' adds partitions", Operation.ALTER) for name in judged),
                topic(topics.alert_state, "'rekey' moves the last event of alerts", _WRITE),
                topic(topics.judge_state, "'recover gap', 'recover chain' and 'rekey' write states", _WRITE),
                readers,
                named(Resource.GROUP, f"{group}-", "'topics delete' removes our groups", Operation.DELETE),
            )


def topics_of(principals: Iterable[Principal], *, topics: TopicNames) -> frozenset[str]:
    """Return those of our own topics that these principals touch: what a worker verifies at its start."""
    return frozenset(
        permission.name
        for principal in principals
        for permission in permissions(principal, group="", inputs=(), topics=topics)
        if permission.resource is Resource.TOPIC
    )


def require_permissions(admin: AdminClient, table: Sequence[Permission]) -> None:
    """Ask the broker what we may do to the topics of the table; what is missing would stop the worker later, half-way.

    Brokers that do not tell (before Kafka 2.3) are believed to allow everything; groups and transactional ids have no
    such answer.

    Raises:
        NotAuthorised: something is missing; the message has all of it.
    """
    lines = {line.name: line for line in table if line.resource is Resource.TOPIC}
    described = admin.describe_topics(
        TopicCollection(sorted(lines)), include_authorized_operations=True, request_timeout=_REQUEST_TIMEOUT_S
    )
    missing = []
    for name, future in described.items():
        try:
            allowed = {operation.name for operation in future.result().authorized_operations or ()}
        except KafkaException as error:
            inner = kafka_error(error)
            if inner.code() != KafkaError.TOPIC_AUTHORIZATION_FAILED:
                continue  # a topic that is missing, or a broker that is away, is reported by who needs it
            allowed = {"NOTHING"}
        lacking = [each for each in lines[name].operations if allowed and each.name not in allowed]
        if lacking:
            missing.append(f"{', '.join(lacking)} on topic {name} ({lines[name].why})")
    if missing:
        raise NotAuthorised(
            f"the user may not: {'; '.join(missing)}; 'stream-monitor topics acls' prints what grants it"
        )


def acl_command(permission: Permission, user: str) -> str:
    """Return the command of Apache Kafka that grants a permission.

    >>> line = Permission(Principal.RELAY, Resource.TOPIC, "drift-alerts", (Operation.READ,), "alerts are read")
    >>> acl_command(line, "User:relay")
    'kafka-acls.sh --add --allow-principal User:relay --operation Read --topic drift-alerts'
    """
    operations = " ".join(f"--operation {_spelt(operation)}" for operation in permission.operations)
    pattern = " --resource-pattern-type prefixed" if permission.is_prefix else ""
    return (
        f"kafka-acls.sh --add --allow-principal {user} {operations} --{permission.resource} {permission.name}{pattern}"
    )


def _spelt(operation: Operation) -> str:
    return "".join(part.capitalize() for part in operation.split("-"))
