"""The Schema Registry, which no input format of this version uses."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from stream_monitor.config.errors import NOT_YET, Finding
from stream_monitor.config.fields import Section


class SchemaRegistrySection(Section):
    """Where Avro, Protobuf and JSON Schema inputs find their schemas."""

    url: str = Field(description="Address of the Schema Registry.")
    username: str | None = Field(default=None, description="User name.")
    password: str | None = Field(default=None, description="Password.")

    def unavailable(self, path: str) -> Iterator[Finding]:
        """Yield a finding: the whole section would do nothing."""
        yield Finding(path, f"{NOT_YET}: no input format of this version uses one; remove it")
