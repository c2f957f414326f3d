"""Parameters of a detector or a rule as the plan holds them: sorted, and frozen.

>>> plan_params({"b": [1, 2], "a": 3})
(('a', 3), ('b', (1, 2)))
"""

from __future__ import annotations

from collections.abc import Mapping

from stream_monitor.core.canonical import Json
from stream_monitor.core.plan import Params


def plan_params(values: Mapping[str, Json]) -> Params:
    """Return pairs of name and value by name; lists have become tuples."""
    return tuple(sorted((key, _frozen(value)) for key, value in values.items()))


def _frozen(value: Json) -> Json:
    if isinstance(value, list | tuple):
        return tuple(_frozen(item) for item in value)
    return value
