"""Commits portions in transactions: alerts, states, snapshot and input offset together, or not at all.

Each commit ends in exactly one way: done; `RoundFailed`, certainly not done, so the partitions start again from what is
committed; `ClientRestart`, unknown, and only new clients make a late answer harmless; `Stop`, the process ends.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence

import orjson
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer

from stream_monitor.kafka.bounded import answered_within
from stream_monitor.kafka.client_settings import ClientConfig
from stream_monitor.kafka.clients import open_producer, patiently
from stream_monitor.kafka.deliveries import Deliveries, UndeliveredRecords
from stream_monitor.kafka.errors import ClientRestart, RestartReason, RoundFailed, kafka_error, stop_for
from stream_monitor.kafka.judge.context import JudgeContext
from stream_monitor.kafka.judge.partition import Portion, positions
from stream_monitor.kafka.judge.producing import discard, error_of, produce_all
from stream_monitor.kafka.judge.proposals import propose_baselines
from stream_monitor.kafka.observer import CommitOutcome, Loop
from stream_monitor.kafka.unwrapped import unwrapped

_LOG = logging.getLogger("stream_monitor.kafka.judge")


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
        self._attempt(self._producer.begin_transaction, "begin transaction", timeout_s)
        reach("judge.commit.begun")
        try:
            self._write(portions, timeout_s)
        except (UndeliveredRecords, KafkaException, RoundFailed) as error:
            self._abort(error)
        self._end(timeout_s)
        reach("judge.commit.done")

    def poll(self) -> None:
        """Serve callbacks."""
        unwrapped(lambda: self._producer.poll(0))

    def leave(self) -> None:
        """Drop the producer without a word: the next one of the same id fences it and settles what it left."""
        discard(self._producer)

    def _write(self, portions: Sequence[Portion], timeout_s: float) -> None:
        reach = self._context.job.failpoints.reach
        batch = Deliveries(self._producer)
        produce_all(batch, (r for p in portions for r in p.outputs), lambda: reach("judge.commit.output"))
        reach("judge.commit.outputs")
        propose_baselines(self._context, self._producer, [b for p in portions for b in p.proposals])
        produce_all(batch, (r for p in portions for r in p.state), lambda: reach("judge.commit.state"))
        reach("judge.commit.flush")
        batch.flush(timeout_s)
        reach("judge.commit.flushed")
        # Fetched now: metadata of an older generation would be refused, and that is what it is for. Empty metadata of a
        # member that lost its place would be *accepted*, so the member id is looked at after the metadata was taken.
        metadata = self._consumer.consumer_group_metadata()
        if not self._consumer.memberid():
            raise RoundFailed("not a member of the group any more")
        offsets = positions(self._context.job.topics.profiles, portions)
        answered_within(
            lambda: self._producer.send_offsets_to_transaction(offsets, metadata, timeout_s), timeout_s, "send offsets"
        )
        reach("judge.commit.offsets")

    def _end(self, timeout_s: float) -> None:
        observer = self._context.job.observer
        started = time.monotonic()
        try:
            answered_within(lambda: self._producer.commit_transaction(timeout_s), timeout_s, "commit transaction")
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
        first = self._first_error() or error_of(cause)
        if first is not None:
            self._stop_if_fatal(first, "transaction", cause)
        self._context.job.observer.commit(Loop.JUDGE, CommitOutcome.REFUSED)
        limit_s = self._context.job.tuning.flush_s
        self._attempt(lambda: self._producer.abort_transaction(limit_s), "abort transaction", limit_s)
        raise RoundFailed(str(cause)) from cause

    def _first_error(self) -> KafkaError | None:
        """Return what the transaction failed of, None when it has not failed.

        Its records only say that they were purged, and the broker may answer the abort of a transaction that it never
        saw with INVALID_TXN_STATE. Asked to begin another one, the producer says what was first.
        """
        try:
            self._producer.begin_transaction()
        except KafkaException as error:
            inner = kafka_error(error)
            return None if inner.code() == KafkaError._STATE else inner
        return None

    def _attempt(self, call: Callable[[], None], doing: str, timeout_s: float) -> None:
        try:
            answered_within(call, timeout_s, doing)
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
            lambda left_s: answered_within(lambda: producer.init_transactions(left_s), left_s, "init transactions"),
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
        discard(old)

    def _note_statistics(self, text: str) -> None:
        brokers = orjson.loads(text).get("brokers", {})
        retries = sum(int(broker.get("txretries", 0)) for broker in brokers.values())
        if retries > self._retries:
            self._is_suspect = True
        self._retries = retries
