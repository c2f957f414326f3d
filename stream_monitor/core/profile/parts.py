"""Cutting one profile into records of at most 256 KiB, by series and by examples.

Rows, demand and left-out names stand in the first part alone: parts are merged by addition like everything else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from stream_monitor.core.profile.codec import encode, encode_example
from stream_monitor.core.profile.gathered import WrittenProfile
from stream_monitor.core.profile.record import ChunkSource, Profile, ProfileRecord, SeriesCounts, Undeclared

PART_BYTES = 256 * 1024
"""Largest record, so that it fits every topic's limit."""

_WIDEST = 1_000_000
"""Stands for index and part numbers while sizes are reckoned."""


def encode_profile(written: WrittenProfile, source: ChunkSource, index: int) -> list[bytes]:
    """Return the record of a profile, or its parts; the first has the place `index` in its chunk."""
    profile, rows = written.profile, written.gathered
    if sum(map(len, rows)) <= PART_BYTES:
        value = encode(ProfileRecord(source, index, (0, 1), profile), rows)
        if len(value) <= PART_BYTES:
            return [value]
    rows = (*map(encode_example, profile.examples), *rows)
    parts = list(_split(replace(profile, examples=()), rows, source))
    return [encode(ProfileRecord(source, index + i, (i, len(parts)), part), own) for i, (part, own) in enumerate(parts)]


def _split(profile: Profile, rows: Sequence[bytes], source: ChunkSource) -> Iterator[tuple[Profile, Sequence[bytes]]]:
    head = replace(profile, series={})
    tail = replace(head, rows={}, demand=0, undeclared=Undeclared())
    room = PART_BYTES - _size(head, source)
    base = _size(tail, source)
    part, used = head, 0
    series: dict[str, SeriesCounts] = {}
    for name, counts in profile.series.items():
        size = _size(replace(tail, series={name: counts}), source) - base + 1
        if used + size > room and used:
            yield replace(part, series=series), ()
            part, series, used = tail, {}, 0
        series[name] = counts
        used += size
    if rows:
        yield replace(part, series=series), ()
        part, series, used = tail, {}, 0
    first = 0
    for position, row in enumerate(rows):
        size = len(row) + 1
        if used + size > room and used:
            yield part, rows[first:position]
            first, used = position, 0
        used += size
    yield replace(part, series=series), rows[first:]


def _size(profile: Profile, source: ChunkSource) -> int:
    return len(encode(ProfileRecord(source, _WIDEST, (_WIDEST, _WIDEST), profile)))
