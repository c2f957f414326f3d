"""Metrics, probes and status over HTTP."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from stream_monitor.config.errors import Finding
from stream_monitor.config.fields import PositiveSpan, Section, written
from stream_monitor.config.settings import HttpSettings

LARGEST_PORT = 65_535


class HttpSection(Section):
    """Metrics, probes and status."""

    address: str = Field(
        default="127.0.0.1:9464",
        pattern=r"^(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}$",
        description="host:port; port 0 takes a free one. Beyond loopback `/status` is not served.",
    )
    stall_after: PositiveSpan = Field(
        default=written("60s"), description="`/healthz` fails when a loop made no progress for this long."
    )

    def inconsistent(self, path: str) -> Iterator[Finding]:
        """Yield a finding when the address ends in a number that is no port."""
        if int(self.address.rpartition(":")[2]) > LARGEST_PORT:
            yield Finding(f"{path}.address", f"must end in a port of at most {LARGEST_PORT}", self.address)

    def to_settings(self) -> HttpSettings:
        """Return host and port apart, and the span in seconds."""
        host, _, port = self.address.rpartition(":")
        return HttpSettings(host.strip("[]"), int(port), self.stall_after / 1_000)
