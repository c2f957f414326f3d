"""Write `schemas/*.schema.json`: `python -m stream_monitor.cli.schema_files`.

The files are for people and other programs; the code is the source, and a test compares the two.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import orjson

from stream_monitor.config.reference import json_schema
from stream_monitor.core.canonical import Json
from stream_monitor.views.schemas import SCHEMAS as RECORDS

FOLDER = Path(__file__).resolve().parents[2] / "schemas"

SCHEMAS: Mapping[str, Callable[[], dict[str, Json]]] = {**RECORDS, "config": json_schema}
"""Every schema by name: of records, and of the configuration file."""


def schema_text(name: str) -> str:
    """Return one schema as the text of its file."""
    return orjson.dumps(SCHEMAS[name](), option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


def main() -> None:
    """Write all files."""
    FOLDER.mkdir(exist_ok=True)
    for name in SCHEMAS:
        (FOLDER / f"{name}.schema.json").write_text(schema_text(name), "utf-8")
    sys.stdout.write(f"wrote {len(SCHEMAS)} schemas to {FOLDER}\n")


if __name__ == "__main__":
    main()
