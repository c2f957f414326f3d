"""A condition: what it is called, and the pure function that finds it in what the judge knows after a pane."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stream_monitor.core.alerts.event import Fact
from stream_monitor.core.alerts.identity import SeriesName
from stream_monitor.core.names import no_guarantee
from stream_monitor.core.plan import ConditionName, Plan
from stream_monitor.core.profile import Profile
from stream_monitor.core.rules.verdict import Pane

if TYPE_CHECKING:
    from stream_monitor.core.judge.model.model_state import ModelState, VersionState

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


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """What the judge knows of a model after a pane.

    Attributes:
        profiles: what the pane holds of each version.
        started_ms: start of the first pane with events that this judge has closed.
    """

    model: ModelState
    profiles: Mapping[str, Profile]
    plan: Plan
    now: Pane
    started_ms: int

    @property
    def versions(self) -> Iterator[tuple[str, VersionState, Profile]]:
        """The versions with events in the pane, by name."""
        for name in sorted(self.profiles.keys() & self.model.versions.keys()):
            yield name, self.model.versions[name], self.profiles[name]


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition of models.

    Attributes:
        name: its setting in `conditions`, and the label `rule` of its alerts.
        alertname: the label of that name.
        measure: what value and floor of its findings are.
        find: returns what holds after a pane.
    """

    name: ConditionName
    alertname: str
    measure: str
    find: Callable[[Scene], Iterator[Finding]]
