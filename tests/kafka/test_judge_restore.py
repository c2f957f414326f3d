"""What a restore believes: the log over the group, whole transactions, and nothing that it cannot check."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from stream_monitor.core.baseline import Schedule
from stream_monitor.core.plan import Plan
from stream_monitor.kafka.baseline_log import BaselineLog
from stream_monitor.kafka.client_settings import judge_consumer, judge_producer, reader
from stream_monitor.kafka.deliveries import Outgoing, deliver
from stream_monitor.kafka.judge import JudgeJob, context
from stream_monitor.kafka.judge.context import JudgeContext
from stream_monitor.kafka.judge.restore import Restored, restore
from stream_monitor.kafka.judge.sealed import seal
from stream_monitor.kafka.judge.state_records import COMMIT_KEY, Commit, encode
from stream_monitor.kafka.outage import OutageWatch
from tests.kafka.counting_judge import CountingJudge, opened
from tests.kafka.judge_process import JudgeRun, finish
from tests.kafka.judging import FAST, JudgedTopics, expected_alerts
from tests.kafka.members import quick_settings


@pytest.fixture
def topics(kafka: str, prefix: str) -> JudgedTopics:
    """Topics of one partition whose first 30 entries are judged."""
    made = JudgedTopics(kafka, prefix, partitions=1)
    made.write_log(0, range(1, 31))
    assert finish(JudgeRun(kafka, prefix, ends={"0": 30}, tuning=FAST)) == (0, [])
    return made


@pytest.fixture
def judging(kafka: str, prefix: str, topics: JudgedTopics, monkeypatch: pytest.MonkeyPatch) -> Iterator[JudgeContext]:
    """What a worker of the same group would restore with, in this process."""
    monkeypatch.setattr(context, "Judge", CountingJudge)
    monkeypatch.setattr(context, "opened", opened)
    settings = quick_settings(kafka)
    log = BaselineLog(Consumer(reader(settings)), topics.names.baselines, Schedule())
    job = JudgeJob(settings, Plan(), group=f"{prefix}judges", instance="0", topics=topics.names)
    yield JudgeContext(job, 1, log, OutageWatch())
    log.close()


def test_a_restore_waits_for_the_transaction_that_is_being_decided(topics: JudgedTopics, judging: JudgeContext) -> None:
    """While offsets of the group hang in a transaction, nothing is restored; once it is committed its state counts,
    however late it was written: the end of the topic is asked for after the offset.
    """
    topics.write_log(0, range(31, 41))
    settings = judging.job.settings
    dynamic = judge_consumer(settings, group=judging.job.group, instance="0")
    del dynamic["group.instance.id"]
    stranger = Consumer(dynamic)
    producer = Producer(judge_producer(settings, group=judging.job.group, instance="before"))
    producer.init_transactions(30)
    producer.begin_transaction()
    position = TopicPartition(topics.names.profiles, 0, 35)
    producer.send_offsets_to_transaction([position], stranger.consumer_group_metadata(), 10)
    steps = restore(judging, stranger, topics.admin(), partition=0)
    for _ in range(2):
        next(steps)
    later = dataclasses.replace(topics.commit(0), next_offset=35, state_digest="")
    filling = [Outgoing(topics.names.judge_state, 0, b"filling", b"") for _ in range(600)]
    deliver(producer, [*filling, Outgoing(topics.names.judge_state, 0, COMMIT_KEY, encode(later))], timeout_s=10)
    producer.commit_transaction(10)

    assert finished(steps).next_offset == 35
    stranger.close()


def test_a_restore_reads_behind_a_transaction_that_a_predecessor_left_open(
    topics: JudgedTopics, judging: JudgeContext
) -> None:
    """What was committed after it lies behind the last stable offset, and counts: it is waited for, not passed over."""
    settings, names = judging.job.settings, topics.names
    left_open, later = (
        Producer(judge_producer(settings, group=judging.job.group, instance=name)) for name in ("gone", "before")
    )
    for producer in (left_open, later):
        producer.init_transactions(30)
        producer.begin_transaction()
    deliver(left_open, [Outgoing(names.judge_state, 0, b"left open", b"")], timeout_s=10)
    commit = dataclasses.replace(topics.commit(0), next_offset=29, state_digest="")
    deliver(later, [Outgoing(names.judge_state, 0, COMMIT_KEY, encode(commit))], timeout_s=10)
    later.commit_transaction(10)
    dynamic = judge_consumer(settings, group=judging.job.group, instance="0")
    del dynamic["group.instance.id"]
    stranger = Consumer(dynamic)
    steps = restore(judging, stranger, topics.admin(), partition=0)
    asked = time.monotonic()
    while time.monotonic() < asked + 5.0:  # the group has told its offset, and the end of the state is known
        next(steps)
    left_open.abort_transaction(10)

    assert finished(steps).next_offset == 29
    stranger.close()


def finished(steps: Iterator[None]) -> Restored:
    """Run a restore to its end."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: Restored = end.value
            return found


def test_an_offset_reset_by_hand_changes_nothing(topics: JudgedTopics, kafka: str, prefix: str) -> None:
    """The log of states is believed, not the group: no alert is published again."""
    reset(topics, 3)
    topics.write_log(0, range(31, 61))

    assert finish(JudgeRun(kafka, prefix, ends={"0": 60}, tuning=FAST)) == (0, [])
    assert topics.alerts(0) == expected_alerts(0, 60)


def reset(topics: JudgedTopics, offset: int) -> None:
    """Set the group's offset without being a member."""
    group = f"{topics.prefix}judges-judge"
    stranger = Consumer({**reader(topics.settings), "group.id": group})
    producer = Producer(judge_producer(topics.settings, group=group, instance="operator"))
    producer.init_transactions(30)
    producer.begin_transaction()
    position = TopicPartition(topics.names.profiles, 0, offset)
    producer.send_offsets_to_transaction([position], stranger.consumer_group_metadata(), 10)
    producer.commit_transaction(10)
    stranger.close()


def overwrite(topics: JudgedTopics, value: bytes) -> None:
    """Put another record in the place of the last `_commit`."""
    topics.write([Outgoing(topics.names.judge_state, 0, COMMIT_KEY, value)])


def changed(commit: Commit, **fields: object) -> bytes:
    """Return a `_commit` that somebody else might have written."""
    return encode(dataclasses.replace(commit, **fields))  # type: ignore[arg-type]  # fields by name


def test_a_plan_whose_text_is_lost_stops_the_judge_and_says_what_to_do(topics: JudgedTopics) -> None:
    """What was judged with it cannot be carried over: exit code 7, never a silent mixture."""
    overwrite(topics, changed(topics.commit(0), plan="ab" * 32))
    code, said = finish(JudgeRun(topics.bootstrap, topics.prefix))

    assert (code, "judged so far with plan ababababab, and its text is not stored: start once" in said[-1]) == (7, True)


def test_a_state_of_a_later_version_is_left_alone(topics: JudgedTopics) -> None:
    """An older program does not fold over what a newer one wrote: exit code 7."""
    overwrite(topics, seal({"format": 99}))
    code, said = finish(JudgeRun(topics.bootstrap, topics.prefix))

    assert (code, "run the later version" in said[-1]) == (7, True)


def test_a_group_without_its_state_stops_the_judge(kafka: str, prefix: str) -> None:
    """Offsets say that something was judged and the state topic is empty: nothing is guessed, exit code 7."""
    topics = JudgedTopics(kafka, prefix, partitions=1)
    topics.write_log(0, range(1, 11))
    reset(topics, 5)
    code, said = finish(JudgeRun(kafka, prefix))

    assert (code, "no _commit record" in said[-1]) == (7, True)
