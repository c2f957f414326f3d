"""The life of an alert, step by step."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from stream_monitor.core.alerts.lifecycle import AlertStatus, Life, Patience, Reason, advance, end, remind
from stream_monitor.core.rules.verdict import Pane, Verdict

PATIENCE = Patience(open_after=2, resolve_after=3, cooldown_ms=100_000, reminder_ms=200_000)
PANE_MS = 10_000


def run(values: Sequence[float | None], *, mature_from: int = 0, room: bool = True) -> list[Reason | None]:
    """Return the reasons of a life that sees these effects, one a pane; None is a pane without events."""
    life, reasons = Life(), list[Reason | None]()
    for i, value in enumerate(values):
        now = Pane(i * PANE_MS, (i + 1) * PANE_MS)
        if value is None:
            life, reason = remind(life, PATIENCE, now)
        else:
            life, reason = advance(life, Verdict(value, 0.1, mature=i >= mature_from, room=room), PATIENCE, now)
        reasons.append(reason)
    return reasons


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param([0.05, 0.09], [None, None], id="below the floor nothing happens"),
        pytest.param([0.1, 0.1], [Reason.OPENED, Reason.FIRED], id="fires after open_after panes in a row"),
        pytest.param(
            [0.1, 0.0, 0.1], [Reason.OPENED, Reason.RECOVERED, Reason.OPENED], id="one pane below ends pending"
        ),
        pytest.param([0.1, None, 0.1], [Reason.OPENED, None, Reason.FIRED], id="an empty pane neither heals nor hurts"),
        pytest.param(
            [0.2, 0.2, 0.3, 0.4, 0.5],
            [Reason.OPENED, Reason.FIRED, None, Reason.WORSENED, None],
            id="twice the effect that was told is told again",
        ),
        pytest.param(
            [0.2, 0.2, 0.0, 0.0, 0.2, 0.0, 0.0, 0.0],
            [Reason.OPENED, Reason.FIRED, None, None, None, None, None, Reason.RECOVERED],
            id="resolves after resolve_after panes in a row below the floor",
        ),
        pytest.param(
            [0.2, 0.2, *[0.2] * 20],
            [Reason.OPENED, Reason.FIRED, *[None] * 19, Reason.REMINDER],
            id="a firing alert is told again after the reminder span",
        ),
        pytest.param(
            [0.2, 0.2, *[None] * 20],
            [Reason.OPENED, Reason.FIRED, *[None] * 19, Reason.REMINDER],
            id="reminders go on while nothing is seen",
        ),
    ],
)
def test_a_life_follows_the_effect(values: list[float | None], expected: list[Reason | None]) -> None:
    """Each row of effects gives these steps."""
    assert run(values) == expected


def test_an_alert_waits_until_enough_was_seen() -> None:
    """Open_after panes alone do not fire: the effect must rest on enough events."""
    assert run([0.2, 0.2, 0.2, 0.2], mature_from=3) == [Reason.OPENED, None, None, Reason.FIRED]


def test_an_alert_waits_for_room() -> None:
    """Above `max_open` a pending alert goes on waiting instead of being dropped."""
    assert run([0.2, 0.2, 0.2], room=False) == [Reason.OPENED, None, None]


def test_a_resolved_rule_stays_pending_during_the_cooldown() -> None:
    """A drift that comes back within the cooldown fires when the cooldown is over, not before."""
    back = [0.2, 0.2, 0.0, 0.0, 0.0, *[0.2] * 11]

    assert run(back) == [
        Reason.OPENED,
        Reason.FIRED,
        None,
        None,
        Reason.RECOVERED,
        Reason.OPENED,
        *[None] * 8,
        Reason.FIRED,
        None,
    ]


def test_the_recovery_begins_with_its_first_pane() -> None:
    """`endsAt` is the end of the first pane of the row that resolved the alert, also when an earlier row broke off."""
    life = Life()
    for i, value in enumerate([0.2, 0.2, 0.0, 0.2, 0.0, 0.0, 0.0]):
        life, _ = advance(life, Verdict(value, 0.1), PATIENCE, Pane(i * PANE_MS, (i + 1) * PANE_MS))

    assert (life.status, life.recovers_ms) == (AlertStatus.RESOLVED, 5 * PANE_MS)


def test_sequences_of_one_alert_only_grow() -> None:
    """Fired is 1, every later event one more, the resolution the last."""
    life, sequences = Life(), []
    for i, value in enumerate([0.2, 0.2, 0.4, 0.8, 0.0, 0.0, 0.0]):
        life, reason = advance(life, Verdict(value, 0.1), PATIENCE, Pane(i * PANE_MS, (i + 1) * PANE_MS))
        sequences += [life.sequence] if reason is not None else []

    assert sequences == [0, 1, 2, 3, 4]


def test_what_is_quiet_cannot_be_ended_from_outside() -> None:
    """A new baseline resolves open alerts and says nothing about closed ones."""
    firing = Life(AlertStatus.FIRING, starts_ms=0, sequence=1)

    assert end(Life(), 5, Reason.BASELINE_CHANGED)[1] is None
    assert end(firing, 5, Reason.BASELINE_CHANGED)[1] is Reason.BASELINE_CHANGED
