"""The reference of one series as JSON: its shape, what is checked when it is read, and how it is written."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np

from stream_monitor.core.baseline.dependence import Dependence, DesignEffect
from stream_monitor.core.baseline.errors import BaselineError
from stream_monitor.core.baseline.series import (
    BinaryBaseline,
    CategoricalBaseline,
    NumericBaseline,
    Quality,
    SeriesBaseline,
    Strata,
)
from stream_monitor.core.baseline.strata import together
from stream_monitor.core.calendar import Calendar
from stream_monitor.core.canonical import Json
from stream_monitor.core.grid import NumericGrid


class Wire(msgspec.Struct, frozen=True, rename={"from_": "from", "minimum": "min", "maximum": "max"}):
    """What all shapes share: their names in JSON."""


class _Share(Wire, frozen=True):
    k: int
    m: int


class _DesignEffect(Wire, frozen=True):
    d: float
    settled: bool


class _Dependence(Wire, frozen=True):
    values: _DesignEffect
    absent: _DesignEffect


class _Numeric(Wire, frozen=True, tag_field="kind", tag="numeric"):
    quality: Quality
    m: int
    spacings: list[int]
    edges: list[float]
    ties: list[int]
    minimum: float
    maximum: float
    mean: float
    std: float
    missing: int = 0
    seen: list[int] | None = None
    dependence: _Dependence | None = None


class _Categorical(Wire, frozen=True, tag_field="kind", tag="categorical"):
    quality: Quality
    m: int
    categories: list[str]
    counts: list[int]
    other: int
    unseen: _Share
    missing: int = 0
    other_categories: list[str] | None = None
    unlisted: _Share | None = None
    dependence: _Dependence | None = None


class _Binary(Wire, frozen=True, tag_field="kind", tag="binary"):
    quality: Quality
    m: int
    counts: tuple[int, int]
    missing: int = 0
    dependence: _Dependence | None = None


_SHARED = frozenset({"kind", "quality", "spacings", "categories", "other_categories"})
"""What is the same in all strata and written once: names may be a hundred KiB."""


class _Stratified(Wire, frozen=True, tag_field="kind", tag="stratified"):
    calendar: Calendar
    rows: list[int]
    shared: dict[str, object]
    strata: list[dict[str, object]]
    dependence: _Dependence | None = None


SeriesWire = _Numeric | _Categorical | _Binary | _Stratified
"""The shapes, told apart by `kind`; one that a program does not know is refused, not taken for another."""


def series_of(name: str, wire: SeriesWire) -> SeriesBaseline:
    """Return the reference of a series from its JSON.

    Raises:
        BaselineError: the lists do not fit each other.
    """
    match wire:
        case _Numeric():
            return _numeric(name, wire)
        case _Categorical():
            return _categorical(name, wire)
        case _Binary():
            _check_counts(name, wire.counts, bins=2)
            dependence = _dependence(name, wire.dependence)
            return BinaryBaseline(name, wire.m, wire.counts, wire.missing, wire.quality, dependence)
        case _Stratified():
            return _stratified(name, wire)


def _stratified(name: str, wire: _Stratified) -> SeriesBaseline:
    if not wire.strata or min(wire.rows, default=-1) < 0:
        raise BaselineError(f"baseline.series.{name}.rows: must hold a count for each stratum, none negative")
    try:
        each = [msgspec.convert(wire.shared | own, _Numeric | _Categorical | _Binary) for own in wire.strata]
    except msgspec.ValidationError as error:
        raise BaselineError(f"baseline.series.{name}.strata: {error}") from error
    strata = Strata(wire.calendar, tuple(wire.rows), tuple(series_of(name, own) for own in each))
    try:
        return together(strata, _dependence(name, wire.dependence))
    except ValueError as error:
        raise BaselineError(f"baseline.series.{name}: {error}") from error


def _numeric(name: str, wire: _Numeric) -> NumericBaseline:
    seen = wire.seen if wire.seen is not None else [0] * len(wire.spacings)
    _check_counts(name, seen, bins=len(wire.spacings))
    try:
        grid = NumericGrid(
            wire.m,
            np.array(wire.edges, dtype=np.float64),
            np.array(wire.ties, dtype=np.int64),
            np.array(wire.spacings, dtype=np.int64),
        )
    except (ValueError, OverflowError) as error:
        raise BaselineError(f"baseline.series.{name}: {error}") from error
    if wire.quality is Quality.EXACT and not grid.has_standard_layout:
        raise BaselineError(f"baseline.series.{name}: spacings are not the layout of m = {wire.m}, so not exact")
    return NumericBaseline(
        series=name,
        grid=grid,
        seen=np.array(seen, dtype=np.int64),
        missing=wire.missing,
        minimum=wire.minimum,
        maximum=wire.maximum,
        mean=wire.mean,
        std=wire.std,
        quality=wire.quality,
        dependence=_dependence(name, wire.dependence),
    )


def _categorical(name: str, wire: _Categorical) -> CategoricalBaseline:
    _check_counts(name, [*wire.counts, wire.other], bins=len(wire.categories) + 1)
    if sorted(set(wire.categories)) != wire.categories:
        raise BaselineError(f"baseline.series.{name}: categories must be sorted by code point and distinct")
    return CategoricalBaseline(
        series=name,
        m=wire.m,
        categories=tuple(wire.categories),
        counts=tuple(wire.counts),
        other=wire.other,
        other_categories=None if wire.other_categories is None else tuple(wire.other_categories),
        unseen_k=wire.unseen.k,
        unseen_m=wire.unseen.m,
        unlisted=None if wire.unlisted is None else (wire.unlisted.k, wire.unlisted.m),
        missing=wire.missing,
        quality=wire.quality,
        dependence=_dependence(name, wire.dependence),
    )


def _dependence(name: str, wire: _Dependence | None) -> Dependence | None:
    if wire is None:
        return None
    for found in (wire.values, wire.absent):
        if not 1.0 <= found.d < math.inf:
            raise BaselineError(f"baseline.series.{name}.dependence.d: must be at least 1, got {found.d}")
    return Dependence(*(DesignEffect(found.d, found.settled) for found in (wire.values, wire.absent)))


def _check_counts(name: str, counts: Sequence[int], *, bins: int) -> None:
    if len(counts) != bins or min(counts, default=0) < 0:
        raise BaselineError(f"baseline.series.{name}: must hold {bins} counts, none negative, got {len(counts)}")


def series_json(series: SeriesBaseline) -> dict[str, Json]:
    """Return the JSON of a series; of strata, each is written and what they are together follows from them."""
    if series.strata is not None:
        each = [_plain(own) for own in series.strata.series]
        shared = {key: value for key, value in each[0].items() if key in _SHARED}
        fields: dict[str, Json] = {
            "kind": "stratified",
            "calendar": series.strata.calendar.value,
            "rows": list(series.strata.rows),
            "shared": shared,
            "strata": [{key: value for key, value in own.items() if key not in shared} for own in each],
        }
    else:
        fields = _plain(series)
    if series.dependence is not None:
        values, absent = ({"d": found.value, "settled": found.settled} for found in series.dependence)
        fields["dependence"] = {"values": values, "absent": absent}
    return fields


def _plain(series: SeriesBaseline) -> dict[str, Json]:
    fields: dict[str, Json] = {"kind": series.kind.value, "quality": series.quality.value, "m": series.m}
    match series:
        case NumericBaseline():
            fields |= {
                "spacings": series.grid.spacings.tolist(),
                "edges": series.grid.edges.tolist(),
                "ties": series.grid.ties.tolist(),
                "missing": series.missing,
                "min": series.minimum,
                "max": series.maximum,
                "mean": series.mean,
                "std": series.std,
            }
            if series.seen.any():
                fields["seen"] = series.seen.tolist()
        case CategoricalBaseline():
            fields |= {
                "categories": list(series.categories),
                "counts": list(series.counts),
                "other": series.other,
                "missing": series.missing,
                "unseen": {"k": series.unseen_k, "m": series.unseen_m},
            }
            if series.other_categories is not None:
                fields["other_categories"] = list(series.other_categories)
            if series.unlisted is not None:
                fields["unlisted"] = {"k": series.unlisted[0], "m": series.unlisted[1]}
        case BinaryBaseline():
            fields["counts"] = list(series.counts)
            if series.missing:
                fields["missing"] = series.missing
    return fields
