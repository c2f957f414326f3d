"""Strata of a series: which ones its reference rows allow, the reference of a pane, and all of them together.

A daily season is no drift. With strata a pane is counted in the grid of its hour and judged beside the rows of the same
hour; ranks within an hour are the same for every hour, so that counts of different hours may be added.

The calendar of a series is the finest that leaves 255 rows with a value in every stratum and saw each of them in two
cycles (days, or weeks): a rule of when rows came, never of what they held.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from stream_monitor.core.arrays import Int64
from stream_monitor.core.baseline.dependence import Dependence
from stream_monitor.core.baseline.series import (
    BinaryBaseline,
    CategoricalBaseline,
    NumericBaseline,
    SeriesBaseline,
    Strata,
)
from stream_monitor.core.calendar import Calendar, Seasons
from stream_monitor.core.canonical import round_significant
from stream_monitor.core.grid import NumericGrid
from stream_monitor.core.time import pane_starts

STRATUM_REFERENCE = 255
"""Values behind the edges of a stratum, the same in all of them; further ones are counted as seen."""

_CYCLES = 2
"""A season is known once it has come again."""


def fitting_calendar(seasons: Seasons, event_ms: Int64) -> Calendar:
    """Return the calendar for a series.

    Args:
        seasons: what is wanted.
        event_ms: when the rows with a value happened, shape (n,).
    """
    if not event_ms.size or seasons.calendar is Calendar.NONE:
        return Calendar.NONE
    starts = pane_starts(event_ms, seasons.pane_ms)
    for calendar in seasons.calendar.coarser:
        if calendar is not Calendar.NONE and _fits(calendar, starts):
            return calendar
    return Calendar.NONE


def _fits(calendar: Calendar, starts: Int64) -> bool:
    within = calendar.strata_of(starts)
    visits = np.unique(starts // calendar.cycle_ms * calendar.strata + within)
    rows, cycles = (np.bincount(found % calendar.strata, minlength=calendar.strata) for found in (within, visits))
    return bool(rows.min() >= STRATUM_REFERENCE and cycles.min() >= _CYCLES)


def calendar_of(series: SeriesBaseline) -> Calendar:
    """Return to which strata the panes of a series belong."""
    return Calendar.NONE if series.strata is None else series.strata.calendar


def by_stratum(series: SeriesBaseline) -> tuple[SeriesBaseline, ...]:
    """Return the reference of each stratum; without strata, the one that there is."""
    return (series,) if series.strata is None else series.strata.series


def of_pane(series: SeriesBaseline, start_ms: int) -> SeriesBaseline:
    """Return the reference against which a pane is counted."""
    return series if series.strata is None else series.strata.series[series.strata.calendar.stratum(start_ms)]


def together(strata: Strata, dependence: Dependence | None) -> SeriesBaseline:
    """Return the reference of a series of these strata, with all of them in one.

    Raises:
        ValueError: the strata are not of one kind, or their bins differ.
    """
    match strata.series[0]:
        case NumericBaseline():
            own = [part for part in strata.series if isinstance(part, NumericBaseline)]
            _check_bins(strata, own, [part.m for part in own])
            return _numeric(own, strata, dependence)
        case CategoricalBaseline():
            named = [part for part in strata.series if isinstance(part, CategoricalBaseline)]
            _check_bins(strata, named, [(part.categories, part.other_categories, part.unseen_m > 0) for part in named])
            return _categorical(named, strata, dependence)
        case _:
            binary = [part for part in strata.series if isinstance(part, BinaryBaseline)]
            _check_bins(strata, binary, [part.bins for part in binary])
            false, true = np.sum([part.counts for part in binary], axis=0).tolist()
            missing = sum(part.missing for part in binary)
            return BinaryBaseline(
                binary[0].series, false + true, (false, true), missing, dependence=dependence, strata=strata
            )


def _check_bins(strata: Strata, alike: Sequence[SeriesBaseline], bins: Sequence[object]) -> None:
    wanted = strata.calendar.strata
    if not len(strata.rows) == len(strata.series) == len(alike) == wanted:
        raise ValueError(f"strata: {strata.calendar} has {wanted} of one kind, got {len(strata.series)}")
    if any(other != bins[0] for other in bins):
        raise ValueError("strata: bins must be the same in all of them")


def _numeric(own: Sequence[NumericBaseline], strata: Strata, dependence: Dependence | None) -> NumericBaseline:
    first = own[0]
    weights = np.array([part.observed for part in own]) / float(sum(part.observed for part in own))
    edges = np.maximum.accumulate(sum(w * part.edges for w, part in zip(weights, own, strict=True)))
    counts = np.sum([part.reference for part in own], axis=0)

    def averaged(values: Sequence[float]) -> float:
        return round_significant(math.fsum(w * value for w, value in zip(weights.tolist(), values, strict=True)))

    return NumericBaseline(
        series=first.series,
        grid=NumericGrid(first.m, edges, np.zeros(edges.size, np.int64), first.grid.spacings),
        seen=counts - first.grid.spacings,
        missing=sum(part.missing for part in own),
        minimum=averaged([part.minimum for part in own]),
        maximum=averaged([part.maximum for part in own]),
        mean=averaged([part.mean for part in own]),
        std=round_significant(math.hypot(*(math.sqrt(w) * part.std for w, part in zip(weights, own, strict=True)))),
        quality=first.quality,
        dependence=dependence,
        strata=strata,
    )


def _categorical(
    own: Sequence[CategoricalBaseline], strata: Strata, dependence: Dependence | None
) -> CategoricalBaseline:
    first = own[0]
    cut = [part.unlisted for part in own if part.unlisted is not None]
    outside, halves = np.sum(cut, axis=0).tolist() if cut else (0, 0)
    return CategoricalBaseline(
        series=first.series,
        m=sum(part.m for part in own),
        categories=first.categories,
        counts=tuple(sum(counts) for counts in zip(*(part.counts for part in own), strict=True)),
        other=sum(part.other for part in own),
        other_categories=first.other_categories,
        unseen_k=sum(part.unseen_k for part in own),
        unseen_m=sum(part.unseen_m for part in own),
        unlisted=(outside, halves) if cut else None,
        missing=sum(part.missing for part in own),
        quality=first.quality,
        dependence=dependence,
        strata=strata,
    )
