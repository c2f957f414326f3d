"""Addition of profiles: exact, and the same to the byte in any order and grouping.

Counts add up, bounds take the wider one, ranges of offsets stretch, and of examples and left-out names those of
smallest hash stay. Parts of one record are merged like records of different chunks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from xxhash import xxh3_64_intdigest

from stream_monitor.core.arrays import Int64
from stream_monitor.core.names import ValueKind
from stream_monitor.core.profile.record import (
    EXAMPLES,
    UNDECLARED_NAMES,
    Example,
    OffsetRange,
    Profile,
    SeriesCounts,
    Undeclared,
)


def merge_profiles(profiles: Sequence[Profile], *, examples: int = EXAMPLES) -> Profile:
    """Return the sum of profiles of one key.

    Args:
        profiles: at least one.
        examples: rows to keep; in warm-up as many as the automatic baseline wants.

    Raises:
        ValueError: no profile, or profiles of different keys.
    """
    if len({profile.key for profile in profiles}) != 1:
        raise ValueError("profiles to merge must be at least one and share their key")
    rows: dict[str, int] = {}
    series: dict[str, SeriesCounts] = {}
    offsets: dict[tuple[str, int], OffsetRange] = {}
    for profile in profiles:
        for kind, count in profile.rows.items():
            rows[kind] = rows.get(kind, 0) + count
        for name, counts in profile.series.items():
            series[name] = merge_counts(series[name], counts) if name in series else counts
        for place, found in profile.offsets.items():
            known = offsets.get(place, found)
            offsets[place] = OffsetRange(min(known.first, found.first), max(known.last, found.last))
    return Profile(
        key=profiles[0].key,
        rows=rows,
        demand=sum(profile.demand for profile in profiles),
        series=series,
        offsets=offsets,
        examples=smallest_examples((e for profile in profiles for e in profile.examples), examples),
        undeclared=merge_undeclared(profile.undeclared for profile in profiles),
    )


def merge_counts(left: SeriesCounts, right: SeriesCounts) -> SeriesCounts:
    """Return the sum of two counts of one series, of the same grid."""
    return SeriesCounts(
        bins=_add(left.bins, right.bins),
        sparse=left.sparse and right.sparse,
        missing=left.missing + right.missing,
        absent=None if left.absent is None or right.absent is None else left.absent + right.absent,
        invalid=left.invalid + right.invalid,
        minimum=min((m for m in (left.minimum, right.minimum) if m is not None), default=None),
        maximum=max((m for m in (left.maximum, right.maximum) if m is not None), default=None),
        distinct=_larger(left.distinct, right.distinct),
        strange=_union(left.strange, right.strange),
    )


def merge_undeclared(parts: Iterable[Undeclared]) -> Undeclared:
    """Return the sum of left-out names: all occurrences, and the names of smallest hash.

    A name among the smallest of all is among the smallest of every part that holds it: its rows add up exactly.
    """
    count = 0
    rows: dict[str, int] = {}
    kinds: dict[str, tuple[ValueKind, ...]] = {}
    for part in parts:
        count += part.count
        for name in part.names:
            own, found = part.of(name)
            rows[name] = rows.get(name, 0) + own
            kinds[name] = _union(kinds.get(name, ()), found)
    return undeclared_of(count, rows, kinds)


def undeclared_of(
    count: int, rows: Mapping[str, int], kinds: Mapping[str, tuple[ValueKind, ...]] | None = None
) -> Undeclared:
    """Return left-out names with the rows and kinds of values of each."""
    names = smallest_names(rows)
    known = kinds or {}
    of_names = tuple(known.get(name, ()) for name in names)
    return Undeclared(count, names, tuple(rows[name] for name in names), of_names if any(of_names) else ())


def smallest_names(names: Iterable[str]) -> tuple[str, ...]:
    """Return the few distinct names of smallest hash, in that order."""
    ranked = sorted((xxh3_64_intdigest(name.encode()), name) for name in set(names))
    return tuple(name for _, name in ranked[:UNDECLARED_NAMES])


def smallest_examples(examples: Iterable[Example], keep: int) -> tuple[Example, ...]:
    """Return the examples of smallest hash, in that order."""
    return tuple(sorted(examples, key=lambda example: example.rank)[:keep])


def without_values(profile: Profile) -> Profile:
    """Return a profile with the few examples that are shown, as they are shown: rows without values."""
    if len(profile.examples) <= EXAMPLES and all(row.values is None for row in profile.examples):
        return profile
    return replace(profile, examples=tuple(row.plain for row in profile.examples[:EXAMPLES]))


def _add(left: Int64 | None, right: Int64 | None) -> Int64 | None:
    if left is None or right is None:
        return left if right is None else right
    shorter, longer = sorted((left, right), key=lambda bins: bins.size)
    total = longer.copy()
    total[: shorter.size] += shorter
    return total


def _union(left: tuple[ValueKind, ...], right: tuple[ValueKind, ...]) -> tuple[ValueKind, ...]:
    return left if left == right else tuple(sorted({*left, *right}))


def _larger(left: bytes | None, right: bytes | None) -> bytes | None:
    if left is None or right is None:
        return left if right is None else right
    if len(left) != len(right):
        raise ValueError(f"distinct: registers to merge must be {len(left)} bytes, got {len(right)}")
    return np.maximum(np.frombuffer(left, np.uint8), np.frombuffer(right, np.uint8)).tobytes()
