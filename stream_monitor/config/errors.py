"""What is wrong with a configuration: the field, the rule, the value, and the fix.

>>> str(Finding("detection.pane", "must divide window (5m)", "7s"))
'detection.pane: must divide window (5m), got 7s'
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

HIDDEN = "***"

NOT_YET = "not available yet"
"""Rule of a setting of a feature that this version does not have."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken rule.

    Attributes:
        field: dotted path of the setting, as in the file.
        rule: what holds for a good value.
        value: the value as the user wrote it, None when there is none or when it may not be shown.
        fix: what to do, empty when the rule says it.
    """

    field: str
    rule: str
    value: str | None = None
    fix: str = ""

    def __str__(self) -> str:
        """Return the finding as one line."""
        got = "" if self.value is None else f", got {self.value}"
        fix = f": {self.fix}" if self.fix else ""
        return f"{self.field}: {self.rule}{got}{fix}"


class ConfigError(ValueError):
    """The configuration cannot be used; the caller prints the findings and exits with 2."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        """Keep the findings, at least one."""
        super().__init__("\n".join(str(f) for f in findings))
        self.findings = tuple(findings)


def refuse(field: str, rule: str, value: object = None, *, fix: str = "") -> ConfigError:
    """Return the error of a single finding."""
    return ConfigError([Finding(field, rule, None if value is None else shown(value), fix)])


def shown(value: object) -> str:
    """Return a value as it may stand in an error line: one line, at most 80 characters.

    >>> shown({"a": [1, 2]})
    '{"a": [1, 2]}'
    """
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    text = text.encode("unicode_escape").decode("ascii") if not text.isprintable() else text
    return text if len(text) <= 80 else text[:77] + "..."
