"""A column of any length, reduced to as many values as a picture is wide, while the rows go by.

Numbers keep the least, the mean and the greatest of each bucket; names the share of the most frequent ones. Memory
does not grow with the rows.

>>> reduction = Reduction(rows=4, buckets=2)
>>> reduction.add(np.array([0, 1, 2, 3]), np.array([1.0, 3.0, 5.0, np.nan]))
>>> [band.tolist() for band in reduction.numbers()]
[[1.0, 5.0], [2.0, 5.0], [3.0, 5.0]]
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from stream_monitor.core.arrays import Float64, Int64

MOST_NAMES = 200
"""Different names that are counted; a column with more is no picture."""

Cell = str | bool | float | None


class Bands(NamedTuple):
    """Of each bucket, shape (buckets,); NaN where it holds no number."""

    low: Float64
    mean: Float64
    high: Float64


class Reduction:
    """One column.

    Args:
        rows: of the file.
        buckets: pixels, at most one a row.
    """

    def __init__(self, *, rows: int, buckets: int) -> None:
        self.rows = rows
        self.buckets = max(1, min(buckets, rows))
        self._low = np.full(self.buckets, np.inf)
        self._high = np.full(self.buckets, -np.inf)
        self._sum = np.zeros(self.buckets)
        self._count = np.zeros(self.buckets, dtype=np.int64)
        self._names: dict[str, Int64] = {}
        self._named = np.zeros(self.buckets, dtype=np.int64)

    def add(self, places: Int64, values: Float64 | Sequence[Cell]) -> None:
        """Take values of the rows at `places`, both of shape (k,)."""
        buckets = np.clip(places * self.buckets // self.rows, 0, self.buckets - 1)
        if isinstance(values, np.ndarray):
            self._add_numbers(buckets, values)
        else:
            self._add_names(buckets, values)

    @property
    def is_numeric(self) -> bool:
        """Say whether numbers were seen."""
        return bool(self._count.any())

    def numbers(self) -> Bands:
        """Return least, mean and greatest number of each bucket."""
        seen = self._count > 0
        mean = np.divide(self._sum, self._count, out=np.full(self.buckets, np.nan), where=seen)
        return Bands(np.where(seen, self._low, np.nan), mean, np.where(seen, self._high, np.nan))

    def shares(self, most: int) -> dict[str, Float64]:
        """Return the share of the most frequent names in each bucket, shape (buckets,), the most frequent first."""
        ordered = sorted(self._names, key=lambda name: (-int(self._names[name].sum()), name))
        whole = np.maximum(self._named, 1)
        return {name: np.where(self._named > 0, self._names[name] / whole, np.nan) for name in ordered[:most]}

    def _add_numbers(self, buckets: Int64, values: Float64) -> None:
        there = np.isfinite(values)
        where, numbers = buckets[there], values[there]
        np.minimum.at(self._low, where, numbers)
        np.maximum.at(self._high, where, numbers)
        self._sum += np.bincount(where, weights=numbers, minlength=self.buckets)
        self._count += np.bincount(where, minlength=self.buckets)

    def _add_names(self, buckets: Int64, values: Sequence[Cell]) -> None:
        pairs = Counter(
            (bucket, str(value))
            for bucket, value in zip(buckets.tolist(), values, strict=True)
            if isinstance(value, (str, bool, float, int))
        )
        for (bucket, name), count in pairs.items():
            self._named[bucket] += count
            if name in self._names or len(self._names) < MOST_NAMES:
                self._names.setdefault(name, np.zeros(self.buckets, dtype=np.int64))[bucket] += count
