"""A condition: what it is called, and the pure function that finds it in what the judge knows after a pane."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from stream_monitor.core.judge.model.model_state import ModelState, VersionState
from stream_monitor.core.judge.standing.finding import Finding
from stream_monitor.core.plan import ConditionName, Plan
from stream_monitor.core.profile import Profile
from stream_monitor.core.rules.verdict import Pane


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
