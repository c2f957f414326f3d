"""Findings about a value that may be given once and is given again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from stream_monitor.config.errors import Finding


def duplicates(path: str, values: Iterable[str]) -> Iterator[Finding]:
    """Yield a finding for every value that stands in the list before.

    >>> [str(finding) for finding in duplicates("rules.name", ["a", "b", "a"])]
    ['rules.name: must be given once, got a']
    """
    seen: set[str] = set()
    for value in values:
        if value in seen:
            yield Finding(path, "must be given once", value)
        seen.add(value)
