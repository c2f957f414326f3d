"""Points of an exposition, and the store of those that only grow.

A point is one number of one family under one set of labels. Counters and histograms live as long as the process; their
number is bounded, because models and versions are named by events: past the limit new names share `__other__`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from stream_monitor.core.arrays import Float64, Int64
from stream_monitor.core.names import safe_label
from stream_monitor.outputs.families import Family, FamilyType

OVERFLOW: Final = "__other__"
"""Stands for every model and version past the limit; no event can use the name: `__` is refused."""

_NAMED_BY_EVENTS: Final = frozenset({"model", "version"})


@dataclass(frozen=True, slots=True)
class Point:
    """One time series' value.

    Attributes:
        labels: values in the order of the family's label names, safe for an exposition.
        suffix: of the sample's name: `_bucket`, `_sum`, `_count` of a histogram, else "".
        bound: label `le` of a bucket.
    """

    family: Family
    labels: tuple[str, ...]
    value: float
    suffix: str = ""
    bound: str | None = None


@dataclass(slots=True)
class _Histogram:
    buckets: Int64
    total: float = 0.0


@dataclass(slots=True)
class Accumulated:
    """Counters and histograms of a process.

    Attributes:
        limit: label sets kept, before new models and versions are counted together.
    """

    limit: int
    _counters: dict[tuple[Family, tuple[str, ...]], float] = field(default_factory=dict)
    _histograms: dict[tuple[Family, tuple[str, ...]], _Histogram] = field(default_factory=dict)

    def add(self, family: Family, *labels: str, amount: float = 1) -> None:
        """Add to a counter; an amount of 0 makes it visible, so that a rate exists from the first increment."""
        key = self._key(family, labels)
        self._counters[key] = self._counters.get(key, 0) + amount

    def observe(self, family: Family, *labels: str, values: Float64) -> None:
        """Put values (in the unit of the family, shape (n,)) into a histogram; none make it visible."""
        key = self._key(family, labels)
        histogram = self._histograms.get(key)
        if histogram is None:
            histogram = self._histograms[key] = _Histogram(np.zeros(len(family.buckets) + 1, dtype=np.int64))
        places = np.searchsorted(family.buckets, values)
        histogram.buckets += np.bincount(places, minlength=histogram.buckets.size)
        histogram.total += float(values.sum())

    def groups(self) -> Iterator[tuple[Point, ...]]:
        """Yield each counter and each whole histogram; points of a group are exported or left out together."""
        for (family, labels), value in self._counters.items():
            yield (Point(family, labels, value),)
        for (family, labels), histogram in self._histograms.items():
            yield tuple(_histogram_points(family, labels, histogram))

    def _key(self, family: Family, labels: Sequence[str]) -> tuple[Family, tuple[str, ...]]:
        if len(labels) != len(family.labels):
            raise ValueError(f"{family.name}: needs labels {', '.join(family.labels)}, got {len(labels)}")
        key = (family, tuple(map(safe_label, labels)))
        store = self._histograms if family.type is FamilyType.HISTOGRAM else self._counters
        if key not in store and len(self._counters) + len(self._histograms) >= self.limit:
            named = zip(family.labels, key[1], strict=True)
            return family, tuple(OVERFLOW if name in _NAMED_BY_EVENTS else value for name, value in named)
        return key


def _histogram_points(family: Family, labels: tuple[str, ...], histogram: _Histogram) -> Iterator[Point]:
    up_to = histogram.buckets.cumsum().tolist()
    bounds = (*map(repr, family.buckets), "+Inf")
    yield from (Point(family, labels, count, "_bucket", bound) for bound, count in zip(bounds, up_to, strict=True))
    yield Point(family, labels, histogram.total, "_sum")
    yield Point(family, labels, up_to[-1], "_count")
