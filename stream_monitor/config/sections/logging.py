"""What the worker logs, to standard error."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from stream_monitor.config.fields import Section
from stream_monitor.config.settings import LoggingSettings


class LoggingSection(Section):
    """What the worker logs, to standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="Least level logged.")
    format: Literal["json", "text"] = Field(
        default="json", description="One JSON object or one line of text a message."
    )

    def to_settings(self) -> LoggingSettings:
        """Return level and form of the log."""
        return LoggingSettings(self.level, self.format)
