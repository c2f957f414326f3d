"""Brings one judge partition from what is stored to the committed position: steps 1 to 7 of docs/protocol.md.

A restore is a generator, so that the loop polls between its slices and other partitions stay live. Nothing leaves the
silent fold: what it would say was published before. Where it says something else, what was published counts.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from stream_monitor.core.judge import ChainGap, Judge, Output, SnapshotRefused, StoredEntry
from stream_monitor.core.judge.changes.reconcile import reconcile
from stream_monitor.kafka.clients import end_offsets
from stream_monitor.kafka.errors import HistoryUnusable
from stream_monitor.kafka.judge.context import JudgeContext
from stream_monitor.kafka.judge.fingerprint import algorithm_versions, arithmetic_fingerprint
from stream_monitor.kafka.judge.plan_history import (
    History,
    StoredPlans,
    change_plan,
    log_change,
    position_of,
    refuse_missing,
    shown,
    wanted_plan,
)
from stream_monitor.kafka.judge.snapshot_blocks import Snapshot, block_counts, whole_snapshots
from stream_monitor.kafka.judge.state_records import Commit, NewerFormat, Slot
from stream_monitor.kafka.judge.stored_entry import stored_entry
from stream_monitor.kafka.judge.stored_state import UNVERIFIED, Steps, StoredState, read_alert_states, read_stored_state
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
        history: the plans so far, the one of the judge last.
        outputs: ends of alerts at this very position, by a change of plan or of code: written with the next commit.
        is_changed: the plan or the state changes at this position, and nobody has committed that yet.
    """

    judge: Judge
    next_offset: int
    newest_slot: Slot | None
    blocks: dict[Slot, int]
    known_plans: frozenset[str]
    seconds: float
    history: History = ()
    outputs: tuple[Output, ...] = ()
    is_changed: bool = False


def restore(context: JudgeContext, consumer: Consumer, admin: AdminClient, *, partition: int) -> Steps[Restored]:
    """Restore a partition; the generator's value is the state at the committed position.

    Raises:
        HistoryUnusable: state or log are missing, broken or of a later version.
        ClientRestart: the group does not tell the committed offset in time.
        Stop: the cluster refuses us.
    """
    started = time.monotonic()
    reach = context.job.failpoints.reach
    reach("judge.restore.committed")
    stored = yield from read_stored_state(context, consumer, admin, partition=partition)
    reach("judge.restore.state")
    log = TopicPartition(context.job.topics.profiles, partition)
    starts = end_offsets(admin, [log], earliest=True, timeout_s=context.job.tuning.answer_s)
    ends = end_offsets(admin, [log], uncommitted=True, timeout_s=context.job.tuning.answer_s)
    reach("judge.restore.slot")
    place = (log.topic, partition)
    found = yield from _fold(context, admin, partition, stored=stored, log_start=starts[place], log_end=ends[place])
    found.judge.clear_counters()
    return Restored(
        found.judge,
        found.next_offset,
        found.newest,
        block_counts(stored.records),
        stored.known_plans,
        time.monotonic() - started,
        found.history,
        found.outputs,
        found.is_changed,
    )


@dataclass(frozen=True, slots=True)
class _Folded:
    judge: Judge
    newest: Slot | None
    next_offset: int
    history: History
    outputs: tuple[Output, ...] = ()
    is_changed: bool = False


def _fold(
    context: JudgeContext, admin: AdminClient, partition: int, *, stored: StoredState, log_start: int, log_end: int
) -> Steps[_Folded]:
    """Build the judge from the newest usable snapshot and fold the log silently up to the committed position.

    Each stretch of the log is folded under the plan that judged it; at the end the configured plan takes over.
    """
    where = f"{context.job.topics.profiles}[{partition}]"
    commit = stored.commit
    if commit is None:
        judge = context.build(partition, None)
        return _Folded(judge, None, log_start, ((judge.plan.hash, log_start),))
    plans = StoredPlans(where, context.job.plan, stored.records)
    try:
        snapshots = whole_snapshots(stored.records, commit)
    except NewerFormat as error:
        raise HistoryUnusable(
            f"{context.job.topics.judge_state}[{partition}]: manifest: {error}; run the later version"
        ) from error
    check_log(context, partition, commit, log_end=log_end)
    history = commit.history
    resumed = _from_snapshot(context, partition, snapshots, log_start=log_start, plans=plans, history=history)
    if resumed is None:
        if log_start > 0:
            raise HistoryUnusable(
                f"{where}: history lost: the log starts at {log_start} and no valid snapshot begins there or later;"
                " raise its retention, and run 'stream-monitor recover gap' to go on behind the loss"
            )
        resumed = _Resumed(context.build(partition, None, plans.get(history[0][0])), None, 0, 0)
    judge = yield from _fold_history(context, partition, resumed, plans=plans, commit=commit)
    outputs: tuple[Output, ...] = ()
    has_diverged = commit.state_digest not in (UNVERIFIED, judge.digest)
    if has_diverged:
        outputs = yield from _reconcile(context, admin, judge, commit=commit, where=where)
    wanted = wanted_plan(context, partition, commit, plans=plans)
    if wanted.hash == judge.plan.hash:
        return _Folded(judge, resumed.newest, commit.next_offset, history, outputs, is_changed=has_diverged)
    carried = change_plan(context, judge, wanted)
    log_change(partition, commit.next_offset, commit.plan, after=wanted, changes=carried.changes)
    after = (*history, (wanted.hash, commit.next_offset))
    outputs = (*outputs, *carried.outputs)
    return _Folded(carried.judge, resumed.newest, commit.next_offset, after, outputs, is_changed=True)


def _reconcile(
    context: JudgeContext, admin: AdminClient, judge: Judge, *, commit: Commit, where: str
) -> Steps[tuple[Output, ...]]:
    """Let a judge that was refolded to another state go on with the alerts that were published; say so.

    Raises:
        HistoryUnusable: what stands in the topic of alert states is no alert.
    """
    context.job.observer.diverged()
    _LOG.error(
        "%s: the state refolded up to %d has digest %s, committed was %s%s; the published alerts count",
        where,
        commit.next_offset,
        judge.digest[:10],
        commit.state_digest[:10],
        _suspect(commit),
    )
    published = yield from read_alert_states(context, admin, judge.partition)
    try:
        done = reconcile(judge, published)
    except (msgspec.MsgspecError, KeyError) as error:
        raise HistoryUnusable(
            f"{context.job.topics.alert_state}[{judge.partition}]: {error}: a record is no alert event; delete its key"
        ) from error
    for what, alerts in (
        ("go on", done.kept),
        ("end (state_rebuilt)", done.ended),
        ("were never published and are quiet again", done.quieted),
    ):
        if alerts:
            _LOG.warning("%s: %d open alerts %s: %s", where, len(alerts), what, shown(alerts))
    return done.outputs


@dataclass(frozen=True, slots=True)
class _Resumed:
    """Where the silent fold begins: a judge under one plan of the history, from a slot, at a log offset."""

    judge: Judge
    newest: Slot | None
    start: int
    plan: int


def is_same_log(context: JudgeContext, commit: Commit, log_end: int) -> bool:
    """Say whether a commit is about the log that is there now, as far as can be told."""
    if commit.next_offset > log_end:
        return False
    return "" in (commit.log, context.log_id) or commit.log == context.log_id


def check_log(context: JudgeContext, partition: int, commit: Commit, *, log_end: int) -> None:
    """Return if the log is the one that was judged.

    Raises:
        HistoryUnusable: the topic was made anew: its records at the same offsets are others.
    """
    if is_same_log(context, commit, log_end):
        return
    where = f"{context.job.topics.profiles}[{partition}]"
    found = f"judged up to {commit.next_offset} of another one, it ends at {log_end}"
    raise HistoryUnusable(
        f"{where}: the topic was made anew: {found}; run 'stream-monitor recover gap' to go on with the new one"
    )


def _from_snapshot(
    context: JudgeContext,
    partition: int,
    snapshots: list[Snapshot],
    *,
    log_start: int,
    plans: StoredPlans,
    history: History,
) -> _Resumed | None:
    """Return the judge of the newest snapshot that the log still reaches back to, its slot and where to fold from."""
    for snapshot in snapshots:
        manifest = snapshot.manifest
        if manifest.replay_from < log_start:
            _LOG.warning(
                "snapshot %s needs the log from %d, it starts at %d", manifest.slot, manifest.replay_from, log_start
            )
            continue
        position = position_of(history, snapshot)
        if position is None:
            _LOG.warning("snapshot %s of partition %d: plan %s is not its", manifest.slot, partition, manifest.plan)
            continue
        try:
            judge = context.build(partition, snapshot.state, plans.get(manifest.plan))
        except SnapshotRefused as error:
            _LOG.warning("snapshot %s of partition %d: %s", manifest.slot, partition, error)
            continue
        return _Resumed(judge, manifest.slot, manifest.replay_from, position)
    return None


def _fold_history(
    context: JudgeContext, partition: int, resumed: _Resumed, *, plans: StoredPlans, commit: Commit
) -> Steps[Judge]:
    """Fold up to the committed position, each stretch under its plan; what it says was published before."""
    where = f"{context.job.topics.profiles}[{partition}]"
    judge, start, history = resumed.judge, resumed.start, commit.history
    for i in range(resumed.plan, len(history)):
        is_last = i + 1 == len(history)
        end = commit.next_offset if is_last else history[i + 1][1]
        before = judge.rolling
        yield from _fold_silently(context, judge, partition, start=start, end=end)
        if judge.rolling != before:
            refuse_missing(context, judge.plan, where, start=start, end=end)
        if not is_last:
            judge = change_plan(context, judge, plans.get(history[i + 1][0])).judge
        start = end
    return judge


def _fold_silently(context: JudgeContext, judge: Judge, partition: int, *, start: int, end: int) -> Steps[None]:
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
        raise HistoryUnusable(
            f"the log below the committed position {end} has a hole: {error}; run 'stream-monitor recover gap'"
        ) from error
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
