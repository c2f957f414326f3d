"""Whether rows behind a drift are one regime, and how dependent the reference is that is made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from stream_monitor.core.arrays import Bool
from stream_monitor.core.baseline import Baseline, ReferenceTable, SeriesBaseline
from stream_monitor.core.baseline.dependence import Dependence, DesignEffect, is_worth_a_promise

UNSETTLED = 0.1
"""Largest gap between the distributions of two halves of one regime, beyond what chance explains."""

CHANCE = 1.63
"""Kolmogorov's 99 % point: two equal halves of n rows differ by less than CHANCE * sqrt(2/n)."""


def as_dependent_as(made: Baseline, first: Baseline | None) -> Baseline:
    """Return a baseline whose series are as dependent as the whole file; only what is new in it speaks for itself."""
    if first is None:
        return made
    segments = {
        label: replace(own, series=_series_as_dependent_as(own.series, first.segments[label].series))
        if label in first.segments
        else own
        for label, own in made.segments.items()
    }
    return replace(made, series=_series_as_dependent_as(made.series, first.series), segments=segments, id="")


def _series_as_dependent_as(
    made: Mapping[str, SeriesBaseline], first: Mapping[str, SeriesBaseline]
) -> dict[str, SeriesBaseline]:
    series: dict[str, SeriesBaseline] = {}
    for name, own in made.items():
        before = first[name].dependence if name in first else None
        if before is None:
            series[name] = own
        else:
            values = _over(before.values, own.observed)
            series[name] = replace(own, dependence=Dependence(values, _over(before.absent, own.observed + own.missing)))
    return series


def _over(known: DesignEffect, rows: int) -> DesignEffect:
    """Return a design effect beside a reference of that many rows."""
    return known._replace(settled=known.settled and is_worth_a_promise(rows, known.value))


def is_settled(table: ReferenceTable, first: Bool) -> bool:
    """Say whether two parts of the rows look like one regime in every column.

    Args:
        table: the rows.
        first: which rows are the first part, shape (rows,).
    """
    return all(_gap(column, first) < UNSETTLED for column in table.columns.values())


def _gap(column: object, first: Bool) -> float:
    """Return the largest gap of the two distribution functions, less what chance explains; categories in any order."""
    cells = np.asarray(column, dtype=object)
    numbers = np.array([cell if isinstance(cell, float | int) else np.nan for cell in cells], dtype=np.float64)
    if np.isnan(numbers).all():
        names, codes = np.unique([str(cell) for cell in cells], return_inverse=True)
        del names
        shares = [np.bincount(codes[part], minlength=codes.max() + 1) / max(part.sum(), 1) for part in (first, ~first)]
        gap, least = 0.5 * np.abs(shares[0] - shares[1]).sum(), min(first.sum(), (~first).sum())
    else:
        parts = [np.sort(numbers[part & np.isfinite(numbers)]) for part in (first, ~first)]
        least = min(part.size for part in parts)
        if not least:
            return 0.0
        at = np.concatenate(parts)
        below = [np.searchsorted(part, at, side="right") / part.size for part in parts]
        gap = np.abs(below[0] - below[1]).max()
    return float(gap - CHANCE * np.sqrt(2.0 / max(int(least), 1)))
