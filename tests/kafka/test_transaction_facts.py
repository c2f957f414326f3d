"""What transactions really do: the facts the judge's commit and restore stand on, checked again with each pin."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from stream_monitor.kafka.client_settings import judge_consumer, judge_producer, reader
from stream_monitor.kafka.clients import end_offsets, open_admin
from stream_monitor.kafka.deliveries import Outgoing, deliver
from stream_monitor.kafka.errors import kafka_error
from tests import instants
from tests.kafka.members import make_topic, quick_settings, write


@pytest.fixture
def topic(kafka: str, prefix: str) -> str:
    """A topic of one partition with three records."""
    name = make_topic(kafka, f"{prefix}log", 1, {"message.timestamp.type": "LogAppendTime"})
    write(kafka, name, 0, [b"0", b"1", b"2"])
    return name


@pytest.fixture
def member(kafka: str, prefix: str, topic: str) -> Iterator[Consumer]:
    """A judge's consumer that owns the partition."""
    consumer = Consumer(judge_consumer(quick_settings(kafka), group=prefix, instance="0"))
    consumer.subscribe([topic], on_assign=lambda c, _: c.incremental_assign([TopicPartition(topic, 0, 0)]))
    while not consumer.assignment():
        consumer.consume(10, 0.1)
    yield consumer
    consumer.close()


def transactional(kafka: str, prefix: str, instance: str = "0") -> Producer:
    """Return a judge's producer that took its epoch."""
    producer = Producer(judge_producer(quick_settings(kafka), group=prefix, instance=instance))
    producer.init_transactions(30)
    return producer


def test_a_committed_offset_waits_for_the_transaction_that_holds_it(
    kafka: str, prefix: str, topic: str, member: Consumer
) -> None:
    """While offsets hang in an open transaction a read_committed consumer gets no answer but `_TIMED_OUT`, called not
    retriable although the same call succeeds later; then it gets the offset of the transaction.
    """
    producer = transactional(kafka, prefix)
    producer.begin_transaction()
    producer.send_offsets_to_transaction([TopicPartition(topic, 0, 2)], member.consumer_group_metadata(), 10)
    with pytest.raises(KafkaException) as waiting:
        member.committed([TopicPartition(topic, 0)], timeout=1)
    error = kafka_error(waiting.value)
    assert (error.code(), error.retriable()) == (KafkaError._TIMED_OUT, False)
    producer.commit_transaction(10)

    assert member.committed([TopicPartition(topic, 0)], timeout=20)[0].offset == 2


def test_a_new_producer_of_the_same_name_fences_the_old_one(
    kafka: str, prefix: str, topic: str, member: Consumer
) -> None:
    """The transaction that the old one holds open is aborted, and its commit is refused for good."""
    old = transactional(kafka, prefix)
    old.begin_transaction()
    deliver(old, [Outgoing(topic, 0, None, b"of a zombie")], timeout_s=10)
    new = transactional(kafka, prefix)
    new.begin_transaction()
    deliver(new, [Outgoing(topic, 0, None, b"of its successor")], timeout_s=10)
    new.commit_transaction(10)
    with pytest.raises(KafkaException) as fenced:
        old.commit_transaction(10)

    assert kafka_error(fenced.value).fatal()
    values = [m.value() for m in member.consume(10, 2) if m.error() is None]
    assert (b"of a zombie" in values, b"of its successor" in values) == (False, True)


def test_metadata_of_an_older_generation_is_refused(kafka: str, prefix: str) -> None:
    """Offsets of a transaction are fenced by the group's generation: that is why metadata is fetched at the commit."""
    topic = make_topic(kafka, f"{prefix}shared", 2)
    dynamic = {**judge_consumer(quick_settings(kafka), group=prefix, instance="0")}
    del dynamic["group.instance.id"]
    first, second = Consumer(dynamic), Consumer(dynamic)
    try:
        first.subscribe([topic])
        while not first.assignment():
            first.consume(10, 0.1)
        stale = first.consumer_group_metadata()
        second.subscribe([topic])
        while not second.assignment():
            first.consume(10, 0.1)
            second.consume(10, 0.1)
        producer = transactional(kafka, prefix)
        producer.begin_transaction()
        with pytest.raises(KafkaException) as refused:
            producer.send_offsets_to_transaction([TopicPartition(topic, 0, 1)], stale, 10)
    finally:
        first.close()
        second.close()

    assert kafka_error(refused.value).code() == KafkaError.ILLEGAL_GENERATION
    assert kafka_error(refused.value).txn_requires_abort()


def test_metadata_of_nobody_is_accepted(kafka: str, prefix: str, topic: str) -> None:
    """A consumer that is no member, and has no instance id, gives empty metadata, which no broker fences: its offsets
    are taken. That is why the member id is looked at.
    """
    dynamic = {**judge_consumer(quick_settings(kafka), group=prefix, instance="0")}
    del dynamic["group.instance.id"]
    stranger = Consumer(dynamic)
    producer = transactional(kafka, prefix)
    producer.begin_transaction()
    producer.send_offsets_to_transaction([TopicPartition(topic, 0, 1)], stranger.consumer_group_metadata(), 10)
    producer.commit_transaction(10)

    assert not stranger.memberid()
    assert stranger.committed([TopicPartition(topic, 0)], timeout=20)[0].offset == 1
    stranger.close()


def test_a_delivery_report_inside_a_transaction_tells_the_brokers_time(kafka: str, prefix: str, topic: str) -> None:
    """The time of a baseline's document is known before its transaction ends, so its activation can go along."""
    producer = transactional(kafka, prefix)
    producer.begin_transaction()
    written_ms = deliver(producer, [Outgoing(topic, 0, None, b"document", 1)], timeout_s=10)
    producer.abort_transaction(10)

    assert written_ms > instants.ago_ms(instants.HOUR_S)


def test_the_end_of_a_partition_waits_before_an_open_transaction(kafka: str, prefix: str, topic: str) -> None:
    """A read_committed reader meets the end at the open transaction and, once that is decided, behind its marker:
    the high watermark taken before is reached without a record there.
    """
    producer = transactional(kafka, prefix)
    producer.begin_transaction()
    deliver(producer, [Outgoing(topic, 0, None, b"open")], timeout_s=10)
    consumer = Consumer(reader(quick_settings(kafka)))
    consumer.assign([TopicPartition(topic, 0, 0)])
    before = end_of_partition(consumer)
    producer.abort_transaction(10)
    after = end_of_partition(consumer)
    consumer.close()

    assert (before, after) == (3, 5)


def test_an_admin_sees_the_end_behind_an_open_transaction(kafka: str, prefix: str, topic: str) -> None:
    """READ_UNCOMMITTED lists the high watermark: what a restore has to wait for is known at once."""
    producer = transactional(kafka, prefix)
    producer.begin_transaction()
    deliver(producer, [Outgoing(topic, 0, None, b"open")], timeout_s=10)
    admin = open_admin(quick_settings(kafka))
    ends = [end_offsets(admin, [TopicPartition(topic, 0)], uncommitted=u)[topic, 0] for u in (False, True)]
    producer.abort_transaction(10)

    assert ends == [3, 4]


def end_of_partition(consumer: Consumer) -> int:
    """Consume until the end of the partition is reported, and return its offset."""
    while True:
        for message in consumer.consume(1, 20):
            error = message.error()
            if error is not None and error.code() == KafkaError._PARTITION_EOF:
                offset = message.offset()
                assert offset is not None
                return offset
