"""Make a baseline from reference rows: kinds inferred, grids of order statistics, categories by half of the rows.

The rows come from a file, a topic or the warm-up of a model; the result does not depend on the order in which they are
given. Where it is known in which order they happened, their dependence on each other is measured.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

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
)
from stream_monitor.core.canonical import canonical_json, round_significant
from stream_monitor.core.grid import SMALLEST_REFERENCE, build_numeric_grid
from stream_monitor.core.names import FEATURE_PREFIX, SERVING_ERROR, SeriesKind, cut_category, segment_label
from stream_monitor.core.plan import LimitsPlan

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
    """

    columns: Mapping[str, Column]
    select: UInt64
    tie: Int64
    happened: Int64 | None = None
    share: float = 1.0
    segments: Mapping[str, Sequence[str | None]] = field(default_factory=dict)

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
    """The valid values of one column: which rows hold one, and how many rows hold none at all."""

    kind: SeriesKind
    present: Bool
    missing: int
    numbers: Float64 = field(default_factory=lambda: np.empty(0))
    categories: CategoryColumn = field(default_factory=lambda: CategoryColumn(np.empty(0, np.intp), ()))
    integral: bool = False


def build_baseline(
    model: str,
    version: str,
    table: ReferenceTable,
    *,
    origin: Origin,
    limits: LimitsPlan,
    constraints: Mapping[str, Constraint] | None = None,
) -> Baseline:
    """Return the baseline of a model version from its reference rows.

    The kind of a series is the type of most of its values: numbers make it numeric, strings categorical, booleans
    binary; values of another type are invalid and left out. A series with fewer than 63 valid values is left out: it is
    warming up. A segment has a reference of its own where at least 63 rows have its value.

    Args:
        model: name of the model.
        version: its version, may be empty.
        table: the rows.
        origin: where they came from.
        limits: how many features, categories and segments there may be; of more segments the first by label are kept.
        constraints: what values may be, by series; they replace the inferred type and completeness.

    Raises:
        BaselineError: too few rows, or too many features.
    """
    features = [name for name in table.columns if name.startswith(FEATURE_PREFIX)]
    if len(features) > limits.features:
        raise BaselineError(f"limits.features: a model may have {limits.features} features, got {len(features)}")
    if table.rows < SMALLEST_REFERENCE:
        raise BaselineError(f"a baseline needs at least {SMALLEST_REFERENCE} rows, got {table.rows}")
    series, inferred = _all_series(table, limits)
    return Baseline(
        model, version, origin, series, inferred | dict(constraints or {}), segments=_segments(table, limits)
    )


def _all_series(table: ReferenceTable, limits: LimitsPlan) -> tuple[dict[str, SeriesBaseline], dict[str, Constraint]]:
    """Return the reference of every series with enough values, and the constraints that its values suggest."""
    series: dict[str, SeriesBaseline] = {}
    inferred: dict[str, Constraint] = {}
    order = None if table.happened is None else np.argsort(table.happened, kind="stable")
    for name in sorted(table.columns):
        values = _values(name, table.columns[name])
        if np.count_nonzero(values.present) < SMALLEST_REFERENCE:
            continue
        own = _reference(name, values, table, limits)
        series[name] = own if order is None else replace(own, dependence=_dependence(own, values, table, order))
        if name.startswith(FEATURE_PREFIX):
            inferred[name] = _inferred(values, table.rows)
    return series, inferred


def _segments(table: ReferenceTable, limits: LimitsPlan) -> dict[str, SegmentReference]:
    """Return the reference of every segment with enough rows.

    Which segments there are follows from their values alone: given those, the other values of their rows are draws
    from the law of the segment, as everywhere.
    """
    rows_of = table.by_segment()
    kept = [label for label, rows in rows_of.items() if rows.size >= SMALLEST_REFERENCE][: limits.segments]
    found: dict[str, SegmentReference] = {}
    for label in kept:
        series, _ = _all_series(table.at(rows_of[label]), limits)
        if series:
            found[label] = SegmentReference(rows_of[label].size, series)
    return found


def measured_along(baseline: Baseline, table: ReferenceTable, *, period: int = 1) -> Baseline:
    """Return a baseline that knows how dependent the rows of a whole file are, of which its reference may be a part.

    Args:
        baseline: of the reference.
        table: the file, with an order of time.
        period: rows after which the file repeats itself, if it is judged in whole seasons; 1 for none.

    Raises:
        ValueError: the rows have no order.
    """
    rows_of = table.by_segment() if baseline.segments else {}
    segments = dict(baseline.segments)
    for label in segments.keys() & rows_of.keys():
        # A segment has its share of the rows of a season: about so many, as its rows come when they come.
        own, rows = segments[label], rows_of[label]
        share = max(1, round(period * rows.size / table.rows))
        segments[label] = replace(own, series=_measured_along(own.series, table.at(rows), share))
    series = _measured_along(baseline.series, table, period)
    return replace(baseline, series=series, segments=dict(sorted(segments.items())), id="")


def _measured_along(
    references: Mapping[str, SeriesBaseline], table: ReferenceTable, period: int
) -> dict[str, SeriesBaseline]:
    if table.happened is None:
        raise ValueError("table.happened: must be known, dependence is a matter of order")
    order = np.argsort(table.happened, kind="stable")
    series = dict(references)
    for name in sorted(series.keys() & table.columns.keys()):
        own, values = series[name], _values(name, table.columns[name])
        if values.kind is own.kind and values.present.any():
            series[name] = replace(own, dependence=_along(own, values, table, order, period))
    return series


# --- kinds ------------------------------------------------------------------------------------------------------------


def _values(name: str, column: Column) -> _Values:
    match column:
        case CategoryColumn():
            present = column.codes >= 0
            return _Values(SeriesKind.CATEGORICAL, present, int((~present).sum()), categories=column)
        case np.ndarray() if column.dtype == np.bool_:
            return _booleans(column.astype(np.bool_), np.ones(column.size, np.bool_))
        case np.ndarray() if np.issubdtype(column.dtype, np.number):
            numbers = column.astype(np.float64)
            return _numeric_values(numbers, int(np.isnan(numbers).sum()))
        case np.ndarray():
            return _mixed(name, column.tolist())
        case _:
            return _mixed(name, column)


def _mixed(name: str, column: Sequence[object]) -> _Values:
    """Sort the values of a column of objects out by the type that most of them have."""
    if name == SERVING_ERROR:  # a text is the class of a failure
        return _booleans(np.array([bool(value) for value in column], np.bool_), np.ones(len(column), np.bool_))
    types = [_type(value) for value in column]
    missing = types.count(None)
    kinds = (SeriesKind.NUMERIC, SeriesKind.CATEGORICAL, SeriesKind.BINARY)
    kind = max(kinds, key=types.count)  # the first of equals
    chosen = [value if own is kind else None for value, own in zip(column, types, strict=True)]
    present = np.array([own is kind for own in types], np.bool_)
    match kind:
        case SeriesKind.NUMERIC:
            return _numeric_values(np.array(chosen, dtype=np.float64), missing)
        case SeriesKind.BINARY:
            return _booleans(np.array([bool(value) for value in chosen], np.bool_), present, missing)
        case _:
            names = sorted({value for value in chosen if isinstance(value, str)})
            code_of = {value: code for code, value in enumerate(names)}
            codes = np.array([code_of.get(value, -1) if isinstance(value, str) else -1 for value in chosen], np.intp)
            return _Values(kind, present, missing, categories=CategoryColumn(codes, names))


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


def _numeric_values(numbers: Float64, missing: int) -> _Values:
    present = np.isfinite(numbers)
    valid = numbers[present]
    return _Values(
        SeriesKind.NUMERIC, present, missing, numbers=numbers, integral=bool((valid == np.floor(valid)).all())
    )


def _booleans(values: Bool, present: Bool, missing: int = 0) -> _Values:
    return _Values(SeriesKind.BINARY, present, missing, numbers=values.astype(np.float64))


# --- references -------------------------------------------------------------------------------------------------------


def _reference(name: str, values: _Values, table: ReferenceTable, limits: LimitsPlan) -> SeriesBaseline:
    match values.kind:
        case SeriesKind.NUMERIC:
            return _numeric(name, values, table)
        case SeriesKind.BINARY:
            true = int(values.numbers[values.present].sum())
            observed = int(values.present.sum())
            return BinaryBaseline(name, observed, (observed - true, true), values.missing)
        case _:
            return _categorical(name, values, table, limits)


def _numeric(name: str, values: _Values, table: ReferenceTable) -> NumericBaseline:
    numbers = values.numbers[values.present] + 0.0
    grid, seen = build_numeric_grid(numbers, table.select[values.present], table.tie[values.present])
    mean, std = _moments(numbers)
    return NumericBaseline(
        series=name,
        grid=grid,
        seen=seen,
        missing=values.missing,
        minimum=float(numbers.min()),
        maximum=float(numbers.max()),
        mean=round_significant(mean),
        std=round_significant(std),
    )


def _dependence(series: SeriesBaseline, values: _Values, table: ReferenceTable, order: Intp) -> Dependence:
    """Measure the design effects of the valid values and of having none, over the rows in the order of time."""
    present = values.present[order]
    held = order[present]
    bins, scores = _binned(series, values, table, held)
    absent = np.bincount(~present, minlength=2)
    found = design_effect(bins, scores, share=table.share)
    return Dependence(
        _rounded(_with_holding(found, series, values, held)),
        _rounded(design_effect((~present).astype(np.int64), category_scores(absent), share=table.share)),
    )


def _along(series: SeriesBaseline, values: _Values, table: ReferenceTable, order: Intp, period: int) -> Dependence:
    """Return the dependence of a series with what the rows of the whole file, in the order of time, say about it."""
    present = values.present[order]
    known = (None, None) if series.dependence is None else series.dependence
    bins = np.full(order.size, -1, dtype=np.int64)
    if isinstance(series, NumericBaseline):
        bins[present], scores = ranked(values.numbers[order[present]]), numeric_scores(np.ones(RANKS, np.int64))
    else:
        bins[present], scores = _binned(series, values, table, order[present])
    absent = (~present).astype(np.int64)
    course = course_effect(bins, scores, period=period)
    without = course_effect(absent, category_scores(np.bincount(absent, minlength=2)), period=period)
    rows = int(present.sum())
    own = with_course(known[0], course, rows=rows, observed=series.observed, seasonal=period > 1)
    total = series.observed + series.missing
    none = with_course(known[1], without, rows=order.size, observed=total, seasonal=period > 1)
    return Dependence(_rounded(_with_holding(own, series, values, order[present])), _rounded(none))


def _binned(series: SeriesBaseline, values: _Values, table: ReferenceTable, held: Intp) -> tuple[Int64, Float64]:
    """Return the bins of some rows with a value, and the scores of all bins."""
    match series:
        case NumericBaseline():
            bins = series.grid.assign(values.numbers[held] + 0.0, table.tie[held])
            return bins.astype(np.int64), numeric_scores(series.grid.spacings)
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


def _rounded(found: DesignEffect) -> DesignEffect:
    return found._replace(value=round_significant(found.value))


def _moments(numbers: Float64) -> tuple[float, float]:
    """Return mean and population standard deviation; sums are exact, so the order of the rows changes no digit."""
    _, exponent = np.frexp(np.abs(numbers).max())
    scaled = np.ldexp(numbers, -int(exponent))  # squares of large or tiny values stay in range
    mean = math.fsum(scaled) / numbers.size
    variance = math.fsum((scaled - mean) ** 2) / numbers.size
    return math.ldexp(mean, int(exponent)), math.ldexp(math.sqrt(variance), int(exponent))


def _categorical(name: str, values: _Values, table: ReferenceTable, limits: LimitsPlan) -> CategoricalBaseline:
    """Count categories; which are listed and which are unseen is fixed by the rows of even parity alone.

    Rows that choose a set of names must not estimate its mass as well: names that are frequent or present by chance
    would make the reference too large, and every stream would seem to drift.
    """
    column, odd = values.categories, (table.select & np.uint64(1)).astype(np.bool_)
    names = sorted({cut_category(text) for text in column.names})
    position = {text: code for code, text in enumerate(names)}
    recode = np.array([position[cut_category(text)] for text in column.names], np.intp)
    codes, odd = recode[column.codes[values.present]], odd[values.present]
    all_rows = np.bincount(codes, minlength=len(names))
    odd_rows = np.bincount(codes[odd], minlength=len(names))
    even_rows = all_rows - odd_rows
    names_met = np.flatnonzero(all_rows)
    listed = _listed(names, names_met, even_rows, limits.categories)
    pooled = [names[code] for code in np.setdiff1d(names_met, listed).tolist()]
    known = len(pooled) <= OTHER_NAMES and len(list(_fitting(pooled))) == len(pooled)
    return CategoricalBaseline(
        series=name,
        m=int(codes.size),
        categories=tuple(names[code] for code in listed),
        counts=tuple(int(all_rows[code]) for code in listed),
        other=int(codes.size - all_rows[listed].sum()),
        other_categories=tuple(pooled) if known else None,
        unseen_k=int(odd_rows[even_rows == 0].sum()),
        unseen_m=int(odd.sum()),
        unlisted=(int(odd.sum() - odd_rows[listed].sum()), int(odd.sum())) if pooled else None,
        missing=values.missing,
    )


def _listed(names: Sequence[str], met: Intp, even_rows: Int64, limit: int) -> list[int]:
    """Return the codes to list, ascending: all if they fit, else the most frequent of the even rows."""
    ranked = sorted(met.tolist(), key=lambda code: (-even_rows[code], code))[:limit]
    fitting = len(list(_fitting([names[code] for code in ranked])))
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
    completeness = math.floor(100 * (rows - values.missing) / rows) / 100
    match values.kind:
        case SeriesKind.NUMERIC:
            return Constraint(ValueType.INTEGRAL if values.integral else ValueType.FRACTIONAL, completeness)
        case SeriesKind.BINARY:
            return Constraint(ValueType.BOOLEAN, completeness)
        case _:
            return Constraint(ValueType.STRING, completeness)
