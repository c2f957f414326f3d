"""When a silent partition advances, and when it must not."""

from __future__ import annotations

import dataclasses

import pytest

from stream_monitor.core.plan import DAY_MS, SECOND_MS, TimePlan
from stream_monitor.kafka.profile.idle import Awake, IdleFacts, idle_until

PANE_MS = 10_000
NOW_MS = 1_800_000_000_000
PLAN = TimePlan(allowed_lateness_ms=30_000, idle_after_ms=30_000, idle_limit_ms=DAY_MS)
SILENT = IdleFacts(broker_ms=NOW_MS, quiet_since_ms=NOW_MS - 60_000, at_end=True, max_ms=NOW_MS - 65_000)


def test_a_silent_partition_advances_to_a_pane_end_behind_broker_time() -> None:
    """Idle span and lateness are kept behind the broker's clock, cut to the end of a pane."""
    facts = dataclasses.replace(SILENT, broker_ms=NOW_MS + 3_210)

    assert NOW_MS - 60_000 == idle_until(facts, PLAN, pane_ms=PANE_MS)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"at_end": False}, Awake.NOT_AT_END),
        ({"broker_ms": None}, Awake.TOO_SOON),
        ({"quiet_since_ms": None}, Awake.TOO_SOON),
        ({"quiet_since_ms": NOW_MS - 29_999}, Awake.TOO_SOON),
        ({"max_ms": NOW_MS - DAY_MS - 1}, Awake.HISTORY),
        ({"record_ms": NOW_MS + DAY_MS + 1}, Awake.IMPLAUSIBLE),
        ({"idle_ms": NOW_MS - 60_000}, Awake.NOTHING_NEW),
        ({"max_ms": NOW_MS}, Awake.NOTHING_NEW),
    ],
)
def test_a_partition_does_not_advance(change: dict[str, int | bool | None], reason: Awake) -> None:
    """Each condition alone holds it: unread records, a short silence, old data, an impossible clock, nothing new."""
    facts = dataclasses.replace(SILENT, **change)  # type: ignore[arg-type]  # a row of the table fits the fields

    assert reason == idle_until(facts, PLAN, pane_ms=PANE_MS)


def test_an_idle_fact_keeps_old_data_from_being_history() -> None:
    """A partition silent for days, advanced all the time, goes on advancing."""
    facts = dataclasses.replace(SILENT, max_ms=NOW_MS - 9 * DAY_MS, idle_ms=NOW_MS - 70_000)

    assert NOW_MS - 60_000 == idle_until(facts, PLAN, pane_ms=PANE_MS)


def test_a_partition_without_any_event_advances() -> None:
    """Its null watermark would hold every pane open for ever."""
    facts = dataclasses.replace(SILENT, max_ms=None)

    assert NOW_MS - 60_000 == idle_until(facts, PLAN, pane_ms=PANE_MS)


def test_idle_facts_can_be_switched_off() -> None:
    """Then only events move event time."""
    plan = dataclasses.replace(PLAN, idle_after_ms=None)

    assert Awake.OFF == idle_until(SILENT, plan, pane_ms=10 * SECOND_MS)
