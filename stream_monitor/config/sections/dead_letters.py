"""When bad records are too many, and what then."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from stream_monitor.config.fields import Number, Section
from stream_monitor.config.settings import DeadLetters


class DeadLettersSection(Section):
    """When bad records are too many, and what then."""

    max_share: Number = Field(default=0.1, gt=0, le=1, description="Share of a partition's last 10,000 records.")
    max_consecutive: int = Field(default=1_000, ge=1, le=10_000_000, description="Bad records in a row.")
    on_excess: Literal["stop", "pause", "continue"] = Field(
        default="stop",
        description="When there are more: end the worker with exit code 4, leave the partition alone (not ready,"
        " judging waits for it), or go on.",
    )

    def to_settings(self) -> DeadLetters:
        """Return the limits of bad records."""
        return DeadLetters(self.max_share, self.max_consecutive, self.on_excess)
