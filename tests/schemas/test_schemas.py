"""The JSON Schemas: generated files, examples of the format reference, and the shape of what the code writes."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import get_args

import jsonschema
import msgspec
import orjson
import pytest

from stream_monitor.cli.schema_files import FOLDER, SCHEMAS, schema_text
from stream_monitor.core.alerts import event as wire
from stream_monitor.core.canonical import Json

EXAMPLES = Path(__file__).parent / "examples"
RECORDS = [name for name in SCHEMAS if name != "config"]


def _example(name: str) -> dict[str, Json]:
    value = orjson.loads((EXAMPLES / f"{name}.json").read_bytes())
    assert isinstance(value, dict)
    return value


@pytest.mark.parametrize("name", list(SCHEMAS))
def test_the_file_is_what_the_code_says(name: str) -> None:
    """`python -m stream_monitor.cli.schema_files` was run after the last change."""
    assert schema_text(name) == (FOLDER / f"{name}.schema.json").read_text("utf-8")


def test_no_file_is_left_behind() -> None:
    """A schema that is gone from the code is gone from the folder."""
    assert {f"{name}.schema.json" for name in SCHEMAS} == {path.name for path in FOLDER.glob("*.json")}


@pytest.mark.parametrize("name", list(SCHEMAS))
def test_a_schema_is_valid(name: str) -> None:
    """Each is a JSON Schema of draft 2020-12."""
    jsonschema.Draft202012Validator.check_schema(SCHEMAS[name]())


@pytest.mark.parametrize("name", RECORDS)
def test_the_example_is_valid(name: str) -> None:
    """The examples that the format reference shows are what the schema describes."""
    jsonschema.validate(_example(name), SCHEMAS[name]())


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_without_a_required_key_is_invalid(name: str) -> None:
    """The schemas are not so wide that anything passes."""
    schema = SCHEMAS[name]()
    required = schema["required"]
    assert isinstance(required, list)
    for key in required:
        broken = copy.deepcopy(_example(name))
        del broken[key]
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(broken, schema)


def test_the_alert_schema_has_the_fields_of_the_code() -> None:
    """A field added to the alert event is added to its schema by the same change."""
    properties = SCHEMAS["alert"]()["properties"]
    assert isinstance(properties, dict)

    assert _fields(wire.AlertCloudEvent) == _shape(properties)


def _fields(struct: type[msgspec.Struct]) -> dict[str, Json]:
    """Return the encoded names of a struct's fields, structs below them likewise."""
    found: dict[str, Json] = {}
    for field in msgspec.structs.fields(struct):
        inner = [kind for kind in _kinds(field.type) if isinstance(kind, type) and issubclass(kind, msgspec.Struct)]
        free = not inner or field.name == "annotations"  # annotations are open: users' tools may look for others
        found[field.encode_name] = {} if free else _fields(inner[0])
    return found


def _kinds(annotation: object) -> list[object]:
    return [annotation, *(kind for argument in get_args(annotation) for kind in _kinds(argument))]


def _shape(properties: dict[str, Json]) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for name, schema in properties.items():
        assert isinstance(schema, dict)
        item = schema.get("items", schema)
        inner = item.get("properties", {}) if isinstance(item, dict) else {}
        assert isinstance(inner, dict)
        found[name] = {} if name in ("labels", "values") else _shape(inner)
    return found
