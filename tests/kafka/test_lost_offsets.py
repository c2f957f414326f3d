"""Input offsets that are gone, on a real broker: the log says where to go on, or the message says what mends it."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition

from stream_monitor.kafka.errors import DataLoss, HistoryUnusable
from stream_monitor.kafka.profile import assignment
from tests import instants
from tests.kafka.members import make_topic
from tests.kafka.offset_deletion import delete_group_offset
from tests.kafka.profiling import Running, Stage, event, make_stage, running, wait_until

EVENTS = 60


def feed(stage: Stage, numbers: range) -> None:
    """Send events of the last minutes, the same share to every partition."""
    start_ms = instants.ago_ms(300)
    for partition in range(2):
        stage.send(partition, [event(n, start_ms + 100 * n) for n in numbers if n % 2 == partition])


def assert_whole(stage: Stage, events: int) -> None:
    """Check that the chunks which count tile the input and that every event is counted, none rejected."""
    folded = stage.fold()
    assert sum(profile.events for profile in folded.profiles().values()) == events
    for place, end in stage.ends().items():
        progress = folded.progress(place)
        assert [0, *(p.next for p in progress)] == [*(p.first for p in progress), end]


def patiently(request: Callable[[], object]) -> None:
    """Repeat a request that the group refuses while a static member that has left is still in it."""
    deadline = time.monotonic() + 30
    while True:
        try:
            request()
        except KafkaException:
            assert time.monotonic() < deadline
            time.sleep(0.3)
        else:
            return


def delete_group(stage: Stage) -> None:
    """Delete the group with all its offsets."""
    (future,) = stage.admin.delete_consumer_groups([f"{stage.prefix}-profile"]).values()
    future.result(20)


def delete_offset(stage: Stage, partition: int) -> None:
    """Delete the offset of one partition, and see that it is gone."""
    delete_group_offset(stage.bootstrap, f"{stage.prefix}-profile", stage.inputs[0], partition)
    if (stage.inputs[0], partition) in stage.committed():
        raise KafkaException("the group has members")


def reset_by_tool(stage: Stage, partition: int) -> None:
    """Move the offset of one partition as the usual tool does: without metadata."""
    offsets = ConsumerGroupTopicPartitions(f"{stage.prefix}-profile", [TopicPartition(stage.inputs[0], partition, 0)])
    (future,) = stage.admin.alter_consumer_group_offsets([offsets]).values()
    future.result(20)
    if stage.committed()[stage.inputs[0], partition][1]:
        raise KafkaException("the group has members")


@pytest.mark.parametrize("is_young", [True, False], ids=["young", "old"])
def test_lost_offsets_are_taken_from_the_log(
    kafka: str, prefix: str, monkeypatch: pytest.MonkeyPatch, is_young: bool
) -> None:
    """At any age of the group; then the offset of one partition alone is deleted, and of the other. Every event counts
    once.
    """
    stage = make_stage(kafka, prefix)
    losses = [lambda: delete_group(stage), lambda: delete_offset(stage, 0), lambda: delete_offset(stage, 1)]
    feed(stage, range(EVENTS))
    for life, lose in enumerate(losses, start=1):
        with running(stage.job()):
            wait_until(stage.is_caught_up)
        if not is_young:
            monkeypatch.setattr(assignment, "YOUNG_MS", 0)
        patiently(lose)
        feed(stage, range(EVENTS * life, EVENTS * (life + 1)))
    with running(stage.job()):
        wait_until(stage.is_caught_up)

    assert_whole(stage, EVENTS * (len(losses) + 1))


def test_a_reset_without_metadata_stops_with_the_command(kafka: str, prefix: str) -> None:
    """The usual tool writes an offset and no chain: exit code 7, nothing is counted under a guessed name."""
    stage = make_stage(kafka, prefix)
    feed(stage, range(EVENTS))
    with running(stage.job()):
        wait_until(stage.is_caught_up)
    before = stage.ends_of_profiles()
    patiently(lambda: reset_by_tool(stage, 1))
    worker = Running(stage.job())
    wait_until(worker.ended)

    assert isinstance(worker.error, HistoryUnusable)
    assert "stream-monitor recover offsets" in str(worker.error)
    assert before == stage.ends_of_profiles()


def test_a_topic_made_anew_under_a_deleted_group_is_noticed(kafka: str, prefix: str) -> None:
    """The log knows the old topic: exit code 6 and the command, although the group is young."""
    stage = make_stage(kafka, prefix)
    feed(stage, range(EVENTS))
    with running(stage.job()):
        wait_until(stage.is_caught_up)
    patiently(lambda: delete_group(stage))
    (future,) = stage.admin.delete_topics([stage.inputs[0]]).values()
    future.result(20)
    wait_until(lambda: stage.inputs[0] not in stage.admin.list_topics(timeout=20).topics)
    make_topic(kafka, stage.inputs[0], 2)
    worker = Running(stage.job())
    wait_until(worker.ended)

    assert isinstance(worker.error, DataLoss)
    assert "recover offsets --to earliest" in str(worker.error)
