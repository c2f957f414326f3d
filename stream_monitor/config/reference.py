"""The reference of all settings, generated from the typed file: `docs/configuration.md` and the JSON Schema."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter
from pydantic.fields import FieldInfo

from stream_monitor.config.file import ConfigFile
from stream_monitor.core.canonical import Json


@dataclass(frozen=True, slots=True)
class Setting:
    """One line of the reference.

    Attributes:
        path: dotted path; `[]` stands for an entry of a list.
        kind: what a value looks like, in words.
        default: its default as it would be written, empty for none.
        text: what it does.
    """

    path: str
    kind: str
    default: str
    text: str


def settings(section: type[BaseModel] = ConfigFile, prefix: str = "") -> Iterator[Setting]:
    """Yield every setting in the order of the file, depth first."""
    for name, field in section.model_fields.items():
        path = f"{prefix}{field.alias or name}"
        below = sections_of(field.annotation)
        many = _is_list(field.annotation)
        if below is not None:
            names = many and isinstance(field.default, tuple) and all(isinstance(v, str) for v in field.default)
            default = _default(field) if names else ""
            yield Setting(path, _kind(field) if many else "mapping", default, field.description or "")
            yield from settings(below, f"{path}[]." if many else f"{path}.")
        else:
            yield Setting(path, _kind(field), _default(field), field.description or "")


def json_schema() -> dict[str, Json]:
    """Return the JSON Schema (2020-12) of the file."""
    schema: dict[str, Json] = ConfigFile.model_json_schema(by_alias=True, mode="validation")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Configuration of stream-monitor",
        **{k: v for k, v in schema.items() if k != "title"},
    }


def sections_of(annotation: object) -> type[BaseModel] | None:
    """Return the section that a type holds, alone, optional or in a list."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in get_args(annotation):
        found = sections_of(argument)
        if found is not None:
            return found
    return None


def _is_list(annotation: object) -> bool:
    if get_origin(annotation) is tuple:
        return True
    if get_origin(annotation) in (Annotated, Union, types.UnionType):
        return any(_is_list(a) for a in get_args(annotation))
    return False


def _kind(field: FieldInfo) -> str:
    whole: Any = Annotated[(field.annotation, *field.metadata, "")]  # Any: a type made at run time
    adapter: TypeAdapter[object] = TypeAdapter(whole)
    schema: dict[str, Json] = adapter.json_schema(mode="validation")
    definitions = schema.get("$defs", {})
    assert isinstance(definitions, dict)
    return _words(schema, definitions)


def _words(schema: Json, definitions: Mapping[str, Json]) -> str:
    if not isinstance(schema, dict):
        return "any value"
    if "$ref" in schema:
        return _words(definitions[str(schema["$ref"]).rsplit("/", 1)[1]], definitions)
    if "enum" in schema:
        return " \\| ".join(f"`{v}`" for v in _list(schema["enum"]))
    if "const" in schema:
        return f"`{schema['const']}`"
    if "anyOf" in schema:
        branches = [s for s in _list(schema["anyOf"]) if s != {"type": "null"}]
        return " or ".join(dict.fromkeys(_words(s, definitions) for s in branches))
    kind = schema.get("type")
    if kind == "string" and "ms|s|m" in str(schema.get("pattern", "")):
        return "duration"
    if kind == "array" and "prefixItems" in schema:
        return "pair"
    if kind == "array":
        return f"list of {_plural(_words(schema.get('items', {}), definitions))}"
    if kind in ("integer", "number"):
        return _range("whole number" if kind == "integer" else "number", schema)
    return {"string": "text", "boolean": "`true` \\| `false`", "object": "mapping"}.get(str(kind), "any value")


def _range(word: str, schema: dict[str, Json]) -> str:
    low, high, above = schema.get("minimum"), schema.get("maximum"), schema.get("exclusiveMinimum")
    if low is not None and high is not None:
        return f"{word}, {low} to {high}"
    if above is not None:
        return f"{word} > {above}" + ("" if high is None else f", at most {high}")
    return word if low is None else f"{word} ≥ {low}"


_PLURALS = {"text": "texts", "mapping": "mappings", "pair": "pairs", "number > 0": "numbers > 0"}


def _plural(words: str) -> str:
    return " or ".join(_PLURALS.get(word, word) for word in words.split(" or "))


def _list(value: Json) -> list[Json]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _default(field: FieldInfo) -> str:
    value = field.default
    if field.is_required() or value is None:
        return ""
    return _written(value)


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple | list):
        return "[" + ", ".join(_written(v) for v in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {_written(v)}" for k, v in value.items()) + "}"
    if isinstance(value, str):
        return value if value not in ("", "*") else f'"{value}"'
    return str(value)
