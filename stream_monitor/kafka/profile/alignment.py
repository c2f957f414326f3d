"""Watermark alignment: partitions far ahead of the slowest one wait for it.

It changes when chunks are written, never what they hold; without it the panes of a lagging partition pile up in the
judge.

>>> slow, fast, done = Progress(0, False), Progress(900_000, False), Progress(5_000_000, True)
>>> sorted(too_far_ahead({"slow": slow, "fast": fast, "done": done}, max_ahead_ms=600_000))
['done', 'fast']
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a partition has come: its watermark in epoch milliseconds, and whether all it held has been read."""

    watermark_ms: int | None
    at_end: bool


def too_far_ahead(partitions: Mapping[Key, Progress], *, max_ahead_ms: int) -> set[Key]:
    """Return the partitions to pause: more than `max_ahead_ms` before the slowest that is not at its end.

    One that has records and has not told its time yet may be the slowest: the others wait until it has.
    """
    known = {key: p.watermark_ms for key, p in partitions.items() if p.watermark_ms is not None}
    if any(p.watermark_ms is None and not p.at_end for p in partitions.values()):
        return set(known)
    behind = [p.watermark_ms for p in partitions.values() if not p.at_end and p.watermark_ms is not None]
    limit = min(behind, default=0) + max_ahead_ms
    return {key for key, ms in known.items() if behind and ms > limit}
