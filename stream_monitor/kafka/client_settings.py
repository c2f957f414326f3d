"""Settings of every Kafka client of the product: the user's librdkafka settings below ours.

The user may set anything librdkafka knows except the keys that carry the promises of the log protocol: those are
refused by name, so that a run never looks exactly-once and is not.

>>> settings = KafkaSettings({"bootstrap.servers": "localhost:9092", "sasl.password": "hunter2"})
>>> settings.redacted()["sasl.password"]
'***'
>>> profile_consumer(settings, group="fraud", instance="0")["group.instance.id"]
'fraud-profile-0'
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase

ClientConfig = dict[str, str]
"""A librdkafka configuration; librdkafka parses the values."""

REFUSED = (
    "acks",
    "allow.auto.create.topics",
    "auto.offset.reset",
    "check.crcs",
    "enable.auto.*",
    "enable.idempotence",
    "enable.partition.eof",
    "group.*",
    "isolation.level",
    "partition.assignment.strategy",
    "partitioner",
    "transactional.id",
)
"""Keys that the protocol of the log stands on, as shell patterns."""

SECRET = ("*password*", "*secret*", "ssl.key.*", "ssl.keystore.*", "sasl.jaas.config", "sasl.oauthbearer.config")
"""Keys whose values are never shown."""

READER = "reader"
"""The binding demands a group id of every consumer; readers never join and never commit, so the group never exists. The
client asks for its coordinator all the same, and a cluster with ACLs must allow that."""

_BOTH: Mapping[str, str] = {"socket.timeout.ms": "5000"}

_CONSUMER: Mapping[str, str] = {
    "isolation.level": "read_committed",
    "enable.auto.commit": "false",
    "enable.auto.offset.store": "false",
    "auto.offset.reset": "error",
    "enable.partition.eof": "true",
    "check.crcs": "true",
    "allow.auto.create.topics": "false",
}

_CONSUMER_DEFAULTS: Mapping[str, str] = {
    "session.timeout.ms": "45000",
    "max.poll.interval.ms": "300000",
    "topic.metadata.refresh.interval.ms": "10000",  # new partitions hold panes open until they are read
    "heartbeat.interval.ms": "1000",  # a rebalance is noticed by it; the default is 3 s
    # A full local queue waits this long before it fetches again; the default of 1 s starves a fast worker.
    "fetch.queue.backoff.ms": "20",
    "fetch.wait.max.ms": "100",
}

_GROUP: Mapping[str, str] = {
    "group.protocol": "classic",
    "partition.assignment.strategy": "cooperative-sticky",
}

_PRODUCER: Mapping[str, str] = {
    "enable.idempotence": "true",
    "acks": "all",
    "partitioner": "murmur2_random",
    "allow.auto.create.topics": "false",
}

_PRODUCER_DEFAULTS: Mapping[str, str] = {
    "linger.ms": "5",
    "compression.type": "zstd",
    "message.max.bytes": "1000000",
    "delivery.timeout.ms": "60000",
}


class Delivery(StrEnum):
    """How the judge writes alerts; `at_least_once` is for brokers without transactions."""

    EXACTLY_ONCE = "exactly_once"
    AT_LEAST_ONCE = "at_least_once"


@dataclass(frozen=True, slots=True)
class WrongSetting:
    """A setting of the user's that cannot be used.

    Attributes:
        field: where it stands in a file.
        rule: what holds.
        value: as the user wrote it, secrets included: whoever shows it hides those.
        fix: what to do about it.
    """

    field: str
    rule: str
    value: str | None = None
    fix: str = ""


class WrongSettings(ValueError):
    """Settings that cannot be used, at least one; the message holds no values."""

    def __init__(self, wrong: Sequence[WrongSetting]) -> None:
        """Keep them."""
        super().__init__("; ".join(f"{one.field}: {one.rule}" for one in wrong))
        self.wrong = tuple(wrong)


@dataclass(frozen=True)
class KafkaSettings:
    """The user's librdkafka settings: of all clients, and what differs for consumers and producers.

    Attributes:
        group: what the name of every consumer group begins with.

    Raises:
        WrongSettings: `bootstrap.servers` is missing, or keys are ours.
    """

    common: Mapping[str, str]
    consumer: Mapping[str, str] = field(default_factory=dict)
    producer: Mapping[str, str] = field(default_factory=dict)
    group: str = "stream-monitor"

    def __post_init__(self) -> None:
        wrong = [
            WrongSetting(f"{path}.{key}", "is set by stream-monitor and cannot be changed", value, "remove it")
            for path, mapping in self.by_path()
            for key, value in mapping.items()
            if any(fnmatchcase(key, pattern) for pattern in REFUSED)
        ]
        if not self.common.get("bootstrap.servers"):
            wrong.insert(0, WrongSetting("kafka.bootstrap.servers", "is required, for example localhost:9092"))
        if wrong:
            raise WrongSettings(wrong)

    def by_path(self) -> tuple[tuple[str, Mapping[str, str]], ...]:
        """Return the settings of all clients, of consumers and of producers, with where they stand in a file."""
        return ("kafka", self.common), ("kafka.consumer", self.consumer), ("kafka.producer", self.producer)

    def milliseconds(self, key: str) -> int:
        """Return a consumer time limit in force: the user's, else ours."""
        defaults = {**_BOTH, **_CONSUMER_DEFAULTS}
        return int(self.consumer.get(key, self.common.get(key, defaults[key])))

    def message_max_bytes(self) -> int:
        """Return the largest record that our producers send, in bytes."""
        key = "message.max.bytes"
        return int(self.producer.get(key, self.common.get(key, _PRODUCER_DEFAULTS[key])))

    def redacted(self) -> dict[str, str]:
        """Return all settings for a log line or `check`, secrets and user info in addresses replaced by `***`."""
        shown = dict(self.common)
        shown.update({f"consumer.{k}": v for k, v in self.consumer.items()})
        shown.update({f"producer.{k}": v for k, v in self.producer.items()})
        return {key: _redacted(key, value) for key, value in shown.items()}

    def common_config(self) -> ClientConfig:
        """Return what every client has; also the configuration of an admin client."""
        return {"client.id": "stream-monitor", **_BOTH, **self.common}

    def consumer_config(self) -> ClientConfig:
        """Return what every consumer has, before group and identity."""
        return {
            **self.common_config(),
            **_CONSUMER_DEFAULTS,
            **self._overlay(self.consumer, _CONSUMER_DEFAULTS),
            **_CONSUMER,
        }

    def producer_config(self) -> ClientConfig:
        """Return what every producer has, before identity."""
        return {
            **self.common_config(),
            **_PRODUCER_DEFAULTS,
            **self._overlay(self.producer, _PRODUCER_DEFAULTS),
            **_PRODUCER,
        }

    def _overlay(self, role: Mapping[str, str], defaults: Mapping[str, str]) -> dict[str, str]:
        own = {key: self.common[key] for key in defaults if key in self.common}
        return {**own, **role}


def profile_consumer(settings: KafkaSettings, *, group: str, instance: str) -> ClientConfig:
    """Return the configuration of a profile worker's consumer, a static member of `<group>-profile`."""
    return _member(settings, group=group, role="profile", instance=instance)


def judge_consumer(settings: KafkaSettings, *, group: str, instance: str) -> ClientConfig:
    """Return the configuration of a judge worker's consumer, a static member of `<group>-judge`."""
    return _member(settings, group=group, role="judge", instance=instance)


def profile_producer(settings: KafkaSettings, *, group: str, instance: str) -> ClientConfig:
    """Return the configuration of a profile worker's producer: idempotent, without transactions."""
    return {**settings.producer_config(), "client.id": f"{group}-profile-{instance}"}


def judge_producer(
    settings: KafkaSettings, *, group: str, instance: str, delivery: Delivery = Delivery.EXACTLY_ONCE
) -> ClientConfig:
    """Return the configuration of a judge worker's producer, with a transactional id unless the broker has none."""
    config = {
        **settings.producer_config(),
        "client.id": f"{group}-judge-{instance}",
        "statistics.interval.ms": "1000",  # the only place where a retried EndTxn can be seen
    }
    if delivery is Delivery.EXACTLY_ONCE:
        config["transactional.id"] = f"{group}-judge-{instance}"
        config["transaction.timeout.ms"] = "15000"
        config["delivery.timeout.ms"] = "15000"  # must not exceed the transaction timeout
    return config


def reader(settings: KafkaSettings, *, read_uncommitted: bool = False) -> ClientConfig:
    """Return the configuration of a reader without a group: it assigns itself partitions and never commits."""
    config = {**settings.consumer_config(), "group.id": f"{settings.group}-{READER}"}
    if read_uncommitted:
        config["isolation.level"] = "read_uncommitted"
    return config


def outsider(settings: KafkaSettings, *, group: str) -> ClientConfig:
    """Return the configuration of a consumer that asks for the offsets of `<group>-profile` and never joins it."""
    return {**settings.consumer_config(), "group.id": f"{group}-profile"}


def _member(settings: KafkaSettings, *, group: str, role: str, instance: str) -> ClientConfig:
    name = f"{group}-{role}-{instance}"
    return {
        **settings.consumer_config(),
        **_GROUP,
        "group.id": f"{group}-{role}",
        "group.instance.id": name,
        "client.id": name,
    }


def _redacted(key: str, value: str) -> str:
    if any(fnmatchcase(key, pattern) or fnmatchcase(key, f"*.{pattern}") for pattern in SECRET):
        return "***"
    scheme, separator, rest = value.partition("://")
    if separator and "@" in rest:
        return f"{scheme}://***@{rest.rsplit('@', 1)[1]}"
    return value
