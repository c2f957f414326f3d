"""Schemas of the two records of `drift-profiles`."""

from __future__ import annotations

from stream_monitor.core.canonical import Json
from stream_monitor.core.names import EventKind, ValueKind
from stream_monitor.views.schemas.shape import (
    BASELINE_ID,
    COUNT,
    FLAG,
    INTEGER,
    NUMBER,
    TEXT,
    exactly,
    items,
    mapping,
    name,
    one_of,
    or_null,
    pair,
    record,
    root,
)

_SOURCE = record({"topic": TEXT, "partition": COUNT, "epoch": COUNT, "seq": COUNT, "lease": COUNT})

_SERIES = record(
    {"missing": COUNT},
    {
        "bins": items(COUNT),
        "sparse": items(pair(COUNT, COUNT)),
        "absent": or_null(COUNT),
        "invalid": COUNT,
        "min": or_null(NUMBER),
        "max": or_null(NUMBER),
        "distinct": TEXT,
        "strange": items(one_of(ValueKind)),
    },
)
_SERIES["required"] = []

_EXAMPLE = record(
    {"hash": {"type": "string", "pattern": "^[0-9a-f]{16}$"}, "event_id": TEXT, "offset": COUNT},
    {
        "partition": COUNT,
        "topic": TEXT,
        "tie": COUNT,
        "values": mapping({"type": ["number", "string", "boolean", "null"]}),
        "invalid": items(TEXT),
        "segments": mapping(TEXT),
    },
)


def profile() -> dict[str, Json]:
    """Return the schema of a profile record: the counts of one model, version, segment and pane in one chunk."""
    body = record(
        {
            "kind": exactly("profile"),
            "schema_version": exactly(1),
            "model": name(),
            "version": name(least=0),
            "segment": TEXT,
            "pane_ms": INTEGER,
            "pane_length_ms": {"type": "integer", "minimum": 1},
            "late": FLAG,
            "baseline": or_null(BASELINE_ID),
            "source": _SOURCE,
            "index": COUNT,
            "part": pair(COUNT, {"type": "integer", "minimum": 1}),
            "offsets": pair(COUNT, COUNT),
            "rows": {**mapping(COUNT), "propertyNames": {"enum": [kind.value for kind in EventKind]}},
            "demand": COUNT,
            "series": mapping(_SERIES),
        },
        {
            "examples": items(_EXAMPLE),
            "undeclared": record(
                {"count": COUNT, "names": items(TEXT, most=20)},
                {"rows": items(COUNT, most=20), "kinds": items(items(one_of(ValueKind)), most=20)},
            ),
            "supplements": items(BASELINE_ID, least=1),
        },
    )
    return root("profile", "Profile", body)


def progress() -> dict[str, Json]:
    """Return the schema of a progress record: the last record of a chunk in each judge partition."""
    counts = record(dict.fromkeys(("read", "counted", "late", "rejected", "tombstones"), COUNT))
    ahead = record({"events": COUNT, "offset": COUNT, "stamped_ms": INTEGER, "broker_ms": INTEGER})
    body = record(
        {
            "kind": exactly("progress"),
            "schema_version": exactly(1),
            "source": _SOURCE,
            "topic_id": TEXT,
            "source_partitions": {"type": "integer", "minimum": 1},
            "first": COUNT,
            "next": COUNT,
            "prev": pair(COUNT, COUNT),
            "records": COUNT,
            "digest": {"type": "string", "pattern": "^[0-9a-f]{10}$"},
            "watermark_ms": or_null(INTEGER),
            "plan": {"type": "string", "pattern": "^[0-9a-f]{10}$"},
            "baselines_next": COUNT,
            "counts": counts,
        },
        {"idle_until_ms": or_null(INTEGER), "max_ms": or_null(INTEGER), "ahead": ahead},
    )
    return root("progress", "Progress", body)
