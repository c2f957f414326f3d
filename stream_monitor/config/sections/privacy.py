"""What of an event may be shown in an alert."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import BeforeValidator, Field

from stream_monitor.config.errors import NOT_YET, Finding
from stream_monitor.config.fields import Name, Section, listed
from stream_monitor.core.plan import PrivacyPlan


class PrivacySection(Section):
    """What of an event may be shown in an alert."""

    example_values: bool = Field(default=False, description="`true` is not available yet.")
    example_tags: Annotated[tuple[Name, ...], BeforeValidator(listed)] = Field(
        default=(), description="Tags shown with examples."
    )

    def unavailable(self, path: str) -> Iterator[Finding]:
        """Yield a finding for every setting that would show values of events."""
        if self.example_values:
            yield Finding(f"{path}.example_values", f"{NOT_YET}: alerts hold no values of events; remove it", "true")
        if self.example_tags:
            yield Finding(f"{path}.example_tags", f"{NOT_YET}: tags are not kept; remove it")

    def to_plan(self) -> PrivacyPlan:
        """Return what alerts may show."""
        return PrivacyPlan(self.example_values, self.example_tags)
