"""`rekey`: more judge partitions, from a state in which nothing is under way; every model keeps its state.

The old partitions are rewritten last: whoever runs the command again after a failure finds what is left to be done.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewPartitions

from stream_monitor.core.chain import ChainState, ChunkName
from stream_monitor.core.judge import Judge, SnapshotRefused, StoredEntry
from stream_monitor.core.judge.changes.split import keep_own, parent, settle
from stream_monitor.core.judge.stored.snapshot import relabelled
from stream_monitor.core.keys import judge_partition
from stream_monitor.kafka.clients import committed, open_producer
from stream_monitor.kafka.deliveries import Outgoing, deliver
from stream_monitor.kafka.errors import HistoryUnusable, Misconfigured
from stream_monitor.kafka.judge.restore import is_same_log
from stream_monitor.kafka.judge.snapshot_blocks import whole_snapshots
from stream_monitor.kafka.judge.state_records import Commit, Slot
from stream_monitor.kafka.profile.healing import LogRange
from stream_monitor.kafka.profile.owned import InputPartition
from stream_monitor.kafka.readers import Span, read_partition
from stream_monitor.kafka.recovery.gap import Condition, GapStep, Stored
from stream_monitor.kafka.recovery.judge_states import JudgeStates
from stream_monitor.kafka.topics import MAX_PARTITIONS, TopicNames, describe_topics

_MADE_S = 30.0
_DELIVERY_S = 60.0


@dataclass(frozen=True, slots=True)
class NewState:
    """The state of a partition after the split.

    Attributes:
        parent: old partition that it comes from.
        models: that are judged in it.
        position: log offset from which it judges.
    """

    partition: int
    parent: int
    models: tuple[str, ...]
    judge: Judge
    position: int
    slot: Slot


def plan_rekey(
    states: JudgeStates, stored: Sequence[Stored], *, to: int, source: Consumer, inputs: Sequence[InputPartition]
) -> list[NewState]:
    """Return the states after the split, new partitions first; none when it is done already.

    Args:
        states: of all partitions that exist.
        stored: what is stored of them.
        to: partitions wanted.
        source: asks for the offsets of the inputs, as one outside of their group.
        inputs: all input partitions.

    Raises:
        Misconfigured: that number of partitions cannot be.
        HistoryUnusable: something is under way, or missing.
        Stop: the cluster refuses us.
    """
    commits = [found.commit for found in stored]
    known = [commit for commit in commits if commit is not None]
    if not known:
        raise HistoryUnusable(
            "nothing is judged yet: make the topics anew with the number of partitions that is wanted"
        )
    old = min(commit.partitions for commit in known)
    if all(commit is not None and commit.partitions == to for commit in commits) and len(commits) == to:
        return []
    if to <= old or to % old or to > MAX_PARTITIONS or len(stored) not in (old, to):
        raise Misconfigured(
            f"--partitions: must be a multiple of {old} up to {MAX_PARTITIONS} and more than it, got {to}; the topics"
            f" have {len(stored)}"
        )
    names = _last_chunks(source, inputs)
    made: list[NewState] = []
    for partition in range(old):
        commit = stored[partition].commit
        if commit is None or commit.partitions == to:
            if commit is None:
                raise HistoryUnusable(f"judge partition {partition} has no state: start the judge once, then stop it")
            continue
        judge = _at_end(states, partition, stored[partition], commit=commit)
        try:
            settle(judge, names)
        except ValueError as error:
            raise HistoryUnusable(f"{error}: start all workers, let them catch up and stop them") from error
        made += _split(states, judge, partition, stored=stored, old=old, to=to)
    return sorted(made, key=lambda state: (state.partition < old, state.partition))


def _at_end(states: JudgeStates, partition: int, stored: Stored, *, commit: Commit) -> Judge:
    """Return the judge of a partition that has judged its whole log."""
    context = states.context
    where = f"{context.job.topics.profiles}[{partition}]"
    if commit.plan != context.job.plan.hash:
        raise HistoryUnusable(f"{where}: judged with plan {commit.plan[:10]}: start the workers once with this one")
    if not is_same_log(context, commit, stored.log.end) or commit.next_offset != stored.log.end:
        raise HistoryUnusable(
            f"{where}: judged up to {commit.next_offset}, it ends at {stored.log.end}: start the judge, let it catch up"
            " and stop it"
        )
    old = dataclasses.replace(context, partitions=commit.partitions)
    for snapshot in whole_snapshots(stored.records, commit):
        if snapshot.manifest.replay_from < stored.log.start:
            continue
        try:
            judge = old.build(partition, snapshot.state)
        except SnapshotRefused:
            continue
        span = Span(judge.next_offset, stored.log.end)
        for record in read_partition(context.job.settings, context.job.topics.profiles, partition, span=span):
            old.fold(judge, StoredEntry(record.offset, record.timestamp_ms, record.key, record.value or b""))
        return judge
    raise HistoryUnusable(f"{where}: no usable snapshot: start the judge and stop it with SIGTERM, which writes one")


def _split(
    states: JudgeStates, judge: Judge, partition: int, *, stored: Sequence[Stored], old: int, to: int
) -> list[NewState]:
    context = dataclasses.replace(states.context, partitions=to)
    sealed = judge.dump()
    made = []
    for child in range(to):
        if parent(child, old) != partition:
            continue
        if child >= old and child < len(stored) and stored[child].log.end > 0:
            raise HistoryUnusable(
                f"{context.job.topics.profiles}[{child}] holds records already: workers wrote to the added partitions"
                " before the state was split"
            )
        position = stored[partition].log.end if child == partition else 0
        new = context.build(child, relabelled(sealed, partition=child, partitions=to, position=position))
        models = keep_own(new, was=old)
        snapshots = [] if child >= len(stored) else [s for s in Slot if s is not _newest(stored[child])]
        made.append(NewState(child, partition, models, new, position, snapshots[0] if snapshots else Slot.A))
    return made


def _newest(stored: Stored) -> Slot | None:
    found = [] if stored.commit is None else whole_snapshots(stored.records, stored.commit)
    return found[0].manifest.slot if found else None


def _last_chunks(source: Consumer, inputs: Sequence[InputPartition]) -> dict[InputPartition, ChunkName]:
    return {
        (answer.topic, answer.partition): ChainState.decode(answer.metadata).last
        for answer in committed(source, [TopicPartition(*place) for place in inputs])
        if answer.offset >= 0 and answer.metadata
    }


def add_partitions(admin: AdminClient, names: TopicNames, to: int) -> None:
    """Give the topics of the judge their new partitions; those that have them already are left alone.

    Raises:
        KafkaException: the cluster refuses.
    """
    wanted = (names.profiles, names.alerts, names.alert_state, names.judge_state)
    states = describe_topics(admin, wanted)
    new = [NewPartitions(name, to) for name, state in states.items() if state.partitions < to]
    if new:
        for future in admin.create_partitions(new).values():
            future.result()
    deadline = time.monotonic() + _MADE_S
    while any(state.partitions < to for state in describe_topics(admin, wanted).values()):
        if time.monotonic() > deadline:
            raise HistoryUnusable("the brokers do not show the new partitions yet: run the command again")
        time.sleep(0.1)


def plan_alert_moves(states: JudgeStates, *, old: int, to: int) -> list[Outgoing]:
    """Return the records that move the last event of each alert to where its model is judged after the split.

    Nothing is written: what cannot be moved is found before the command changes anything.

    Args:
        states: of all partitions that exist.
        old: partitions before the split.
        to: partitions after it.

    Raises:
        HistoryUnusable: a record is no event of an alert.
        Stop: the cluster refuses us.
    """
    job = states.context.job
    topic = job.topics.alert_state
    moves: list[Outgoing] = []
    for partition in range(old):
        last = {r.key: r for r in read_partition(job.settings, topic, partition) if r.key is not None}
        for key, record in sorted(last.items()):
            if record.value is None:
                continue
            target = judge_partition(_model(record.value, f"{topic}[{partition}]: offset {record.offset}"), to)
            if target != partition:
                moves.append(Outgoing(topic, target, key, record.value, record.timestamp_ms))
                moves.append(Outgoing(topic, partition, key, None, record.timestamp_ms))
    return moves


def write_states(
    states: JudgeStates,
    made: Sequence[NewState],
    stored: Sequence[Stored],
    *,
    moves: Sequence[Outgoing],
    old: int,
    to: int,
) -> None:
    """Write the new states, new partitions first, and move the last events of alerts to where their models are.

    Raises:
        UndeliveredRecords: the cluster did not take a record; the command can run again.
    """
    states.context = dataclasses.replace(states.context, partitions=to)
    nothing = Stored(None, {}, None, LogRange(0, 0))
    is_moved = not moves
    for new in made:
        if new.partition < old and not is_moved:
            settings = states.context.job.settings
            deliver(open_producer(settings.producer_config(), lambda _: None), moves, timeout_s=_DELIVERY_S)
            is_moved = True
        found = stored[new.partition] if new.partition < len(stored) else nothing
        step = GapStep(new.partition, Condition.GOOD, "", (), new.judge, new.position, new.slot)
        states.write(step, found)


class _Labels(msgspec.Struct):
    model: str


class _Data(msgspec.Struct):
    labels: _Labels


class _Event(msgspec.Struct):
    """The one part of an alert's event that says where it belongs."""

    data: _Data


_EVENT = msgspec.json.Decoder(_Event)


def _model(value: bytes, where: str) -> str:
    """Return the model of an alert's event.

    Raises:
        HistoryUnusable: it is no event of an alert.
    """
    try:
        return _EVENT.decode(value).data.labels.model
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise HistoryUnusable(
            f"{where}: the record is no alert event: {error}; delete its key (a record of that key without a value),"
            " then run the command again; this run has written nothing"
        ) from error
