"""`recover gap`: the judge goes on after a loss that nothing heals; what is lost is said first and recorded.

| what is the matter | goes on with | at |
|---|---|---|
| a chunk of the log does not join its chain | the state before it, the chain resumed at that chunk | that chunk |
| the log starts behind the oldest usable snapshot | the newest snapshot, and what the log still holds | its start |
| the log was made anew | the newest snapshot | the start of the new log |
| the state was lost | a state rebuilt from what the log holds | where the group stood |

Open alerts, evidence and windows live on with a snapshot. Everything is folded by the judge itself: this module only
says from where, and lets chains resume where they do not join.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from stream_monitor.core.judge import AlertEvent, ChainGap, Judge, SnapshotRefused, StoredEntry
from stream_monitor.core.profile import ProgressRecord, decode
from stream_monitor.kafka.errors import HistoryUnusable
from stream_monitor.kafka.judge.context import JudgeContext
from stream_monitor.kafka.judge.restore import is_same_log
from stream_monitor.kafka.judge.snapshot_blocks import Snapshot, whole_snapshots
from stream_monitor.kafka.judge.state_records import Commit, Slot
from stream_monitor.kafka.profile.healing import LogRange
from stream_monitor.kafka.profile.owned import InputPartition
from stream_monitor.kafka.readers import Span, read_partition
from stream_monitor.kafka.recovery.recount import MissingRange, Recount


class Condition(StrEnum):
    """What is the matter with a judge partition."""

    GOOD = "good"
    CHAIN_GAP = "chain_gap"
    HISTORY_LOST = "history_lost"
    LOG_REMADE = "log_remade"
    STATE_LOST = "state_lost"


@dataclass(frozen=True, slots=True)
class Stored:
    """What is stored of a judge partition.

    Attributes:
        commit: None when there is none.
        records: of the state topic, of each key the last.
        group_offset: where the group stands, None when it does not.
        log: offsets of its partition of `drift-profiles`.
    """

    commit: Commit | None
    records: dict[bytes, bytes]
    group_offset: int | None
    log: LogRange


@dataclass(frozen=True, slots=True)
class Resumed:
    """A chain that goes on at a chunk which does not join.

    Attributes:
        place: source topic and partition.
        expected: input offset at which the next chunk should begin; None if that is not known.
        first: input offset at which it begins.
        at: log offset of its progress record.
        is_filled: what lies between was counted again.
        why_not: why it could not be.
    """

    place: tuple[str, int]
    expected: int | None
    first: int
    at: int
    is_filled: bool = False
    why_not: str = ""

    def __str__(self) -> str:
        name = f"{self.place[0]}[{self.place[1]}]"
        if self.expected is None or self.expected == self.first:
            return f"{name} goes on at input offset {self.first}"
        if self.is_filled:
            return f"{name}: input offsets {self.expected} to {self.first - 1} are counted again: nothing is lost"
        if self.expected < self.first:
            why = f": {self.why_not}" if self.why_not else ""
            return f"{name}: input offsets {self.expected} to {self.first - 1} are not judged{why}"
        return f"{name}: input offsets {self.first} to {self.expected - 1} are judged again"


@dataclass(frozen=True, slots=True)
class GapStep:
    """What was found of a judge partition, and the state it goes on with.

    Attributes:
        text: what is the matter, and what is known to be lost.
        resumed: chains that do not join.
        awaited: chains of the old log of which a new one does not say yet where they go on.
        judge: state to be written; None when nothing is.
        position: first log offset that it judges.
        slot: in which the snapshot is written.
    """

    partition: int
    condition: Condition
    text: str
    resumed: tuple[Resumed, ...] = ()
    judge: Judge | None = None
    position: int = 0
    slot: Slot = Slot.A
    awaited: tuple[InputPartition, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether nothing of the inputs is left out."""
        joins = all(chain.is_filled or chain.expected == chain.first for chain in self.resumed)
        return joins and not self.awaited and self.condition is not Condition.STATE_LOST


@dataclass(frozen=True, slots=True)
class _Start:
    """A state to go on with, before anybody has looked at what follows it.

    Attributes:
        expected: of a log made anew: where the chains of the old one stood.
    """

    condition: Condition
    text: str
    judge: Judge
    position: int
    slot: Slot
    resumed: tuple[Resumed, ...] = ()
    expected: Mapping[InputPartition, int | None] = field(default_factory=dict)


def plan_gap(context: JudgeContext, partition: int, stored: Stored, *, recount: Recount | None = None) -> GapStep:
    """Return what a judge partition goes on with.

    Args:
        context: of a judge that does not join its group.
        partition: the judge partition.
        stored: what is stored of it.
        recount: fills gaps from the inputs; None: gaps are declared.

    Raises:
        HistoryUnusable: it was judged with another plan or number of partitions, or alerts are due before the gap.
        Stop: the cluster refuses us.
    """
    start = _start(context, partition, stored)
    ahead = _look_ahead(context, partition, start, end=stored.log.end)
    if not ahead.pairs:
        if start.condition is Condition.GOOD:
            return GapStep(partition, Condition.GOOD, start.text)
        awaited = tuple(sorted(start.expected))
        resumed = start.resumed
        return GapStep(
            partition, start.condition, start.text, resumed, start.judge, start.position, start.slot, awaited
        )
    condition = Condition.CHAIN_GAP if start.condition is Condition.GOOD else start.condition
    if ahead.alerts:
        raise HistoryUnusable(
            f"{context.job.topics.profiles}[{partition}]: {ahead.alerts} alert events are due before the gap at log"
            f" offset {ahead.position}: start the judge, which stops there by itself, and run this again"
        )
    judge = _rebuilt(context, partition, start.judge)
    for entry in _entries(context, partition, judge.next_offset, end=ahead.position):
        context.fold(judge, entry)
    resumed = (
        *start.resumed,
        *(_heal(judge, partition, progress, found=found, recount=recount) for progress, found in ahead.pairs),
    )
    text = start.text if condition is not Condition.CHAIN_GAP else "a chunk does not join its chain"
    awaited = tuple(sorted(set(start.expected) - {found.place for _, found in ahead.pairs}))
    return GapStep(partition, condition, text, resumed, judge, ahead.position, start.slot, awaited)


def _start(context: JudgeContext, partition: int, stored: Stored) -> _Start:
    commit, log = stored.commit, stored.log
    if commit is None:
        return _without_state(context, partition, stored)
    where = f"{context.job.topics.profiles}[{partition}]"
    if commit.plan != context.job.plan.hash:
        raise HistoryUnusable(
            f"{where}: judged with plan {commit.plan[:10]}, configured is {context.job.plan.short_hash}: recover it"
            " with the configuration that it was judged with, and change that afterwards"
        )
    if commit.partitions != context.partitions:
        raise HistoryUnusable(f"{where}: judged with {commit.partitions} partitions, it has {context.partitions}")
    snapshots = whole_snapshots(stored.records, commit)
    slot = Slot.A if not snapshots else snapshots[0].manifest.slot.other
    if not is_same_log(context, commit, log.end):
        judge, _ = _newest(context, partition, snapshots, log_start=0)
        expected = {where: chain.expected for where, chain in judge.ledger.chains.items() if chain.tip is not None}
        judge.ledger.begin_log(log.start)
        text = f"the log was made anew: judged up to {commit.next_offset} of the old one"
        return _Start(Condition.LOG_REMADE, text, judge, log.start, slot, expected=expected)
    judge, taken = _newest(context, partition, snapshots, log_start=log.start)
    if taken is None and len(commit.history) > 1:
        raise HistoryUnusable(
            f"{where}: no usable snapshot under the present plan: start the judge once and stop it with SIGTERM, which"
            " writes one, or set the configuration back to that of the snapshot"
        )
    if log.start == 0 or (taken is not None and taken.manifest.replay_from >= log.start):
        _, resumed = _fold_on(context, judge, partition, end=commit.next_offset)
        if not resumed:
            return _Start(Condition.GOOD, "nothing is the matter", judge, commit.next_offset, slot)
        text = "the log below the committed position has a hole"
        return _Start(Condition.CHAIN_GAP, text, judge, commit.next_offset, slot, resumed)
    judge, taken = _newest(context, partition, snapshots, log_start=0)
    known_to = 0 if taken is None else taken.manifest.next_offset
    judge.ledger.next_offset = max(judge.ledger.next_offset, log.start)
    position = max(commit.next_offset, log.start)
    _, resumed = _fold_on(context, judge, partition, end=position)
    text = f"history lost: the log starts at {log.start}, the newest snapshot stands at {known_to}"
    if commit.next_offset > known_to:
        text += f"; what was judged from {known_to} to {commit.next_offset} is known in part: alerts may be told again"
    return _Start(Condition.HISTORY_LOST, text, judge, position, slot, resumed)


def _without_state(context: JudgeContext, partition: int, stored: Stored) -> _Start:
    """Return a new state, rebuilt from the log as far as the group stood."""
    log, offset = stored.log, stored.group_offset or 0
    judge = context.build(partition, None)
    if offset > log.end:
        judge.ledger.begin_log(log.start)
        text = f"state lost and log made anew: the group stood at {offset}, the log ends at {log.end}"
        return _Start(Condition.LOG_REMADE, text, judge, log.start, Slot.A)
    if not offset:
        return _Start(Condition.GOOD, "nothing is judged yet", judge, log.start, Slot.A)
    judge.ledger.next_offset = log.start
    alerts, resumed = _fold_on(context, judge, partition, end=offset)
    text = (
        f"state lost: rebuilt from the log, {log.start} to {offset}, with {alerts} alert events that were told before"
    )
    if log.start:
        text += "; evidence and alerts of before are unknown"
    return _Start(Condition.STATE_LOST, text, judge, offset, Slot.A, resumed)


def _newest(
    context: JudgeContext, partition: int, snapshots: Sequence[Snapshot], *, log_start: int
) -> tuple[Judge, Snapshot | None]:
    """Return the judge of the newest snapshot that needs the log from `log_start` on or later, a new one without."""
    for snapshot in snapshots:
        if snapshot.manifest.replay_from < log_start:
            continue
        try:
            return context.build(partition, snapshot.state), snapshot
        except SnapshotRefused:
            continue
    return context.build(partition, None), None


def _rebuilt(context: JudgeContext, partition: int, judge: Judge) -> Judge:
    return context.build(partition, judge.dump())


def _fold_on(context: JudgeContext, judge: Judge, partition: int, *, end: int) -> tuple[int, tuple[Resumed, ...]]:
    """Fold up to an offset, resuming chains that do not join; return the alert events that were due, and the chains."""
    alerts = 0
    resumed: list[Resumed] = []
    for entry in _entries(context, partition, judge.next_offset, end=end):
        try:
            outputs = context.fold(judge, entry)
        except ChainGap:
            resumed.append(_resume(judge, entry))
            outputs = context.fold(judge, entry)
        alerts += sum(isinstance(output, AlertEvent) for output in outputs)
    judge.ledger.next_offset = max(judge.ledger.next_offset, end)
    return alerts, tuple(resumed)


@dataclass(frozen=True, slots=True)
class _Ahead:
    """What follows a state: where the first chunk does not join, and which chains can be resumed there.

    Attributes:
        position: log offset of that chunk.
        alerts: alert events that are due before it.
        pairs: progress records that do not join, there or later, with the chains that go on there.
    """

    position: int = 0
    alerts: int = 0
    pairs: tuple[tuple[ProgressRecord, Resumed], ...] = ()


def _look_ahead(context: JudgeContext, partition: int, start: _Start, *, end: int) -> _Ahead:
    judge = _rebuilt(context, partition, start.judge)
    position: int | None = None
    alerts = 0
    joined: set[tuple[str, int]] = set()
    pairs: list[tuple[ProgressRecord, Resumed]] = []
    for entry in _entries(context, partition, judge.next_offset, end=end):
        try:
            if start.condition is Condition.LOG_REMADE and _opens(judge, start.expected, entry):
                raise ChainGap(*_place(entry), named=(0, 0), offset=entry.offset, detail="of another log")
            outputs = context.fold(judge, entry)
        except ChainGap as gap:
            if (gap.topic, gap.partition) in joined:
                break  # it joined behind the first gap, and does not later: for the next run
            position = entry.offset if position is None else position
            found = _resume(judge, entry, start.expected)
            record = decode(entry.value)
            assert isinstance(record, ProgressRecord)  # only these name chunks
            pairs.append((record, found))
            context.fold(judge, entry)
        else:
            if position is None:
                due = entry.offset >= start.position
                alerts += due and sum(isinstance(output, AlertEvent) for output in outputs)
            elif entry.key is None:
                source = decode(entry.value).source
                joined.add((source.topic, source.partition))
    return _Ahead() if position is None else _Ahead(position, alerts, tuple(pairs))


def _heal(
    judge: Judge, partition: int, progress: ProgressRecord, *, found: Resumed, recount: Recount | None
) -> Resumed:
    """Let a chain go on at a chunk that does not join, after what is missing was counted again, if it can be."""
    if recount is None or found.expected is None or found.expected > found.first:
        judge.ledger.resume(progress)
        return found
    missing = MissingRange(found.place, found.expected, found.first, judge.ledger.roster.watermarks.get(found.place))
    why_not = recount.why_not(missing, progress.topic_id) if missing.first < missing.next else None
    if why_not is not None:
        judge.ledger.resume(progress)
        return replace(found, why_not=why_not)
    judge.ledger.graft(found.place, recount.profiles(missing, partition))
    judge.ledger.resume(progress, declared=False)
    return replace(found, is_filled=True)


def _opens(judge: Judge, expected: Mapping[InputPartition, int | None], entry: StoredEntry) -> bool:
    """Say whether a record of a log made anew is the first progress record of a chain that the old log had."""
    if entry.key is not None or _place(entry) not in expected:
        return False
    chain = judge.ledger.chains.get(_place(entry))
    return chain is None or chain.tip is None


def _place(entry: StoredEntry) -> InputPartition:
    source = decode(entry.value).source
    return source.topic, source.partition


def _resume(judge: Judge, entry: StoredEntry, expected: Mapping[InputPartition, int | None] | None = None) -> Resumed:
    record = decode(entry.value)
    assert isinstance(record, ProgressRecord)  # only these name chunks
    place = (record.source.topic, record.source.partition)
    chain = judge.ledger.chains.get(place)
    known = (expected or {}).get(place) if chain is None or chain.tip is None else chain.expected
    judge.ledger.resume(record)
    return Resumed(place, known, record.first, entry.offset)


def _entries(context: JudgeContext, partition: int, first: int, *, end: int) -> Iterator[StoredEntry]:
    if first >= end:
        return
    for record in read_partition(context.job.settings, context.job.topics.profiles, partition, span=Span(first, end)):
        yield StoredEntry(record.offset, record.timestamp_ms, record.key, record.value or b"")
