"""The dependence of every series of a baseline, measured on its reference or along a whole file.

`dependence` and `course` do the statistics, on bins and scores; here rows are binned, by strata where a series has
them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from stream_monitor.core.arrays import Bool, Float64, Int64, Intp
from stream_monitor.core.baseline.course import RANKS, course_effect, holding_effect, ranked, with_course
from stream_monitor.core.baseline.dependence import (
    INDEPENDENT,
    Dependence,
    DesignEffect,
    category_scores,
    design_effect,
    is_worth_a_promise,
    numeric_scores,
)
from stream_monitor.core.baseline.document import Baseline
from stream_monitor.core.baseline.regimes import Regimes, category_regimes, regimes
from stream_monitor.core.baseline.series import BinaryBaseline, CategoricalBaseline, NumericBaseline, SeriesBaseline
from stream_monitor.core.baseline.strata import by_stratum
from stream_monitor.core.baseline.table import ReferenceTable
from stream_monitor.core.baseline.values import Values, values_of
from stream_monitor.core.canonical import round_significant
from stream_monitor.core.names import cut_category


def measured_along(
    baseline: Baseline,
    table: ReferenceTable,
    *,
    places: Int64 | None = None,
    period: int = 1,
    few: Mapping[str, Regimes] = MappingProxyType({}),
) -> Baseline:
    """Return a baseline that knows how dependent the rows of a whole file are, of which its reference may be a part.

    Args:
        baseline: of the reference.
        table: the file, with an order of time.
        places: where each row is in this order, counted from 0, shape (rows,); None for row after row.
        period: places after which the file repeats itself, if it is judged in whole seasons; 1 for none.
        few: regimes of the series that have a few, of `regimes_along` with the same places and period.

    Raises:
        ValueError: the rows have no order.
    """
    rows_of = table.by_segment() if baseline.segments else {}
    segments = dict(baseline.segments)
    if period > 1 and places is None and table.happened is not None:
        places = np.empty(table.rows, dtype=np.int64)
        places[np.argsort(table.happened, kind="stable")] = np.arange(table.rows)
    for label in segments.keys() & rows_of.keys():
        # The rows of a segment stay where they are among all rows: a season is as long for them.
        own, rows = segments[label], rows_of[label]
        course = _Course.of(table.at(rows), None if places is None else places[rows], period)
        segments[label] = replace(own, series=_measured_along(own.series, table.at(rows), course, {}))
    series = _measured_along(baseline.series, table, _Course.of(table, places, period), few)
    return replace(baseline, series=series, segments=dict(sorted(segments.items())), id="")


def with_free_constants(baseline: Baseline) -> Baseline:
    """Return a baseline whose series of one single value are taken for independent, whatever their course is later.

    Rows that are all alike do not depend on each other: the first other values are news, however they behave. A yes/no
    series keeps its dependence, for a rare event comes in bursts.
    """
    segments = {label: replace(own, series=_free_constants(own.series)) for label, own in baseline.segments.items()}
    return replace(baseline, series=_free_constants(baseline.series), segments=segments, id="")


def _free_constants(references: Mapping[str, SeriesBaseline]) -> dict[str, SeriesBaseline]:
    return {
        name: replace(own, dependence=own.dependence._replace(values=INDEPENDENT))
        if own.dependence is not None and _is_constant(own)
        else own
        for name, own in references.items()
    }


def _is_constant(series: SeriesBaseline) -> bool:
    match series:
        case NumericBaseline(strata=None):
            return series.minimum == series.maximum
        case CategoricalBaseline(strata=None):
            return max(series.counts, default=0) == series.m
        case _:
            return False


@dataclass(frozen=True, slots=True, eq=False)
class _Course:
    """Rows in the order of time, where each of them is, and after how many places they repeat themselves."""

    order: Intp
    places: Int64 | None
    period: int

    @classmethod
    def of(cls, table: ReferenceTable, places: Int64 | None, period: int) -> _Course:
        if table.happened is None:
            raise ValueError("table.happened: must be known, dependence is a matter of order")
        order = np.argsort(table.happened, kind="stable")
        return cls(order, None if places is None else places[order], period)

    def effect(self, bins: Int64, scores: Float64) -> float:
        return course_effect(bins, scores, places=self.places, period=self.period)


def _measured_along(
    references: Mapping[str, SeriesBaseline], table: ReferenceTable, course: _Course, few: Mapping[str, Regimes]
) -> dict[str, SeriesBaseline]:
    series = dict(references)
    for name in sorted(series.keys() & table.columns.keys()):
        own, values = series[name], values_of(name, table.columns[name])
        if values.kind is own.kind and values.present.any():
            series[name] = replace(own, dependence=_along(own, values, table, course, few.get(name)))
    return series


def measured(series: SeriesBaseline, values: Values, table: ReferenceTable, order: Intp) -> Dependence:
    """Measure the design effects of the valid values and of having none, over the rows in the order of time."""
    present = values.present[order]
    held = order[present]
    bins, scores = _binned(series, values, table, held)
    absent = (~present).astype(np.int64)
    without = category_scores(np.bincount(absent, minlength=2))
    hours = _hours(series, table)
    if hours is not None:
        bins, scores = _within_strata(bins, scores, hours[held])
        absent, without = _within_strata(absent, without, hours[order])
    found = design_effect(bins, scores, share=table.share)
    return Dependence(
        _rounded(_with_holding(found, series, values, held)),
        _rounded(design_effect(absent, without, share=table.share)),
    )


def _along(
    series: SeriesBaseline, values: Values, table: ReferenceTable, course: _Course, few: Regimes | None
) -> Dependence:
    """Return the dependence of a series with what the rows of the whole file, in the order of time, say about it."""
    present = values.present[course.order]
    held, hours = course.order[present], _hours(series, table)
    known = (None, None) if series.dependence is None else series.dependence
    if isinstance(series, NumericBaseline):
        found, scores = np.empty(held.size, dtype=np.int64), numeric_scores(np.ones(RANKS, np.int64))
        for own in _each(held, hours):
            found[own] = ranked(values.numbers[held[own]])
    else:
        found, scores = _binned(series, values, table, held)
        if hours is not None:
            found, scores = _within_strata(found, scores, hours[held])
    bins = np.full(present.size, -1, dtype=np.int64)
    bins[present] = found
    absent = (~present).astype(np.int64)
    without = category_scores(np.bincount(absent, minlength=2))
    if hours is not None:
        absent, without = _within_strata(absent, without, hours[course.order])
    seasonal, total = course.period > 1, series.observed + series.missing
    effect = course.effect(bins, scores) if few is None or hours is not None else few.effect
    of_values = with_course(known[0], effect, rows=held.size, observed=series.observed, seasonal=seasonal)
    gaps = 1.0 if present.all() else course.effect(absent, without)  # most series have none, and nothing varies
    of_gaps = with_course(known[1], gaps, rows=present.size, observed=total, seasonal=seasonal)
    return Dependence(_rounded(_with_holding(of_values, series, values, held)), _rounded(of_gaps))


def _hours(series: SeriesBaseline, table: ReferenceTable) -> Int64 | None:
    """Return the stratum of each row; None without strata. (That of its pane may be the one before, no matter here.)"""
    if series.strata is None or table.event_ms is None:
        return None
    return series.strata.calendar.strata_of(table.event_ms)


def _each(held: Intp, hours: Int64 | None) -> Iterator[Bool]:
    """Yield which of some rows are in the first stratum, in the second ..."""
    within = np.zeros(held.size, dtype=np.int64) if hours is None else hours[held]
    yield from (within == stratum for stratum in range(int(within.max(initial=0)) + 1))


def _binned(series: SeriesBaseline, values: Values, table: ReferenceTable, held: Intp) -> tuple[Int64, Float64]:
    """Return the bins of some rows with a value, each in the grid of its stratum, and the scores of all bins."""
    match series:
        case NumericBaseline():
            bins = np.empty(held.size, dtype=np.int64)
            for own, rows in zip(by_stratum(series), _each(held, _hours(series, table)), strict=False):
                assert isinstance(own, NumericBaseline)
                bins[rows] = own.grid.assign(values.numbers[held[rows]] + 0.0, table.tie[held[rows]])
            return bins, numeric_scores(series.grid.spacings)
        case BinaryBaseline():
            return values.numbers[held].astype(np.int64), category_scores(series.reference)
        case _:
            column = values.categories
            bin_of = [series.bin_of.get(cut_category(text), series.unknown_bin) for text in column.names]
            return np.array(bin_of, dtype=np.int64)[column.codes[held]], category_scores(series.reference)


def _with_holding(found: DesignEffect, series: SeriesBaseline, values: Values, held: Intp) -> DesignEffect:
    """Return a design effect that is no smaller than stretches of equal numbers make it."""
    if not isinstance(series, NumericBaseline):
        return found
    value = max(found.value, holding_effect(values.numbers[held]))
    return DesignEffect(value, found.settled and is_worth_a_promise(series.observed, value))


def _within_strata(bins: Int64, scores: Float64, within: Int64) -> tuple[Int64, Float64]:
    """Return bins by stratum, and scores that are centred in each: a season is no dependence.

    Args:
        bins: of the rows in the order of time, shape (n,).
        scores: of the bins, shape (bins, scores).
        within: stratum of each row, shape (n,).
    """
    shape = (int(within.max(initial=0)) + 1, scores.shape[0])
    apart = within * shape[1] + bins
    counts = np.bincount(apart, minlength=shape[0] * shape[1]).reshape(shape)
    means = (counts @ scores) / np.maximum(counts.sum(axis=1), 1)[:, None]
    centred: Float64 = scores[None] - means[:, None, :]
    return apart, centred.reshape(-1, scores.shape[1])


def _rounded(found: DesignEffect) -> DesignEffect:
    return found._replace(value=round_significant(found.value))


def regimes_along(table: ReferenceTable, *, places: Int64 | None = None, period: int = 1) -> dict[str, Regimes]:
    """Return the regimes of the series that have a few, their jumps counted over all rows in the order of time.

    Args:
        table: a file, with an order of time.
        places: where each row is, as of `measured_along`.
        period: places after which the file repeats itself, 1 for none.

    Raises:
        ValueError: the rows have no order.
    """
    order = _Course.of(table, places, period).order
    at = np.arange(table.rows) if places is None else places[order]
    found: dict[str, Regimes] = {}
    for name, column in table.columns.items():
        values = values_of(name, column)
        held = np.flatnonzero(values.present[order])
        if not held.size:
            continue
        if values.numbers.size:
            own = regimes(values.numbers[order[held]], places=at[held], period=period)
        else:
            own = category_regimes(values.categories.codes[order[held]], places=at[held], period=period)
        if own is not None:
            found[name] = own._replace(jumps=held[own.jumps])
    return found
