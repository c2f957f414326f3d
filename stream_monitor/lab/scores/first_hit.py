"""The first-hit rule: which alarms of a stream are right, given where it truly changed.

The first alarm in `[change, change + max_delay]` is a hit, never beyond the next change. After a hit, alarms until
the next change are ignored: the stream is still drifted, and nobody is told anything wrong. All other alarms are
false, those that come too late included.

>>> matched = match([100, 520, 700, 2300], [Change(500), Change(2000)], max_delay=200)
>>> matched.hits, matched.false
((520, None), (100, 2300))
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """A true change of a stream.

    Attributes:
        start: position of the first changed event.
        end: position of the first event that is as before again; infinite when it stays.
    """

    start: float
    end: float = math.inf


@dataclass(frozen=True, slots=True)
class Match:
    """A stream's alarms beside its changes.

    Attributes:
        changes: in order.
        hits: the alarm that found each change, None for a miss.
        false: the alarms that found nothing.
        ignored: further alarms of changes that had been found.
    """

    changes: tuple[Change, ...]
    hits: tuple[float | None, ...]
    false: tuple[float, ...]
    ignored: tuple[float, ...]

    @property
    def delays(self) -> tuple[float, ...]:
        """From each change to its hit; infinite for a miss."""
        pairs = zip(self.changes, self.hits, strict=True)
        return tuple(math.inf if hit is None else hit - change.start for change, hit in pairs)


def match(alarms: Iterable[float], changes: Iterable[Change], *, max_delay: float = math.inf) -> Match:
    """Hold alarms against the true changes of one stream.

    Args:
        alarms: their positions, in any order.
        changes: the true changes, in any order; at most one at a position.
        max_delay: how late an alarm may be to count as a hit.
    """
    ordered = tuple(sorted(changes))
    ends = [*(change.start for change in ordered[1:]), math.inf]
    hits: list[float | None] = [None] * len(ordered)
    false, ignored = [], []
    for alarm in sorted(alarms):
        place = _change_before(alarm, ordered, ends)
        if place is None:
            false.append(alarm)
        elif hits[place] is not None:
            ignored.append(alarm)
        elif alarm <= ordered[place].start + max_delay:
            hits[place] = alarm
        else:
            false.append(alarm)
    return Match(ordered, tuple(hits), tuple(false), tuple(ignored))


def _change_before(alarm: float, changes: Sequence[Change], ends: Sequence[float]) -> int | None:
    for place, change in enumerate(changes):
        if change.start <= alarm < ends[place]:
            return place
    return None
