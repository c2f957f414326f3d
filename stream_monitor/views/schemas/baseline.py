"""Schemas of the records of `drift-baselines`: documents, activations and their ends, starts of groups."""

from __future__ import annotations

from stream_monitor.core.baseline import Branch, OriginType, Quality, ValueType
from stream_monitor.core.calendar import Calendar
from stream_monitor.core.canonical import Json
from stream_monitor.core.keys import ROW_HASH_VERSION
from stream_monitor.views.schemas.shape import (
    BASELINE_ID,
    COUNT,
    INSTANT,
    INTEGER,
    NUMBER,
    TEXT,
    exactly,
    items,
    mapping,
    name,
    one_of,
    pair,
    record,
    root,
)

_SHARE = record({"k": COUNT, "m": COUNT})
_LEAD: dict[str, Json] = {"lead_ms": COUNT}
"""Lead that the writer kept; records of older versions lack it."""


def baseline() -> dict[str, Json]:
    """Return the schema of a baseline document, or of one part of it."""
    body = record(
        {
            "kind": exactly("baseline"),
            "schema_version": exactly(1),
            "id": BASELINE_ID,
            "model": name(),
            "version": name(least=0),
            "hash": exactly(ROW_HASH_VERSION),
            "origin": record({"type": one_of(OriginType), "rows": COUNT}, {"from": INSTANT, "to": INSTANT}),
            "series": _series(),
        },
        {
            "constraints": mapping(_constraint()),
            "segments": mapping(record({"rows": COUNT, "series": _series()})),
            "part": pair(COUNT, {"type": "integer", "minimum": 1}),
        },
    )
    return root("baseline", "Baseline", body)


def activation() -> dict[str, Json]:
    """Return the schema of an activation: a baseline counts from a pane on."""
    keys: dict[str, Json] = {"kind": exactly("activation"), "schema_version": exactly(1)}
    body = record({**keys, "baseline": BASELINE_ID, "from_ms": INTEGER}, {"automatic": {"type": "boolean"}, **_LEAD})
    return root("activation", "Activation", body)


def supplement() -> dict[str, Json]:
    """Return the schema of the activation of a supplement: references of series that a baseline lacks."""
    keys: dict[str, Json] = {"kind": exactly("supplement"), "schema_version": exactly(1)}
    body = record({**keys, "baseline": BASELINE_ID, "extends": BASELINE_ID, "from_ms": INTEGER}, _LEAD)
    return root("supplement", "Supplement", body)


def gathering() -> dict[str, Json]:
    """Return the schema of a request to gather rows for a supplement."""
    keys: dict[str, Json] = {"kind": exactly("gathering"), "schema_version": exactly(1)}
    return root("gathering", "Gathering", record({**keys, "from_ms": INTEGER}, _LEAD))


def end() -> dict[str, Json]:
    """Return the schema of the end of an activation: it does not count from a pane on."""
    keys: dict[str, Json] = {"kind": exactly("end"), "schema_version": exactly(1)}
    body = record({**keys, "branch": one_of(Branch), "from_ms": INTEGER, "until_ms": INTEGER}, _LEAD)
    return root("end", "End", body)


def start() -> dict[str, Json]:
    """Return the schema of the start of a group of workers."""
    keys: dict[str, Json] = {"kind": exactly("start"), "schema_version": exactly(1)}
    return root("start", "Start", record({**keys, "partitions": mapping(COUNT)}))


def _series() -> dict[str, Json]:
    return mapping({"oneOf": [_numeric(), _categorical(), _binary(), _stratified()]})


def _dependence() -> dict[str, Json]:
    effect = record({"d": {"type": "number", "minimum": 1}, "settled": {"type": "boolean"}})
    return record({"values": effect, "absent": effect})


def _numeric() -> dict[str, Json]:
    return record(
        {
            "kind": exactly("numeric"),
            "quality": one_of(Quality),
            "m": COUNT,
            "spacings": items({"type": "integer", "minimum": 1}, least=2),
            "edges": items(NUMBER, least=1),
            "ties": items({"type": "integer", "minimum": 0, "exclusiveMaximum": 2**53}, least=1),
            "missing": COUNT,
            "min": NUMBER,
            "max": NUMBER,
            "mean": NUMBER,
            "std": NUMBER,
        },
        {"seen": items(COUNT), "dependence": _dependence()},
    )


def _categorical() -> dict[str, Json]:
    return record(
        {
            "kind": exactly("categorical"),
            "quality": one_of(Quality),
            "m": COUNT,
            "categories": items(TEXT),
            "counts": items(COUNT),
            "other": COUNT,
            "missing": COUNT,
            "unseen": _SHARE,
        },
        {"other_categories": items(TEXT, most=1_000), "unlisted": _SHARE, "dependence": _dependence()},
    )


def _binary() -> dict[str, Json]:
    return record(
        {"kind": exactly("binary"), "quality": one_of(Quality), "m": COUNT, "counts": pair(COUNT, COUNT)},
        {"missing": COUNT, "dependence": _dependence()},
    )


def _stratified() -> dict[str, Json]:
    """Return the shape of strata: each is a series of one of the other shapes without the keys in `shared`."""
    return record(
        {
            "kind": exactly("stratified"),
            "calendar": one_of(Calendar),
            "rows": items(COUNT, least=2),
            "shared": {"type": "object", "required": ["kind", "quality"]},
            "strata": items({"type": "object"}, least=2),
        },
        {"dependence": _dependence()},
    )


def _constraint() -> dict[str, Json]:
    return record(
        {},
        {
            "type": one_of(ValueType),
            "completeness": {"type": "number", "minimum": 0, "maximum": 1},
            "min": NUMBER,
            "max": NUMBER,
            "allowed": items(TEXT),
        },
    )
