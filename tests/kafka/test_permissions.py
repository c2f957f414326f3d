"""The table of permissions against the broker's own authorizer: it suffices, and every line of it is needed."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest
import yaml
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # the package has no __all__
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from stream_monitor.config import Settings, load
from stream_monitor.kafka.clients import open_admin
from stream_monitor.kafka.errors import NotAuthorised
from stream_monitor.kafka.event_producer import EventProducer
from stream_monitor.kafka.permissions import Operation, Permission, Principal, Resource, permissions
from stream_monitor.kafka.readers import read_topics
from stream_monitor.kafka.topics import TopicNames, TopicSpec, create_topics
from stream_monitor.runtimes.connection import baseline_writer, kafka_settings, topic_specs
from stream_monitor.runtimes.kafka import KafkaRuntime
from stream_monitor.runtimes.roles import JUDGE, PROFILE, Role
from tests.instants import HOUR_S, ago_ms
from tests.kafka.conftest import BrokerFactory
from tests.kafka.profiling import wait_until
from tests.kafka.test_run_command import command
from tests.runtimes.stories import reference, traffic

pytestmark = pytest.mark.timeout(400)

GROUP, INPUT, SECONDS = "fraud-monitor", "inference-events", 28
ADMIN = "admin"
_TYPES = {
    Resource.TOPIC: ResourceType.TOPIC,
    Resource.GROUP: ResourceType.GROUP,
    Resource.TRANSACTIONAL_ID: ResourceType.TRANSACTIONAL_ID,
}


def lines(role: Principal) -> list[tuple[Permission, Operation]]:
    """Return every single operation of the table of a role."""
    table = permissions(role, group=GROUP, inputs=[INPUT], topics=TopicNames())
    return [(line, operation) for line in table for operation in line.operations]


def user(role: Principal, without: int | None) -> str:
    """Return the name of a principal that lacks one operation."""
    return role.value if without is None else f"{role.value}{without}"


USERS = [ADMIN, "revoked", *(user(role, without) for role in Principal for without in (None, *range(len(lines(role)))))]


@dataclass(frozen=True, slots=True)
class Guarded:
    """A broker that knows who asks."""

    bootstrap: str
    folder: Path

    def settings(self, name: str, *, password: str | None = None) -> Settings:
        """Return the configuration of one principal."""
        file = self.folder / f"{name}.yaml"
        kafka = {
            "bootstrap.servers": self.bootstrap,
            "security.protocol": "SASL_PLAINTEXT",
            "sasl.mechanism": "PLAIN",
            "sasl.username": name,
            "sasl.password": name if password is None else password,
            "consumer": {"session.timeout.ms": "6000", "max.poll.interval.ms": "12000"},
        }
        config = {
            "version": 1,
            "group": GROUP,
            "instance": name,
            "kafka": kafka,
            "inputs": [{"topic": INPUT, "format": "native"}],
            "topics": {"partitions": 1, "replication": 1},
            "time": {"allowed_lateness": "1s", "idle_after": "off"},
            "detection": {"pane": "1s", "window": "10s"},
            "models": [{"name": "*", "baseline": {"from": "first_events", "events": 63}}],
            "http": {"address": "127.0.0.1:0"},
        }
        file.write_text(yaml.safe_dump(config), encoding="utf-8")
        return load(file, environ={})


def allow(
    admin: AdminClient,
    name: str,
    table: Sequence[tuple[Permission, Operation]],
    permission: AclPermissionType = AclPermissionType.ALLOW,
) -> None:
    """Grant operations to a user, or deny them."""
    bindings = [
        AclBinding(
            _TYPES[line.resource],
            line.name,
            ResourcePatternType.PREFIXED if line.is_prefix else ResourcePatternType.LITERAL,
            f"User:{name}",
            "*",
            AclOperation[operation.name],
            permission,
        )
        for line, operation in table
    ]
    for future in admin.create_acls(bindings).values():
        future.result(30)


def forget(admin: AdminClient, name: str) -> None:
    """Take back every line of a user."""
    own = AclBindingFilter(
        ResourceType.ANY,
        None,  # type: ignore[arg-type]  # any name: the class wants one all the same
        ResourcePatternType.ANY,
        f"User:{name}",
        None,  # type: ignore[arg-type]  # any host
        AclOperation.ANY,
        AclPermissionType.ANY,
    )
    for future in admin.delete_acls([own]).values():
        future.result(30)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, module_broker: BrokerFactory) -> Guarded:
    """A broker with its own authorizer, one principal per role, and one per role and line that it lacks."""
    return guard(tmp_path_factory.mktemp("guarded"), module_broker)


def guard(folder: Path, module_broker: BrokerFactory) -> Guarded:
    """Start a broker that knows who asks, and give each principal its lines."""
    accounts = " ".join(f'user_{name}="{name}"' for name in USERS)
    module = "org.apache.kafka.common.security.plain.PlainLoginModule"
    broker = module_broker(
        overrides={
            "listener.security.protocol.map": "DIRECT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT",
            "sasl.enabled.mechanisms": "PLAIN",
            "sasl.mechanism.inter.broker.protocol": "PLAIN",
            "listener.name.direct.plain.sasl.jaas.config": (
                f'{module} required username="{ADMIN}" password="{ADMIN}" {accounts};'
            ),
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": f"User:{ADMIN};User:ANONYMOUS",
        }
    )
    found = Guarded(broker.bootstrap, folder)
    settings = found.settings(ADMIN)
    admin = open_admin(kafka_settings(settings))
    for role in Principal:
        table = lines(role)
        allow(admin, user(role, None), table)
        for without in range(len(table)):
            allow(admin, user(role, without), [*table[:without], *table[without + 1 :]])
    create_topics(admin, [TopicSpec(INPUT, 1, 1, {}), *topic_specs(settings)])
    _activate(settings)
    _send(settings)
    return found


def _activate(settings: Settings) -> None:
    """Publish a baseline of the drifting model that counts from the beginning; the other model is to get its own."""
    baseline = reference(settings.plan)
    writer = baseline_writer(settings)
    writer.document(baseline)
    writer.activation(baseline, 0)


def _send(settings: Settings) -> None:
    """Send a bad record, events of a model without a baseline, and a drifting one."""
    producer = EventProducer(kafka_settings(settings), INPUT)
    start_ms = ago_ms(HOUR_S)
    producer.send(b"{broken", timestamp_ms=start_ms)
    for at_ms, value in traffic(SECONDS, start_ms=start_ms)[0]:
        producer.send(value, timestamp_ms=at_ms)
        producer.send(orjson.dumps({**orjson.loads(value), "model": "other"}), timestamp_ms=at_ms)
    producer.flush()


@contextmanager
def running(settings: Settings, *roles: Role) -> Iterator[list[BaseException]]:
    """Run a worker in a thread; what ended it is in the list."""
    runtime = KafkaRuntime(settings, roles)
    ended: list[BaseException] = []

    def run() -> None:
        try:
            runtime.run()
        except BaseException as error:  # noqa: BLE001 - the outermost loop of the thread
            ended.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield ended
    finally:
        runtime.stop()
        thread.join(60)


def ending(settings: Settings, *roles: Role, within_s: float = 60.0) -> BaseException:
    """Return what ends a worker that cannot go on."""
    with running(settings, *roles) as ended:
        wait_until(lambda: bool(ended), timeout_s=within_s)
    return ended[0]


@pytest.mark.parametrize("role", [PROFILE, JUDGE], ids=str)
def test_every_line_of_the_table_is_needed_and_named(role: Role, guarded: Guarded) -> None:
    """Without one operation the worker ends with exit code 5; the message names operation and resource."""
    told = {}
    for without, (line, operation) in enumerate(lines(role.principal)):
        error = ending(guarded.settings(user(role.principal, without)), role)
        assert isinstance(error, NotAuthorised)
        told[line, operation] = str(error)

    unnamed = {
        (operation.value, line.name): message
        for (line, operation), message in told.items()
        if operation.value.lower() not in message.lower() or line.name.removesuffix("-") not in message
    }
    assert {} == unnamed


def test_the_table_suffices(guarded: Guarded) -> None:
    """With their lines and nothing else both roles work: a dead letter, two baselines, an alert that fired."""
    admin = kafka_settings(guarded.settings(ADMIN))
    topics = TopicNames()
    with (
        running(guarded.settings("profile"), PROFILE) as profile,
        running(guarded.settings("judge"), JUDGE) as judge,
    ):
        wait_until(lambda: bool(profile or judge or list(read_topics(admin, [topics.alerts]))), timeout_s=60)
        wait_until(lambda: bool(profile or judge or len(_documents(guarded)) == 2), timeout_s=60)
    alerts = list(read_topics(kafka_settings(guarded.settings("relay")), [topics.alerts]))
    letters = command("-c", str(guarded.folder / "operator.yaml"), "dead-letters", "list")

    assert ([], []) == (profile, judge)
    assert alerts
    assert "1 dead letter" in letters.stdout


def _documents(guarded: Guarded) -> set[str]:
    """Return the models that have a baseline."""
    guarded.settings("operator")
    shown = command("-c", str(guarded.folder / "operator.yaml"), "--format", "json", "baseline", "show")
    assert 0 == shown.returncode, shown.stderr
    return {orjson.loads(line)["model"] for line in shown.stdout.splitlines()}


def test_check_compares_records_with_the_lines_of_operators(guarded: Guarded) -> None:
    """Who may describe an input and not read it gets everything else, and a line that says what was not compared."""
    admin = open_admin(kafka_settings(guarded.settings(ADMIN)))
    name, read = "revoked", Operation.READ
    table = [(line, each) for line, each in lines(Principal.OPERATOR) if (line.name, each) != (INPUT, read)]
    describe = [(line, Operation.DESCRIBE) for line, each in table if line.name == INPUT][:1]
    allow(admin, name, [*table, *describe])
    answers = []
    for who in (user(Principal.OPERATOR, None), name):
        guarded.settings(who)
        answers.append(command("-c", str(guarded.folder / f"{who}.yaml"), "check", "--connect"))
    forget(admin, name)
    whole, lacking = answers

    assert (0, True) == (whole.returncode, "records: 500 records of 1 topic read" in whole.stdout), whole.stderr
    assert 0 == lacking.returncode, lacking.stderr
    told = f"warning: records of topic {INPUT} are not compared: read topic {INPUT}: TOPIC_AUTHORIZATION_FAILED"
    assert told in lacking.stdout


@pytest.mark.parametrize(
    ("resource", "named"),
    [("drift-judge-state", "topic"), (f"{GROUP}-judge-", "transactional id")],
    ids=["topic", "id"],
)
def test_a_permission_that_is_revoked_ends_a_running_judge(resource: str, named: str, guarded: Guarded) -> None:
    """The first cause is reported with exit code 5, and not what the abort of its transaction failed of."""
    admin = open_admin(kafka_settings(guarded.settings(ADMIN)))
    name = "revoked"
    table = lines(Principal.JUDGE)
    allow(admin, name, table)
    with (
        running(guarded.settings("profile"), PROFILE),
        running(guarded.settings(name), JUDGE) as ended,
    ):
        _send(guarded.settings(ADMIN))
        deny = [(line, each) for line, each in table if line.name == resource and each is Operation.WRITE]
        allow(admin, name, deny, AclPermissionType.DENY)
        wait_until(lambda: bool(ended), timeout_s=60)
    (error,) = ended
    forget(admin, name)

    assert isinstance(error, NotAuthorised)
    assert named in str(error)


@pytest.mark.parametrize(
    "arguments", [("alerts", "list"), ("topics", "verify"), ("check", "--connect"), ("run",)], ids=" ".join
)
def test_a_wrong_password_is_said_at_once(arguments: tuple[str, ...], guarded: Guarded) -> None:
    """Exit code 5, one line with the address and what the broker said."""
    guarded.settings("profile", password="wrong")
    done = command("-c", str(guarded.folder / "profile.yaml"), *arguments)
    guarded.settings("profile")

    assert 5 == done.returncode
    assert re.search(rf"connect: {guarded.bootstrap}: SASL authentication error: .*; mend kafka.sasl", done.stderr)


def test_the_commands_grant_what_the_table_says() -> None:
    """`topics acls --user` prints one command a line of the table."""
    done = command("--set", f"group={GROUP}", "topics", "acls", "--user", "relay=User:alice")

    granted = "kafka-acls.sh --add --allow-principal User:alice --operation Read"
    assert [
        f"{granted} --topic drift-alerts",
        f"{granted} --group {GROUP}- --resource-pattern-type prefixed",
    ] == done.stdout.splitlines()


def test_the_commands_are_json_where_that_is_asked_for() -> None:
    """A line of the table is an object with its command; without users there is none."""
    for given, expected in (
        (("--user", "relay=User:alice"), {"kafka-acls.sh"}),
        ((), {None}),
    ):
        done = command("--set", f"group={GROUP}", "topics", "acls", *given, "--format", "json")
        found = [orjson.loads(line) for line in done.stdout.splitlines()]
        assert {"relay"} <= {each["role"] for each in found}
        assert expected == {each["command"] and each["command"].split()[0] for each in found}


def test_the_documentation_has_the_table() -> None:
    """docs/operations.md shows every line, with the names of the defaults."""
    text = Path("docs/operations.md").read_text(encoding="utf-8")
    wanted = [
        f"| {line.principal} | {line.resource} `{line.name}{'*' * line.is_prefix}` | {', '.join(line.operations)} |"
        for role in Principal
        for line in permissions(role, group="<group>", inputs=["inputs"], topics=TopicNames())
    ]

    assert [] == [line for line in wanted if line not in text]
