"""Too many dead letters: when there are, and what the operator has to know.

A chunk is looked at before it is written. The share travels with the committed offset, so a worker that starts again
stands where the last one stopped, and stops there again until something has changed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from stream_monitor.core.unreadable import WINDOW, Unreadable
from stream_monitor.kafka.profile.counting import CountedChunk
from stream_monitor.kafka.profile.policy import DeadLetterLimits

TOP = 3
"""Reasons that a message names."""


@dataclass(frozen=True, slots=True)
class Excess:
    """What is too much, and what an operator may do about it."""

    facts: str
    advice: str

    def __str__(self) -> str:
        return f"{self.facts}. {self.advice}"


def unreadable_after(chunk: CountedChunk) -> Unreadable:
    """Return the state of the partition with this chunk."""
    return chunk.owned.chain.unreadable.after(chunk.records, chunk.rejected)


def excess_of(chunk: CountedChunk, limits: DeadLetterLimits) -> Excess | None:
    """Return what is too much with this chunk, and what mends it; None when nothing is.

    Args:
        chunk: counted, not written.
        limits: of the operator.
    """
    if not chunk.rejected:
        return None
    before = chunk.owned.chain.unreadable
    worst = before.worst(chunk.records, chunk.rejected)
    # A flood that is over stays in the window for a while; it is what comes now that is too much, or is not.
    if worst > limits.max_share * WINDOW and len(chunk.rejected) > limits.max_share * chunk.records:
        what = f"{worst:,} of {WINDOW:,} records are unreadable, more than dead_letters.max_share {limits.max_share:g}"
        return _message(chunk, what, "max_share")
    run = before.longest_run(chunk.records, chunk.rejected)
    if run > limits.max_consecutive:
        what = f"{run:,} records in a row are unreadable, more than dead_letters.max_consecutive"
        return _message(chunk, f"{what} {limits.max_consecutive:,}", "max_consecutive")
    return None


def is_over(chunk: CountedChunk, limits: DeadLetterLimits) -> bool:
    """Say whether what was too much is over: the last records are readable, and the window holds few others."""
    after = unreadable_after(chunk)
    return chunk.records > 0 and after.run == 0 and after.bad <= limits.max_share * WINDOW


def _message(chunk: CountedChunk, what: str, setting: str) -> Excess:
    topic, partition = chunk.owned.place
    counts = Counter(reject.reason for reject in chunk.profiled.rejects)
    examples = {reject.reason: reject.offset for reject in reversed(chunk.profiled.rejects)}
    reasons = [f"{reason} {count:,} (the first at {examples[reason]})" for reason, count in counts.most_common(TOP)]
    if len(counts) > TOP:
        reasons.append(f"{len(counts) - TOP} other reasons")
    return Excess(
        f"{topic}[{partition}]: {what}; in offsets {chunk.first} to {chunk.next - 1}: {', '.join(reasons)}",
        f"They are not counted yet. Run 'stream-monitor dead-letters list --topic {topic}' for those before, mend the"
        f" producer or the format of the input, or raise dead_letters.{setting}, or set dead_letters.on_excess to pause"
        " or continue",
    )
