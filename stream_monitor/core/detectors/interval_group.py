"""Series whose shares of some bins must stay in intervals: what IntervalBernoulli and IntervalCategories run.

A part is a bin, or a run of them, and the interval of its probability. Each part is tested upwards and downwards with
a few odds ratios; the evidence of a series is the mean over its testable parts, which keeps the promise under any
dependence between them. The strata of a series test the same parts, each within limits of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from stream_monitor.core.arrays import Bool, Float64, Int64, Intp
from stream_monitor.core.detectors import bernoulli_ratios, shiryaev_roberts
from stream_monitor.core.detectors.arithmetic import log
from stream_monitor.core.detectors.group import ChangeRange, SeriesReference
from stream_monitor.core.detectors.interval_limits import Limits
from stream_monitor.core.detectors.parts import NO_BIN, inside_and_outside, pooled
from stream_monitor.core.detectors.rows import Rows
from stream_monitor.core.detectors.strata import of_panes
from stream_monitor.core.detectors.sums import STARTS, SumsWithStarts


class Part(NamedTuple):
    """Neighbouring bins `first..last`, and the interval in which their probability lies without drift."""

    first: int
    last: int
    limits: Limits


class Intervals(Protocol):
    """What gives a series its parts."""

    @property
    def fingerprint(self) -> str:
        """Names every parameter."""
        ...

    @property
    def strata(self) -> int:
        """Number of references of a series."""
        ...

    def parts(self, reference: SeriesReference, whole: SeriesReference | None = None) -> Sequence[Part]:
        """Return the tested bins of a series with the limits of one stratum.

        Args:
            reference: of the stratum.
            whole: of all strata together, it says what is tested; None where there is one.
        """
        ...


class IntervalGroup(SumsWithStarts):
    """Series with the same number of bins."""

    guarantee = "bound"

    def __init__(self, intervals: Intervals, bins: int, *, most_parts: int, state: bytes | None = None) -> None:
        self._intervals = intervals
        self._rows = Rows(
            f"{intervals.fingerprint}/{bins}",
            ints={"first": (most_parts,), "last": (most_parts,), "stepped": ()},
            floats={
                "limits": (intervals.strata, most_parts, len(Limits._fields)),
                "design_effect": (),
                **dict.fromkeys(("log_r", *STARTS), (most_parts * bernoulli_ratios.ALTERNATIVES,)),
            },
            later=STARTS,
            state=state,
        )
        self._tests: _Tests | None = None
        self._factors: _Factors | None = None

    def add(self, *references: SeriesReference) -> int:
        """Start a series."""
        whole = pooled(references)
        by_stratum = [self._intervals.parts(reference, whole) for reference in references]
        parts = by_stratum[0]
        row = self._rows.add()
        self._rows.ints["first"][row] = NO_BIN
        self._rows.ints["first"][row, : len(parts)] = [part.first for part in parts]
        self._rows.ints["last"][row, : len(parts)] = [part.last for part in parts]
        self._rows.floats["limits"][row, :, : len(parts)] = [[part.limits for part in own] for own in by_stratum]
        self._rows.floats["design_effect"][row] = whole.design_effect
        self._rows.floats["log_r"][row] = -np.inf
        self._tests = self._factors = None
        return row

    def remove(self, row: int) -> None:
        """Forget a series."""
        super().remove(row)
        self._tests = self._factors = None

    def parts(self, row: int, stratum: int = 0) -> tuple[Part, ...]:
        """Return the tested bins of a series and their intervals in a stratum."""
        first, last = self._rows.ints["first"][row].tolist(), self._rows.ints["last"][row].tolist()
        limits = self._rows.floats["limits"][row, stratum].tolist()
        found = zip(first, last, limits, strict=True)
        return tuple(Part(low, high, Limits(*interval)) for low, high, interval in found if low != NO_BIN)

    def step(self, rows: Intp, counts: Int64, stratum: int = 0) -> Float64:
        """Take one pane; a row without events does not step."""
        filled = counts.any(axis=1)
        live = rows[filled]
        if live.size:
            self._advance(live, self._log_e(live, counts[filled], stratum))
            self._rows.ints["stepped"][live] += 1
        return self.log_evidence(rows)

    def absorb(self, row: int, counts: Int64, stratum: int = 0) -> None:
        """Do nothing: the intervals learn nothing."""

    def forget(self, row: int, counts: Int64, stratum: int = 0) -> None:
        """Do nothing: the intervals have learnt nothing."""

    def change_range(self, row: int, panes: Int64, strata: Intp | None = None) -> ChangeRange:
        """Return when the change began, in panes."""
        used = shiryaev_roberts.stepped_panes(panes, int(self._rows.ints["stepped"][row]))
        within, log_e = of_panes(panes, strata)[used], np.empty((used.size, self._rows.floats["log_r"].shape[1]))
        for stratum in np.unique(within).tolist():
            own = within == stratum
            log_e[own] = self._log_e(np.full(np.count_nonzero(own), row), panes[used[own]], stratum)
        log_weights = self._log_weights(np.array([row]))[0]
        return shiryaev_roberts.change_range(
            self._rows.floats["log_r"][row], log_e, log_weights, self._starts(row)
        ).among(used)

    def _log_weights(self, rows: Intp) -> Float64:
        """Return weights of shape (rows, parts x alternatives)."""
        return self._prepared().log_weights[rows]

    def _log_e(self, rows: Intp, counts: Int64, stratum: int) -> Float64:
        tests, factors = self._prepared(), self._of_stratum(stratum)
        within, without = inside_and_outside(tests.first[rows], tests.last[rows], counts)
        d = self._rows.floats["design_effect"][rows, None]
        log_e: Float64 = (within / d)[:, :, None] * factors.inside[rows]
        log_e += (without / d)[:, :, None] * factors.outside[rows]
        flat: Float64 = log_e.reshape(rows.size, -1)
        return flat

    def _prepared(self) -> _Tests:
        """Return what follows from the limits; worked out again after a series came or went."""
        if self._tests is None:
            first, last = self._rows.ints["first"], self._rows.ints["last"]
            self._tests = _Tests.of(first, last, self._rows.floats["limits"])
        return self._tests

    def _of_stratum(self, stratum: int) -> _Factors:
        """Return the factors of a stratum; the last one is kept, for many panes are of one hour."""
        if self._factors is None or self._factors.stratum != stratum:
            limits = self._rows.floats["limits"][:, stratum]
            self._factors = _Factors.of(stratum, self._rows.ints["first"] != NO_BIN, limits)
        return self._factors


@dataclass(frozen=True, slots=True)
class _Tests:
    """The tests of all rows.

    Attributes:
        first, last: bins of each part, shape (rows, parts).
        log_weights: shape (rows, parts x alternatives): equal over the parts that can be tested in some stratum, then
            over their sides as their limits say, then equal over ratios.
    """

    first: Int64
    last: Int64
    log_weights: Float64

    @classmethod
    def of(cls, first: Int64, last: Int64, limits: Float64) -> _Tests:
        """Return the tests; limits have shape (rows, strata, parts, 3), and a part without a bin weighs nothing."""
        used, lower, upper = first != NO_BIN, limits[..., 0].max(axis=1), limits[..., 1].min(axis=1)
        upward = limits[:, 0, :, 2]  # alike in all strata
        testable = used & ((lower > 0.0) | (upper < 1.0))
        share = log(np.maximum(testable.sum(axis=1), 1).astype(np.float64))
        each = bernoulli_ratios.log_weights(lower, upper, upward) - share[:, None, None]
        weighed = np.where(testable[:, :, None], each, -np.inf).reshape(first.shape[0], -1)
        return cls(np.where(used, first, 0), np.where(used, last, 0), weighed)


@dataclass(frozen=True, slots=True)
class _Factors:
    """What events say in one stratum.

    Attributes:
        inside, outside: ln e of an event in the part and of one outside, shape (rows, parts, alternatives); 0 for a
            side that cannot be tested here.
    """

    stratum: int
    inside: Float64
    outside: Float64

    @classmethod
    def of(cls, stratum: int, used: Bool, limits: Float64) -> _Factors:
        """Return the factors for limits of shape (rows, parts, 3)."""
        inside, outside = bernoulli_ratios.log_factors(limits[..., 0], limits[..., 1])
        some = used[:, :, None]
        return cls(stratum, np.where(some, inside, 0.0), np.where(some, outside, 0.0))
