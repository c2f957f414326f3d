"""Commits portions without transactions, for brokers that have none: in an order that repeats but never loses."""

from __future__ import annotations

from collections.abc import Sequence

from confluent_kafka import Consumer, KafkaException, TopicPartition

from stream_monitor.kafka.client_settings import ClientConfig
from stream_monitor.kafka.clients import open_producer
from stream_monitor.kafka.deliveries import Deliveries, UndeliveredRecords
from stream_monitor.kafka.errors import ClientRestart, RestartReason, RoundFailed, is_refusal, kafka_error, stop_for
from stream_monitor.kafka.judge.context import JudgeContext
from stream_monitor.kafka.judge.partition import Portion, positions
from stream_monitor.kafka.judge.producing import discard, error_of, produce_all
from stream_monitor.kafka.judge.proposals import propose_baselines
from stream_monitor.kafka.observer import CommitOutcome, Loop
from stream_monitor.kafka.unwrapped import unwrapped


class RepeatingWriter:
    """At least once, without transactions: alerts first, then the state that covers them, then the group's offset.

    A crash in between writes the same alerts again, with the same ids and bytes; none is lost.
    """

    def __init__(self, context: JudgeContext, config: ClientConfig, consumer: Consumer) -> None:
        self._context = context
        self._consumer = consumer
        self._producer = open_producer(config, context.note_error)

    def commit(self, portions: Sequence[Portion], *, timeout_s: float) -> None:
        """Write and flush outputs, write and flush state, commit offsets."""
        reach = self._context.job.failpoints.reach
        if not self._consumer.memberid():
            raise RoundFailed("not a member of the group any more")
        reach("judge.commit.begin")
        try:
            self._write(portions, timeout_s)
        except (UndeliveredRecords, KafkaException) as error:
            inner = error_of(error)
            stop = stop_for(inner, "write alerts", name=self._context.job.name) if inner is not None else None
            if stop is not None:
                raise stop from error
            self._context.job.observer.commit(Loop.JUDGE, CommitOutcome.REFUSED)
            raise RoundFailed(str(error)) from error
        self._move_offsets(positions(self._context.job.topics.profiles, portions))
        reach("judge.commit.done")

    def poll(self) -> None:
        """Serve callbacks."""
        unwrapped(lambda: self._producer.poll(0))

    def leave(self) -> None:
        """Drop the producer."""
        discard(self._producer)

    def _write(self, portions: Sequence[Portion], timeout_s: float) -> None:
        reach = self._context.job.failpoints.reach
        batch = Deliveries(self._producer)
        produce_all(batch, (r for p in portions for r in p.outputs), lambda: reach("judge.commit.output"))
        propose_baselines(self._context, self._producer, [b for p in portions for b in p.proposals])
        batch.flush(timeout_s)
        reach("judge.commit.outputs")
        produce_all(batch, (r for p in portions for r in p.state), lambda: reach("judge.commit.state"))
        batch.flush(timeout_s)
        reach("judge.commit.flushed")

    def _move_offsets(self, offsets: Sequence[TopicPartition]) -> None:
        try:
            answers = self._consumer.commit(offsets=list(offsets), asynchronous=False)
            error = next((a.error for a in answers if a.error is not None), None)
        except KafkaException as raised:
            error = kafka_error(raised)
        if error is None:
            self._context.job.observer.commit(Loop.JUDGE, CommitOutcome.DONE)
            return
        stop = stop_for(error, "commit offsets of the judge", name=self._context.job.name)
        if stop is not None:
            raise stop
        if is_refusal(error):
            self._context.job.observer.commit(Loop.JUDGE, CommitOutcome.REFUSED)
            raise RoundFailed(error.str())
        self._context.job.observer.commit(Loop.JUDGE, CommitOutcome.UNKNOWN)
        raise ClientRestart(RestartReason.COMMIT_UNKNOWN, error.str())
