"""A profile worker, step by step as the protocol says; what a mutant changes is a method of its own."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np

from stream_monitor.core.baseline import Schedule
from stream_monitor.core.chain import ChainState
from stream_monitor.core.pace import after_chunk, after_end, is_suspected, needs_guard
from stream_monitor.core.plan import Plan
from stream_monitor.core.profile import (
    ChainTrace,
    ChunkPosition,
    LogEntry,
    ProgressRecord,
    Standing,
    decode,
    profile_chunk,
)
from tests.laws.two_stage.broker import Broker, Commit, Event
from tests.traffic import TOPIC, Events, batch_of

TOPIC_ID = "topic-id"


class Answer(StrEnum):
    """What a worker hears of its commit."""

    OK = "ok"
    TIMED_OUT_APPLIED = "timed_out_applied"
    TIMED_OUT_LOST = "timed_out_lost"
    TIMED_OUT_HELD = "timed_out_held"
    OK_BUT_HELD_COPY = "ok_but_held_copy"


@dataclass(frozen=True)
class Owned:
    """Where a partition goes on, and whether what is counted next has to be announced."""

    next: int
    chain: ChainState
    guarded: bool = False


@dataclass
class Round:
    """A chunk between counting and committing.

    Attributes:
        left: records that are not in the log yet.
        at: log offset of its progress record, once written.
        flushed: every record was acknowledged.
        announced: what is counted is committed as `trying` and not withdrawn yet.
    """

    after: Owned
    left: list[LogEntry]
    at: int | None = None
    flushed: bool = False
    announced: bool = False


@dataclass
class ProfileWorker:
    """One process; it believes that it owns `owned` until it learns otherwise."""

    plan: Plan
    broker: Broker
    member: int = 0
    owned: dict[int, Owned] = field(default_factory=dict)
    rounds: dict[int, Round] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.member = self.broker.join()
        self.schedule = Schedule(group="model", lead_ms=0)

    def restart_client(self) -> None:
        """Give the membership up and come back as somebody else; nothing is owned."""
        self.broker.members.discard(self.member)
        self.member = self.broker.join()
        self.owned.clear()
        self.rounds.clear()

    def assign(self, partition: int) -> None:
        """Take a partition up: committed state, healed by the log, and a new lease that is committed first."""
        self.rounds.pop(partition, None)
        found = self.committed(partition)
        left = after_end(found.chain)
        leased = dataclasses.replace(left, lease=self.new_lease(found.chain, partition))
        metadata = self.metadata(leased)
        if self.broker.commit(Commit(partition, self.member, found.next, metadata)):
            self.owned[partition] = Owned(found.next, leased, needs_guard(found.chain) or is_suspected(left))
        else:
            self.owned.pop(partition, None)

    def begin(self, partition: int, most: int, idle_until_ms: int | None = None) -> None:
        """Count a chunk; nothing is written yet."""
        owned = self.owned.get(partition)
        if owned is None or partition in self.rounds:
            return
        events = self.broker.inputs[partition][owned.next : owned.next + min(most, owned.chain.limit)]
        chain, end = owned.chain, owned.next + len(events)
        if events and owned.guarded:
            trying = dataclasses.replace(chain, trying=(owned.next, len(events)))
            if not self.broker.commit(Commit(partition, self.member, owned.next, self.metadata(trying))):
                self.restart_client()
                return
        position = ChunkPosition(
            topic=TOPIC,
            partition=partition,
            topic_id=TOPIC_ID,
            source_partitions=len(self.broker.inputs),
            epoch=chain.epoch,
            seq=chain.last.seq + 1,
            lease=chain.lease,
            prev=chain.last,
            first=owned.next,
            next=end,
        )
        chunk = profile_chunk(
            batch_of([as_columns(self.in_order(events))], owned.next),
            position=position,
            chain=chain,
            plan=self.plan,
            schedule=self.schedule,
            partitions=1,
            idle_until_ms=idle_until_ms,
        )
        after = Owned(end, after_chunk(chunk.chain, end, records=len(events)))
        self.rounds[partition] = Round(after, list(chunk.entries), announced=bool(events) and owned.guarded)

    def deliver(self, partition: int, count: int) -> None:
        """Let the first records of a chunk reach the log."""
        found = self._withdrawn(partition)
        for _ in range(count if found is not None else 0):
            if found is None or not found.left:
                return
            found.at = self.broker.append(found.left.pop(0))

    def flush(self, partition: int, *, lost: bool) -> None:
        """Wait until everything is acknowledged; a record that was given up fails the round."""
        found = self._withdrawn(partition)
        if found is None:
            return
        failed = lost and bool(found.left)
        if failed:
            del found.left[0]
        while found.left:
            found.at = self.broker.append(found.left.pop(0))
        if failed:
            self.delivery_failed(partition)
        else:
            found.flushed = True

    def _withdrawn(self, partition: int) -> Round | None:
        """Return the chunk in hand; nothing of it is written while it is announced as being counted."""
        found, owned = self.rounds.get(partition), self.owned.get(partition)
        if found is None or owned is None or not found.announced:
            return found
        found.announced = False
        if self.broker.commit(Commit(partition, self.member, owned.next, self.metadata(owned.chain))):
            return found
        self.restart_client()
        return None

    def commit(self, partition: int, answer: Answer) -> None:
        """Commit a flushed chunk and draw the conclusion from the answer."""
        found = self.rounds.get(partition)
        if found is None or not self.may_commit(found):
            return
        after = Owned(found.after.next, dataclasses.replace(found.after.chain, at=found.at))
        asked = Commit(partition, self.member, after.next, self.metadata(after.chain))
        match answer:
            case Answer.OK:
                self.answered(partition, after, accepted=self.broker.commit(asked))
            case Answer.OK_BUT_HELD_COPY:
                accepted = self.broker.commit(asked)
                self.broker.held += [asked] if accepted else []
                self.answered(partition, after, accepted=accepted)
            case Answer.TIMED_OUT_APPLIED:
                self.broker.commit(asked)
                self.unanswered(partition)
            case Answer.TIMED_OUT_HELD:
                self.broker.held.append(asked)
                self.unanswered(partition)
            case _:
                self.unanswered(partition)

    # --- what mutants change ------------------------------------------------------------------------------------------

    def committed(self, partition: int) -> Owned:
        """Return the committed state, or a later one that the log names; without one, what the log says."""
        commit = self.broker.committed.get(partition)
        if commit is None:
            return self.lost(partition)
        return self.healed(partition, Owned(commit.next, ChainState.decode(commit.metadata)))

    def lost(self, partition: int) -> Owned:
        """Return where a partition stands that has no committed offset: new, unless the log knows better.

        Its lease is one that nobody has used: the log holds the progress records of whole chunks only.
        """
        standing = traced(self.broker, partition, 0).standing() or Standing(0, ChainState(TOPIC_ID))
        lease = self.unused_lease(standing.chain)
        return Owned(standing.next, dataclasses.replace(standing.chain, lease=lease))

    def unused_lease(self, chain: ChainState) -> int:
        """Return a lease after a loss of offsets: broker time is far above leases that were counted up."""
        return max(chain.lease, self.broker.now_ms // 1_000)

    def healed(self, partition: int, found: Owned) -> Owned:
        """Return the state of the latest chunk that the log names."""
        standing = traced(self.broker, partition, found.chain.at or 0).healed(found.next, found.chain)
        return Owned(standing.next, standing.chain)

    def new_lease(self, chain: ChainState, partition: int) -> int:
        """Return a lease that nobody has used."""
        records = log_of(self.broker, partition, chain.at or 0)
        return max([chain.lease, *(record.source.lease for _, record in records)]) + 1

    def metadata(self, chain: ChainState) -> str:
        """Return what is committed beside the offset."""
        return chain.encode()

    def in_order(self, events: Sequence[Event]) -> Sequence[Event]:
        """Return the events as they are counted: in the order of their offsets."""
        return events

    def may_commit(self, found: Round) -> bool:
        """Say whether a chunk may be committed: only when all of it is in the log."""
        return found.flushed

    def delivery_failed(self, partition: int) -> None:
        """Drop the chunk and take the partition up again."""
        self.assign(partition)

    def answered(self, partition: int, after: Owned, *, accepted: bool) -> None:
        """Go on after a definite answer; a refusal means that somebody else may own the partition."""
        self.rounds.pop(partition, None)
        if accepted:
            self.owned[partition] = dataclasses.replace(after, guarded=is_suspected(after.chain))
        else:
            self.restart_client()

    def unanswered(self, partition: int) -> None:
        """Make sure that a late copy of the commit is refused: come back as another member."""
        self.restart_client()


def traced(broker: Broker, partition: int, start: int) -> ChainTrace:
    """Return what the log says of the chain of a source partition, from an offset on."""
    trace = ChainTrace(TOPIC_ID)
    for offset, record in log_of(broker, partition, start):
        trace.note(record, offset)
    return trace


def log_of(broker: Broker, partition: int, start: int) -> list[tuple[int, ProgressRecord]]:
    """Return the progress records of a source partition in the log, from an offset on."""
    records = [(entry.offset, decode(entry.value)) for entry in broker.log[start:] if entry.key is None]
    return [
        (offset, record)
        for offset, record in records
        if isinstance(record, ProgressRecord) and record.source.partition == partition
    ]


def as_columns(events: Sequence[Event]) -> Events:
    """Return events as a decoder would, each with one number."""
    return Events(
        model="m",
        version="",
        ids=[event.id for event in events],
        at_ms=np.array([event.at_ms for event in events], dtype=np.int64),
        record_ms=np.array([event.record_ms for event in events], dtype=np.int64),
        numbers={"prediction": np.zeros(len(events))},
    )
