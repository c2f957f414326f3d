"""What the worker knows of a partition that it owns."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from stream_monitor.core.chain import ChainState
from stream_monitor.kafka.profile.intake import Pending

InputPartition = tuple[str, int]
"""Topic and number of an input partition."""


@dataclass(slots=True)
class OwnedPartition:
    """A partition between its assignment and its revocation.

    `next` and `chain` are what is committed, and only a successful commit moves them.

    Attributes:
        source_partitions: how many partitions its topic has, as far as known now.
        end: offset at which the end of the partition was last reached; None when records came since, or never.
        record_ms: largest record time seen.
        quiet_since_ms: first broker time taken after the last non-empty chunk and after the assignment; None before.
        empty_due_at: when an empty chunk is due if no record comes, seconds of the worker's monotonic clock.
        heard_at: when a record or the end of the partition last came.
        guarded: what is to be decoded has to be announced first, a predecessor may have died of it.
        paused: fetching is paused.
        broker_time_at: when the broker's time in `chain` was taken, seconds of the worker's monotonic clock.
        excess: why the partition is left alone: too many dead letters; None while it is counted.
        has_asked: an empty chunk has brought the broker's time for the records that are pending.
    """

    topic: str
    partition: int
    source_partitions: int
    next: int
    chain: ChainState
    empty_due_at: float
    heard_at: float
    guarded: bool = False
    pending: Pending = field(init=False)
    end: int | None = None
    record_ms: int | None = None
    quiet_since_ms: int | None = None
    paused: bool = False
    broker_time_at: float = -math.inf
    has_asked: bool = False
    excess: str | None = None

    def __post_init__(self) -> None:
        self.pending = Pending(self.topic, self.partition, self.next)

    @property
    def place(self) -> InputPartition:
        """Topic and partition."""
        return self.topic, self.partition

    @property
    def at_end(self) -> bool:
        """Whether everything that the partition held has been read."""
        return self.end is not None and self.end >= self.pending.expected
