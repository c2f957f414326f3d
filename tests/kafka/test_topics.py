"""The topics of the product on a real broker: made as planned, and compared with the plan."""

from __future__ import annotations

import pytest
from confluent_kafka.admin import AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType  # type: ignore[attr-defined]

from stream_monitor.kafka.clients import open_admin
from stream_monitor.kafka.errors import Misconfigured
from stream_monitor.kafka.topics import (
    TopicNames,
    TopicSpec,
    Weight,
    check_inputs,
    create_topics,
    describe_topics,
    plan_topics,
    require,
    verify_topics,
)
from tests.kafka.members import make_topic, quick_settings


def named(prefix: str) -> TopicNames:
    return TopicNames(*(f"{prefix}{n}" for n in ("profiles", "baselines", "alerts", "alert-state", "state", "dead")))


def test_created_topics_are_as_planned(kafka: str, prefix: str) -> None:
    """What `create` makes, `verify` finds no fault with; made again, nothing happens."""
    admin = open_admin(quick_settings(kafka))
    specs = plan_topics(named(prefix), partitions=2, replication=1)

    assert [s.name for s in specs] == list(create_topics(admin, specs))
    assert verify_topics(admin, specs) == ()
    assert create_topics(admin, specs) == ()


def test_broker_time_is_kept_where_the_original_may_be_old(kafka: str, prefix: str) -> None:
    """A backfill must not expire at once: profiles, baselines and dead letters carry LogAppendTime."""
    admin = open_admin(quick_settings(kafka))
    names = named(prefix)
    create_topics(admin, plan_topics(names, partitions=1, replication=1))
    states = describe_topics(admin, [names.profiles, names.baselines, names.dead_letters, names.alerts])

    assert {
        names.profiles: "LogAppendTime",
        names.baselines: "LogAppendTime",
        names.dead_letters: "LogAppendTime",
        names.alerts: "CreateTime",
    } == {name: state.config["message.timestamp.type"] for name, state in states.items()}


def test_missing_topics_stop_the_start(kafka: str, prefix: str) -> None:
    """With the command that makes them."""
    admin = open_admin(quick_settings(kafka))
    found = verify_topics(admin, plan_topics(named(prefix), replication=1))

    with pytest.raises(Misconfigured, match="run 'stream-monitor topics create'"):
        require(found)


def test_another_number_of_partitions_stops_the_start(kafka: str, prefix: str) -> None:
    """Alerts of a judge partition go to the same one, so counts must agree; what was made counts, not the plan."""
    admin = open_admin(quick_settings(kafka))
    names = named(prefix)
    make_topic(kafka, names.alerts, 3)
    create_topics(admin, plan_topics(names, partitions=2, replication=1))
    errors = [
        d for d in verify_topics(admin, plan_topics(names, partitions=4, replication=1)) if d.weight == Weight.ERROR
    ]

    assert [(names.alerts, "partitions", "2", "3")] == [(d.topic, d.setting, d.expected, d.found) for d in errors]


@pytest.mark.parametrize(
    ("setting", "value", "weight"),
    [
        ("retention.ms", "3600000", Weight.ERROR),
        ("cleanup.policy", "compact", Weight.ERROR),
        ("message.timestamp.type", "CreateTime", Weight.ERROR),
        ("retention.bytes", "1000000", Weight.WARNING),
    ],
)
def test_a_changed_setting_is_found(kafka: str, prefix: str, setting: str, value: str, weight: Weight) -> None:
    """An error where a promise would break, a warning elsewhere."""
    admin = open_admin(quick_settings(kafka))
    names = named(prefix)
    specs = plan_topics(names, partitions=1, replication=1)
    create_topics(admin, specs)
    change = ConfigEntry(setting, value, incremental_operation=AlterConfigOpType.SET)
    for future in admin.incremental_alter_configs(
        [ConfigResource(ResourceType.TOPIC, names.profiles, incremental_configs=[change])]
    ).values():
        future.result(20)
    while describe_topics(admin, [names.profiles])[names.profiles].config[setting] != value:
        pass

    assert [(setting, value, weight)] == [(d.setting, d.found, d.weight) for d in verify_topics(admin, specs)]


def test_an_input_with_unbounded_time_stamps_is_a_risk(kafka: str, prefix: str) -> None:
    """Broker time or a bound on stamps from the future silences the warning; a missing input is an error."""
    admin = open_admin(quick_settings(kafka))
    free, bound, stamped = f"{prefix}free", f"{prefix}bound", f"{prefix}stamped"
    configs = {
        free: {},
        bound: {"message.timestamp.after.max.ms": "15000"},
        stamped: {"message.timestamp.type": "LogAppendTime"},
    }
    create_topics(admin, [TopicSpec(topic, 1, 1, config) for topic, config in configs.items()])
    found = check_inputs(admin, [free, bound, stamped, f"{prefix}gone"], allowed_lateness_ms=30_000)

    assert [(free, Weight.WARNING), (f"{prefix}gone", Weight.ERROR)] == [(d.topic, d.weight) for d in found]
