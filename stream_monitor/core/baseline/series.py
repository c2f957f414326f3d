"""The reference of one series, by kind: bins, their reference counts, and what else the detectors need.

All three kinds answer the same questions: `kind`, `bins`, `reference` (counts per bin), `observed` (rows that held a
valid value) and `missing` (rows that held none). With `strata` they stand for all hours together, and each stratum has
a reference of its own with the same bins.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

import numpy as np

from stream_monitor.core.arrays import Float64, Int64
from stream_monitor.core.baseline.dependence import Dependence
from stream_monitor.core.calendar import Calendar
from stream_monitor.core.grid import NumericGrid
from stream_monitor.core.names import SeriesKind


class Quality(StrEnum):
    """Whether the bins of a numeric series are order statistics of a sample or come from a sketch or histogram."""

    EXACT = "exact"
    APPROXIMATE = "approximate"


@dataclass(frozen=True, slots=True, eq=False)
class Strata:
    """The references of a series by stratum.

    Attributes:
        calendar: to which stratum a pane belongs.
        rows: reference rows of each stratum, with a value or without.
        series: its reference in each; bins mean the same in all of them.
    """

    calendar: Calendar
    rows: tuple[int, ...]
    series: tuple[SeriesBaseline, ...]


@dataclass(frozen=True, slots=True, eq=False)
class NumericBaseline:
    """The reference of a numeric series: a grid, and the reference rows beyond the m that make its edges.

    Of strata, values (edges, minimum ...) are averages over them: those of an average hour.

    Attributes:
        series: name of the series.
        grid: edges, tie-breakers and spacings; `bins` bins.
        seen: counts of the other reference rows, shape (bins,).
        missing: reference rows without a value.
        minimum: smallest reference value.
        maximum: largest reference value.
        mean: of all valid reference values, 6 significant digits.
        std: population standard deviation, 6 significant digits.
        dependence: of rows that follow each other, None when the rows had no order of time.
        strata: references hour by hour, None where all hours have this one.
    """

    series: str
    grid: NumericGrid
    seen: Int64
    missing: int
    minimum: float
    maximum: float
    mean: float
    std: float
    quality: Quality = Quality.EXACT
    dependence: Dependence | None = None
    strata: Strata | None = None

    kind: ClassVar[SeriesKind] = SeriesKind.NUMERIC

    @property
    def m(self) -> int:
        """Number of reference values behind the edges."""
        return self.grid.m

    @property
    def bins(self) -> int:
        """Number of bins."""
        return self.grid.bins

    @property
    def edges(self) -> Float64:
        """The bin edges, shape (bins - 1,)."""
        return self.grid.edges

    @property
    def reference(self) -> Int64:
        """Counts of all reference rows per bin, plus the one spacing more than there are values; shape (bins,)."""
        return self.grid.spacings + self.seen

    @property
    def observed(self) -> int:
        """Reference rows with a valid value."""
        if self.strata is not None:
            return sum(own.observed for own in self.strata.series)
        return self.m + int(self.seen.sum())


@dataclass(frozen=True, slots=True)
class CategoricalBaseline:
    """The reference of a categorical series. Bins: the categories in order, then `other`, then `unseen`.

    Attributes:
        series: name of the series.
        m: reference rows with a value.
        categories: the listed categories, sorted by code point.
        counts: their reference counts.
        other: reference rows with a category that is not listed.
        other_categories: names pooled in `other`; None when they are too many, then every unknown value is `other`.
        unseen_k: of `unseen_m` rows of odd parity, how many held a category that no row of even parity has.
        unseen_m: rows of odd parity with a value.
        unlisted: the same pair for "a category that is not listed", when the list was cut by counts of the even rows:
            a fair reference of `other` and `unseen` together. None when no category was cut.
        missing: reference rows without a value.
        dependence: of rows that follow each other, None when the rows had no order of time.
        strata: references hour by hour, None where all hours have this one.
    """

    series: str
    m: int
    categories: tuple[str, ...]
    counts: tuple[int, ...]
    other: int
    other_categories: tuple[str, ...] | None
    unseen_k: int
    unseen_m: int
    unlisted: tuple[int, int] | None
    missing: int
    quality: Quality = Quality.EXACT
    dependence: Dependence | None = None
    strata: Strata | None = None
    bin_of: dict[str, int] = field(init=False, repr=False, compare=False)
    """Bin of every known category, also of the pooled ones."""

    kind: ClassVar[SeriesKind] = SeriesKind.CATEGORICAL

    def __post_init__(self) -> None:
        bins = dict.fromkeys(self.other_categories or (), self.other_bin)
        bins.update({category: position for position, category in enumerate(self.categories)})
        object.__setattr__(self, "bin_of", bins)

    @property
    def bins(self) -> int:
        """Number of bins: categories, other, unseen."""
        return len(self.categories) + 2

    @property
    def other_bin(self) -> int:
        """Position of the bin `other`."""
        return len(self.categories)

    @property
    def unseen_bin(self) -> int:
        """Position of the bin `unseen`, the last."""
        return len(self.categories) + 1

    @property
    def unknown_bin(self) -> int:
        """Bin of a value that is not in `bin_of`: unseen, or other when the pooled names are not written down."""
        return self.other_bin if self.other_categories is None else self.unseen_bin

    @property
    def reference(self) -> Int64:
        """Counts of all reference rows per bin, shape (bins,); none is unseen."""
        return np.array([*self.counts, self.other, 0], dtype=np.int64)

    @property
    def expected(self) -> Float64:
        """Events per bin that m other rows would give, shape (bins,): some of theirs are unseen, of ours none can be.

        `other` and `unseen` are taken from the rows that did not choose the names; what rare names lose to them is
        small and left with the names.
        """
        bins = self.reference.astype(np.float64)
        unseen = self.m * self.unseen_k / max(1, self.unseen_m)
        if self.unlisted is not None:
            outside = self.m * self.unlisted[0] / max(1, self.unlisted[1])
            bins[self.other_bin] = outside if self.other_categories is None else max(outside - unseen, 0.0)
        bins[self.unknown_bin] += 0.0 if self.unlisted is not None and self.other_categories is None else unseen
        return bins

    @property
    def observed(self) -> int:
        """Reference rows with a valid value."""
        return self.m


@dataclass(frozen=True, slots=True)
class BinaryBaseline:
    """The reference of a binary series: `counts` of false and of true among the m rows with a value."""

    series: str
    m: int
    counts: tuple[int, int]
    missing: int = 0
    quality: Quality = Quality.EXACT
    dependence: Dependence | None = None
    strata: Strata | None = None

    kind: ClassVar[SeriesKind] = SeriesKind.BINARY

    @property
    def bins(self) -> int:
        """Two: false, true."""
        return 2

    @property
    def reference(self) -> Int64:
        """Counts of false and true, shape (2,)."""
        return np.array(self.counts, dtype=np.int64)

    @property
    def observed(self) -> int:
        """Reference rows with a valid value."""
        return self.m


SeriesBaseline = NumericBaseline | CategoricalBaseline | BinaryBaseline
