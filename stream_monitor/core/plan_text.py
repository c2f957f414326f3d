"""A plan from its text: what was stored beside the state of a judge, so that its history can be read again.

The text of an older or newer version of this program is read as well: what it does not name has the default, what it
names and nobody knows is left out. The plan keeps the name that it had, the hash of the text.

>>> read_plan(Plan().canonical).hash == Plan().hash
True
"""

from __future__ import annotations

import dataclasses
import types
import typing
from enum import StrEnum
from typing import Any

import orjson

from stream_monitor.core.plan import Plan


class UnreadablePlan(ValueError):
    """A stored text is no plan."""


def read_plan(text: bytes) -> Plan:
    """Return the plan of a canonical text.

    Raises:
        UnreadablePlan: it is none, or names what this version does not know.
    """
    try:
        found = orjson.loads(text)
        if not isinstance(found, dict):
            raise UnreadablePlan("must be a JSON object")
        plan = typing.cast("Plan", _read(Plan, found))
    except (ValueError, TypeError, KeyError) as error:
        raise UnreadablePlan(f"text of a plan: {error}") from error
    plan.__dict__["canonical"] = text  # its name stays that of the text, whatever fields this version has beside
    return plan


def _read(kind: Any, value: Any) -> Any:
    """Return a JSON value as what a field says; what has no type of ours is JSON and stays as it is."""
    if dataclasses.is_dataclass(kind):
        return _dataclass(kind, value)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return kind(value)
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        inner = next((own for own in arguments if dataclasses.is_dataclass(own)), None)
        return value if value is None or inner is None else _dataclass(inner, value)
    if origin is tuple and len(arguments) == 2 and arguments[1] is Ellipsis:
        return tuple(_read(arguments[0], item) for item in value)
    if origin is tuple:
        return tuple(_read(own, item) for own, item in zip(arguments, value, strict=True))
    return value


def _dataclass(kind: Any, value: Any) -> Any:
    hints = typing.get_type_hints(kind)
    known = [field.name for field in dataclasses.fields(kind) if field.name in value]
    return kind(**{name: _read(hints[name], value[name]) for name in known})
