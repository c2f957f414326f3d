"""One chunk of events, counted: the pure function of the profile stage.

`profile_chunk` turns decoded events, the chain state before them and the baselines into the entries of `drift-profiles`
and the chain state after them. Law: counting a run of events whole, or in pieces with the chain state carried from piece
to piece, gives profiles whose sums are equal, for every cut.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from stream_monitor.core.chain import ChainState, ChunkName
from stream_monitor.core.profile.record import ChunkCounts

if TYPE_CHECKING:
    from stream_monitor.core.batch import Reject
    from stream_monitor.core.names import ValueReject


@dataclass(frozen=True, slots=True)
class ChunkPosition:
    """Where a chunk stands: its place in the source partition, its name, and the name of its predecessor.

    Attributes:
        topic_id: id of the source topic.
        source_partitions: partitions that the source topic has.
        prev: last committed chunk.
        first, next: the chunk accounts for the input offsets `[first, next)`.
    """

    topic: str
    partition: int
    topic_id: str
    source_partitions: int
    epoch: int
    seq: int
    lease: int
    prev: ChunkName
    first: int
    next: int


@dataclass(frozen=True, slots=True)
class LogEntry:
    """A record to write to one partition of `drift-profiles`; progress records have no key."""

    partition: int
    key: bytes | None
    value: bytes


@dataclass(frozen=True, slots=True)
class ModelCounts:
    """What a chunk held of one model and version, for metrics.

    Attributes:
        events: rows counted, late ones included, by kind.
        late: those of them that were late.
        serving_errors: rows that carried a serving error.
        latency_ms: latencies reported, as they came.
    """

    events: Mapping[str, int]
    late: int = 0
    serving_errors: int = 0
    latency_ms: Sequence[float] = ()


@dataclass(frozen=True, slots=True)
class ProfiledChunk:
    """A counted chunk, ready to be written and committed.

    Attributes:
        entries: records of `drift-profiles` in writing order: profiles, then one progress record for each partition.
        chain: state after the chunk; `at` is still that of the predecessor: the worker learns it by writing.
        watermark_ms: event time up to which the source partition is complete.
        models: by model and version.
        value_rejects: values left out of good events, by model and reason.
        rejects: records for the dead letters.
    """

    entries: tuple[LogEntry, ...]
    chain: ChainState
    counts: ChunkCounts
    watermark_ms: int | None
    models: Mapping[tuple[str, str], ModelCounts] = field(default_factory=dict)
    value_rejects: Mapping[tuple[str, ValueReject], int] = field(default_factory=dict)
    rejects: Sequence[Reject] = ()
