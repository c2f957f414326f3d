"""`schema print NAME`: the JSON Schemas of everything that enters or leaves."""

from __future__ import annotations

from typing import Annotated

import typer

from stream_monitor.cli.failures import CommandError
from stream_monitor.cli.output import say

app = typer.Typer(help="JSON Schemas: list, print.", no_args_is_help=True)


@app.command("print")
def print_schema(name: Annotated[str, typer.Argument(help="Name of a schema; `list` shows them.")]) -> None:
    """Print one JSON Schema (2020-12)."""
    from stream_monitor.cli.schema_files import SCHEMAS, schema_text

    if name not in SCHEMAS:
        raise CommandError(f"schema must be one of {', '.join(SCHEMAS)}, got {name}")
    say(schema_text(name).rstrip("\n"))


@app.command("list")
def list_schemas() -> None:
    """List the names of the schemas."""
    from stream_monitor.cli.schema_files import SCHEMAS

    for name in SCHEMAS:
        say(name)
