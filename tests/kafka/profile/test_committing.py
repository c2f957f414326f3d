"""What the answer to a commit means."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

import pytest
from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from stream_monitor.kafka.errors import ClientRestart, Fatal, Misconfigured, NotAuthorised, RestartReason
from stream_monitor.kafka.observer import CommitOutcome, Loop, NullObserver
from stream_monitor.kafka.profile.committing import CommitRefused, commit
from stream_monitor.kafka.stop_request import StopRequest

OFFSETS = [TopicPartition("in", 0, 7, metadata="{}")]


class Answering:
    """A consumer whose commits are answered by the test."""

    def __init__(self, answer: Callable[[], list[TopicPartition]]) -> None:
        self._answer = answer

    def commit(self, *, offsets: list[TopicPartition], asynchronous: bool) -> list[TopicPartition]:
        assert not asynchronous
        return self._answer()


class Outcomes(NullObserver):
    def __init__(self) -> None:
        self.heard: list[CommitOutcome] = []

    def commit(self, loop: Loop, outcome: CommitOutcome) -> None:
        self.heard.append(outcome)


def answered(
    answer: Callable[[], list[TopicPartition]], *, slow_s: float = 1.0, stopping: StopRequest | None = None
) -> list[CommitOutcome]:
    outcomes = Outcomes()
    consumer: Consumer = Answering(answer)  # type: ignore[assignment]  # injects answers that a broker gives rarely
    stopping = stopping or StopRequest(math.inf)
    commit(consumer, OFFSETS, slow_s=slow_s, name="g-profile-a", observer=outcomes, stopping=stopping)
    return outcomes.heard


def refusing(code: int) -> Callable[[], list[TopicPartition]]:
    def answer() -> list[TopicPartition]:
        raise KafkaException(KafkaError(code))

    return answer


def test_a_commit_that_is_taken_is_done() -> None:
    """Every partition's own answer is looked at."""
    assert answered(lambda: OFFSETS) == [CommitOutcome.DONE]


@pytest.mark.parametrize(
    "code", [KafkaError.ILLEGAL_GENERATION, KafkaError.UNKNOWN_MEMBER_ID, KafkaError.REBALANCE_IN_PROGRESS]
)
def test_a_refusal_drops_the_round(code: int) -> None:
    """The coordinator says for certain that it did not take it."""
    with pytest.raises(CommitRefused):
        answered(refusing(code))


@pytest.mark.parametrize(
    "code", [KafkaError._TIMED_OUT, KafkaError._TRANSPORT, KafkaError.REQUEST_TIMED_OUT, KafkaError._WAIT_COORD]
)
def test_an_unanswered_commit_restarts_the_clients(code: int) -> None:
    """It may have been taken, or may still be."""
    with pytest.raises(ClientRestart) as restart:
        answered(refusing(code))

    assert restart.value.reason is RestartReason.COMMIT_UNKNOWN


def test_a_slow_commit_restarts_the_clients_though_it_is_done() -> None:
    """The client repeats a call inside and hides it: a late copy may follow and set the state back."""

    def answer() -> list[TopicPartition]:
        time.sleep(0.02)
        return OFFSETS

    with pytest.raises(ClientRestart) as restart:
        answered(answer, slow_s=0.01)

    assert restart.value.reason is RestartReason.SLOW_COMMIT


def test_a_stop_does_not_wait_for_a_commit_that_nobody_answers() -> None:
    """The call has no limit of its own; the next owner finds out whether it counted."""
    stopping, unanswered = StopRequest(drain_s=0.05), threading.Event()

    def never() -> list[TopicPartition]:
        stopping.ask()
        unanswered.wait()
        return OFFSETS

    with pytest.raises(ClientRestart) as restart:
        answered(never, slow_s=1_000.0, stopping=stopping)
    unanswered.set()

    assert restart.value.reason is RestartReason.COMMIT_UNKNOWN


@pytest.mark.parametrize(
    ("code", "stop"),
    [
        (KafkaError.FENCED_INSTANCE_ID, Fatal),
        (KafkaError._FATAL, Fatal),
        (KafkaError.GROUP_AUTHORIZATION_FAILED, NotAuthorised),
        (KafkaError.OFFSET_METADATA_TOO_LARGE, Misconfigured),
    ],
)
def test_some_answers_end_the_worker(code: int, stop: type[Exception]) -> None:
    """Fenced, fatal, forbidden, or metadata that the brokers do not take."""
    with pytest.raises(stop):
        answered(refusing(code))


def test_a_partition_refused_in_a_good_answer_is_a_refusal() -> None:
    """The call succeeds as a whole while one partition of it did not."""

    class Refused(TopicPartition):
        error = KafkaError(KafkaError.ILLEGAL_GENERATION)

    with pytest.raises(CommitRefused):
        answered(lambda: [*OFFSETS, Refused("in", 1, 3)])
