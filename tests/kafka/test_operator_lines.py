"""The lines of operators against the broker's own authorizer: every command works with them."""

from __future__ import annotations

import pytest
from confluent_kafka import TopicPartition

from stream_monitor.core.time import format_instant
from stream_monitor.kafka.client_settings import KafkaSettings, reader
from stream_monitor.kafka.clients import committed, end_offsets, open_admin, open_consumer
from stream_monitor.kafka.readers import read_topics
from stream_monitor.kafka.topics import TopicNames
from stream_monitor.runtimes.connection import kafka_settings
from stream_monitor.runtimes.roles import JUDGE, PROFILE
from tests.instants import HOUR_S, ago_ms
from tests.kafka.conftest import BrokerFactory
from tests.kafka.profiling import wait_until
from tests.kafka.test_permissions import ADMIN, GROUP, INPUT, Guarded, guard, running
from tests.kafka.test_run_command import command

pytestmark = pytest.mark.timeout(400)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory, module_broker: BrokerFactory) -> Guarded:
    """A broker of its own: what operators do to it is for good."""
    return guard(tmp_path_factory.mktemp("operators"), module_broker)


def is_judged(settings: KafkaSettings, profiles: str) -> bool:
    """Return whether the judge has committed everything that the log of profiles holds."""
    place = TopicPartition(profiles, 0)
    outsider = open_consumer({**reader(settings), "group.id": f"{GROUP}-judge"}, lambda _: None)
    try:
        (answer,) = committed(outsider, [place])
    finally:
        outsider.close()
    return answer.offset == end_offsets(open_admin(settings), [place], uncommitted=True)[profiles, 0]


def test_operators_can_run_every_command(guarded: Guarded) -> None:
    """With their lines and nothing else they look, mend, split and delete what two workers with theirs have made."""
    admin = kafka_settings(guarded.settings(ADMIN))
    topics = TopicNames()
    with running(guarded.settings("judge"), JUDGE) as judge:
        with running(guarded.settings("profile"), PROFILE) as profile:
            wait_until(lambda: bool(profile or judge or list(read_topics(admin, [topics.alerts]))), timeout_s=60)
        wait_until(lambda: bool(profile or judge) or is_judged(admin, topics.profiles), timeout_s=60)
    guarded.settings("operator")
    commands = [
        ("check", "--connect"),
        ("topics", "verify"),
        ("baseline", "list"),
        ("alerts", "list"),
        ("export", INPUT, topics.dead_letters, "--to", str(guarded.folder / "export.jsonl")),
        ("recover", "gap", "--yes", "--wait", "60s"),
        ("recover", "chain", "--yes"),
        ("rekey", "--partitions", "2", "--yes", "--wait", "60s"),
        ("recover", "offsets", "--yes"),
        ("recover", "watermark", "--to", format_instant(ago_ms(2 * HOUR_S)), "--yes"),
        ("dead-letters", "requeue", "--yes"),
        ("topics", "delete", "--yes"),
    ]
    done = [command("-c", str(guarded.folder / "operator.yaml"), *arguments) for arguments in commands]

    assert ([], []) == (profile, judge)
    assert [] == [
        f"{' '.join(arguments)}: {each.returncode}: {each.stderr}"
        for arguments, each in zip(commands, done, strict=True)
        if each.returncode
    ]
    assert "models move" not in done[7].stderr, "the states were written"
    assert "1 offsets committed" in done[9].stderr
    assert "1 record written" in done[10].stdout
    assert "consumer groups deleted" in done[11].stderr
