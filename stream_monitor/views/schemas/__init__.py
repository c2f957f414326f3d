"""JSON Schemas (2020-12) of everything that enters or leaves, built from the code's own lists of names and limits.

One schema a file; a new one is a new line in `SCHEMAS`. Readers ignore unknown keys, so what we publish may gain keys;
required keys and closed enums change with a new `schema_version` only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from stream_monitor.core.canonical import Json
from stream_monitor.views.schemas.alert import alert
from stream_monitor.views.schemas.baseline import activation, baseline, end, gathering, start, supplement
from stream_monitor.views.schemas.dead_letter import dead_letter_headers
from stream_monitor.views.schemas.event import event
from stream_monitor.views.schemas.log import profile, progress

SCHEMAS: Mapping[str, Callable[[], dict[str, Json]]] = {
    "event": event,
    "profile": profile,
    "progress": progress,
    "baseline": baseline,
    "activation": activation,
    "supplement": supplement,
    "gathering": gathering,
    "end": end,
    "start": start,
    "alert": alert,
    "dead_letter_headers": dead_letter_headers,
}
"""Every schema of a record, by name."""
