"""`topics delete` and `topics.prefix` on a real broker: what is ours goes, by one name, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from confluent_kafka import Consumer, TopicPartition

from stream_monitor.cli.main import run_command
from stream_monitor.config import load
from stream_monitor.kafka.clients import open_admin
from stream_monitor.kafka.recovery.members import existing_groups
from stream_monitor.kafka.topics import describe_topics
from stream_monitor.runtimes.connection import topic_specs
from tests.kafka.members import make_topic, quick_settings, write


def test_what_is_ours_is_deleted_and_nothing_else(
    kafka: str, prefix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One setting renames topics and group. A topic with a record of others is left alone with all the rest; without an
    answer nothing is deleted; then topics and groups are named and go, and the input stays.
    """
    config = tmp_path / "stream-monitor.yaml"
    events = make_topic(kafka, f"{prefix}events", 1)
    plain = {
        "version": 1,
        "group": "monitor",
        "kafka": {"bootstrap.servers": kafka, "log_level": "0"},
        "inputs": [{"topic": events, "format": "native"}],
        "topics": {"prefix": prefix, "partitions": 1, "replication": 1},
    }
    config.write_text(yaml.safe_dump(plain), encoding="utf-8")
    settings = load(config, environ={})
    ours = [spec.name for spec in topic_specs(settings)]
    group = f"{prefix}monitor-profile"
    admin = open_admin(quick_settings(kafka))

    def run(*arguments: str) -> tuple[int, str, str]:
        code = run_command(["-c", str(config), "topics", *arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    assert {f"{prefix}drift-{name}" for name in ("profiles", "baselines", "alerts")} < set(ours)
    assert settings.group == f"{prefix}monitor"
    assert run("create")[0] == 0
    member = Consumer({"bootstrap.servers": kafka, "group.id": group, "log_level": 0})
    member.commit(offsets=[TopicPartition(events, 0, 0)], asynchronous=False)
    member.close()
    write(kafka, settings.topics.alerts, 0, [b'{"source":"/payments"}'])
    code, _, said = run("delete", "--yes")
    assert (code, f"{settings.topics.alerts}: the record at offset 0" in said) == (2, True)
    (future,) = admin.delete_records([TopicPartition(settings.topics.alerts, 0, 1)]).values()
    future.result(20)
    assert run("delete")[0] not in (0, 2)
    assert set(describe_topics(admin, ours)) == set(ours), "nobody answered"
    code, out, _ = run("delete", "--yes")

    assert code == 0
    assert all(name in out for name in [*ours, group])
    assert list(describe_topics(admin, [*ours, events])) == [events]
    assert existing_groups(admin, [group]) == ()
    assert "nothing is there" in run("delete", "--yes")[2]
