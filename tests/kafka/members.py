"""Topics and group members for tests that look at the client itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.cimpl import NewTopic

from stream_monitor.kafka.client_settings import KafkaSettings, profile_consumer
from stream_monitor.kafka.clients import close_consumer, open_admin
from stream_monitor.kafka.errors import is_transient, kafka_error
from stream_monitor.kafka.topics import describe_topics

QUICK = {
    "session.timeout.ms": "6000",
    "max.poll.interval.ms": "6000",
    "heartbeat.interval.ms": "300",
    "topic.metadata.refresh.interval.ms": "1000",
}
"""Time limits of the group protocol that a test can wait for."""


def quick_settings(bootstrap: str, **overrides: str) -> KafkaSettings:
    """Return settings for tests: short group limits, no client log on the terminal."""
    return KafkaSettings({"bootstrap.servers": bootstrap, "log_level": "0", **overrides}, consumer=QUICK)


def make_topic(bootstrap: str, name: str, partitions: int, config: Mapping[str, str] | None = None) -> str:
    """Make a topic and return its name."""
    admin = open_admin(quick_settings(bootstrap))
    for future in admin.create_topics([NewTopic(name, partitions, 1, config=dict(config or {}))]).values():
        future.result(20)
    while name not in describe_topics(admin, [name]):  # acknowledged before every broker has heard of it
        time.sleep(0.02)
    return name


def write(bootstrap: str, topic: str, partition: int, values: list[bytes]) -> None:
    """Write records to one partition and wait until they are safe."""
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 0, "log_level": 0})
    for value in values:
        producer.produce(topic, value, partition=partition)
    assert producer.flush(20) == 0


class Member:
    """A member of a profile group that owns partitions as the worker does: noted in the callback, taken in the loop."""

    def __init__(self, settings: KafkaSettings, *, group: str, instance: str, topic: str) -> None:
        self.consumer = Consumer(profile_consumer(settings, group=group, instance=instance))
        self.noted: list[int] = []
        self.owned: set[int] = set()
        self.lost: set[int] = set()
        self.takes = True
        self._topic = topic
        self.consumer.subscribe([topic], on_assign=self._assigned, on_revoke=self._revoked, on_lost=self._lost)

    def poll(self, timeout_s: float = 0.1) -> list[Message]:
        """Consume once and take what was assigned, from its committed offset."""
        messages = self.consumer.consume(1000, timeout_s)
        if self.noted and self.takes:
            parts = [TopicPartition(self._topic, p) for p in self.noted]
            try:
                taken = self.consumer.committed(parts, timeout=5)
            except KafkaException as error:
                if not is_transient(kafka_error(error)):
                    raise
                return messages  # asked again with the next poll, as the worker does
            self.consumer.incremental_assign([TopicPartition(t.topic, t.partition, max(0, t.offset)) for t in taken])
            self.owned |= set(self.noted)
            self.noted = []
        return messages

    def until(self, done: Callable[[], bool], timeout_s: float = 30.0) -> list[Message]:
        """Poll until `done()`, and return all that came."""
        messages: list[Message] = []
        deadline = time.monotonic() + timeout_s
        while not done():
            assert time.monotonic() < deadline, "the member did not get there in time"
            messages += self.poll()
        return messages

    def commit(self, partition: int, offset: int, metadata: str = "") -> KafkaError | None:
        """Commit one offset and return the error of its answer."""
        offsets = [TopicPartition(self._topic, partition, offset, metadata=metadata)]
        (answer,) = self.consumer.commit(offsets=offsets, asynchronous=False)
        return answer.error

    def _assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self.noted += [p.partition for p in partitions]
        consumer.incremental_assign([])

    def _revoked(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        gone = {p.partition for p in partitions}
        consumer.incremental_unassign([p for p in partitions if p.partition in self.owned])
        self.owned -= gone
        self.noted = [p for p in self.noted if p not in gone]

    def _lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self.lost |= {p.partition for p in partitions}
        self._revoked(consumer, partitions)


@contextmanager
def member(settings: KafkaSettings, *, group: str, instance: str, topic: str) -> Iterator[Member]:
    """Give a member that leaves with the context."""
    joined = Member(settings, group=group, instance=instance, topic=topic)
    try:
        yield joined
    finally:
        close_consumer(joined.consumer)
