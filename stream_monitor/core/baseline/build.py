"""Make a baseline from reference rows: kinds inferred, grids of order statistics, categories by half of the rows.

The rows come from a file, a topic or the warm-up of a model; the result does not depend on the order in which they are
given. Where it is known in which order they happened, their dependence on each other is measured.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

import numpy as np

from stream_monitor.core.arrays import Bool, Float64, Int64
from stream_monitor.core.baseline.document import Baseline
from stream_monitor.core.baseline.errors import BaselineError
from stream_monitor.core.baseline.facts import Constraint, Origin, ValueType
from stream_monitor.core.baseline.measuring import measured
from stream_monitor.core.baseline.segments import SegmentReference
from stream_monitor.core.baseline.series import (
    BinaryBaseline,
    CategoricalBaseline,
    NumericBaseline,
    SeriesBaseline,
    Strata,
)
from stream_monitor.core.baseline.strata import STRATUM_REFERENCE, fitting_calendar, together
from stream_monitor.core.baseline.table import ReferenceTable
from stream_monitor.core.baseline.values import Values, values_of
from stream_monitor.core.baseline.vocabulary import Vocabulary, vocabulary
from stream_monitor.core.calendar import NO_SEASONS, Calendar, Seasons
from stream_monitor.core.canonical import round_significant
from stream_monitor.core.grid import LARGEST_REFERENCE, SMALLEST_REFERENCE, build_numeric_grid
from stream_monitor.core.names import FEATURE_PREFIX, SeriesKind
from stream_monitor.core.plan import LimitsPlan
from stream_monitor.core.time import pane_starts


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
        values = values_of(name, table.columns[name])
        if np.count_nonzero(values.present) < SMALLEST_REFERENCE:
            continue
        own = _reference(name, values, table, limits, seasons)
        series[name] = own if order is None else replace(own, dependence=measured(own, values, table, order))
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


def _reference(
    name: str, values: Values, table: ReferenceTable, limits: LimitsPlan, seasons: Seasons
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
            make = partial(_categorical, name, values, vocabulary(values, table, limits))
    if strata is None:
        return make(np.ones(table.rows, np.bool_))
    calendar, within = strata
    rows = np.bincount(within, minlength=calendar.strata)
    parts = tuple(make(within == stratum) for stratum in range(calendar.strata))
    return together(Strata(calendar, tuple(rows.tolist()), parts), None)


def _strata(values: Values, table: ReferenceTable, seasons: Seasons) -> tuple[Calendar, Int64] | None:
    """Return the calendar that the rows with a value allow, and the stratum of every row; None for no strata."""
    if table.event_ms is None:
        return None
    calendar = fitting_calendar(seasons, table.event_ms[values.present])
    if calendar is Calendar.NONE:
        return None
    return calendar, calendar.strata_of(pane_starts(table.event_ms, seasons.pane_ms))


def _binary(name: str, values: Values, own: Bool) -> BinaryBaseline:
    present = values.of(own)
    true, observed = int(values.numbers[present].sum()), int(present.sum())
    return BinaryBaseline(name, observed, (observed - true, true), values.missing(own))


def _numeric(name: str, values: Values, table: ReferenceTable, most: int, own: Bool) -> NumericBaseline:
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


def _categorical(name: str, values: Values, words: Vocabulary, own: Bool) -> CategoricalBaseline:
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


def _moments(numbers: Float64) -> tuple[float, float]:
    """Return mean and population standard deviation; sums are exact, so the order of the rows changes no digit."""
    _, exponent = np.frexp(np.abs(numbers).max())
    scaled = np.ldexp(numbers, -int(exponent))  # squares of large or tiny values stay in range
    mean = math.fsum(scaled) / numbers.size
    variance = math.fsum((scaled - mean) ** 2) / numbers.size
    return math.ldexp(mean, int(exponent)), math.ldexp(math.sqrt(variance), int(exponent))


def _inferred(values: Values, rows: int) -> Constraint:
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
