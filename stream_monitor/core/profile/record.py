"""Records of `drift-profiles`: what one chunk counted, and the progress record that ends it.

A `ProfileRecord` is integers: counts of one model, version, segment and pane in one chunk. Records of equal
`ProfileKey` are merged by addition (`merge`). A `ProgressRecord` says which input offsets the chunk accounts for, how
many profile records it has in this judge partition and their digest, and how far event time has come.

`codec` writes and reads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from stream_monitor.core.arrays import Int64
from stream_monitor.core.chain import ChunkName
from stream_monitor.core.names import ValueKind

EXAMPLES = 5
"""Rows shown for one model, version, segment and pane: those of smallest hash."""

UNDECLARED_NAMES = 20
"""Names kept of those that a limit left out: those of smallest hash."""

ExampleValue = str | bool | float | None
"""A raw value of a row in warm-up."""


@dataclass(frozen=True, slots=True, order=True)
class ProfileKey:
    """What a profile counts; profiles of equal keys are merged, others never.

    Attributes:
        segment: `name=value`, or empty for all traffic.
        baseline: id of the baseline whose grids were used; empty in warm-up, when there is none.
        supplements: ids of the supplements whose grids were used beside it, in their order.
    """

    model: str
    version: str
    segment: str
    pane_ms: int
    pane_length_ms: int
    late: bool
    baseline: str = ""
    supplements: tuple[str, ...] = ()

    @property
    def references(self) -> tuple[str, ...]:
        """Ids of all documents whose grids were used."""
        return (self.baseline, *self.supplements) if self.baseline else ()


@dataclass(frozen=True, slots=True, eq=False)
class SeriesCounts:
    """Counts of one series.

    Attributes:
        bins: events per bin in grid order, shape (K,), or without the empty bins at the end when `sparse`; None when
            the series has no grid (warm-up, or a series of the model that its baseline lacks).
        sparse: bins are written one by one.
        missing: events without a value, null or absent; in warm-up those with an explicit null.
        absent: those that do not even name it, part of `missing`; None in warm-up.
        invalid: events whose value is of the wrong type, not finite or out of the domain.
        minimum, maximum: exact, of the values in bins; None when there are none.
        distinct: registers of a HyperLogLog; merged by maximum.
        strange: what the values of a wrong type were, sorted; merged by union.
    """

    bins: Int64 | None
    sparse: bool = False
    missing: int = 0
    absent: int | None = 0
    invalid: int = 0
    minimum: float | None = None
    maximum: float | None = None
    distinct: bytes | None = None
    strange: tuple[ValueKind, ...] = ()

    def dense(self, bins: int) -> Int64:
        """Return the counts of a grid of that many bins.

        Raises:
            ValueError: more bins are filled than the grid has, or the series has no grid.
        """
        if self.bins is None or self.bins.size > bins:
            found = "none" if self.bins is None else str(self.bins.size)
            raise ValueError(f"bins must be at most the grid's {bins}, got {found}")
        if self.bins.size == bins:
            return self.bins.copy()
        whole = np.zeros(bins, dtype=np.int64)
        whole[: self.bins.size] = self.bins
        return whole

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SeriesCounts):
            return NotImplemented
        return self._scalars() == other._scalars() and _equal(self.bins, other.bins)

    __hash__ = None  # type: ignore[assignment]  # it holds an array

    def _scalars(self) -> tuple[object, ...]:
        return (
            self.sparse,
            self.missing,
            self.absent,
            self.invalid,
            self.minimum,
            self.maximum,
            self.distinct,
            self.strange,
        )


@dataclass(frozen=True, slots=True)
class Example:
    """A row that stands for the profile, by its place in Kafka.

    Attributes:
        hash: the row's selection hash, 64 bits.
        tie: the row's tie-breaker, only where rows are gathered.
        values: raw values by series, only where rows are gathered, and only of series that have no reference yet: the
            source of an automatic baseline or supplement. Absent series are left out.
        invalid: series whose value cannot be counted, only where rows are gathered.
        segments: value by watched segment, only where rows are gathered.
    """

    hash: int
    event_id: str
    offset: int
    topic: str = ""
    partition: int = 0
    tie: int | None = None
    values: Mapping[str, ExampleValue] | None = None
    invalid: tuple[str, ...] = ()
    segments: Mapping[str, str] = field(default_factory=dict)

    @property
    def rank(self) -> tuple[int, int, str, int]:
        """Order in which examples are kept: by hash, then by place."""
        return (self.hash, self.offset, self.topic, self.partition)

    @property
    def plain(self) -> Example:
        """The row without its values."""
        return (
            self if self.values is None else Example(self.hash, self.event_id, self.offset, self.topic, self.partition)
        )


@dataclass(frozen=True, slots=True)
class Undeclared:
    """Names that a baseline or a limit leaves out: how often, and the few of smallest hash.

    Attributes:
        count: occurrences of all names.
        names: those of smallest hash, in that order.
        rows: rows that hold each of these names.
        kinds: kinds of the values of each of these names, sorted; none where they were not looked at.
    """

    count: int = 0
    names: tuple[str, ...] = ()
    rows: tuple[int, ...] = ()
    kinds: tuple[tuple[ValueKind, ...], ...] = ()

    def of(self, name: str) -> tuple[int, tuple[ValueKind, ...]]:
        """Return rows and kinds of one of the names."""
        place = self.names.index(name)
        return self.rows[place] if self.rows else 0, self.kinds[place] if self.kinds else ()


@dataclass(frozen=True, slots=True)
class OffsetRange:
    """Smallest and largest offset of the events counted."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Profile:
    """Counts of one key: the part of a record that is merged.

    Attributes:
        rows: rows by kind (`inference`).
        demand: rows, each times its sampled rate.
        offsets: range by source topic and partition.
    """

    key: ProfileKey
    rows: Mapping[str, int]
    demand: int
    series: Mapping[str, SeriesCounts]
    offsets: Mapping[tuple[str, int], OffsetRange]
    examples: tuple[Example, ...] = ()
    undeclared: Undeclared = Undeclared()

    @property
    def events(self) -> int:
        """Rows of all kinds."""
        return sum(self.rows.values())


@dataclass(frozen=True, slots=True, order=True)
class ChunkSource:
    """Which chunk wrote a record."""

    topic: str
    partition: int
    epoch: int
    seq: int
    lease: int

    @property
    def name(self) -> ChunkName:
        """The chunk's name within its partition."""
        return ChunkName(self.seq, self.lease)


@dataclass(frozen=True, slots=True)
class ProfileRecord:
    """One record of counts.

    Attributes:
        index: place of the record in its chunk.
        part: `(i, n)`: the i-th of n records that share a key, split by series. Rows, demand and undeclared names stand
            in the first alone, so that parts are merged like everything else.
    """

    source: ChunkSource
    index: int
    part: tuple[int, int]
    profile: Profile


@dataclass(frozen=True, slots=True)
class ChunkCounts:
    """What became of the records of a chunk: read = counted + late + rejected + tombstones."""

    read: int = 0
    counted: int = 0
    late: int = 0
    rejected: int = 0
    tombstones: int = 0


@dataclass(frozen=True, slots=True)
class Ahead:
    """Events of a chunk that are stamped further ahead of the broker's clock than an event may be.

    Attributes:
        events: how many.
        offset, stamped_ms: of the one that is furthest ahead.
        broker_ms: the broker's clock that the chunk was counted by.
    """

    events: int
    offset: int
    stamped_ms: int
    broker_ms: int


@dataclass(frozen=True, slots=True)
class ProgressRecord:
    """The last record of a chunk in each judge partition.

    Attributes:
        topic_id: id of the source topic.
        source_partitions: partitions that the source topic has.
        first, next: the chunk accounts for the input offsets `[first, next)`.
        prev: name of its predecessor, the last committed chunk.
        records: profile records of the chunk in this judge partition.
        digest: of their values (`chunk_digest`).
        watermark_ms: event time up to which the source partition is complete; None before its first event.
        idle_until_ms: how far broker time has advanced the partition; None if never.
        plan: short hash of the plan.
        baselines_next: position of the baseline reader.
        max_ms: running maximum of min(event time, record time): with it a chain state can be rebuilt exactly.
        ahead: events that moved the maximum no further than the broker's clock; None when there were none.
    """

    source: ChunkSource
    topic_id: str
    source_partitions: int
    first: int
    next: int
    prev: ChunkName
    records: int
    digest: str
    watermark_ms: int | None
    plan: str
    baselines_next: int
    idle_until_ms: int | None = None
    counts: ChunkCounts = ChunkCounts()
    max_ms: int | None = None
    ahead: Ahead | None = None


def _equal(left: Int64 | None, right: Int64 | None) -> bool:
    if left is None or right is None:
        return left is right
    return np.array_equal(left, right)
