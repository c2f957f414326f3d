"""Brings one judge partition from what is stored to the committed position: steps 1 to 7 of reliability.md 5.4.

A restore is a generator, so that the loop polls between its slices and other partitions stay live. Nothing leaves the
silent fold: what it would say was published before.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from stream_monitor.core.judge import ChainGap, Judge, SnapshotRefused, StoredEntry
from stream_monitor.kafka.clients import end_offsets
from stream_monitor.kafka.errors import Diverged, HistoryUnusable
from stream_monitor.kafka.judge.context import JudgeContext
from stream_monitor.kafka.judge.entry import stored_entry
from stream_monitor.kafka.judge.fingerprint import algorithm_versions, arithmetic_fingerprint
from stream_monitor.kafka.judge.records import Commit, NewerFormat, Slot
from stream_monitor.kafka.judge.snapshot import Snapshot, block_counts, whole_snapshots
from stream_monitor.kafka.judge.stored_state import UNVERIFIED, Steps, StoredState, read_stored_state
from stream_monitor.kafka.partition_reader import PartitionReader

_LOG = logging.getLogger("stream_monitor.kafka.judge")


@dataclass(frozen=True, slots=True)
class Restored:
    """A partition that is ready to go live.

    Attributes:
        judge: its state at `next_offset`.
        next_offset: first record to be folded aloud.
        newest_slot: slot of the newest valid snapshot, None without one: the other is written next.
        blocks: how many blocks each slot holds.
        known_plans: hashes of the plans whose text is stored.
        seconds: how long it took.
    """

    judge: Judge
    next_offset: int
    newest_slot: Slot | None
    blocks: dict[Slot, int]
    known_plans: frozenset[str]
    seconds: float


def restore(context: JudgeContext, consumer: Consumer, admin: AdminClient, partition: int) -> Steps[Restored]:
    """Restore a partition; the generator's value is the state at the committed position.

    Raises:
        HistoryUnusable: state or log are missing, broken or of a later version.
        Diverged: the refolded state is not the one that was committed.
        ClientRestart: the group does not tell the committed offset in time.
        Stop: the cluster refuses us.
    """
    started = time.monotonic()
    reach = context.job.failpoints.reach
    reach("judge.restore.committed")
    stored = yield from read_stored_state(context, consumer, admin, partition)
    reach("judge.restore.state")
    log = TopicPartition(context.job.topics.profiles, partition)
    starts = end_offsets(admin, [log], earliest=True, timeout_s=context.job.tuning.answer_s)
    reach("judge.restore.slot")
    judge, newest, next_offset = yield from _fold(context, partition, stored, starts[log.topic, partition])
    judge.clear_counters()
    seconds = time.monotonic() - started
    return Restored(judge, next_offset, newest, block_counts(stored.records), stored.known_plans, seconds)


def _fold(
    context: JudgeContext, partition: int, stored: StoredState, log_start: int
) -> Steps[tuple[Judge, Slot | None, int]]:
    """Build the judge from the newest usable snapshot and fold the log silently up to the committed position."""
    place = f"{context.job.topics.profiles}[{partition}]"
    commit = stored.commit
    if commit is None:
        judge = context.build(partition, None)
        return judge, None, log_start
    if commit.plan != context.job.plan.hash:
        raise HistoryUnusable(
            f"{place}: judged so far with plan {commit.plan[:10]}, configured is {context.job.plan.short_hash}: state"
            " cannot be carried over to another plan yet; restore the old configuration, or choose another group"
        )
    try:
        snapshots = whole_snapshots(stored.records, commit)
    except NewerFormat as error:
        raise HistoryUnusable(
            f"{context.job.topics.judge_state}[{partition}]: manifest: {error}; run the later version"
        ) from error
    resumed = _from_snapshot(context, partition, snapshots, log_start)
    if resumed is not None:
        judge, newest, start = resumed
    else:
        if log_start > 0:
            raise HistoryUnusable(
                f"{place}: history lost: the log starts at {log_start} and no valid snapshot begins there or later;"
                " raise its retention, and see the runbook for a recorded gap"
            )
        judge, newest, start = context.build(partition, None), None, 0
    yield from _fold_silently(context, judge, partition, start, commit.next_offset)
    if commit.state_digest not in (UNVERIFIED, judge.digest):
        context.job.observer.diverged()
        raise Diverged(
            f"{place}: the state refolded up to {commit.next_offset} has digest {judge.digest[:10]}, committed was"
            f" {commit.state_digest[:10]}{_suspect(commit)}"
        )
    return judge, newest, commit.next_offset


def _from_snapshot(
    context: JudgeContext, partition: int, snapshots: list[Snapshot], log_start: int
) -> tuple[Judge, Slot | None, int] | None:
    """Return the judge of the newest snapshot that the log still reaches back to, its slot and where to fold from."""
    for snapshot in snapshots:
        manifest = snapshot.manifest
        if manifest.replay_from < log_start:
            _LOG.warning(
                "snapshot %s needs the log from %d, it starts at %d", manifest.slot, manifest.replay_from, log_start
            )
            continue
        try:
            judge = context.build(partition, snapshot.state)
        except SnapshotRefused as error:
            _LOG.warning("snapshot %s of partition %d: %s", manifest.slot, partition, error)
            continue
        return judge, manifest.slot, manifest.replay_from
    return None


def _fold_silently(context: JudgeContext, judge: Judge, partition: int, start: int, end: int) -> Steps[None]:
    if start >= end:
        return
    reader = PartitionReader(
        context.job.reader, context.job.topics.profiles, partition, start=start, on_error=context.note_error
    )
    try:
        for entry in _entries(reader, end, context.job.tuning.patience_s):
            if entry is None:
                context.job.failpoints.reach("judge.restore.fold")
                yield
            else:
                context.fold(judge, entry)
    except ChainGap as error:
        raise HistoryUnusable(f"the log below the committed position {end} has a hole: {error}") from error
    finally:
        reader.close()


def _entries(reader: PartitionReader, end: int, patience_s: float) -> Iterator[StoredEntry | None]:
    """Yield the entries below `end`, and None after each slice."""
    for messages in reader.read_until(end, patience_s=patience_s):
        for message in messages:
            entry = stored_entry(message)
            if entry.offset < end:
                yield entry
        yield None


def _suspect(commit: Commit) -> str:
    """Name what differs between the process that committed and this one."""
    changed = [
        f"{name} {commit.versions.get(name, '?')} -> {now}"
        for name, now in algorithm_versions().items()
        if commit.versions.get(name) != now
    ]
    if commit.arithmetic != arithmetic_fingerprint():
        changed.append("another arithmetic (CPU or library)")
    return f" ({', '.join(changed)})" if changed else " (same versions and arithmetic)"
