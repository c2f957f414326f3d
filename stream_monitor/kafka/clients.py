"""Makes the clients and asks the broker the questions that the workers share: end offsets, committed offsets.

Every call has a deadline; a transient answer is repeated until it, because librdkafka reports `_TIMED_OUT` for a
pending transaction with `retriable()` false.
"""

from __future__ import annotations

import faulthandler
import logging
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

from confluent_kafka import Consumer, IsolationLevel, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # the package has no __all__
    AdminClient,
    OffsetSpec,
)

from stream_monitor.kafka.client_settings import ClientConfig, KafkaSettings
from stream_monitor.kafka.errors import is_transient, kafka_error, stop_for

ErrorCallback = Callable[[KafkaError], None]
Answer = TypeVar("Answer")

CLIENT_LOG = logging.getLogger("stream_monitor.kafka.client")
"""Where the client's own log lines go. What it repeats to the error callback of its owner is for debugging only."""

_SAID_TO_THE_OWNER = ("FAIL [", "ERROR [")


def _demote(record: logging.LogRecord) -> bool:
    """Let a line through; what its owner hears of too, several times a second in an outage, only for debugging."""
    if not record.getMessage().startswith(_SAID_TO_THE_OWNER):
        return True
    record.levelno, record.levelname = logging.DEBUG, "DEBUG"
    return CLIENT_LOG.isEnabledFor(logging.DEBUG)


CLIENT_LOG.addFilter(_demote)

_REQUEST_TIMEOUT_S = 10.0
_SERVED_EVENTS = 1_000
_SERVE_S = 0.1

_STALE = frozenset(
    {KafkaError.FENCED_LEADER_EPOCH, KafkaError.UNKNOWN_LEADER_EPOCH, KafkaError.NOT_LEADER_FOR_PARTITION}
)
"""What an old idea of a partition's leader is answered with, after a leader moved or its broker came back."""


def open_admin(settings: KafkaSettings, on_error: ErrorCallback | None = None) -> AdminClient:
    """Return an admin client; its global errors go to `on_error`, from inside its own poll calls."""
    callbacks: dict[str, Any] = {} if on_error is None else {"error_cb": on_error}
    return AdminClient({**settings.common_config(), **callbacks}, logger=CLIENT_LOG)


def open_consumer(config: ClientConfig, on_error: ErrorCallback) -> Consumer:
    """Return a consumer whose global errors go to `on_error`, from inside its own poll calls."""
    return Consumer({**config, "error_cb": on_error}, logger=CLIENT_LOG)


def open_producer(
    config: ClientConfig, on_error: ErrorCallback, on_statistics: Callable[[str], None] | None = None
) -> Producer:
    """Return a producer whose global errors go to `on_error`, from inside its own poll and flush calls."""
    callbacks: dict[str, object] = {"error_cb": on_error}
    if on_statistics is not None:
        callbacks["stats_cb"] = on_statistics
    return Producer({**config, **callbacks}, logger=CLIENT_LOG)


def close_consumer(consumer: Consumer, *, timeout_s: float = 10.0) -> None:
    """Leave the group and close a consumer.

    `close` never returns when a rebalance event waits in the consumer's queue: the answer of the callback finds
    nobody, and the wait for it holds the interpreter's lock. So what waits is served first, while somebody listens.
    Both happen in a thread of their own: the client lets one thread in at a time, so a commit that was given up and
    still waits for its broker would hold up even the shortest call. What hangs all the same is left behind with its
    thread, or, when the interpreter's lock is held, the process ends: a worker that stands still must not look alive.
    """
    if sys.__stderr__ is not None:
        faulthandler.dump_traceback_later(2 * timeout_s, exit=True, file=sys.__stderr__)
    closing = threading.Thread(target=_serve_and_close, args=(consumer,), name="close-consumer", daemon=True)
    closing.start()
    closing.join(timeout_s)
    faulthandler.cancel_dump_traceback_later()
    if closing.is_alive():
        CLIENT_LOG.error("a consumer did not close within %g s and is left behind", timeout_s)


def _serve_and_close(consumer: Consumer) -> None:
    # The consumer is given up, whatever it or a callback has to say; an error of `close` comes when all is closed.
    with suppress(KafkaException, RuntimeError):
        consumer.consume(_SERVED_EVENTS, _SERVE_S)
    with suppress(KafkaException, RuntimeError):
        consumer.close()


def committed(
    consumer: Consumer, partitions: Sequence[TopicPartition], *, timeout_s: float = 60.0
) -> list[TopicPartition]:
    """Return committed offsets and metadata; a read_committed consumer waits for pending transactional offsets.

    Raises:
        Stop: the group refuses us.
        KafkaException: no answer within `timeout_s`.
    """
    return patiently(
        lambda left_s: consumer.committed(list(partitions), timeout=left_s), "committed offsets", timeout_s=timeout_s
    )


def end_offsets(
    admin: AdminClient,
    partitions: Sequence[TopicPartition],
    *,
    uncommitted: bool = False,
    earliest: bool = False,
    timeout_s: float = 60.0,
) -> dict[tuple[str, int], int]:
    """Return the offset after the last record of each partition, asked of the broker now.

    Args:
        admin: the client.
        partitions: which.
        uncommitted: up to the high watermark; otherwise up to the last stable offset.
        earliest: the start of the log instead of its end.
        timeout_s: how long to repeat the question.

    Raises:
        Stop: the cluster refuses us.
        KafkaException: no answer within `timeout_s`.
    """
    level = IsolationLevel.READ_UNCOMMITTED if uncommitted else IsolationLevel.READ_COMMITTED
    spec = OffsetSpec.earliest() if earliest else OffsetSpec.latest()  # type: ignore[no-untyped-call]  # the client's

    def ask(left_s: float) -> dict[tuple[str, int], int]:
        futures = admin.list_offsets(
            {TopicPartition(p.topic, p.partition): spec for p in partitions},
            isolation_level=level,
            request_timeout=left_s,
        )
        try:
            return {(tp.topic, tp.partition): future.result().offset for tp, future in futures.items()}
        except KafkaException as error:
            if kafka_error(error).code() in _STALE:
                # The admin client keeps asking with the leader epoch it knows, until its metadata is old.
                admin.list_topics(timeout=left_s)
            raise

    return patiently(ask, "end offsets", timeout_s=timeout_s) if partitions else {}


def patiently(ask: Callable[[float], Answer], doing: str, *, timeout_s: float) -> Answer:
    """Repeat a question while its answer is a transient error, each time for at most 10 s, in all for `timeout_s`.

    Raises:
        Stop: the answer is one that ends the process.
        KafkaException: another error, or still a transient one at the deadline.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        left_s = deadline - time.monotonic()
        try:
            return ask(max(0.1, min(_REQUEST_TIMEOUT_S, left_s)))
        except KafkaException as error:
            inner = kafka_error(error)
            stop = stop_for(inner, doing)
            if stop is not None:
                raise stop from error
            if not is_transient(inner) or time.monotonic() >= deadline:
                raise
            time.sleep(min(0.2, max(0.0, deadline - time.monotonic())))
