"""A finding: a condition that holds after a pane, in numbers and in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stream_monitor.core.alerts.event import Fact
from stream_monitor.core.alerts.identity import SeriesName
from stream_monitor.core.names import no_guarantee

STORM_OF = 5
"""Columns that are gone, or new, since the same pane from which on they are one story."""

FACT = no_guarantee("fact")
"""Guarantee of a condition in which chance plays no part: there is nothing to promise."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A condition that holds after a pane.

    Attributes:
        name: what it is about; without a series it is the version, without a version the model.
        summary: what is the case, without the name of the model.
        detail: the numbers behind it, a sentence without a full stop.
        todo: what to do about it, likewise.
        value, floor: how much of it there is, and from how much on it counts, in the measure of the condition.
        facts: the numbers and names behind it.
        guarantee: what the false-alarm budget promises.
        since_ms: start of the first pane in which it held.
        rows: events that were looked at.
        waits: another alert tells the story.
    """

    name: SeriesName
    summary: str
    detail: str
    todo: str
    value: float
    floor: float
    facts: Mapping[str, Fact]
    since_ms: int
    rows: int
    guarantee: str = FACT
    waits: bool = False
