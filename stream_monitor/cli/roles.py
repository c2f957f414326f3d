"""`--column ROLE=COLUMN`: which column of a file is what."""

from __future__ import annotations

from collections.abc import Iterable

from stream_monitor.cli.failures import CommandError


def parse_columns(texts: Iterable[str]) -> dict[str, str]:
    """Return the column of each role that was named.

    Raises:
        CommandError: a text is not ROLE=COLUMN, or no such role exists.
    """
    from stream_monitor.formats.tables import Role

    found: dict[str, str] = {}
    for text in texts:
        role, equals, column = text.partition("=")
        if not equals or not column or role not in set(Role):
            raise CommandError(f"--column: must be ROLE=COLUMN with a role of {', '.join(Role)}, got {text}")
        found[role] = column
    return found
