"""The commit (steps 11 to 13): one synchronous call, and what its answer means.

The commit *is* the decision which chunk counts, and the group protocol fences it. Three answers are possible: done;
refused for certain, then the chunk is dropped; or nothing certain, then only new clients help, because a late copy of
the call may still be applied while this generation lives. A slow answer counts as the third: the client repeats the
call inside and does not tell.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

from stream_monitor.kafka.bounded import answered_within
from stream_monitor.kafka.errors import (
    ClientRestart,
    Misconfigured,
    RestartReason,
    RoundFailed,
    is_refusal,
    kafka_error,
    stop_for,
)
from stream_monitor.kafka.observer import CommitOutcome, Loop, Observer
from stream_monitor.kafka.stop_request import StopRequest

_TOO_LARGE = frozenset({KafkaError.OFFSET_METADATA_TOO_LARGE, KafkaError.INVALID_COMMIT_OFFSET_SIZE})


class CommitRefused(RoundFailed):
    """The coordinator refused the commit: this member or generation is not the current one."""


def commit(
    consumer: Consumer,
    offsets: Sequence[TopicPartition],
    *,
    slow_s: float,
    name: str,
    observer: Observer,
    stopping: StopRequest,
) -> None:
    """Commit offsets with their metadata; return only when the coordinator has taken all of them.

    Args:
        consumer: member of the group.
        offsets: one for each partition of the round, with the chain state as metadata.
        slow_s: an answer that takes longer is not believed to be the last word.
        name: `group.instance.id`, for messages.
        observer: hears the outcome.
        stopping: ends the wait when the time for a stop that was asked for is over.

    Raises:
        CommitRefused: refused for certain.
        ClientRestart: unanswered, or answered too late.
        Stop: fenced by a rival of the same name, not authorised, or metadata refused.
    """
    started = time.monotonic()
    try:
        # A synchronous commit has no limit of its own: without a broker it would wait for ever, and a worker that was
        # asked to stop would not end.
        answers = answered_within(
            lambda: consumer.commit(offsets=list(offsets), asynchronous=False),
            2 * slow_s,
            "commit offsets",
            left_s=stopping.left_s,
        )
        errors = [answer.error for answer in answers if answer.error is not None]
    except KafkaException as refusal:
        errors = [kafka_error(refusal)]
    took_s = time.monotonic() - started
    for error in errors:
        _raise_for(error, name=name, observer=observer)
    if took_s > slow_s:
        observer.commit(Loop.PROFILE, CommitOutcome.DONE)
        raise ClientRestart(RestartReason.SLOW_COMMIT, f"the commit took {took_s:.1f} s: a late copy may follow")
    observer.commit(Loop.PROFILE, CommitOutcome.DONE)


def _raise_for(error: KafkaError, *, name: str, observer: Observer) -> None:
    doing = "commit offsets"
    if error.code() in _TOO_LARGE:
        raise Misconfigured(f"{doing}: {error.str()}: offset.metadata.max.bytes must be at least 1024 on the brokers")
    stop = stop_for(error, doing, name=name)
    if stop is not None:
        observer.commit(Loop.PROFILE, CommitOutcome.REFUSED)
        raise stop
    if is_refusal(error):
        observer.commit(Loop.PROFILE, CommitOutcome.REFUSED)
        raise CommitRefused(f"{doing}: {error.name()}: {error.str()}")
    observer.commit(Loop.PROFILE, CommitOutcome.UNKNOWN)
    raise ClientRestart(RestartReason.COMMIT_UNKNOWN, f"{doing}: {error.name()}: {error.str()}")
