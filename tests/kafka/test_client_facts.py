"""What the client and the broker really do: the facts the profile protocol stands on, checked again with each pin."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress

import confluent_kafka
import pytest
from confluent_kafka import (
    TIMESTAMP_LOG_APPEND_TIME,
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)

from stream_monitor.kafka.client_settings import profile_producer, reader
from stream_monitor.kafka.clients import close_consumer, end_offsets, open_admin
from stream_monitor.kafka.errors import kafka_error
from stream_monitor.kafka.topics import describe_topics
from tests import instants
from tests.kafka.conftest import BrokerFactory
from tests.kafka.members import Member, make_topic, member, quick_settings, write

METADATA = '{"at":90210,"lease":5,"name":"é"}'


def test_the_client_is_recent_enough() -> None:
    """Older ones ignore signals in consume() and leak when the producer's queue is full."""
    assert confluent_kafka.libversion()[1] >= 0x02100000


def test_metadata_comes_back_with_the_committed_offset(kafka: str, prefix: str) -> None:
    """The chain state travels as text beside the offset, to the byte."""
    topic = make_topic(kafka, f"{prefix}in", 1)
    settings = quick_settings(kafka)
    with member(settings, group=prefix, instance="a", topic=topic) as a:
        a.until(lambda: a.owned == {0})
        a.commit(0, 3, METADATA)
        (found,) = a.consumer.committed([TopicPartition(topic, 0)], timeout=10)

    assert (found.offset, found.metadata) == (3, METADATA)


def test_a_delivery_report_tells_the_time_and_offset_of_the_broker(kafka: str, prefix: str) -> None:
    """In a LogAppendTime topic the report carries the broker's clock, not the producer's."""
    topic = make_topic(kafka, f"{prefix}log", 1, {"message.timestamp.type": "LogAppendTime"})
    producer = Producer(profile_producer(quick_settings(kafka), group=prefix, instance="a"))
    reports: list[tuple[tuple[int, int], int | None]] = []

    def report(error: KafkaError | None, message: Message) -> None:
        assert error is None
        reports.append((message.timestamp(), message.offset()))

    producer.produce(topic, b"x", partition=0, timestamp=1_000, on_delivery=report)
    producer.flush(20)
    ((kind, ms), offset) = reports[0]

    assert (kind, offset) == (TIMESTAMP_LOG_APPEND_TIME, 0)
    assert ms > instants.ago_ms(instants.HOUR_S)


def test_an_end_of_partition_is_reported_at_the_end_offset(kafka: str, prefix: str) -> None:
    """The offset of the event equals the end that the broker lists, also when the partition is empty."""
    topic = make_topic(kafka, f"{prefix}in", 2)
    settings = quick_settings(kafka)
    write(kafka, topic, 0, [b"1", b"2", b"3"])
    consumer = Consumer(reader(settings))
    consumer.assign([TopicPartition(topic, 0, 0), TopicPartition(topic, 1, 0)])
    ends: dict[int | None, int | None] = {}
    deadline = time.monotonic() + 20
    while len(ends) < 2 and time.monotonic() < deadline:
        for message in consumer.consume(10, 0.2):
            error = message.error()
            if error is not None and error.code() == KafkaError._PARTITION_EOF:
                ends[message.partition()] = message.offset()
    consumer.close()
    listed = end_offsets(open_admin(settings), [TopicPartition(topic, 0), TopicPartition(topic, 1)])

    assert ends == {0: 3, 1: 0}
    assert {(topic, 0): 3, (topic, 1): 0} == listed


def test_a_read_committed_end_stays_before_an_open_transaction(kafka: str, prefix: str) -> None:
    """Listed ends tell an open transaction: the stable end stays behind the high watermark."""
    topic = make_topic(kafka, f"{prefix}in", 1)
    admin = open_admin(quick_settings(kafka))
    producer = Producer({"bootstrap.servers": kafka, "transactional.id": f"{prefix}stranger", "log_level": 0})
    producer.init_transactions(20)
    producer.begin_transaction()
    producer.produce(topic, b"x", partition=0)
    producer.flush(20)
    parts = [TopicPartition(topic, 0)]
    stable, high = end_offsets(admin, parts), end_offsets(admin, parts, uncommitted=True)
    producer.commit_transaction(20)

    assert ({(topic, 0): 0}, {(topic, 0): 1}) == (stable, high)
    while end_offsets(admin, parts) != {(topic, 0): 2}:  # the marker is written after the commit was answered
        pass


def test_a_rebalance_moves_only_what_changes_hands(kafka: str, prefix: str) -> None:
    """Cooperative-sticky: the first member keeps half of its partitions and is asked for the other half only."""
    topic = make_topic(kafka, f"{prefix}in", 4)
    settings = quick_settings(kafka)
    with member(settings, group=prefix, instance="a", topic=topic) as a:
        a.until(lambda: len(a.owned) == 4)
        with member(settings, group=prefix, instance="b", topic=topic) as b:
            a.until(lambda: not b.poll(0.05) and len(a.owned) == 2 and len(b.owned) == 2)

            assert {0, 1, 2, 3} == a.owned | b.owned
            assert set() == a.lost | b.lost


def test_a_partition_that_was_noted_and_not_taken_can_be_given_up(kafka: str, prefix: str) -> None:
    """The callback answers with an empty list, and the rebalance goes on."""
    topic = make_topic(kafka, f"{prefix}in", 2)
    settings = quick_settings(kafka)
    with member(settings, group=prefix, instance="a", topic=topic) as a:
        a.takes = False
        a.until(lambda: len(a.noted) == 2)
        with member(settings, group=prefix, instance="b", topic=topic) as b:
            a.until(lambda: not b.poll(0.05) and len(b.owned) == 1)

            assert set(a.noted) == {0, 1} - b.owned


def test_the_broker_does_not_check_who_owns_a_partition(kafka: str, prefix: str) -> None:
    """A member of the generation may commit for a partition of another: only our own bookkeeping prevents it."""
    topic = make_topic(kafka, f"{prefix}in", 2)
    settings = quick_settings(kafka)
    with (
        member(settings, group=prefix, instance="a", topic=topic) as a,
        member(settings, group=prefix, instance="b", topic=topic) as b,
    ):
        a.until(lambda: not b.poll(0.05) and len(a.owned) == 1 and len(b.owned) == 1)

        assert a.commit(next(iter(b.owned)), 1) is None


def test_a_rival_of_the_same_name_fences_plain_commits(kafka: str, prefix: str) -> None:
    """Static membership: whoever joins last under a name has it, the other one's commits are refused for good."""
    topic = make_topic(kafka, f"{prefix}in", 1)
    settings = quick_settings(kafka)
    first = Member(settings, group=prefix, instance="a", topic=topic)
    first.until(lambda: first.owned == {0})
    with member(settings, group=prefix, instance="a", topic=topic) as second:
        second.until(lambda: second.owned == {0})
        with pytest.raises(KafkaException) as refused:
            first.commit(0, 7)

        assert kafka_error(refused.value).code() == KafkaError.FENCED_INSTANCE_ID
        (found,) = second.consumer.committed([TopicPartition(topic, 0)], timeout=10)
        assert found.offset < 0, "the rival's commit must not count"
    close_consumer(first.consumer)


def test_closing_does_not_wait_for_a_call_that_nobody_answers(own_broker: BrokerFactory, prefix: str) -> None:
    """The client lets one thread in at a time: what a commit without a broker holds up is left behind in time."""
    broker = own_broker()
    topic = make_topic(broker.bootstrap, f"{prefix}in", 1)
    a = Member(quick_settings(broker.bootstrap), group=prefix, instance="a", topic=topic)
    a.until(lambda: a.owned == {0})
    broker.kill()
    committing = left_behind(lambda: a.commit(0, 1))
    polling = left_behind(lambda: a.consumer.poll(0))
    polling.join(1.0)
    closing = left_behind(lambda: close_consumer(a.consumer, timeout_s=1.0))
    closing.join(30.0)

    assert (committing.is_alive(), polling.is_alive(), closing.is_alive()) == (True, True, False)


def left_behind(call: Callable[[], object]) -> threading.Thread:
    """Make a call in a thread; what it raises when the client is gone is nobody's business."""

    def run() -> None:
        with suppress(KafkaException, RuntimeError):
            call()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


def test_a_member_that_missed_its_poll_limit_is_refused(kafka: str, prefix: str) -> None:
    """After a stall the group goes on without the member; its commit is refused and its partitions are lost."""
    topic = make_topic(kafka, f"{prefix}in", 1)
    settings = quick_settings(kafka)
    with member(settings, group=prefix, instance="a", topic=topic) as a:
        a.until(lambda: a.owned == {0})
        with member(settings, group=prefix, instance="b", topic=topic) as b:
            b.until(lambda: b.owned == {0})  # `a` does not poll: 6 s later it is out
            with pytest.raises(KafkaException) as refused:
                a.commit(0, 1)

            assert kafka_error(refused.value).code() in {
                KafkaError.UNKNOWN_MEMBER_ID,
                KafkaError.ILLEGAL_GENERATION,
                KafkaError.FENCED_INSTANCE_ID,
                KafkaError._NO_OFFSET,
                KafkaError._STATE,
            }
            a.until(lambda: a.lost == {0} or not a.owned)


def test_pause_and_resume_lose_nothing(kafka: str, prefix: str) -> None:
    """A partition that was read before, paused and resumed goes on at the next record."""
    topic = make_topic(kafka, f"{prefix}in", 1)
    settings = quick_settings(kafka)
    write(kafka, topic, 0, [b"%d" % i for i in range(3000)])
    with member(settings, group=prefix, instance="a", topic=topic) as a:
        a.until(lambda: a.owned == {0})
        seen: list[int | None] = []
        deadline = time.monotonic() + 30
        while len(seen) < 3000 and time.monotonic() < deadline:
            seen += [m.offset() for m in a.consumer.consume(100, 1.0) if m.error() is None]
            a.consumer.pause([TopicPartition(topic, 0)])
            assert [m for m in a.consumer.consume(10, 0.01) if m.error() is None] == []
            a.consumer.resume([TopicPartition(topic, 0)])

        assert list(range(3000)) == seen


def test_taking_a_partition_up_again_starts_at_the_given_offset(kafka: str, prefix: str) -> None:
    """Unassign and assign is the way back after a failed round: what was fetched before does not come."""
    topic = make_topic(kafka, f"{prefix}in", 1)
    settings = quick_settings(kafka)
    write(kafka, topic, 0, [b"%d" % i for i in range(1000)])
    with member(settings, group=prefix, instance="a", topic=topic) as a:
        a.until(lambda: a.owned == {0})
        while not any(m.error() is None for m in a.consumer.consume(500, 1.0)):
            pass
        a.consumer.incremental_unassign([TopicPartition(topic, 0)])
        a.consumer.incremental_assign([TopicPartition(topic, 0, 42)])
        seen: list[int | None] = []
        while not seen:
            seen = [m.offset() for m in a.consumer.consume(10, 1.0) if m.error() is None]

        assert seen[0] == 42


def test_a_deleted_offset_is_an_error_event(kafka: str, prefix: str) -> None:
    """With auto.offset.reset=error the client tells once, then the partition is silent."""
    topic = make_topic(kafka, f"{prefix}in", 1)
    settings = quick_settings(kafka)
    write(kafka, topic, 0, [b"1", b"2", b"3"])
    admin = open_admin(settings)
    for future in admin.delete_records([TopicPartition(topic, 0, 2)]).values():
        future.result(20)
    consumer = Consumer(reader(settings))
    consumer.assign([TopicPartition(topic, 0, 0)])
    codes: list[int] = []
    deadline = time.monotonic() + 20
    while not codes and time.monotonic() < deadline:
        for message in consumer.consume(10, 0.2):
            error = message.error()
            assert error is not None, "no record may come from behind the deleted ones"
            codes.append(error.code())
    consumer.close()

    assert codes == [KafkaError._AUTO_OFFSET_RESET]


def test_a_topic_id_tells_a_topic_made_anew(kafka: str, prefix: str) -> None:
    """The name stays, the id changes: the only sign that offsets mean other records now."""
    topic = make_topic(kafka, f"{prefix}in", 1)
    admin = open_admin(quick_settings(kafka))
    first = describe_topics(admin, [topic])[topic].topic_id
    for future in admin.delete_topics([topic]).values():
        future.result(20)
    while describe_topics(admin, [topic]):
        pass
    make_topic(kafka, topic, 1)
    second = describe_topics(admin, [topic])[topic].topic_id

    assert first != second
