"""The grid of a numeric series: order statistics of a reference sample as bin edges, and exact counting against them.

Values are compared as pairs (value, tie-breaker), so atoms, integers and zero inflation behave like a continuous
series: the masses of the bins are Dirichlet(spacings) for every distribution. The layout is a function of m alone.

Cost: sorting a column and searching the edges in it takes 4-8 ns a value; no Python loop runs over values.

>>> reference_size(50_000), spacings(63).tolist()[:4], spacings(63).size
(32767, [1, 1, 2, 2], 34)
>>> grid = NumericGrid(m=63, edges=np.arange(1.0, 34.0), ties=np.zeros(33, np.int64))
>>> grid.count(np.array([0.5, 1.0, 7.25, 99.0]), np.array([5, 5, 5, 5])).nonzero()[0].tolist()
[0, 1, 7, 33]

Source: H. A. David and H. N. Nagaraja, Order Statistics (2003): spacings of uniforms are Dirichlet(1, .., 1).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from itertools import count
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from stream_monitor.core.arrays import Bool, Float64, Int64, UInt64
from stream_monitor.core.keys import TIE_BITS

SMALLEST_REFERENCE = 63
"""Fewest values a grid is made of; a series with fewer is warming up."""

LARGEST_REFERENCE = 65_535
"""Most values a grid is made of; the others are counted as seen."""

_Number = TypeVar("_Number", bound=np.generic)

_MIDDLE_CELLS = 30
_CORES = 32
_LAST_TIE = (1 << TIE_BITS) - 1
_SMALL = 1_000.0
"""Integers up to this size fit, with a sign and beside a tie-breaker, into one int64."""

_SLOT_BITS = 13
"""Of the first table tried: nine in ten factors send 53 atoms to slots of their own."""

_ATTEMPTS = 64
"""Factors tried before the table is made larger."""

_GOLDEN = 0x9E3779B97F4A7C15

_Lookup = tuple[np.uint64, np.uint64, npt.NDArray[np.uint16]]
"""Factor and shift that send each atom to a slot of its own, and the atom of each slot (or 0)."""


def reference_size(values: int) -> int | None:
    """Return m: the largest 2^k - 1 not above the number of reference values, 63 to 65,535; None below 63.

    >>> [reference_size(n) for n in (62, 63, 4095, 4096, 10**6)]
    [None, 63, 4095, 4095, 65535]
    """
    if values < SMALLEST_REFERENCE:
        return None
    return min((1 << ((values + 1).bit_length() - 1)) - 1, LARGEST_REFERENCE)


@lru_cache(maxsize=32)
def spacings(m: int) -> Int64:
    """Return the layout of a grid: how many of the m + 1 spacings each bin holds, shape (bins,), read-only.

    Fine in the tails (1, 1, 2, 4, ... up to a core together), 30 bins of exactly one core, (m+1)/32, in the middle.

    Raises:
        ValueError: m is not 2^k - 1 between 63 and 65,535.
    """
    if reference_size(m) != m:
        raise ValueError(f"m must be 2^k - 1 between {SMALLEST_REFERENCE} and {LARGEST_REFERENCE}, got {m}")
    core = (m + 1) // _CORES
    tail = [1, *(1 << k for k in range(core.bit_length() - 1))]
    return _read_only(np.array(tail + [core] * _MIDDLE_CELLS + tail[::-1], dtype=np.int64))


@dataclass(frozen=True, slots=True, eq=False)
class NumericGrid:
    """Edges of a numeric series and the counting of values between them.

    Attributes:
        m: number of reference values behind the edges.
        edges: the reference values of rank a_1, a_1+a_2, ..., shape (bins - 1,), ascending.
        ties: their 53-bit tie-breakers; pairs (edge, tie) ascend lexicographically.
        spacings: a_j per bin, sum m + 1; by default the layout of m.

    Raises:
        ValueError: shapes, order or the sum of the spacings do not fit.
    """

    m: int
    edges: Float64
    ties: Int64
    spacings: Int64 = field(default_factory=lambda: np.empty(0, np.int64))
    _atoms: Float64 = field(init=False, repr=False)
    _first_edge: Int64 = field(init=False, repr=False)
    _atom_keys: Int64 = field(init=False, repr=False)
    _integer_keys: Int64 | None = field(init=False, repr=False)
    _lookup: _Lookup | None = field(init=False, repr=False)

    def __post_init__(self) -> None:
        layout = self.spacings if self.spacings.size else spacings(self.m)
        edges = self.edges + 0.0  # turns -0.0 into 0.0: equal values are equal bytes
        if not edges.size == self.ties.size == layout.size - 1:
            raise ValueError(
                f"{layout.size} bins need {layout.size - 1} edges and ties, got {edges.size}, {self.ties.size}"
            )
        if layout.sum() != self.m + 1 or (layout < 1).any():
            raise ValueError(f"spacings must be positive and add up to m + 1 = {self.m + 1}, got {layout.sum()}")
        if not np.isfinite(edges).all() or ((self.ties < 0) | (self.ties > _LAST_TIE)).any():
            raise ValueError("edges must be finite and ties have 53 bits")
        same = edges[1:] == edges[:-1]
        if ((edges[1:] < edges[:-1]) | (same & (self.ties[1:] < self.ties[:-1]))).any():
            raise ValueError("pairs (edge, tie) must ascend")
        atoms, first_edge, atom_of = np.unique(edges, return_index=True, return_inverse=True)
        small = bool((np.abs(edges) <= _SMALL).all()) and bool((edges == np.floor(edges)).all())
        put = object.__setattr__
        put(self, "spacings", _read_only(layout))
        put(self, "edges", _read_only(edges))
        put(self, "ties", _read_only(self.ties))
        put(self, "_atoms", atoms)
        put(self, "_first_edge", np.append(first_edge, edges.size))
        put(self, "_atom_keys", (atom_of.astype(np.int64) << TIE_BITS) | self.ties)
        put(self, "_integer_keys", (edges.astype(np.int64) << TIE_BITS) | self.ties if small else None)
        put(self, "_lookup", None)  # 16 KiB: made by the first value that equals an edge, and never in a judge

    @property
    def bins(self) -> int:
        """Number of bins, K."""
        return self.edges.size + 1

    @property
    def has_standard_layout(self) -> bool:
        """Whether the spacings are those that m prescribes: the edges are order statistics of a sample."""
        return reference_size(self.m) == self.m and np.array_equal(self.spacings, spacings(self.m))

    def count(self, values: Float64, ties: Int64) -> Int64:
        """Return how many pairs (value, tie) fall into each bin, shape (bins,).

        The bin of a pair is the number of edges at or below it. NaN is no value and falls into no bin.

        Args:
            values: float64 of shape (n,), finite or NaN, in any order.
            ties: their tie-breakers, int64 of shape (n,).
        """
        if self._integer_keys is not None:
            return self._count_integers(values, ties, self._integer_keys)
        ordered = np.sort(values)
        present = ordered.size if not ordered.size or ordered[-1] == ordered[-1] else int(ordered.searchsorted(np.nan))
        below = ordered.searchsorted(self.edges)
        reached = ordered.take(below, mode="clip") == self.edges if ordered.size else np.zeros(below.size, np.bool_)
        if reached.any():
            below = below + self._smaller_ties(values, ties)
        return _differences(present, below)

    def assign(self, values: Float64, ties: Int64) -> Int64:
        """Return the bin of each pair (value, tie), shape (n,); values must be finite."""
        atom = self._atoms.searchsorted(values)
        bins = self._first_edge[atom]
        hits = np.flatnonzero(self._atoms.take(atom, mode="clip") == values)
        keys = (atom[hits].astype(np.int64) << TIE_BITS) | ties[hits]
        bins[hits] = self._atom_keys.searchsorted(keys, side="right")
        return bins

    def _smaller_ties(self, values: Float64, ties: Int64) -> Int64:
        """Return for each edge how many values equal it and have a smaller tie-breaker."""
        if self._lookup is None:
            object.__setattr__(self, "_lookup", _perfect_hash(self._atoms))
            assert self._lookup is not None
        factor, shift, atom_of_slot = self._lookup
        places = (((values + 0.0).view(np.uint64) * factor) >> shift).view(np.int64)
        slots = atom_of_slot.take(places)
        hits = np.flatnonzero(self._atoms.take(slots) == values)
        atom_of = slots[hits].astype(np.int64)
        keys = np.sort((atom_of << TIE_BITS) | ties[hits])
        before = np.bincount(atom_of, minlength=self._atoms.size).cumsum()  # hits of this atom and the ones before it
        before = np.append(0, before)[self._atom_keys >> TIE_BITS]
        smaller: Int64 = keys.searchsorted(self._atom_keys) - before
        return smaller

    def _count_integers(self, values: Float64, ties: Int64, edge_keys: Int64) -> Int64:
        """Count where every edge is a small integer: value and tie-breaker fit into one int64, and one sort does it."""
        if np.isnan(values).any():
            present = ~np.isnan(values)
            values, ties = values[present], ties[present]
        whole = np.floor(values.clip(-_SMALL - 1, _SMALL + 1))
        # A value between two integers lies above every pair of the lower one.
        keys = np.where(whole == values, ties, _LAST_TIE)
        keys |= whole.astype(np.int64) << TIE_BITS
        keys.sort()
        return _differences(keys.size, keys.searchsorted(edge_keys))


def build_numeric_grid(
    values: Float64, select: UInt64, ties: Int64, *, most: int = LARGEST_REFERENCE
) -> tuple[NumericGrid, Int64]:
    """Return the grid of a reference sample and the counts of the values beyond the m that make its edges.

    The m rows of the smallest selection hash make the edges; the others are the observed past (`seen`). The result does
    not depend on the order of the rows.

    Args:
        values: finite reference values, shape (M,).
        select: their selection hashes.
        ties: their tie-breakers, independent of `select`.
        most: values to make the edges of.

    Raises:
        ValueError: fewer than 63 values.
    """
    m = reference_size(min(values.size, most))
    if m is None:
        raise ValueError(f"a grid needs at least {SMALLEST_REFERENCE} values, got {values.size}")
    values = values + 0.0
    chosen = _smallest(m, values, select, ties)
    sample, sample_ties = values[chosen], ties[chosen]
    order = np.lexsort((sample_ties, sample))
    ranks = order[spacings(m).cumsum()[:-1] - 1]
    grid = NumericGrid(m, sample[ranks], sample_ties[ranks])
    return grid, grid.count(values[~chosen], ties[~chosen])


def _smallest(m: int, values: Float64, select: UInt64, ties: Int64) -> Bool:
    """Return the mask of the m rows of smallest (select, tie, value)."""
    if m == select.size:
        return np.ones(m, np.bool_)
    last = np.partition(select, m - 1)[m - 1]
    chosen: Bool = select < last
    border = np.flatnonzero(select == last)  # more than one only when an event is there twice
    border = border[np.lexsort((values[border], ties[border]))]
    chosen[border[: m - np.count_nonzero(chosen)]] = True
    return chosen


def _perfect_hash(atoms: Float64) -> _Lookup:
    """Return a table in which each atom has a slot of its own.

    Looking up which atom a value could be costs 2 ns, searching it among the sorted atoms 30.
    """
    bits = atoms.view(np.uint64)
    for slot_bits in count(_SLOT_BITS):
        shift = np.uint64(64 - slot_bits)
        for attempt in range(_ATTEMPTS):
            factor = np.uint64(_GOLDEN * (2 * attempt + 1) & 0xFFFFFFFFFFFFFFFF)
            places = ((bits * factor) >> shift).astype(np.int64)
            if np.unique(places).size == atoms.size:
                slots = np.zeros(1 << slot_bits, dtype=np.uint16)
                slots[places] = np.arange(atoms.size)
                return factor, shift, _read_only(slots)
    raise AssertionError("with enough slots every atom has its own")


def _differences(present: int, below: Int64) -> Int64:
    """Return counts per bin from the number of pairs below each edge."""
    counts = np.empty(below.size + 1, np.int64)
    counts[0] = below[0]
    counts[-1] = present - below[-1]
    np.subtract(below[1:], below[:-1], out=counts[1:-1])
    return counts


def _read_only(array: npt.NDArray[_Number]) -> npt.NDArray[_Number]:
    array = array.view()
    array.setflags(write=False)
    return array
