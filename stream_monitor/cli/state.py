"""What the global options say: where the settings come from, and how output is written."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stream_monitor.config import Settings
    from stream_monitor.config.yaml_text import Plain


class OutputFormat(StrEnum):
    """How results are written: for people, or one JSON value a line."""

    TEXT = "text"
    JSON = "json"


@dataclass(frozen=True, slots=True)
class GlobalOptions:
    """The options that stand before any command, and may stand after it.

    Attributes:
        config: the file of `-c`.
        assignments: texts of `--set`.
        librdkafka: texts of `-X`.
        bootstrap: of `--bootstrap-servers`.
        instance: of `--instance`.
        output: of `--format`.
        traceback: of `--traceback`.
    """

    config: Path | None = None
    assignments: tuple[str, ...] = ()
    librdkafka: tuple[str, ...] = ()
    bootstrap: str | None = None
    instance: str | None = None
    output: OutputFormat = OutputFormat.TEXT
    traceback: bool = False

    def settings(self, *, needs_group: bool = True, base: Plain = None) -> Settings:
        """Return the settings in force.

        Args:
            needs_group: False for commands that run without a group; they take a default one.
            base: settings below everything: defaults of a command that knows better ones.

        Raises:
            ConfigError: the configuration cannot be used.
        """
        from stream_monitor.config import load

        overrides: dict[str, Plain] = {}
        if self.bootstrap is not None:
            overrides["kafka"] = {"bootstrap.servers": self.bootstrap}
        if self.instance is not None:
            overrides["instance"] = self.instance
        return load(
            self.config,
            assignments=self.assignments,
            librdkafka=self.librdkafka,
            overrides=overrides,
            base=base,
            needs_group=needs_group,
        )

    @property
    def json(self) -> bool:
        """True when one JSON value a line is wanted."""
        return self.output is OutputFormat.JSON
