"""Settings that users give, and the ones that are ours."""

from __future__ import annotations

import pytest
from confluent_kafka import Consumer, Producer

from stream_monitor.kafka.client_settings import (
    Delivery,
    KafkaSettings,
    WrongSettings,
    judge_consumer,
    judge_producer,
    profile_consumer,
    profile_producer,
    reader,
)
from stream_monitor.kafka.known_settings import unknown_settings

SERVERS = {"bootstrap.servers": "127.0.0.1:1", "log_level": "0"}


@pytest.mark.parametrize(
    "key",
    ["enable.auto.commit", "isolation.level", "group.id", "group.protocol", "transactional.id", "enable.idempotence"],
)
def test_a_setting_that_would_break_a_promise_is_refused(key: str) -> None:
    """By name, with what to do, whichever part of the settings it stands in."""
    with pytest.raises(WrongSettings, match=rf"kafka\.{key}: is set by stream-monitor"):
        KafkaSettings({**SERVERS, key: "x"})
    with pytest.raises(WrongSettings, match=rf"kafka\.consumer\.{key}"):
        KafkaSettings(SERVERS, consumer={key: "x"})


def test_what_librdkafka_does_not_know_is_found_without_a_client() -> None:
    """Each wrong name and value, whichever part of the settings it stands in; what fits only together is left alone."""
    common = {**SERVERS, "linger": "5", "security.protocol": "SASL_SSL", "ssl.ca.location": "/nowhere", "error_cb": "x"}
    settings = KafkaSettings(common, {"fetch.min.byte": "1", "fetch.min.bytes": "1"}, {"linger.ms": "soon"})
    wrong = list(unknown_settings(settings))

    assert [one.field for one in wrong] == [
        "kafka.linger",
        "kafka.error_cb",
        "kafka.consumer.fetch.min.byte",
        "kafka.producer.linger.ms",
    ]
    assert (wrong[0].rule, wrong[3].rule) == ("no such librdkafka setting", "is refused by librdkafka")
    assert (wrong[0].value, wrong[3].value) == (None, "soon")


def test_the_address_is_required() -> None:
    """Nothing else has no default."""
    with pytest.raises(WrongSettings, match=r"kafka\.bootstrap\.servers: is required"):
        KafkaSettings({})


def test_every_configuration_is_one_that_the_client_knows() -> None:
    """Librdkafka checks names and values when a client is made."""
    settings = KafkaSettings(SERVERS)
    for config in (
        profile_consumer(settings, group="g", instance="0"),
        judge_consumer(settings, group="g", instance="0"),
        reader(settings),
    ):
        Consumer(config).close()
    for config in (
        profile_producer(settings, group="g", instance="0"),
        judge_producer(settings, group="g", instance="0"),
        judge_producer(settings, group="g", instance="0", delivery=Delivery.AT_LEAST_ONCE),
    ):
        Producer(config)


def test_what_a_user_sets_is_kept() -> None:
    """In common, or for one role; the role wins."""
    settings = KafkaSettings(
        {**SERVERS, "compression.type": "lz4", "socket.timeout.ms": "9000"}, consumer={"session.timeout.ms": "7000"}
    )

    assert profile_producer(settings, group="g", instance="0")["compression.type"] == "lz4"
    assert profile_consumer(settings, group="g", instance="0")["session.timeout.ms"] == "7000"
    assert (9000, 7000, 300_000) == tuple(
        settings.milliseconds(key) for key in ("socket.timeout.ms", "session.timeout.ms", "max.poll.interval.ms")
    )


def test_ours_win_where_the_protocol_needs_it() -> None:
    """A reader is read_committed, sees ends of partitions and never resets by itself."""
    config = profile_consumer(KafkaSettings(SERVERS), group="fraud", instance="a")

    assert {
        "isolation.level": "read_committed",
        "enable.auto.commit": "false",
        "auto.offset.reset": "error",
        "enable.partition.eof": "true",
        "group.id": "fraud-profile",
        "group.instance.id": "fraud-profile-a",
        "partition.assignment.strategy": "cooperative-sticky",
    }.items() <= config.items()
    assert "transactional.id" not in profile_producer(KafkaSettings(SERVERS), group="fraud", instance="a")


def test_a_judge_keeps_the_name_of_its_transactions() -> None:
    """The next process of the name ends what the last one left open, at once, and fences it if it still lives."""
    names = [judge_producer(KafkaSettings(SERVERS), group="fraud", instance="a")["transactional.id"] for _ in range(2)]

    assert names == ["fraud-judge-a"] * 2


def test_secrets_are_not_shown() -> None:
    """Passwords, keys and user info in addresses are replaced, in every part."""
    settings = KafkaSettings(
        {
            **SERVERS,
            "sasl.password": "canary-1",
            "ssl.key.pem": "canary-2",
            "sasl.oauthbearer.client.secret": "canary-3",
            "sasl.oauthbearer.token.endpoint.url": "https://user:canary-4@example.org/token",
        },
        producer={"ssl.keystore.password": "canary-5"},
    )

    assert "canary" not in str(settings.redacted())
    assert settings.redacted()["sasl.oauthbearer.token.endpoint.url"] == "https://***@example.org/token"
