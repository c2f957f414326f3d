"""Event time: how it is read, and how long the monitor waits for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from stream_monitor.config.errors import NOT_YET, Finding
from stream_monitor.config.fields import PositiveSpan, Section, Span, SpanOrOff, written
from stream_monitor.core.plan import TimePlan


class TimeSection(Section):
    """How event time is read, and how long the monitor waits for it."""

    unit: Literal["s", "ms", "us", "ns", "iso"] = Field(
        default="ms", description="Unit of numbers in non-native inputs."
    )
    zone: str = Field(default="UTC", description="Time zone of stamps without one, in non-native inputs.")
    fallback: Literal["none", "record"] = Field(
        default="none", description="`record`: an event without a time stamp gets the time of its Kafka record."
    )
    allowed_lateness: Span = Field(
        default=written("30s"),
        description="An event older than this, against the newest of its partition, is counted as late.",
    )
    idle_after: SpanOrOff = Field(
        default=written("30s"),
        description="A silent, caught-up partition advances by broker time after this long; `off`: it never does.",
    )
    idle_limit: Span = Field(
        default=written("1d"), description="Data older than this is history and never jumps to today."
    )
    max_ahead: PositiveSpan = Field(
        default=written("10m"), description="A partition this far ahead of the slowest one waits."
    )
    max_future: Span = Field(
        default=written("5m"),
        description="An event this far after its record's own time is a dead letter; one that is further ahead of the"
        " broker's clock moves the watermark to that clock only.",
    )
    max_past: Span = Field(
        default=written("7d"), description="An event this far before its record's own time is a dead letter."
    )

    def unavailable(self, path: str) -> Iterator[Finding]:
        """Yield a finding for every setting that only formats of other versions read."""
        if self.unit != "ms":
            yield Finding(f"{path}.unit", f"{NOT_YET}: native events say their unit by type; remove it", self.unit)
        if self.zone != "UTC":
            yield Finding(f"{path}.zone", f"{NOT_YET}: native events carry an offset; remove it", self.zone)

    def to_plan(self) -> TimePlan:
        """Return the time settings of the plan; all spans in milliseconds."""
        return TimePlan(
            unit=self.unit,
            zone=self.zone,
            fallback=self.fallback,
            allowed_lateness_ms=self.allowed_lateness,
            idle_after_ms=self.idle_after,
            idle_limit_ms=self.idle_limit,
            max_ahead_ms=self.max_ahead,
            max_future_ms=self.max_future,
            max_past_ms=self.max_past,
        )
