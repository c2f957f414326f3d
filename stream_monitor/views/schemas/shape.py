"""Small words to write JSON Schemas with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum

from stream_monitor.core.canonical import Json

DIALECT = "https://json-schema.org/draft/2020-12/schema"
ID_PREFIX = "https://stream-monitor.dev/schemas/"

INSTANT: Json = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$"}
NUMBER: Json = {"type": "number"}
COUNT: Json = {"type": "integer", "minimum": 0}
INTEGER: Json = {"type": "integer"}
TEXT: Json = {"type": "string"}
FLAG: Json = {"type": "boolean"}
BASELINE_ID: Json = {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"}
FINGERPRINT: Json = {"type": "string", "pattern": "^[0-9a-f]{16}$"}


def root(name: str, title: str, body: Mapping[str, Json]) -> dict[str, Json]:
    """Return a whole schema with its dialect, id and title."""
    return {"$schema": DIALECT, "$id": f"{ID_PREFIX}{name}.schema.json", "title": title, **body}


def record(
    required: Mapping[str, Json], optional: Mapping[str, Json] | None = None, *, closed: bool = False
) -> dict[str, Json]:
    """Return an object with these keys; `closed` refuses all others."""
    shape: dict[str, Json] = {
        "type": "object",
        "required": sorted(required),
        "properties": {**required, **(optional or {})},
    }
    if closed:
        shape["additionalProperties"] = False
    return shape


def items(of: Json, *, least: int = 0, most: int | None = None) -> dict[str, Json]:
    """Return an array of one kind of item."""
    shape: dict[str, Json] = {"type": "array", "items": of}
    if least:
        shape["minItems"] = least
    if most is not None:
        shape["maxItems"] = most
    return shape


def mapping(of: Json) -> dict[str, Json]:
    """Return an object whose keys are names and whose values are of one kind."""
    return {"type": "object", "additionalProperties": of}


def pair(first: Json, second: Json) -> dict[str, Json]:
    """Return an array of exactly two items."""
    return {"type": "array", "prefixItems": [first, second], "items": False, "minItems": 2}


def one_of(values: Iterable[str] | type[StrEnum]) -> dict[str, Json]:
    """Return a closed list of texts."""
    return {"enum": [str(value) for value in values]}


def exactly(value: Json) -> dict[str, Json]:
    """Return the schema of one value."""
    return {"const": value}


def or_null(shape: Json) -> dict[str, Json]:
    """Return a shape that may be null as well."""
    return {"anyOf": [shape, {"type": "null"}]}


def name(most: int = 128, *, least: int = 1) -> dict[str, Json]:
    """Return a name: its length is in bytes of UTF-8, which a schema can only bound by characters."""
    return {"type": "string", "minLength": least, "maxLength": most}
