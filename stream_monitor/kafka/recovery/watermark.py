"""`recover watermark`: a partition's running maximum of event time set back, after records that were stamped wrong.

The chain goes on at the same offset in a new epoch, and its next progress record carries the new maximum: judge and
replay see the decision in the log. Panes that were closed stay closed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

from stream_monitor.core.time import instant_words
from stream_monitor.kafka.profile.owned import InputPartition
from stream_monitor.kafka.recovery.offsets import Condition, OffsetStep, PartitionFacts, plan_offset


def plan_watermark(
    facts: Mapping[InputPartition, PartitionFacts], *, to_ms: int, named: Sequence[InputPartition] | None, now_ms: int
) -> list[OffsetStep]:
    """Return what to commit for partitions whose maximum lies after an instant.

    Args:
        facts: what is known of each partition.
        to_ms: the instant that nothing may lie after.
        named: only these partitions; None: all.
        now_ms: broker time, or later.

    Raises:
        ValueError: the committed offset of a partition has to be recovered first.
    """
    return [
        _step(place, facts[place], to_ms, now_ms=now_ms) for place in sorted(facts) if named is None or place in named
    ]


def _step(place: InputPartition, facts: PartitionFacts, to_ms: int, *, now_ms: int) -> OffsetStep:
    found = plan_offset(place, facts, to=None, is_named=False, now_ms=now_ms)
    name = f"{place[0]}[{place[1]}]"
    if found.condition is not Condition.GOOD:
        raise ValueError(f"{name}: {found.text}; run 'stream-monitor recover offsets' first")
    standing = facts.standing()
    if standing is None:
        return found
    chain = standing.chain
    known = [ms for ms in (chain.max_ms, chain.idle_ms) if ms is not None]
    if not known or max(known) <= to_ms:
        at = instant_words(max(known)) if known else "before its first event"
        return dataclasses.replace(found, text=f"stands at {at}: left alone")
    after = dataclasses.replace(
        chain,
        epoch=chain.epoch + 1,
        max_ms=None if chain.max_ms is None else min(chain.max_ms, to_ms),
        idle_ms=None if chain.idle_ms is None else min(chain.idle_ms, to_ms),
        trying=None,
    )
    text = (
        f"stood at {instant_words(max(known))}, goes on from {instant_words(to_ms)} in epoch {after.epoch}; panes"
        " that were closed stay closed, events for them are late"
    )
    return OffsetStep(*place, Condition.GOOD, found.before, text, standing.next, after)
