"""How portions are committed: in a transaction, or, for brokers without them, in an order that repeats but never loses.

The two are two classes with one method. Each says exactly one of: committed; `RoundFailed`, certainly not committed, so
the partitions start again from what is; `ClientRestart`, unknown, and only new clients make a late answer harmless;
`Stop`, the process ends.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

import orjson
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from stream_monitor.core.baseline import activation_lead_ms, proposed_activation_ms
from stream_monitor.core.judge import BaselineProposal
from stream_monitor.kafka.baseline_log import BaselineWriter, is_void
from stream_monitor.kafka.clients import open_producer, patiently
from stream_monitor.kafka.deliveries import Deliveries, Outgoing, UndeliveredRecords
from stream_monitor.kafka.errors import (
    ClientRestart,
    RestartReason,
    RoundFailed,
    is_refusal,
    kafka_error,
    stop_for,
)
from stream_monitor.kafka.judge.context import JudgeContext
from stream_monitor.kafka.judge.partition import Portion, positions
from stream_monitor.kafka.observer import CommitOutcome, Loop
from stream_monitor.kafka.settings import ClientConfig

_LOG = logging.getLogger("stream_monitor.kafka.judge")


class JudgeWriter(Protocol):
    """Commits portions of several partitions at once."""

    def commit(self, portions: Sequence[Portion], *, timeout_s: float) -> None:
        """Write everything and move the input offsets, as one step.

        Raises:
            RoundFailed: certainly not done.
            ClientRestart: not known.
            Stop: the process cannot go on.
        """

    def poll(self) -> None:
        """Serve callbacks; between commits."""

    def leave(self) -> None:
        """Let go of the producer, without ending a transaction whose fate is not known."""


class TransactionalWriter:
    """Alerts, states, snapshot and input offset in one transaction of one producer per process (KIP-447).

    Args:
        context: of the worker.
        config: of the producer, with its transactional id.
        consumer: the group member whose offsets travel in the transaction.
    """

    def __init__(self, context: JudgeContext, config: ClientConfig, consumer: Consumer) -> None:
        self._context = context
        self._config = config
        self._consumer = consumer
        self._retries = 0
        self._is_suspect = False
        self._producer = self._open()

    def commit(self, portions: Sequence[Portion], *, timeout_s: float) -> None:
        """Commit portions in a transaction; everything was computed before it begins (H18)."""
        reach = self._context.job.failpoints.reach
        if self._is_suspect:
            self._replace_producer()
        reach("judge.commit.begin")
        self._attempt(self._producer.begin_transaction, "begin transaction")
        reach("judge.commit.begun")
        try:
            self._write(portions, timeout_s)
        except (UndeliveredRecords, KafkaException, RoundFailed) as error:
            self._abort(error)
        self._end(timeout_s)
        reach("judge.commit.done")

    def poll(self) -> None:
        """Serve callbacks."""
        self._producer.poll(0)

    def leave(self) -> None:
        """Drop the producer without a word: the next one of the same id fences it and settles what it left."""
        _discard(self._producer)

    def _write(self, portions: Sequence[Portion], timeout_s: float) -> None:
        reach = self._context.job.failpoints.reach
        batch = Deliveries(self._producer)
        _produce(batch, (r for p in portions for r in p.outputs), lambda: reach("judge.commit.output"))
        reach("judge.commit.outputs")
        propose_baselines(self._context, self._producer, [b for p in portions for b in p.proposals])
        _produce(batch, (r for p in portions for r in p.state), lambda: reach("judge.commit.state"))
        reach("judge.commit.flush")
        batch.flush(timeout_s)
        reach("judge.commit.flushed")
        # Fetched now: metadata of an older generation would be refused, and that is what it is for. Empty metadata of a
        # member that lost its place would be *accepted*, so the member id is looked at after the metadata was taken.
        metadata = self._consumer.consumer_group_metadata()
        if not self._consumer.memberid():
            raise RoundFailed("not a member of the group any more")
        offsets = positions(self._context.job.topics.profiles, portions)
        self._producer.send_offsets_to_transaction(offsets, metadata, timeout_s)
        reach("judge.commit.offsets")

    def _end(self, timeout_s: float) -> None:
        observer = self._context.job.observer
        started = time.monotonic()
        try:
            self._producer.commit_transaction(timeout_s)
        except KafkaException as error:
            inner = kafka_error(error)
            self._stop_if_fatal(inner, "commit transaction", error)
            if inner.txn_requires_abort():
                self._abort(error)
            observer.commit(Loop.JUDGE, CommitOutcome.UNKNOWN)
            raise ClientRestart(RestartReason.COMMIT_UNKNOWN, inner.str()) from error
        observer.commit(Loop.JUDGE, CommitOutcome.DONE)
        if time.monotonic() - started > self._context.job.tuning.slow_commit_s:
            self._is_suspect = True
        if self._is_suspect:
            self._replace_producer()

    def _abort(self, cause: Exception) -> None:
        """Abort and say so; a transaction whose commit was asked for never comes here without a definite answer."""
        inner = _error_of(cause)
        if inner is not None:
            self._stop_if_fatal(inner, "transaction", cause)
        self._context.job.observer.commit(Loop.JUDGE, CommitOutcome.REFUSED)
        self._attempt(lambda: self._producer.abort_transaction(self._context.job.tuning.flush_s), "abort transaction")
        raise RoundFailed(str(cause)) from cause

    def _attempt(self, call: Callable[[], None], doing: str) -> None:
        try:
            call()
        except KafkaException as error:
            inner = kafka_error(error)
            self._stop_if_fatal(inner, doing, error)
            raise ClientRestart(RestartReason.ERROR, f"{doing}: {inner.str()}") from error

    def _stop_if_fatal(self, error: KafkaError, doing: str, cause: Exception) -> None:
        stop = stop_for(error, doing, name=self._context.job.name)
        if stop is not None:
            raise stop from cause

    def _open(self) -> Producer:
        producer = open_producer(self._config, self._context.note_error, self._note_statistics)
        patiently(
            producer.init_transactions,
            f"init transactions of {self._context.job.name}",
            timeout_s=self._context.job.tuning.answer_s,
        )
        self._retries, self._is_suspect = 0, False
        return producer

    def _replace_producer(self) -> None:
        """Take a new epoch: an EndTxn of ours that is still under way can then end nothing of the next transaction."""
        self._context.job.observer.restart(RestartReason.SLOW_COMMIT)
        _LOG.warning("%s: a request was slow or repeated: new producer", self._context.job.name)
        old, self._producer = self._producer, self._open()
        _discard(old)

    def _note_statistics(self, text: str) -> None:
        brokers = orjson.loads(text).get("brokers", {})
        retries = sum(int(broker.get("txretries", 0)) for broker in brokers.values())
        if retries > self._retries:
            self._is_suspect = True
        self._retries = retries


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
            inner = _error_of(error)
            stop = stop_for(inner, "write alerts", name=self._context.job.name) if inner is not None else None
            if stop is not None:
                raise stop from error
            self._context.job.observer.commit(Loop.JUDGE, CommitOutcome.REFUSED)
            raise RoundFailed(str(error)) from error
        self._move_offsets(positions(self._context.job.topics.profiles, portions))
        reach("judge.commit.done")

    def poll(self) -> None:
        """Serve callbacks."""
        self._producer.poll(0)

    def leave(self) -> None:
        """Drop the producer."""
        _discard(self._producer)

    def _write(self, portions: Sequence[Portion], timeout_s: float) -> None:
        reach = self._context.job.failpoints.reach
        batch = Deliveries(self._producer)
        _produce(batch, (r for p in portions for r in p.outputs), lambda: reach("judge.commit.output"))
        propose_baselines(self._context, self._producer, [b for p in portions for b in p.proposals])
        batch.flush(timeout_s)
        reach("judge.commit.outputs")
        _produce(batch, (r for p in portions for r in p.state), lambda: reach("judge.commit.state"))
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


def propose_baselines(context: JudgeContext, producer: Producer, proposals: Sequence[BaselineProposal]) -> None:
    """Publish documents, learn the broker's time from their reports, and activate each a lead ahead of it (H9).

    Raises:
        UndeliveredRecords: a record was refused, or the activation came too late for its pane.
    """
    writer = BaselineWriter(producer, context.job.topics.baselines, timeout_s=context.job.tuning.flush_s)
    plan = context.job.plan
    for proposal in proposals:
        written_ms = writer.document(proposal.baseline)
        from_ms = proposed_activation_ms(
            written_ms, lead_ms=activation_lead_ms(plan.time), pane_ms=plan.detection.pane_ms
        )
        activated_ms = writer.activation(proposal.baseline, from_ms)
        if is_void(plan.time, written_ms=activated_ms, from_ms=from_ms):
            raise UndeliveredRecords(f"activation of {proposal.baseline.id} took too long to be written")
        _LOG.info(
            "model %s version %s: baseline %s from its first events, active from %d",
            proposal.model,
            proposal.version,
            proposal.baseline.id,
            from_ms,
        )


def _produce(batch: Deliveries, records: Iterable[Outgoing], reach: Callable[[], None]) -> None:
    for record in records:
        batch.produce(record)
        reach()


def _error_of(cause: Exception) -> KafkaError | None:
    if isinstance(cause, KafkaException):
        return kafka_error(cause)
    return cause.error if isinstance(cause, UndeliveredRecords) else None


def _discard(producer: Producer) -> None:
    """Forget what a producer still holds; it is never closed, because closing would end its transaction."""
    producer.purge(blocking=False)
