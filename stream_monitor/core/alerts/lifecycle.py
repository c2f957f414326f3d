"""The life of an alert: quiet, pending, firing, resolved; a pure function of state, verdict, patience and instant.

>>> life, reason = advance(Life(), Verdict(0.3, floor=0.1), Patience(open_after=1), Pane(0, 10_000))
>>> life.status, reason
(<AlertStatus.FIRING: 'firing'>, <Reason.FIRED: 'fired'>)
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from enum import StrEnum

from stream_monitor.core.plan import HOUR_MS, MINUTE_MS, AlertsPlan
from stream_monitor.core.rules.verdict import Pane, Verdict

WORSENED_BY = 2.0
"""A firing alert is told again when its effect is this many times the last one told."""

_FRESH = 0.4
"""Share of `resolve_after` that fresh panes need at least: two minutes of the default five."""


class AlertStatus(StrEnum):
    """Where an alert is in its life; `pending` is not told to anybody unless the plan says so."""

    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"


class Reason(StrEnum):
    """Why the life of an alert took a step; the field `reason` of its events."""

    OPENED = "opened"
    FIRED = "fired"
    WORSENED = "worsened"
    REMINDER = "reminder"
    ESCALATED = "escalated"
    RECOVERED = "recovered"
    BASELINE_CHANGED = "baseline_changed"
    RULE_REMOVED = "rule_removed"
    MODEL_RETIRED = "model_retired"
    STATE_REBUILT = "state_rebuilt"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a life waits: panes in a row to open and to resolve, milliseconds between events.

    `open_events` is for who decides whether a verdict is mature; a life only counts panes.
    """

    open_after: int = 2
    resolve_after: int = 30
    cooldown_ms: int = 30 * MINUTE_MS
    reminder_ms: int = 4 * HOUR_MS
    open_events: int = 200

    @classmethod
    def of(cls, plan: AlertsPlan) -> Patience:
        """Take the patience of a plan."""
        return cls(plan.open_after, plan.resolve_after, plan.cooldown_ms, plan.reminder_ms, plan.open_events)


@dataclass(frozen=True, slots=True)
class Worst:
    """How far a firing alert went.

    Attributes:
        value: largest effect so far.
        at_ms: end of the pane in which it was seen.
        levels: what each level was normally and then, by what it is of.
    """

    value: float = 0.0
    at_ms: int = 0
    levels: tuple[tuple[str, float, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Life:
    """Where a rule stands on a series.

    Attributes:
        status: None before the first alert; a resolved life is as quiet as a new one.
        starts_ms: start of the pane that opened the alert.
        above: panes in a row at or above the floor, while pending.
        below: panes in a row below the floor, while firing.
        recovers_ms: end of the first pane of that row.
        sequence: of the last event, 0 before it fired.
        told_value: effect in the last event.
        told_ms: instant of the last event.
        resolved_ms: instant of the last resolution after firing; None if it never fired. Outlives the alert.
        worst: how far it went while it fired.
        withheld: pending for no reason of its own: there was no room, or it is in its cooldown.
    """

    status: AlertStatus | None = None
    starts_ms: int = 0
    above: int = 0
    below: int = 0
    recovers_ms: int = 0
    sequence: int = 0
    told_value: float = 0.0
    told_ms: int = 0
    resolved_ms: int | None = None
    worst: Worst = Worst()
    withheld: bool = False

    @property
    def open(self) -> bool:
        """Say whether an alert is pending or firing."""
        return self.status is AlertStatus.PENDING or self.status is AlertStatus.FIRING

    @property
    def firing(self) -> bool:
        """Say whether an alert is firing."""
        return self.status is AlertStatus.FIRING

    def came_back(self, patience: Patience) -> bool:
        """Say whether the alert opened within the cooldown of its last end: a drift that comes and goes."""
        return self.resolved_ms is not None and self.starts_ms - self.resolved_ms < patience.cooldown_ms


class Ending(StrEnum):
    """How the end of a drift was judged."""

    PROVEN = "proven"
    """Fresh panes have proven it."""
    UNPROVEN = "unproven"
    """They could not; the whole window was below the floor for long enough."""
    CAME_BACK = "came_back"
    """They were not asked: the drift had come back within the cooldown of its last end."""


@dataclass(frozen=True, slots=True)
class Recovery:
    """What a firing alert is told about its end, beside the verdict of its own rule.

    Attributes:
        kept: a milder rule of the same family still holds, so that the severe one goes on for both.
        since_ms: end of the first of the fresh panes that prove that it is over; None when they do not.
    """

    kept: bool = False
    since_ms: int | None = None


UNPROVEN = Recovery()
"""Only the rule itself has something to say."""


def fresh_panes(resolve_after: int) -> int:
    """Return the fewest fresh panes that may prove an end.

    >>> fresh_panes(30), fresh_panes(3), fresh_panes(1)
    (12, 2, 1)
    """
    return max(1, math.ceil(_FRESH * resolve_after))


def advance(
    life: Life, verdict: Verdict, patience: Patience, now: Pane, recovery: Recovery = UNPROVEN
) -> tuple[Life, Reason | None]:
    """Return the life after a pane, and the reason of the step it took, None if it took none.

    A pane in which nothing was seen has no verdict and is not passed in: it neither heals nor hurts.
    """
    match life.status:
        case AlertStatus.FIRING:
            return _firing(life, verdict, patience, now, recovery)
        case AlertStatus.PENDING if verdict.holds:
            return _pending(replace(life, above=life.above + 1), verdict, patience, now)
        case AlertStatus.PENDING:
            return _close(life, now.end_ms, Reason.RECOVERED)
        case _ if verdict.holds:
            opened = Life(AlertStatus.PENDING, starts_ms=now.start_ms, above=1, resolved_ms=life.resolved_ms)
            after, reason = _pending(opened, verdict, patience, now)
            return after, reason or Reason.OPENED
        case _:
            return life, None


def remind(life: Life, patience: Patience, now: Pane) -> tuple[Life, Reason | None]:
    """Return the life after a pane without a verdict: a firing alert is still told again from time to time."""
    if life.firing and now.end_ms - life.told_ms >= patience.reminder_ms:
        return _tell(life, life.told_value, now), Reason.REMINDER
    return life, None


def end(life: Life, now_ms: int, reason: Reason) -> tuple[Life, Reason | None]:
    """Return the life after something outside ended it: a new baseline, a removed rule, a retired model."""
    return _close(replace(life, recovers_ms=now_ms), now_ms, reason) if life.open else (life, None)


def recover_beside(life: Life, now_ms: int) -> tuple[Life, Reason | None]:
    """Return the life of a milder rule when the severe one recovers: closed too, and as long in its cooldown."""
    closed, reason = end(life, now_ms, Reason.RECOVERED)
    return replace(closed, resolved_ms=now_ms), reason


def _pending(life: Life, verdict: Verdict, patience: Patience, now: Pane) -> tuple[Life, Reason | None]:
    cooling = life.resolved_ms is not None and now.end_ms - life.resolved_ms < patience.cooldown_ms
    if life.above < patience.open_after or not verdict.mature:
        return life, None
    if not verdict.room or cooling:
        return replace(life, withheld=True), None
    return _tell(replace(life, status=AlertStatus.FIRING, above=0, withheld=False), verdict.value, now), Reason.FIRED


def _firing(
    life: Life, verdict: Verdict, patience: Patience, now: Pane, recovery: Recovery
) -> tuple[Life, Reason | None]:
    if recovery.since_ms is not None:
        return _close(replace(life, recovers_ms=recovery.since_ms), now.end_ms, Reason.RECOVERED)
    if verdict.holds or recovery.kept:
        life = replace(life, below=0)
        if verdict.holds and verdict.value >= WORSENED_BY * life.told_value:
            return _tell(life, verdict.value, now), Reason.WORSENED
    else:
        first = life.recovers_ms if life.below else now.end_ms
        life = replace(life, below=life.below + 1, recovers_ms=first)
        if life.below >= patience.resolve_after:
            return _close(life, now.end_ms, Reason.RECOVERED)
    if now.end_ms - life.told_ms >= patience.reminder_ms:
        return _tell(life, verdict.value, now), Reason.REMINDER
    return life, None


def _tell(life: Life, value: float, now: Pane) -> Life:
    return replace(life, sequence=life.sequence + 1, told_value=value, told_ms=now.end_ms)


def _close(life: Life, now_ms: int, reason: Reason) -> tuple[Life, Reason]:
    resolved = now_ms if life.firing else life.resolved_ms
    closed = replace(
        life,
        status=AlertStatus.RESOLVED,
        sequence=life.sequence + 1,
        told_ms=now_ms,
        resolved_ms=resolved,
        withheld=False,
    )
    return closed, reason
