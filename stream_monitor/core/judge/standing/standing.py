"""Standing: the lives of the alerts of conditions, stepped once a pane like those of rules."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field, replace

import msgspec

from stream_monitor.core.alerts.identity import SeriesName
from stream_monitor.core.alerts.lifecycle import (
    UNPROVEN,
    Life,
    Patience,
    Reason,
    Recovery,
    advance,
    end,
    fresh_panes,
    remind,
)
from stream_monitor.core.judge.standing.finding import Finding
from stream_monitor.core.plan import ConditionName
from stream_monitor.core.rules.verdict import Pane, Verdict

Place = tuple[SeriesName, ConditionName]
"""What an alert of a condition is about, and which condition."""


class Held(msgspec.Struct, array_like=True, frozen=True):
    """Where a condition stands: the life of its alert, and what is needed to tell of its end."""

    life: Life
    floor: float
    summary: str


@dataclass(frozen=True, slots=True)
class ConditionStep:
    """A step in the life of an alert of a condition; without a finding the condition does not hold any more."""

    name: SeriesName
    condition: ConditionName
    before: Life
    held: Held
    reason: Reason
    finding: Finding | None


@dataclass(slots=True)
class Stood:
    """What a pane did to the alerts of conditions.

    Attributes:
        steps: in the order in which they are written.
        open: firing alerts after the pane, those of others included.
        withheld: alerts that wait for room.
    """

    steps: list[ConditionStep] = field(default_factory=list)
    open: int = 0
    withheld: list[tuple[SeriesName, str]] = field(default_factory=list)


class Standing:
    """The alerts of conditions of a model, or of a whole judge.

    Attributes:
        held: where each stands; one that is over is forgotten with its cooldown.
    """

    def __init__(self, held: Mapping[Place, Held] | None = None) -> None:
        self.held = dict(held or {})

    @property
    def firing(self) -> int:
        """Alerts that fire."""
        return sum(held.life.firing for held in self.held.values())

    def is_open(self, name: SeriesName, condition: ConditionName) -> bool:
        """Say whether the alert of a condition is pending or firing."""
        held = self.held.get((name, condition))
        return held is not None and held.life.open

    def step(
        self,
        findings: Iterable[tuple[ConditionName, Finding]],
        patience: Patience,
        now: Pane,
        *,
        seen: Callable[[SeriesName], bool],
        beside: int = 0,
        max_open: int,
    ) -> Stood:
        """Advance every life by a pane.

        Args:
            findings: what holds after the pane, by condition.
            patience: of the plan.
            now: the pane.
            seen: whether the pane says anything about a name; where it does not, only reminders are due.
            beside: firing alerts of others.
            max_open: alerts that may fire at the same time.
        """
        stood = Stood(open=beside + self.firing)
        found = {(finding.name, condition): finding for condition, finding in findings}
        for place in sorted({*found, *self.held}):
            name, condition = place
            finding, held = found.get(place), self.held.get(place) or Held(Life(), 1.0, "")
            if finding is None and not held.life.open:
                continue
            before = held.life
            if not seen(name):
                life, reason = remind(before, patience, now)
            else:
                value = Verdict(0.0, held.floor) if finding is None else Verdict(finding.value, finding.floor)
                if finding is not None and finding.waits:
                    value = replace(value, room=False)
                life, reason = advance(before, value, patience, now, _recovery(before, finding, patience, now))
                if reason is Reason.FIRED and stood.open >= max_open:
                    life, reason = advance(before, replace(value, room=False), patience, now)
                    stood.withheld.append((name, condition.value))
            held = Held(life, held.floor, held.summary)
            if finding is not None:
                held = Held(life, finding.floor, finding.summary)
            self.held[place] = held
            stood.open += life.firing - before.firing
            if reason is not None:
                stood.steps.append(ConditionStep(name, condition, before, held, reason, finding))
        self._forget(patience, now)
        return stood

    def end(
        self,
        reason: Reason,
        now: Pane,
        *,
        version: str | None = None,
        conditions: Container[ConditionName] | None = None,
    ) -> list[ConditionStep]:
        """End the alerts of a version, or of some conditions, or all of them."""
        steps: list[ConditionStep] = []
        for place in sorted(self.held):
            name, condition = place
            if version is not None and name.version != version:
                continue
            if conditions is not None and condition not in conditions:
                continue
            held = self.held.pop(place)
            life, ended = end(held.life, now.end_ms, reason)
            if ended is not None:
                after = Held(life, held.floor, held.summary)
                steps.append(ConditionStep(name, condition, held.life, after, ended, None))
        return steps

    def _forget(self, patience: Patience, now: Pane) -> None:
        for place, held in list(self.held.items()):
            resolved_ms = held.life.resolved_ms
            if not held.life.open and (resolved_ms is None or now.end_ms - resolved_ms >= patience.cooldown_ms):
                del self.held[place]


def _recovery(before: Life, finding: Finding | None, patience: Patience, now: Pane) -> Recovery:
    """Return what proves a condition over: as many panes without it as the end of a drift takes, for it is a fact.

    One that came back within its cooldown takes `resolve_after` panes, as a drift does.
    """
    if finding is not None or before.came_back(patience) or before.below + 1 < fresh_panes(patience.resolve_after):
        return UNPROVEN
    return Recovery(since_ms=before.recovers_ms if before.below else now.end_ms)
