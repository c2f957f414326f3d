"""Texts that stand for no value where a number is expected."""

from __future__ import annotations

from typing import Final

MISSING_TEXTS: Final = frozenset(
    {"", "na", "n/a", "#n/a", "#na", "<na>", "nan", "-nan", "null", "none", "nil", "?"}  # in lower case
)
