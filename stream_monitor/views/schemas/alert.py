"""Schema of an alert event: a structured CloudEvent of `drift-alerts`."""

from __future__ import annotations

from stream_monitor.core.alerts.event import MAX_BINS, MAX_EXAMPLES, MAX_LEVELS, MAX_POSITIONS, MAX_RELATED, TYPE_PREFIX
from stream_monitor.core.alerts.lifecycle import AlertStatus, Reason
from stream_monitor.core.canonical import Json
from stream_monitor.core.plan import Severity
from stream_monitor.views.schemas.shape import (
    BASELINE_ID,
    COUNT,
    FINGERPRINT,
    INSTANT,
    NUMBER,
    TEXT,
    exactly,
    items,
    mapping,
    one_of,
    or_null,
    record,
    root,
)

_ALERT_ID: Json = {"type": "string", "pattern": r"^[0-9a-f]{16}-\d+$"}
_SPAN = record({"from": INSTANT, "to": INSTANT})


def alert() -> dict[str, Json]:
    """Return the schema of an alert event; its `data` is what Alertmanager takes."""
    body = record(
        {
            "specversion": exactly("1.0"),
            "id": {"type": "string", "pattern": r"^[0-9a-f]{16}-\d+-\d+$"},
            "source": {"type": "string", "pattern": "^/stream-monitor/"},
            "type": one_of(f"{TYPE_PREFIX}.{status}.v1" for status in AlertStatus),
            "subject": TEXT,
            "time": INSTANT,
            "datacontenttype": exactly("application/json"),
            "partitionkey": FINGERPRINT,
            "data": _data(),
        }
    )
    return root("alert", "Alert", body)


def _data() -> dict[str, Json]:
    labels: Json = {
        **record(
            {"alertname": TEXT, "model": TEXT, "rule": TEXT, "severity": one_of(Severity)},
            {"version": TEXT, "series": TEXT, "segment": TEXT},
        ),
        "additionalProperties": {"type": "string", "minLength": 1},
        "propertyNames": {"pattern": "^[a-z_][a-z0-9_]*$"},
    }
    return record(
        {
            "alert_id": _ALERT_ID,
            "fingerprint": FINGERPRINT,
            "status": one_of(AlertStatus),
            "reason": one_of(Reason),
            "sequence": COUNT,
            "labels": labels,
            "annotations": mapping(TEXT),
            "startsAt": INSTANT,
            "evidence": _evidence(),
        },
        {"endsAt": INSTANT, "generatorURL": TEXT},
    )


def _evidence() -> dict[str, Json]:
    position = record({"topic": TEXT, "partition": COUNT, "first": COUNT, "next": COUNT})
    example = record(
        {"event_id": TEXT, "partition": COUNT, "offset": COUNT},
        {"values": {"type": "object"}},
    )
    bins = record(
        {"baseline": items(NUMBER, most=MAX_BINS), "window": items(NUMBER, most=MAX_BINS)},
        {"edges": items(NUMBER, most=MAX_BINS - 1), "categories": items(TEXT, most=MAX_BINS)},
    )
    ends: Json = {"type": "array", "minItems": 2, "maxItems": 2, "items": or_null(NUMBER)}
    level = record({"of": TEXT, "baseline": NUMBER, "window": NUMBER}, {"baseline_range": ends, "window_range": ends})
    return record(
        {},
        {
            "detector": TEXT,
            "guarantee": {"type": "string", "pattern": "^(bound|bound_panes|calibrated|approximate:.+|none:.+)$"},
            "design_effect": {"type": "number", "exclusiveMinimum": 1},
            "log10_evidence": or_null(NUMBER),
            "log10_threshold": or_null(NUMBER),
            "expected_alarms": or_null(NUMBER),
            "statistic": NUMBER,
            "threshold": NUMBER,
            "budget_panes": NUMBER,
            "pane_ms": COUNT,
            "family": COUNT,
            "effect": record({"measure": TEXT, "value": NUMBER, "floor": NUMBER}, {"noise_95": NUMBER}),
            "previous": NUMBER,
            "levels": items(level, most=MAX_LEVELS),
            "worst": record({"value": NUMBER, "at": INSTANT, "levels": items(level, most=MAX_LEVELS)}),
            "window": {**_SPAN, "properties": {"from": INSTANT, "to": INSTANT, "n": COUNT}},
            "change": _SPAN,
            "baseline": record({"id": BASELINE_ID, "m": COUNT}),
            "bins": bins,
            "source": items(position, most=MAX_POSITIONS),
            "examples": items(example, most=MAX_EXAMPLES),
            "related": items(record({"series": TEXT}, {"segment": TEXT, "log10_evidence": NUMBER}), most=MAX_RELATED),
            "facts": mapping({"type": ["string", "number", "boolean", "array", "null"]}),
        },
    )
