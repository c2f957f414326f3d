"""`recover offsets`: the committed offsets of the profile group, mended from the log or set by the operator.

Where the log knows how far a partition was counted, the chain goes on there: every event counts once. An offset that
the operator names begins a new epoch, which the judge notes as a declared gap: events between the two are left out, or
counted twice when it lies before.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from stream_monitor.core.chain import ChainState
from stream_monitor.core.profile import ChainTrace, Standing
from stream_monitor.kafka.profile.healing import LogRange
from stream_monitor.kafka.profile.owned import InputPartition


class Condition(StrEnum):
    """What is the matter with the committed offset of a partition."""

    GOOD = "good"
    LOST = "lost"
    WITHOUT_CHAIN = "without_chain"
    UNREADABLE = "unreadable"
    MOVED = "moved"
    REMADE = "topic_remade"
    DELETED = "records_deleted"
    BEYOND_END = "beyond_end"


_WORDS = {
    Condition.GOOD: "the committed offset is good",
    Condition.LOST: "no offset is committed",
    Condition.WITHOUT_CHAIN: "the offset was committed without the chain state",
    Condition.UNREADABLE: "the committed chain state cannot be read",
    Condition.MOVED: "the offset was moved and its chain state was kept",
    Condition.REMADE: "the topic was made anew",
    Condition.DELETED: "records were deleted before they were counted",
    Condition.BEYOND_END: "the committed offset lies behind the end of the topic",
}

EARLIEST = "earliest"
LATEST = "latest"
Target = int | str | None
"""An offset, `earliest` or `latest`; None: where the log says."""


@dataclass(frozen=True, slots=True)
class PartitionFacts:
    """What is known of a partition.

    Attributes:
        topic_id: of its topic now.
        log: its offsets now.
        offset, metadata: as committed; an offset below zero is none.
        trace: what the log of profiles says.
        reached_start: the whole log of profiles was searched.
    """

    topic_id: str
    log: LogRange
    offset: int
    metadata: str
    trace: ChainTrace
    reached_start: bool

    def standing(self) -> Standing | None:
        """Return where the partition stands, None when nobody has counted it."""
        return _state(self)[2]


@dataclass(frozen=True, slots=True)
class OffsetStep:
    """What was found of a partition, and what is to be committed.

    Attributes:
        before: committed offset, None without one.
        next, chain: to be committed; None when nothing is.
        text: what that means.
        needs_target: it cannot be mended without an offset of the operator's.
    """

    topic: str
    partition: int
    condition: Condition
    before: int | None
    text: str
    next: int | None = None
    chain: ChainState | None = None
    needs_target: bool = False


def plan_offset(place: InputPartition, facts: PartitionFacts, *, to: Target, is_named: bool, now_ms: int) -> OffsetStep:
    """Return what to commit for a partition.

    Args:
        place: topic and partition.
        facts: what is known of it.
        to: where the operator wants it to go on; None: where the log says.
        is_named: the operator named this partition, so that a good one is moved too.
        now_ms: broker time, or later.

    Raises:
        ValueError: the offset is not in the partition.
    """
    chain, condition, standing = _state(facts)
    before = facts.offset if facts.offset >= 0 else None
    if condition is Condition.LOST and standing is None and facts.trace.is_empty and facts.reached_start and to is None:
        text = "never counted: a worker begins it as `start` says"
        return OffsetStep(*place, Condition.GOOD, before, text)
    if condition is Condition.GOOD and (to is None or not is_named):
        return OffsetStep(*place, condition, before, _WORDS[condition])
    lease = max(facts.trace.lease, 0 if chain is None else chain.lease)
    if before is None or chain is None:
        lease = max(lease, now_ms // 1_000)
    if to is not None:
        return _moved(place, facts, condition, standing=standing, to=to, lease=lease, now_ms=now_ms)
    if standing is None or condition in (Condition.REMADE, Condition.DELETED, Condition.BEYOND_END):
        text = f"{_WORDS[condition]}: say where to go on, with --to earliest, --to latest or --to OFFSET"
        return OffsetStep(*place, condition, before, text, needs_target=True)
    epoch = standing.chain.epoch + (not standing.is_whole)
    text = f"{_WORDS[condition]}: goes on at {standing.next}, where the log says; every event counts once"
    if not standing.is_whole:
        text = f"{_WORDS[condition]}: goes on at {standing.next} in epoch {epoch}; the watermark begins anew"
    after = dataclasses.replace(standing.chain, topic=facts.topic_id, epoch=epoch, lease=lease, trying=None)
    return OffsetStep(*place, condition, before, text, standing.next, after)


def _moved(
    place: InputPartition,
    facts: PartitionFacts,
    condition: Condition,
    *,
    standing: Standing | None,
    to: int | str,
    lease: int,
    now_ms: int,
) -> OffsetStep:
    log = facts.log
    target = {EARLIEST: log.start, LATEST: log.end}.get(to) if isinstance(to, str) else to
    if target is None or not log.start <= target <= log.end:
        raise ValueError(f"{place[0]}[{place[1]}]: --to must be an offset from {log.start} to {log.end}, got {to}")
    before = facts.offset if facts.offset >= 0 else None
    if condition is Condition.GOOD and before == target:
        return OffsetStep(*place, condition, before, "the committed offset is good, and the one that is wanted")
    known = standing.chain if standing is not None else ChainState(facts.topic_id)
    epochs = [known.epoch, *([] if facts.trace.epoch is None else [facts.trace.epoch])]
    # What the log does not show may have been folded: an epoch of broker time is above all that was counted up.
    epoch = max(epochs) + 1 if facts.trace.epoch is not None else max(max(epochs) + 1, now_ms // 1_000)
    counted = None if standing is None or condition is Condition.REMADE else standing.next
    text = f"{_WORDS[condition]}: goes on at {target} in epoch {epoch}, {_meaning(counted, target)}"
    after = dataclasses.replace(known, topic=facts.topic_id, epoch=epoch, lease=lease, trying=None)
    return OffsetStep(*place, condition, before, text, target, after)


def _meaning(counted: int | None, target: int) -> str:
    if counted is None:
        return "a declared gap"
    if target > counted:
        return f"offsets {counted} to {target - 1} are not counted: a declared gap"
    if target < counted:
        return f"offsets {target} to {counted - 1} are counted again: a declared gap"
    return "where it was counted up to"


def _state(facts: PartitionFacts) -> tuple[ChainState | None, Condition, Standing | None]:
    """Return the committed chain state, what is the matter with it, and where the partition stands."""
    if facts.offset < 0:
        if facts.trace.is_remade and facts.trace.standing() is None:
            return None, Condition.REMADE, None
        return _within(facts, None, Condition.LOST, standing=facts.trace.standing())
    if not facts.metadata:
        return _within(facts, None, Condition.WITHOUT_CHAIN, standing=facts.trace.standing())
    try:
        chain = ChainState.decode(facts.metadata)
    except ValueError:
        return _within(facts, None, Condition.UNREADABLE, standing=facts.trace.standing())
    if chain.topic != facts.topic_id:
        return chain, Condition.REMADE, Standing(facts.offset, chain)
    ends_at = facts.trace.ends_at(chain)
    if ends_at is not None and ends_at != facts.offset:
        return _within(facts, chain, Condition.MOVED, standing=facts.trace.healed(ends_at, chain))
    return _within(facts, chain, Condition.GOOD, standing=facts.trace.healed(facts.offset, chain))


def _within(
    facts: PartitionFacts, chain: ChainState | None, condition: Condition, *, standing: Standing | None
) -> tuple[ChainState | None, Condition, Standing | None]:
    """Say what else is the matter: where the partition stands is not in its log any more."""
    if standing is not None and standing.next > facts.log.end:
        return chain, Condition.BEYOND_END, standing
    if standing is not None and standing.next < facts.log.start:
        return chain, Condition.DELETED, standing
    if condition is Condition.GOOD and standing is not None and not standing.is_whole:
        return chain, Condition.LOST, standing
    return chain, condition, standing


def plan_offsets(
    facts: Mapping[InputPartition, PartitionFacts], *, to: Target, named: Sequence[InputPartition] | None, now_ms: int
) -> list[OffsetStep]:
    """Return the steps of all partitions, or of those named.

    Raises:
        ValueError: the offset is not in a partition.
    """
    return [
        plan_offset(place, facts[place], to=to, is_named=named is not None, now_ms=now_ms)
        for place in sorted(facts)
        if named is None or place in named
    ]
