"""Schema of a native inference event."""

from __future__ import annotations

from stream_monitor.core.canonical import Json
from stream_monitor.core.plan import LimitsPlan
from stream_monitor.views.schemas.shape import FLAG, INTEGER, TEXT, mapping, name, or_null, record, root

_SCALAR: Json = {"type": ["number", "string", "boolean", "null"]}


def event() -> dict[str, Json]:
    """Return the schema of one prediction; unknown keys are ignored by the reader."""
    limits = LimitsPlan()
    features = {**mapping(_SCALAR), "maxProperties": limits.features, "propertyNames": name()}
    classes: Json = {
        "type": "object",
        "additionalProperties": {"type": "number", "minimum": 0, "maximum": 1},
        "minProperties": 1,
        "maxProperties": limits.categories,
    }
    body = record(
        {
            "event_id": name(),
            "model": name(),
            "timestamp": {"anyOf": [{"type": "string", "format": "date-time"}, INTEGER]},
        },
        {
            "version": {"anyOf": [name(least=0), INTEGER]},
            "features": features,
            "prediction": {"anyOf": [_SCALAR, classes]},
            "confidence": or_null({"type": "number", "minimum": 0, "maximum": 1}),
            "label": {"type": ["number", "string", "boolean"]},
            "latency_ms": or_null({"type": "number", "minimum": 0}),
            "error": {"anyOf": [FLAG, TEXT, {"type": "null"}]},
            "instance": or_null(name()),
            "segments": {
                **mapping({"type": ["string", "number", "boolean", "null"]}),
                "maxProperties": 8,
                "propertyNames": name(),
            },
            "tags": {"type": "object"},
            "sampled_rate": {"type": "integer", "minimum": 1},
        },
    )
    body["description"] = (
        "event_id may come from the key or a header, model from the input's setting, timestamp from the envelope or the"
        " record, if the input says so."
    )
    return root("event", "InferenceEvent", body)
