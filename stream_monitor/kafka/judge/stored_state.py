"""What is stored of a judge partition: its committed position, and the records of `drift-judge-state` that count.

The order of the questions matters: the group's offset first, which waits for pending transactions, and only then the
end of the topic, so that the transaction that the offset came from lies below that end.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeVar

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from stream_monitor.kafka.clients import end_offsets
from stream_monitor.kafka.errors import (
    ClientRestart,
    HistoryUnusable,
    RestartReason,
    is_transient,
    kafka_error,
    stop_for,
)
from stream_monitor.kafka.judge.context import JudgeContext
from stream_monitor.kafka.judge.sealed import BrokenSeal
from stream_monitor.kafka.judge.state_records import COMMIT_KEY, PLAN_PREFIX, Commit, NewerFormat, decode_commit
from stream_monitor.kafka.partition_reader import PartitionReader

_LOG = logging.getLogger("stream_monitor.kafka.judge")
_ASK_S = 1.0
UNVERIFIED = ""
"""State digest of a commit whose record is broken: only where to stop is known."""

T = TypeVar("T")

Steps = Generator[None, None, T]
"""Work in slices: the caller resumes it when it has polled."""


@dataclass(frozen=True, slots=True)
class StoredState:
    """The state topic of one partition, as far as it counts.

    Attributes:
        commit: where the judge stands, None at the very beginning.
        records: of each key the last value.
    """

    commit: Commit | None
    records: dict[bytes, bytes]

    @property
    def known_plans(self) -> frozenset[str]:
        """Hashes of the plans whose text is stored."""
        return frozenset(key[len(PLAN_PREFIX) :].decode() for key in self.records if key.startswith(PLAN_PREFIX))


def read_stored_state(
    context: JudgeContext, consumer: Consumer, admin: AdminClient, *, partition: int
) -> Steps[StoredState]:
    """Read what is stored, once no transaction is pending on it.

    Raises:
        HistoryUnusable: it is missing, of a later version or of another number of partitions.
        ClientRestart: the group does not tell its offset in time.
        Stop: the cluster refuses us.
    """
    group_offset = yield from _group_offset(context, consumer, partition)
    topic = TopicPartition(context.job.topics.judge_state, partition)
    ends = end_offsets(admin, [topic], uncommitted=True, timeout_s=context.job.tuning.answer_s)
    records = yield from _read_last(context, topic, ends[topic.topic, partition])
    return StoredState(_commit(context, partition, records, group_offset=group_offset), records)


def _group_offset(context: JudgeContext, consumer: Consumer, partition: int) -> Steps[int | None]:
    """Ask for the committed offset; read_committed makes the answer wait for our own pending transactions."""
    deadline = time.monotonic() + context.job.tuning.patience_s
    wanted = TopicPartition(context.job.topics.profiles, partition)
    while True:
        try:
            (answer,) = consumer.committed([wanted], timeout=_ASK_S)
        except KafkaException as error:
            inner = kafka_error(error)
            stop = stop_for(inner, "committed offset of the judge", name=context.job.name)
            if stop is not None:
                raise stop from error
            if not is_transient(inner):
                raise
            if time.monotonic() > deadline:
                detail = f"no committed offset of {wanted.topic}[{partition}]: {inner.name()}"
                raise ClientRestart(RestartReason.ERROR, detail) from error
            yield
        else:
            return answer.offset if answer.offset >= 0 else None


def read_alert_states(context: JudgeContext, admin: AdminClient, partition: int) -> Steps[dict[bytes, bytes]]:
    """Read the last event of every alert that was published of a partition, by fingerprint.

    Raises:
        Stop: the cluster refuses us.
    """
    topic = TopicPartition(context.job.topics.alert_state, partition)
    ends = end_offsets(admin, [topic], uncommitted=True, timeout_s=context.job.tuning.answer_s)
    return (yield from _read_last(context, topic, ends[topic.topic, partition]))


def _read_last(context: JudgeContext, topic: TopicPartition, end: int) -> Steps[dict[bytes, bytes]]:
    """Read a partition of a compacted topic to its end; of each key the last value counts."""
    found: dict[bytes, bytes] = {}
    if end == 0:
        return found
    reader = PartitionReader(
        context.job.reader, topic.topic, topic.partition, start=OFFSET_BEGINNING, on_error=context.note_error
    )
    try:
        for messages in reader.read_until(end, patience_s=context.job.tuning.patience_s):
            for message in messages:
                key, value = message.key(), message.value()
                if key is None:
                    continue
                if value is None:
                    found.pop(key, None)
                else:
                    found[key] = value
            yield
    finally:
        reader.close()
    return found


def _commit(
    context: JudgeContext, partition: int, records: dict[bytes, bytes], *, group_offset: int | None
) -> Commit | None:
    """Return the last `_commit`, None at the very beginning; the log is believed, the group's offset only counted."""
    where = f"{context.job.topics.judge_state}[{partition}]"
    value = records.get(COMMIT_KEY)
    if value is None:
        if group_offset:
            raise HistoryUnusable(
                f"{where}: the group stands at {group_offset}, but no _commit record is there: the state is lost; run"
                " 'stream-monitor recover gap' to rebuild it from the log"
            )
        return None
    try:
        commit = decode_commit(value)
    except NewerFormat as error:
        raise HistoryUnusable(f"{where}: _commit: {error}; run the later version") from error
    except BrokenSeal as error:
        if group_offset is None:
            raise HistoryUnusable(f"{where}: _commit: {error}, and the group has no offset to go by") from error
        _LOG.error("%s: _commit: %s; folding up to the group's offset %d, unverified", where, error, group_offset)
        return _unverified(context, group_offset)
    if commit.partitions != context.partitions:
        raise HistoryUnusable(
            f"{context.job.topics.profiles}: has {context.partitions} partitions, its state was made with"
            f" {commit.partitions}: models would change their judge; run 'stream-monitor rekey'"
        )
    if group_offset != commit.next_offset:
        _LOG.warning(
            "group offset %s of %s[%d] differs from the committed state at %d; the state is believed",
            group_offset,
            context.job.topics.profiles,
            partition,
            commit.next_offset,
        )
    return commit


def _unverified(context: JudgeContext, group_offset: int) -> Commit:
    """Return a commit that says only where to stop: the digest of what was committed is not known."""
    return Commit(group_offset, context.partitions, context.job.plan.hash, UNVERIFIED, {}, "", {})
