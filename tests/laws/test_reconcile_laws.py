"""Laws of a judge that another version refolds to another state: what was published counts, whatever it remembers.

The other version is played by another plan over the same log, so its alerts begin elsewhere, are others, or are not.
"""

from __future__ import annotations

from functools import cache

import pytest

from stream_monitor.core.alerts.event import AlertCloudEvent, decode
from stream_monitor.core.judge import AlertEvent, AlertState, Judge, Output
from stream_monitor.core.judge.changes.reconcile import Reconciled, reconcile
from tests.laws.test_plan_laws import MOMENTS, SETTINGS, WORLD
from tests.traffic import T0, Monitor

VERSIONS = (
    *("another floor", "another severity", "a rule less", "thresholds", "budget", "patience"),
    *("pending", "longer panes", "labels", "budget of a model"),
)
"""Plans that stand for other versions of the program."""

BEGINNINGS = (("pending", 0), ("firing", 1))


@cache
def told() -> Monitor:
    return WORLD.monitor()


def folded(judge: Judge, moment: int) -> tuple[Judge, list[Output]]:
    """Fold the log up to the pane that ends at a moment."""
    outputs: list[Output] = []
    for entry in told().log[0]:
        outputs += judge.fold(entry)
        if (judge.ledger.panes["events"].next_ms or 0) >= T0 + moment:
            return judge, outputs
    return judge, outputs


@cache
def published(moment: int) -> dict[bytes, bytes]:
    """Return the last event of every alert that the predecessor wrote."""
    _, outputs = folded(told().judge(0), moment)
    return after({}, outputs)


def after(before: dict[bytes, bytes], outputs: list[Output] | tuple[Output, ...]) -> dict[bytes, bytes]:
    """Return the compacted topic of alert states after some outputs."""
    states = dict(before)
    for output in outputs:
        if isinstance(output, AlertState):
            if output.value is None:
                states.pop(output.key, None)
            else:
                states[output.key] = output.value
    return states


def open_events(states: dict[bytes, bytes]) -> dict[str, int]:
    """Return the sequence of every open alert by its id."""
    events = [decode(value) for value in states.values()]
    return {event.data.alert_id: event.data.sequence for event in events if event.data.status != "resolved"}


def successor(name: str, moment: int) -> Judge:
    """Return the judge of another version at the position up to which the predecessor published."""
    return folded(judge_of(name), moment)[0]


def judge_of(name: str, state: bytes | None = None) -> Judge:
    known = told()
    return Judge(
        SETTINGS[name],
        partition=0,
        partitions=known.partitions,
        source="/stream-monitor/test",
        schedule=known.schedule.get,
        rules=known.rules,
        detectors=known.detectors,
        state=state,
    )


def shown_by(judge: Judge) -> set[str]:
    """Return the ids of the alerts that a judge takes for published and open."""
    wanted = ("firing", "pending") if judge.plan.alerts.publish_pending else ("firing",)
    return {view.alert_id for view in judge.view().alerts if view.status in wanted}


def done(name: str, moment: int) -> tuple[Judge, Reconciled]:
    judge = successor(name, moment)
    return judge, reconcile(judge, published(moment))


@pytest.mark.parametrize("moment", MOMENTS[1:3])
@pytest.mark.parametrize("name", VERSIONS)
def test_what_was_published_is_what_holds(name: str, moment: int) -> None:
    """Open alerts of the topic and of the judge are the same afterwards, twice is as good as once."""
    judge, first = done(name, moment)
    states = after(published(moment), first.outputs)
    before, now = open_events(published(moment)), open_events(states)

    assert sorted(first.kept) == sorted(now)
    assert sorted([*first.kept, *first.ended]) == sorted(before)
    assert {view.alert_id: view.sequence for view in judge.view().alerts if view.alert_id in now} == now
    assert shown_by(judge) <= set(now)
    state = judge.dump()
    again = judge_of(name, state)
    assert again.dump() == state
    second = reconcile(again, states)
    assert (second.outputs, second.ended, second.quieted) == ((), (), ())
    assert open_events(states) == {view.alert_id: view.sequence for view in again.view().alerts if view.alert_id in now}


@pytest.mark.parametrize("moment", MOMENTS[1:3])
@pytest.mark.parametrize("name", VERSIONS)
def test_the_story_that_people_read_stays_in_order(name: str, moment: int) -> None:
    """Before, at and after the change: an alert that is open goes on or ends, each sequence grows by one."""
    _, before = folded(told().judge(0), moment)
    judge, made = done(name, moment)
    rest = [out for entry in told().log[0][judge.next_offset :] for out in judge.fold(entry)]
    last: dict[str, AlertCloudEvent] = {}
    for event in (decode(out.value) for out in (*before, *made.outputs, *rest) if isinstance(out, AlertEvent)):
        known = last.get(event.data.fingerprint)
        if known is not None and known.data.status != "resolved":
            assert (event.data.alert_id, event.data.sequence) == (known.data.alert_id, known.data.sequence + 1)
        else:
            assert (event.data.status, event.data.sequence) in BEGINNINGS
        last[event.data.fingerprint] = event
    assert rest != []


def test_the_same_state_is_left_as_it_is() -> None:
    """A judge that agrees keeps all of its alerts, and nothing is written."""
    judge, _ = folded(told().judge(0), MOMENTS[1])
    views = judge.view().alerts
    found = reconcile(judge, published(MOMENTS[1]))

    assert (found.outputs, found.ended, found.quieted) == ((), (), ())
    assert set(found.kept) == shown_by(judge) != set()
    assert judge.view().alerts == views


def test_an_end_says_why() -> None:
    """An alert that the other version does not find ends in words, with the evidence that it had."""
    _, found = done("a rule less", MOMENTS[1])
    ends = [decode(out.value) for out in found.outputs if isinstance(out, AlertEvent)]

    assert {(event.data.status, event.data.reason) for event in ends} == {("resolved", "state_rebuilt")}
    assert all("another version of the monitor finds no alert about" in e.data.annotations.summary for e in ends)
