"""Cutting one profile into records of at most 256 KiB, by series and by examples.

Rows, demand and left-out names stand in the first part alone: parts are merged by addition like everything else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from stream_monitor.core.profile.codec import encode
from stream_monitor.core.profile.record import ChunkSource, Profile, ProfileRecord, SeriesCounts, Undeclared

PART_BYTES = 256 * 1024
"""Largest record, so that it fits every topic's limit."""

_WIDEST = 1_000_000
"""Stands for index and part numbers while sizes are reckoned."""


@dataclass(frozen=True, slots=True)
class EncodedRecord:
    """A record and its bytes."""

    record: ProfileRecord
    value: bytes


def encode_profile(profile: Profile, source: ChunkSource, index: int) -> list[EncodedRecord]:
    """Return the record of a profile, or its parts; the first has the place `index` in its chunk."""
    whole = ProfileRecord(source, index, (0, 1), profile)
    value = encode(whole)
    if len(value) <= PART_BYTES:
        return [EncodedRecord(whole, value)]
    parts = list(_split(profile, source))
    records = [ProfileRecord(source, index + i, (i, len(parts)), part) for i, part in enumerate(parts)]
    return [EncodedRecord(record, encode(record)) for record in records]


def _split(profile: Profile, source: ChunkSource) -> Iterator[Profile]:
    head = replace(profile, series={}, examples=())
    tail = replace(head, rows={}, demand=0, undeclared=Undeclared())
    room = PART_BYTES - _size(head, source)
    base = _size(tail, source)
    part, used = head, 0
    series: dict[str, SeriesCounts] = {}
    for name, counts in profile.series.items():
        size = _size(replace(tail, series={name: counts}), source) - base + 1
        if used + size > room and used:
            yield replace(part, series=series)
            part, series, used = tail, {}, 0
        series[name] = counts
        used += size
    if profile.examples:
        yield replace(part, series=series)
        part, series, used = tail, {}, 0
    first = 0
    for position, example in enumerate(profile.examples):
        size = _size(replace(tail, examples=(example,)), source) - base + 1
        if used + size > room and used:
            yield replace(part, examples=profile.examples[first:position])
            first, used = position, 0
        used += size
    yield replace(part, series=series, examples=profile.examples[first:])


def _size(profile: Profile, source: ChunkSource) -> int:
    return len(encode(ProfileRecord(source, _WIDEST, (_WIDEST, _WIDEST), profile)))
