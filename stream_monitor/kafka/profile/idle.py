"""Idle facts (step 14): a silent, caught-up partition advances by the broker's clock, written down like any fact.

The worker's own clock decides nothing here: a clock five minutes fast would make good events late for ever.

>>> idle_until(IdleFacts(broker_ms=90_000, quiet_since_ms=20_000, at_end=True), TimePlan(), pane_ms=10_000)
30000
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from stream_monitor.core.plan import DAY_MS, TimePlan


class Awake(StrEnum):
    """Why a partition does not advance."""

    OFF = "off"
    NOT_AT_END = "not_at_end"
    TOO_SOON = "too_soon"
    HISTORY = "history"
    IMPLAUSIBLE = "implausible"
    NOTHING_NEW = "nothing_new"


@dataclass(frozen=True, slots=True)
class IdleFacts:
    """What is known of a silent partition; instants are epoch milliseconds.

    Attributes:
        broker_ms: a broker time, taken from a delivery report.
        quiet_since_ms: the first broker time taken after the last non-empty chunk and after the assignment.
        at_end: the end of the partition was reached at an offset that was its end, with no transaction open, when asked
            after `broker_ms` was taken.
        max_ms: largest event time; None before the first event.
        idle_ms: how far broker time has advanced the partition already.
        record_ms: largest record time seen.
    """

    broker_ms: int | None
    quiet_since_ms: int | None
    at_end: bool
    max_ms: int | None = None
    idle_ms: int | None = None
    record_ms: int | None = None


def idle_until(facts: IdleFacts, plan: TimePlan, *, pane_ms: int) -> int | Awake:
    """Return the pane end up to which a partition is idle, or why it is not."""
    if plan.idle_after_ms is None:
        return Awake.OFF
    if not facts.at_end:
        return Awake.NOT_AT_END
    if facts.broker_ms is None or facts.quiet_since_ms is None:
        return Awake.TOO_SOON
    if facts.broker_ms - facts.quiet_since_ms < plan.idle_after_ms:
        return Awake.TOO_SOON
    newest = max((ms for ms in (facts.max_ms, facts.idle_ms) if ms is not None), default=None)
    if newest is not None and newest < facts.broker_ms - plan.idle_limit_ms:
        return Awake.HISTORY
    if facts.record_ms is not None and facts.broker_ms < facts.record_ms - DAY_MS:
        return Awake.IMPLAUSIBLE
    until = (facts.broker_ms - plan.idle_after_ms - plan.allowed_lateness_ms) // pane_ms * pane_ms
    watermark = None if facts.max_ms is None else facts.max_ms - plan.allowed_lateness_ms
    if any(known is not None and until <= known for known in (facts.idle_ms, watermark)):
        return Awake.NOTHING_NEW
    return until
