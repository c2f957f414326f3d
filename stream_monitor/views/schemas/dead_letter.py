"""Schema of the headers that a dead letter carries behind those of the original."""

from __future__ import annotations

from stream_monitor.core.canonical import Json
from stream_monitor.core.names import RejectReason, Stage
from stream_monitor.views.schemas.shape import TEXT, one_of, record, root

_DECIMAL: Json = {"type": "string", "pattern": "^[0-9]+$"}


def dead_letter_headers() -> dict[str, Json]:
    """Return the schema of the headers as an object of texts; key and value are the original's, byte for byte."""
    connect = "__connect.errors."
    body = record(
        {
            f"{connect}topic": TEXT,
            f"{connect}partition": _DECIMAL,
            f"{connect}offset": _DECIMAL,
            f"{connect}connector.name": TEXT,
            f"{connect}class.name": TEXT,
            f"{connect}stage": one_of(Stage),
            f"{connect}exception.class.name": TEXT,
            f"{connect}exception.message": {"type": "string", "maxLength": 256},
            "stream_monitor.reason": one_of(RejectReason),
            "stream_monitor.timestamp_ms": {"type": "string", "pattern": "^-?[0-9]+$"},
        },
        {
            "stream_monitor.sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
            "stream_monitor.bytes": _DECIMAL,
        },
    )
    return root("dead_letter_headers", "Headers of a dead letter", body)
