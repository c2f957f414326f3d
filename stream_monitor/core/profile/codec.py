"""Codec of `drift-profiles`: canonical JSON of profile and progress records, and back.

Reading ignores unknown keys; an unknown kind or version raises `UnknownRecord`, because skipping a fact would change
every alert that follows.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict

import msgspec
import numpy as np
import orjson

from stream_monitor.core.arrays import Int64
from stream_monitor.core.chain import ChunkName
from stream_monitor.core.names import ValueKind
from stream_monitor.core.profile.record import (
    Ahead,
    ChunkCounts,
    ChunkSource,
    Example,
    OffsetRange,
    Profile,
    ProfileKey,
    ProfileRecord,
    ProgressRecord,
    SeriesCounts,
    Undeclared,
)

SCHEMA_VERSION = 1
"""Version of both records that this program writes and reads."""

_MOST_BINS = 1 << 16
_NEVER_MISSING = frozenset({"serving_error"})
"""Series that every event has: their zero counts are not written."""


class UnknownRecord(ValueError):
    """A record of a kind or schema version that this program does not know."""


class MalformedRecord(ValueError):
    """A record that is not what its kind and version promise."""


def encode(record: ProfileRecord | ProgressRecord, rows: Sequence[bytes] = ()) -> bytes:
    """Return a record as canonical JSON.

    Args:
        record: of a profile or of the progress of a chunk.
        rows: examples of a profile that are JSON already, behind its own ones.

    Raises:
        ValueError: a minimum, maximum or example value is NaN or infinite.
    """
    return _encode_profile(record, rows) if isinstance(record, ProfileRecord) else _encode_progress(record)


def encode_example(example: Example) -> bytes:
    """Return a row as it stands in its record.

    Raises:
        ValueError: a value is NaN or infinite.
    """
    return _dump(_example_wire(example))


def decode(value: bytes) -> ProfileRecord | ProgressRecord:
    """Read a record of `drift-profiles`.

    Raises:
        UnknownRecord: of another kind or schema version.
        MalformedRecord: not a record at all, or one that lacks what its kind has.
    """
    try:
        head = _HEAD.decode(value)
        if head.schema_version != SCHEMA_VERSION:
            raise UnknownRecord(f"schema_version must be {SCHEMA_VERSION}, got {head.schema_version}")
        match head.kind:
            case "profile":
                return _profile(_PROFILE.decode(value))
            case "progress":
                return _progress(_PROGRESS.decode(value))
            case _:
                raise UnknownRecord("kind must be profile or progress")
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise MalformedRecord(f"record of drift-profiles: {error}") from error


def chunk_digest(values: Iterable[bytes]) -> str:
    """Return the digest of a chunk's profile records in one judge partition, given in `index` order.

    First 10 hex digits of SHA-256 over the values, each preceded by its length as 4 bytes, big-endian.
    """
    digest = hashlib.sha256()
    for value in values:
        digest.update(len(value).to_bytes(4, "big"))
        digest.update(value)
    return digest.hexdigest()[:10]


class _Head(msgspec.Struct):
    kind: str
    schema_version: int


class _SourceWire(msgspec.Struct):
    topic: str
    partition: int
    epoch: int
    seq: int
    lease: int


class _SeriesWire(msgspec.Struct):
    bins: list[int] | None = None
    sparse: list[tuple[int, int]] | None = None
    missing: int = 0
    absent: int | None = None
    invalid: int = 0
    min: float | None = None
    max: float | None = None
    distinct: bytes | None = None
    strange: tuple[ValueKind, ...] = ()


class _ExampleWire(msgspec.Struct):
    hash: str
    event_id: str
    offset: int
    tie: int | None = None
    values: dict[str, str | bool | float | None] | None = None
    invalid: list[str] = []
    segments: dict[str, str] = {}


class _UndeclaredWire(msgspec.Struct):
    count: int = 0
    names: list[str] = []
    rows: list[int] = []
    kinds: list[tuple[ValueKind, ...]] = []


class _ProfileWire(msgspec.Struct):
    model: str
    version: str
    segment: str
    pane_ms: int
    pane_length_ms: int
    late: bool
    baseline: str | None
    source: _SourceWire
    index: int
    part: tuple[int, int]
    offsets: tuple[int, int]
    rows: dict[str, int]
    demand: int
    series: dict[str, _SeriesWire]
    examples: list[_ExampleWire] = []
    undeclared: _UndeclaredWire = msgspec.field(default_factory=_UndeclaredWire)
    supplements: tuple[str, ...] = ()


class _CountsWire(msgspec.Struct):
    read: int
    counted: int
    late: int
    rejected: int
    tombstones: int


class _AheadWire(msgspec.Struct):
    events: int
    offset: int
    stamped_ms: int
    broker_ms: int


class _ProgressWire(msgspec.Struct):
    source: _SourceWire
    topic_id: str
    source_partitions: int
    first: int
    next: int
    prev: tuple[int, int]
    records: int
    digest: str
    watermark_ms: int | None
    plan: str
    baselines_next: int
    counts: _CountsWire
    idle_until_ms: int | None = None
    max_ms: int | None = None
    ahead: _AheadWire | None = None


_HEAD = msgspec.json.Decoder(_Head)
_PROFILE = msgspec.json.Decoder(_ProfileWire)
_PROGRESS = msgspec.json.Decoder(_ProgressWire)


def _profile(wire: _ProfileWire) -> ProfileRecord:
    source = _source(wire.source)
    place = (source.topic, source.partition)
    key = ProfileKey(
        wire.model,
        wire.version,
        wire.segment,
        wire.pane_ms,
        wire.pane_length_ms,
        wire.late,
        wire.baseline or "",
        wire.supplements,
    )
    profile = Profile(
        key=key,
        rows=wire.rows,
        demand=wire.demand,
        series={name: _series(name, counts) for name, counts in wire.series.items()},
        offsets={place: OffsetRange(*wire.offsets)},
        examples=tuple(_example(example, place) for example in wire.examples),
        undeclared=_undeclared(wire.undeclared),
    )
    return ProfileRecord(source, wire.index, wire.part, profile)


def _progress(wire: _ProgressWire) -> ProgressRecord:
    return ProgressRecord(
        source=_source(wire.source),
        topic_id=wire.topic_id,
        source_partitions=wire.source_partitions,
        first=wire.first,
        next=wire.next,
        prev=ChunkName(*wire.prev),
        records=wire.records,
        digest=wire.digest,
        watermark_ms=wire.watermark_ms,
        plan=wire.plan,
        baselines_next=wire.baselines_next,
        idle_until_ms=wire.idle_until_ms,
        counts=ChunkCounts(**msgspec.structs.asdict(wire.counts)),
        max_ms=wire.max_ms,
        ahead=None if wire.ahead is None else Ahead(**msgspec.structs.asdict(wire.ahead)),
    )


def _encode_profile(record: ProfileRecord, rows: Sequence[bytes]) -> bytes:
    key, profile = record.profile.key, record.profile
    offsets = profile.offsets[record.source.topic, record.source.partition]
    wire: dict[str, object] = {
        "kind": "profile",
        "schema_version": SCHEMA_VERSION,
        "model": key.model,
        "version": key.version,
        "segment": key.segment,
        "pane_ms": key.pane_ms,
        "pane_length_ms": key.pane_length_ms,
        "late": key.late,
        "baseline": key.baseline or None,
        "source": _source_wire(record.source),
        "index": record.index,
        "part": list(record.part),
        "offsets": [offsets.first, offsets.last],
        "rows": dict(profile.rows),
        "demand": profile.demand,
        "series": {name: _series_wire(name, counts) for name, counts in profile.series.items()},
        "examples": [*map(_example_wire, profile.examples), *map(orjson.Fragment, rows)],
    }
    if key.supplements:
        wire["supplements"] = list(key.supplements)
    if profile.undeclared.count:
        wire["undeclared"] = _undeclared_wire(profile.undeclared)
    return _dump(wire)


def _encode_progress(record: ProgressRecord) -> bytes:
    wire: dict[str, object] = {
        "kind": "progress",
        "schema_version": SCHEMA_VERSION,
        "source": _source_wire(record.source),
        "topic_id": record.topic_id,
        "source_partitions": record.source_partitions,
        "first": record.first,
        "next": record.next,
        "prev": [record.prev.seq, record.prev.lease],
        "records": record.records,
        "digest": record.digest,
        "watermark_ms": record.watermark_ms,
        "idle_until_ms": record.idle_until_ms,
        "plan": record.plan,
        "baselines_next": record.baselines_next,
        "counts": {
            "read": record.counts.read,
            "counted": record.counts.counted,
            "late": record.counts.late,
            "rejected": record.counts.rejected,
            "tombstones": record.counts.tombstones,
        },
    }
    if record.max_ms is not None:
        wire["max_ms"] = record.max_ms
    if record.ahead is not None:
        wire["ahead"] = asdict(record.ahead)
    return _dump(wire)


def _source(wire: _SourceWire) -> ChunkSource:
    return ChunkSource(wire.topic, wire.partition, wire.epoch, wire.seq, wire.lease)


def _series(name: str, wire: _SeriesWire) -> SeriesCounts:
    bins: Int64 | None = None
    if wire.bins is not None:
        bins = _counts(wire.bins)
    elif wire.sparse is not None:
        bins = _dense(wire.sparse)
    absent = 0 if wire.absent is None and name in _NEVER_MISSING else wire.absent
    return SeriesCounts(
        bins=bins,
        sparse=wire.bins is None and wire.sparse is not None,
        missing=wire.missing,
        absent=absent,
        invalid=wire.invalid,
        minimum=wire.min,
        maximum=wire.max,
        distinct=wire.distinct,
        strange=wire.strange,
    )


def _dense(cells: list[tuple[int, int]]) -> Int64:
    """Return the bins of a series of which few are filled, up to the last one."""
    bins = [0] * (cells[-1][0] + 1 if cells and 0 <= cells[-1][0] < _MOST_BINS else 0)
    before = -1
    for place, count in cells:
        if not before < place < len(bins) or count < 0:
            raise MalformedRecord("series: sparse must be ascending pairs of bin and count")
        bins[place], before = count, place
    return _counts(bins)


def _counts(numbers: list[int]) -> Int64:
    try:
        return np.array(numbers, dtype=np.int64)
    except OverflowError as error:
        raise MalformedRecord("series: a count must fit 64 bits") from error


def _example(wire: _ExampleWire, place: tuple[str, int]) -> Example:
    try:
        identity = int(wire.hash, 16)
    except ValueError as error:
        raise MalformedRecord("examples: hash must be 16 hex digits") from error
    return Example(
        hash=identity,
        event_id=wire.event_id,
        offset=wire.offset,
        topic=place[0],
        partition=place[1],
        tie=wire.tie,
        values=wire.values,
        invalid=tuple(wire.invalid),
        segments=wire.segments,
    )


def _undeclared(wire: _UndeclaredWire) -> Undeclared:
    names = len(wire.names)
    if len(wire.rows) not in (0, names) or len(wire.kinds) not in (0, names):
        raise MalformedRecord("undeclared: rows and kinds must be one for each name")
    return Undeclared(wire.count, tuple(wire.names), tuple(wire.rows), tuple(wire.kinds))


def _undeclared_wire(found: Undeclared) -> dict[str, object]:
    wire: dict[str, object] = {"count": found.count, "names": list(found.names)}
    if found.rows:
        wire["rows"] = list(found.rows)
    if any(found.kinds):
        wire["kinds"] = [list(kinds) for kinds in found.kinds]
    return wire


def _source_wire(source: ChunkSource) -> dict[str, object]:
    return {
        "topic": source.topic,
        "partition": source.partition,
        "epoch": source.epoch,
        "seq": source.seq,
        "lease": source.lease,
    }


def _series_wire(name: str, counts: SeriesCounts) -> dict[str, object]:
    wire: dict[str, object] = {}
    if counts.bins is not None and counts.sparse:
        wire["sparse"] = [pair for pair in enumerate(counts.bins.tolist()) if pair[1]]
    elif counts.bins is not None:
        wire["bins"] = np.ascontiguousarray(counts.bins)
    quiet = name in _NEVER_MISSING
    others = {"missing": counts.missing, "absent": counts.absent, "invalid": counts.invalid}
    wire |= {kind: count for kind, count in others.items() if count is not None and not (quiet and count == 0)}
    if counts.minimum is not None and counts.maximum is not None:
        wire |= {"min": _finite(counts.minimum), "max": _finite(counts.maximum)}
    if counts.distinct is not None:
        wire["distinct"] = msgspec.to_builtins(counts.distinct)
    if counts.strange:
        wire["strange"] = list(counts.strange)
    return wire


def _example_wire(example: Example) -> dict[str, object]:
    wire: dict[str, object] = {
        "hash": f"{example.hash:016x}",
        "event_id": example.event_id,
        "offset": example.offset,
    }
    if example.tie is not None:
        wire["tie"] = example.tie
    if example.values is not None:
        wire["values"] = {n: _finite(v) if isinstance(v, float) else v for n, v in example.values.items()}
    if example.invalid:
        wire["invalid"] = list(example.invalid)
    if example.segments:
        wire["segments"] = dict(example.segments)
    return wire


def _finite(value: float) -> float:
    if not math.isfinite(value):
        raise ValueError(f"record of drift-profiles: {value} is not a JSON number")
    return value


def _dump(wire: Mapping[str, object]) -> bytes:
    """Encode what holds no NaN by construction: orjson would write null for it silently."""
    return orjson.dumps(wire, option=orjson.OPT_SORT_KEYS | orjson.OPT_SERIALIZE_NUMPY)
