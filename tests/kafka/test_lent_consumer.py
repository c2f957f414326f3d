"""A consumer whose membership another framework holds: nothing is lost on the way, nothing comes twice."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from stream_monitor.kafka import lent_consumer
from stream_monitor.kafka.errors import Fatal
from stream_monitor.kafka.lent_consumer import LentConsumer, Verdict
from stream_monitor.kafka.profile.owned import InputPartition
from stream_monitor.kafka.readers.stored_record import StoredRecord

PLACE = ("events", 0)


class _Framework:
    """What stands behind a lent consumer in these tests: a log, its end, and a verdict."""

    def __init__(self, offsets: list[int]) -> None:
        self.log = {offset: StoredRecord(*PLACE, offset, 1_000 + offset, None, b"%d" % offset) for offset in offsets}
        self.end: int | None = None
        self.verdict = Verdict.DONE
        self.committed: list[Mapping[InputPartition, tuple[int, str]]] = []
        self.filled: list[tuple[int, int]] = []
        reader = Consumer({"bootstrap.servers": "127.0.0.1:1", "group.id": "g", "log_level": 0})
        self.lent = LentConsumer(reader, commit=self._commit, end_of=lambda _: self.end, fill=self._fill)
        self.lent.subscribe(["events"], on_assign=_nothing, on_revoke=_let_go, on_lost=_nothing)

    def give(self, *, at: int = 0) -> None:
        """Give the partition, and take it up at an offset."""
        self.lent.assigned([PLACE])
        self.lent.consume(1, 0.0)
        self.lent.incremental_assign([TopicPartition(*PLACE, at)])

    def put(self, *offsets: int) -> None:
        """Hand records over."""
        for offset in offsets:
            self.lent.put(self.log[offset])

    def offsets(self, most: int = 100) -> list[int | None]:
        """Return the offsets of the records that come now."""
        return [message.offset() for message in self.lent.consume(most, 0.0) if message.error() is None]

    def _commit(self, offsets: Mapping[InputPartition, tuple[int, str]]) -> Verdict:
        self.committed.append(offsets)
        return self.verdict

    def _fill(self, _: InputPartition, first: int, next_offset: int) -> list[StoredRecord]:
        self.filled.append((first, next_offset))
        return [self.log[offset] for offset in sorted(self.log) if first <= offset < next_offset]


def _nothing(_consumer: LentConsumer, _partitions: list[TopicPartition]) -> None:
    """Do nothing."""


def _let_go(consumer: LentConsumer, partitions: list[TopicPartition]) -> None:
    consumer.incremental_unassign(partitions)


@pytest.fixture
def framework() -> Iterator[_Framework]:
    """A log of ten records, two of them gone: 3 and 4."""
    made = _Framework([0, 1, 2, 5, 6, 7, 8, 9, 10, 11])
    yield made
    made.lent.close()


def test_records_come_with_everything_they_had(framework: _Framework) -> None:
    """InputPartition, offset, time, value: what the session counts from."""
    framework.give()
    framework.put(0)
    [message] = framework.lent.consume(10, 0.0)

    assert isinstance(message, Message)
    assert ("events", 0, 0, b"0", (1, 1_000)) == (
        message.topic(),
        message.partition(),
        message.offset(),
        message.value(),
        message.timestamp(),
    )


def test_what_the_framework_lost_is_read_again(framework: _Framework) -> None:
    """Records 1 and 2 never came: they stand before the next one all the same."""
    framework.give()
    framework.put(0, 5, 6)

    assert [0, 1, 2, 5, 6] == framework.offsets()
    assert [(1, 5)] == framework.filled


def test_records_handed_over_before_the_assignment_are_not_lost(framework: _Framework) -> None:
    """Faust begins to read before it tells who owns what."""
    framework.put(0, 1)
    framework.give()
    framework.put(2)

    assert [0, 1, 2] == framework.offsets()


def test_the_end_of_a_partition_is_not_lost_either(framework: _Framework, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing follows the records that were dropped: after a while they are fetched."""
    monkeypatch.setattr(lent_consumer, "TAIL_S", 0.0)
    framework.give()
    framework.put(0)
    framework.end = 3

    assert [0] == framework.offsets()
    assert [1, 2] == framework.offsets()
    assert [] == framework.offsets()


def test_records_below_the_position_are_dropped(framework: _Framework) -> None:
    """What was counted before the assignment does not come again."""
    framework.give(at=6)
    framework.put(5, 6)

    assert [6] == framework.offsets()


def test_the_end_is_told_once(framework: _Framework) -> None:
    """An idle partition reports its end as librdkafka does, and not in every round."""
    framework.give()
    framework.put(0)
    framework.end = 1
    framework.offsets()
    first, again = framework.lent.consume(10, 0.0), framework.lent.consume(10, 0.0)

    assert [KafkaError._PARTITION_EOF] == [error.code() for m in first if (error := m.error()) is not None]
    assert [] == again


def test_a_revocation_waits_until_the_session_has_let_go(framework: _Framework) -> None:
    """The framework may give the partition away only when nothing of it is in hand."""
    framework.give()
    framework.put(0, 1)
    revoking = threading.Thread(target=framework.lent.revoked, args=([PLACE],))
    revoking.start()
    while revoking.is_alive():
        assert [] == framework.offsets()
        revoking.join(0.01)
    framework.give()
    framework.put(0)

    assert [0] == framework.offsets()


def test_a_partition_is_taken_up_once(framework: _Framework) -> None:
    """After a refused round the framework's position is behind us: the worker ends and begins again."""
    framework.give()
    framework.lent.incremental_unassign([TopicPartition(*PLACE)])

    with pytest.raises(Fatal, match="restart"):
        framework.lent.incremental_assign([TopicPartition(*PLACE, 0)])


def test_all_partitions_paused_is_a_halt(framework: _Framework) -> None:
    """While baselines are not known nothing may be counted."""
    framework.give()
    framework.lent.pause([TopicPartition(*PLACE)])
    framework.put(0)

    assert [] == framework.offsets()
    framework.lent.resume([TopicPartition(*PLACE)])
    assert [0] == framework.offsets()


@pytest.mark.parametrize(
    ("verdict", "code"),
    [(Verdict.REFUSED, KafkaError.ILLEGAL_GENERATION), (Verdict.UNKNOWN, KafkaError._TIMED_OUT)],
)
def test_a_commit_that_is_not_done_raises(framework: _Framework, verdict: Verdict, code: int) -> None:
    """A refusal and an unknown outcome look to the session as they do from librdkafka."""
    framework.verdict = verdict
    with pytest.raises(KafkaException) as caught:
        framework.lent.commit(offsets=[TopicPartition(*PLACE, 7, metadata="state")], asynchronous=False)

    assert code == caught.value.args[0].code()
    assert [{PLACE: (7, "state")}] == framework.committed
