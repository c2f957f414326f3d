"""Make a baseline from reference rows: kinds inferred, grids of order statistics, categories by half of the rows.

The rows come from a file, a topic or the warm-up of a model; the result does not depend on the order in which they are
given. Where it is known in which order they happened, their dependence on each other is measured.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import numpy.typing as npt

from stream_monitor.core.arrays import Bool, Float64, Int64, Intp, UInt64
from stream_monitor.core.baseline.course import RANKS, course_effect, holding_effect, ranked, with_course
from stream_monitor.core.baseline.dependence import (
    Dependence,
    DesignEffect,
    category_scores,
    design_effect,
    is_worth_a_promise,
    numeric_scores,
)
from stream_monitor.core.baseline.document import Baseline, Constraint, Origin, SegmentReference, ValueType
from stream_monitor.core.baseline.errors import BaselineError
from stream_monitor.core.baseline.series import (
    BinaryBaseline,
    CategoricalBaseline,
    NumericBaseline,
    SeriesBaseline,
    Strata,
)
from stream_monitor.core.baseline.strata import STRATUM_REFERENCE, by_stratum, fitting_calendar, together
from stream_monitor.core.calendar import NO_SEASONS, Calendar, Seasons
from stream_monitor.core.canonical import canonical_json, round_significant
from stream_monitor.core.grid import LARGEST_REFERENCE, SMALLEST_REFERENCE, build_numeric_grid
from stream_monitor.core.names import FEATURE_PREFIX, SERVING_ERROR, SeriesKind, cut_category, segment_label
from stream_monitor.core.plan import LimitsPlan
from stream_monitor.core.time import pane_starts

OTHER_NAMES = 1_000
"""Most names written down as pooled in `other`."""

NAME_BYTES = 96 * 1024
"""Most bytes of JSON that the names of one list may take, so that a series fits into a part."""


@dataclass(frozen=True, slots=True, eq=False)
class CategoryColumn:
    """A column of categories as codes.

    Attributes:
        codes: position in `names` of each row's category, -1 for none, shape (n,).
        names: the categories; a name may be there twice.
    """

    codes: Intp
    names: Sequence[str]


Column = npt.NDArray[np.float64] | npt.NDArray[np.int64] | npt.NDArray[np.bool_] | CategoryColumn | Sequence[object]
"""Values of one series, one per row. Missing is NaN, code -1 or None; a list may hold numbers, booleans and strings."""


@dataclass(frozen=True, slots=True, eq=False)
class ReferenceTable:
    """Reference rows: a column per series, and the two hashes of each row.

    Attributes:
        columns: values by name of series (`feature:x`, `prediction`, ...), each of length n.
        select: hashes that select rows, uint64 of shape (n,).
        tie: tie-breakers, int64 of shape (n,).
        happened: a number that grows with the time of each row, shape (n,); None when that is not known. Rows of the
            same number are taken as given.
        share: of the rows that there were, if these are a fair sample of them.
        segments: value of each segment in each row, by the segment's name; None where a row has none.
        event_ms: when each row happened, shape (n,); None when that is not known.
    """

    columns: Mapping[str, Column]
    select: UInt64
    tie: Int64
    happened: Int64 | None = None
    share: float = 1.0
    segments: Mapping[str, Sequence[str | None]] = field(default_factory=dict)
    event_ms: Int64 | None = None

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.select.size

    def by_segment(self) -> dict[str, Intp]:
        """Return the rows of every segment, by its label, sorted."""
        rows_of: dict[str, list[int]] = {}
        for name, values in self.segments.items():
            for row, value in enumerate(values):
                if value is not None:
                    rows_of.setdefault(segment_label(name, value), []).append(row)
        return {label: np.array(rows, dtype=np.intp) for label, rows in sorted(rows_of.items())}

    def at(self, rows: Intp) -> ReferenceTable:
        """Return some of the rows, without their segments."""
        return ReferenceTable(
            {name: _taken(column, rows) for name, column in self.columns.items()},
            self.select[rows],
            self.tie[rows],
            None if self.happened is None else self.happened[rows],
            self.share,
            event_ms=None if self.event_ms is None else self.event_ms[rows],
        )


def _taken(column: Column, rows: Intp) -> Column:
    match column:
        case CategoryColumn():
            return CategoryColumn(column.codes[rows], column.names)
        case np.ndarray():
            return column[rows]
        case _:
            return [column[row] for row in rows.tolist()]


@dataclass(frozen=True, slots=True, eq=False)
class _Values:
    """The valid values of one column: which rows hold one, and which hold none at all; the others are invalid."""

    kind: SeriesKind
    present: Bool
    absent: Bool
    numbers: Float64 = field(default_factory=lambda: np.empty(0))
    categories: CategoryColumn = field(default_factory=lambda: CategoryColumn(np.empty(0, np.intp), ()))
    integral: bool = False

    def of(self, rows: Bool) -> Bool:
        """Return which of these rows hold a valid value."""
        return self.present & rows

    def missing(self, rows: Bool) -> int:
        """Return how many of these rows hold none at all."""
        return int(np.count_nonzero(self.absent & rows))


def build_baseline(
    model: str,
    version: str,
    table: ReferenceTable,
    *,
    origin: Origin,
    limits: LimitsPlan,
    constraints: Mapping[str, Constraint] | None = None,
    seasons: Seasons = NO_SEASONS,
) -> Baseline:
    """Return the baseline of a model version from its reference rows.

    The kind of a series is the type of most of its values: numbers make it numeric, strings categorical, booleans
    binary; values of another type are invalid and left out. A series with fewer than 63 valid values is left out: it is
    warming up. Strata are those that its own values allow. A segment has a reference of its own where at least 63 rows
    have its value.

    Args:
        model: name of the model.
        version: its version, may be empty.
        table: the rows.
        origin: where they came from.
        limits: how many features, categories and segments there may be; of more segments the first by label are kept.
        constraints: what values may be, by series; they replace the inferred type and completeness.
        seasons: hours that are wanted to be told apart, where the times of the rows are known.

    Raises:
        BaselineError: too few rows, or too many features.
    """
    features = [name for name in table.columns if name.startswith(FEATURE_PREFIX)]
    if len(features) > limits.features:
        raise BaselineError(f"limits.features: a model may have {limits.features} features, got {len(features)}")
    if table.rows < SMALLEST_REFERENCE:
        raise BaselineError(f"a baseline needs at least {SMALLEST_REFERENCE} rows, got {table.rows}")
    series, inferred = _all_series(table, limits, seasons)
    return Baseline(
        model, version, origin, series, inferred | dict(constraints or {}), segments=_segments(table, limits, seasons)
    )


def _all_series(
    table: ReferenceTable, limits: LimitsPlan, seasons: Seasons
) -> tuple[dict[str, SeriesBaseline], dict[str, Constraint]]:
    """Return the reference of every series with enough values, and the constraints that its values suggest."""
    series: dict[str, SeriesBaseline] = {}
    inferred: dict[str, Constraint] = {}
    order = None if table.happened is None else np.argsort(table.happened, kind="stable")
    for name in sorted(table.columns):
        values = _values(name, table.columns[name])
        if np.count_nonzero(values.present) < SMALLEST_REFERENCE:
            continue
        own = _reference(name, values, table, limits, seasons)
        series[name] = own if order is None else replace(own, dependence=_dependence(own, values, table, order))
        if name.startswith(FEATURE_PREFIX):
            inferred[name] = _inferred(values, table.rows)
    return series, inferred


def _segments(table: ReferenceTable, limits: LimitsPlan, seasons: Seasons) -> dict[str, SegmentReference]:
    """Return the reference of every segment with enough rows.

    Which segments there are follows from their values alone: given those, the other values of their rows are draws
    from the law of the segment, as everywhere.
    """
    rows_of = table.by_segment()
    kept = [label for label, rows in rows_of.items() if rows.size >= SMALLEST_REFERENCE][: limits.segments]
    found: dict[str, SegmentReference] = {}
    for label in kept:
        series, _ = _all_series(table.at(rows_of[label]), limits, seasons)
        if series:
            found[label] = SegmentReference(rows_of[label].size, series)
    return found


def measured_along(
    baseline: Baseline, table: ReferenceTable, *, places: Int64 | None = None, period: int = 1
) -> Baseline:
    """Return a baseline that knows how dependent the rows of a whole file are, of which its reference may be a part.

    Args:
        baseline: of the reference.
        table: the file, with an order of time.
        places: where each row is in this order, counted from 0, shape (rows,); None for row after row.
        period: places after which the file repeats itself, if it is judged in whole seasons; 1 for none.

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
        segments[label] = replace(own, series=_measured_along(own.series, table.at(rows), course))
    series = _measured_along(baseline.series, table, _Course.of(table, places, period))
    return replace(baseline, series=series, segments=dict(sorted(segments.items())), id="")


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
    references: Mapping[str, SeriesBaseline], table: ReferenceTable, course: _Course
) -> dict[str, SeriesBaseline]:
    series = dict(references)
    for name in sorted(series.keys() & table.columns.keys()):
        own, values = series[name], _values(name, table.columns[name])
        if values.kind is own.kind and values.present.any():
            series[name] = replace(own, dependence=_along(own, values, table, course))
    return series


# --- kinds ------------------------------------------------------------------------------------------------------------


def _values(name: str, column: Column) -> _Values:
    match column:
        case CategoryColumn():
            present = column.codes >= 0
            return _Values(SeriesKind.CATEGORICAL, present, ~present, categories=column)
        case np.ndarray() if column.dtype == np.bool_:
            return _booleans(column.astype(np.bool_), *_all_present(column.size))
        case np.ndarray() if np.issubdtype(column.dtype, np.number):
            numbers = column.astype(np.float64)
            return _numeric_values(numbers, np.isnan(numbers))
        case np.ndarray():
            return _mixed(name, column.tolist())
        case _:
            return _mixed(name, column)


def _mixed(name: str, column: Sequence[object]) -> _Values:
    """Sort the values of a column of objects out by the type that most of them have."""
    if name == SERVING_ERROR:  # a text is the class of a failure
        return _booleans(np.array([bool(value) for value in column], np.bool_), *_all_present(len(column)))
    types = [_type(value) for value in column]
    absent = np.array([own is None for own in types], np.bool_)
    kinds = (SeriesKind.NUMERIC, SeriesKind.CATEGORICAL, SeriesKind.BINARY)
    kind = max(kinds, key=types.count)  # the first of equals
    chosen = [value if own is kind else None for value, own in zip(column, types, strict=True)]
    present = np.array([own is kind for own in types], np.bool_)
    match kind:
        case SeriesKind.NUMERIC:
            return _numeric_values(np.array(chosen, dtype=np.float64), absent)
        case SeriesKind.BINARY:
            return _booleans(np.array([bool(value) for value in chosen], np.bool_), present, absent)
        case _:
            names = sorted({value for value in chosen if isinstance(value, str)})
            code_of = {value: code for code, value in enumerate(names)}
            codes = np.array([code_of.get(value, -1) if isinstance(value, str) else -1 for value in chosen], np.intp)
            return _Values(kind, present, absent, categories=CategoryColumn(codes, names))


def _type(value: object) -> SeriesKind | None:
    match value:
        case None:
            return None
        case bool():
            return SeriesKind.BINARY
        case str():
            return SeriesKind.CATEGORICAL
        case float() if math.isnan(value):
            return None
        case int() | float():
            return SeriesKind.NUMERIC
        case _:
            return SeriesKind.COUNT  # an array or an object: no kind of a feature


def _all_present(rows: int) -> tuple[Bool, Bool]:
    return np.ones(rows, np.bool_), np.zeros(rows, np.bool_)


def _numeric_values(numbers: Float64, absent: Bool) -> _Values:
    present = np.isfinite(numbers)
    valid = numbers[present]
    return _Values(
        SeriesKind.NUMERIC, present, absent, numbers=numbers, integral=bool((valid == np.floor(valid)).all())
    )


def _booleans(values: Bool, present: Bool, absent: Bool) -> _Values:
    return _Values(SeriesKind.BINARY, present, absent, numbers=values.astype(np.float64))


# --- references -------------------------------------------------------------------------------------------------------


def _reference(
    name: str, values: _Values, table: ReferenceTable, limits: LimitsPlan, seasons: Seasons
) -> SeriesBaseline:
    """Return the reference of a series, by strata if its values allow them."""
    strata = _strata(values, table, seasons)
    make: Callable[[Bool], SeriesBaseline]
    match values.kind:
        case SeriesKind.NUMERIC:
            make = partial(_numeric, name, values, table, LARGEST_REFERENCE if strata is None else STRATUM_REFERENCE)
        case SeriesKind.BINARY:
            make = partial(_binary, name, values)
        case _:
            make = partial(_categorical, name, values, _vocabulary(values, table, limits))
    if strata is None:
        return make(np.ones(table.rows, np.bool_))
    calendar, within = strata
    rows = np.bincount(within, minlength=calendar.strata)
    parts = tuple(make(within == stratum) for stratum in range(calendar.strata))
    return together(Strata(calendar, tuple(rows.tolist()), parts), None)


def _strata(values: _Values, table: ReferenceTable, seasons: Seasons) -> tuple[Calendar, Int64] | None:
    """Return the calendar that the rows with a value allow, and the stratum of every row; None for no strata."""
    if table.event_ms is None:
        return None
    calendar = fitting_calendar(seasons, table.event_ms[values.present])
    if calendar is Calendar.NONE:
        return None
    return calendar, calendar.strata_of(pane_starts(table.event_ms, seasons.pane_ms))


def _binary(name: str, values: _Values, own: Bool) -> BinaryBaseline:
    present = values.of(own)
    true, observed = int(values.numbers[present].sum()), int(present.sum())
    return BinaryBaseline(name, observed, (observed - true, true), values.missing(own))


def _numeric(name: str, values: _Values, table: ReferenceTable, most: int, own: Bool) -> NumericBaseline:
    present = values.of(own)
    numbers = values.numbers[present] + 0.0
    grid, seen = build_numeric_grid(numbers, table.select[present], table.tie[present], most=most)
    mean, std = _moments(numbers)
    return NumericBaseline(
        series=name,
        grid=grid,
        seen=seen,
        missing=values.missing(own),
        minimum=float(numbers.min()),
        maximum=float(numbers.max()),
        mean=round_significant(mean),
        std=round_significant(std),
    )


def _dependence(series: SeriesBaseline, values: _Values, table: ReferenceTable, order: Intp) -> Dependence:
    """Measure the design effects of the valid values and of having none, over the rows in the order of time."""
    present = values.present[order]
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


def _along(series: SeriesBaseline, values: _Values, table: ReferenceTable, course: _Course) -> Dependence:
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
    of_values = with_course(
        known[0], course.effect(bins, scores), rows=held.size, observed=series.observed, seasonal=seasonal
    )
    of_gaps = with_course(
        known[1], course.effect(absent, without), rows=present.size, observed=total, seasonal=seasonal
    )
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


def _binned(series: SeriesBaseline, values: _Values, table: ReferenceTable, held: Intp) -> tuple[Int64, Float64]:
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


def _with_holding(found: DesignEffect, series: SeriesBaseline, values: _Values, held: Intp) -> DesignEffect:
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


def _moments(numbers: Float64) -> tuple[float, float]:
    """Return mean and population standard deviation; sums are exact, so the order of the rows changes no digit."""
    _, exponent = np.frexp(np.abs(numbers).max())
    scaled = np.ldexp(numbers, -int(exponent))  # squares of large or tiny values stay in range
    mean = math.fsum(scaled) / numbers.size
    variance = math.fsum((scaled - mean) ** 2) / numbers.size
    return math.ldexp(mean, int(exponent)), math.ldexp(math.sqrt(variance), int(exponent))


@dataclass(frozen=True, slots=True, eq=False)
class _Vocabulary:
    """The categories of a column; which are listed and which are unseen is fixed by the rows of even parity alone.

    Rows that choose a set of names must not estimate its mass as well: names that are frequent or present by chance
    would make the reference too large, and every stream would seem to drift.

    Attributes:
        codes: position in `names` of each row's category, shape (n,); of a row without one anything.
        odd: the rows of odd parity.
        names: the categories, sorted by code point.
        listed: codes of the listed ones, ascending.
        pooled: names of the others that were met; None if they are too many to write down.
        unseen: of each code, whether no row of even parity has it.
    """

    codes: Intp
    odd: Bool
    names: Sequence[str]
    listed: Sequence[int]
    pooled: tuple[str, ...] | None
    unseen: Bool


def _vocabulary(values: _Values, table: ReferenceTable, limits: LimitsPlan) -> _Vocabulary:
    column, odd = values.categories, (table.select & np.uint64(1)).astype(np.bool_)
    names = sorted({cut_category(text) for text in column.names})
    position = {text: code for code, text in enumerate(names)}
    recode = np.array([position[cut_category(text)] for text in column.names], np.intp)
    codes = recode[column.codes]
    all_rows = np.bincount(codes[values.present], minlength=len(names))
    even_rows = all_rows - np.bincount(codes[values.present & odd], minlength=len(names))
    met = np.flatnonzero(all_rows)
    listed = _listed(names, met, even_rows, limits.categories)
    pooled = [names[code] for code in np.setdiff1d(met, listed).tolist()]
    known = len(pooled) <= OTHER_NAMES and len(list(_fitting(pooled))) == len(pooled)
    return _Vocabulary(codes, odd, names, listed, tuple(pooled) if known else None, even_rows == 0)


def _categorical(name: str, values: _Values, words: _Vocabulary, own: Bool) -> CategoricalBaseline:
    present, size = values.of(own), len(words.names)
    all_rows = np.bincount(words.codes[present], minlength=size)
    odd_rows = np.bincount(words.codes[present & words.odd], minlength=size)
    m, odd = int(all_rows.sum()), int(odd_rows.sum())
    return CategoricalBaseline(
        series=name,
        m=m,
        categories=tuple(words.names[code] for code in words.listed),
        counts=tuple(int(all_rows[code]) for code in words.listed),
        other=int(m - all_rows[words.listed].sum()),
        other_categories=words.pooled,
        unseen_k=int(odd_rows[words.unseen].sum()),
        unseen_m=odd,
        unlisted=(int(odd - odd_rows[words.listed].sum()), odd) if words.pooled != () else None,
        missing=values.missing(own),
    )


def _listed(names: Sequence[str], met: Intp, even_rows: Int64, limit: int) -> list[int]:
    """Return the codes to list, ascending: all if they fit, else the most frequent of the even rows."""
    ranked = sorted(met.tolist(), key=lambda code: (-even_rows[code], code))
    fitting = len(list(_fitting([names[code] for code in ranked[:limit]])))
    if fitting < len(ranked):  # the list is cut: a name that only odd rows hold would be chosen by what estimates it
        ranked = [code for code in ranked if even_rows[code]]
    return sorted(ranked[:fitting])


def _fitting(names: Sequence[str]) -> Iterator[str]:
    """Yield names from the front as long as their JSON stays within the limit."""
    used = 0
    for text in names:
        used += len(canonical_json(text)) + 1
        if used > NAME_BYTES:
            return
        yield text


def _inferred(values: _Values, rows: int) -> Constraint:
    """Infer type and completeness; a range or a domain is the user's to state, not the sample's."""
    missing = int(np.count_nonzero(values.absent))
    completeness = math.floor(100 * (rows - missing) / rows) / 100
    match values.kind:
        case SeriesKind.NUMERIC:
            return Constraint(ValueType.INTEGRAL if values.integral else ValueType.FRACTIONAL, completeness)
        case SeriesKind.BINARY:
            return Constraint(ValueType.BOOLEAN, completeness)
        case _:
            return Constraint(ValueType.STRING, completeness)
