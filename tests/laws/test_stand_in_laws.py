"""Laws of a plan that loses classes of the user's: its state is read without them, and carried over."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from stream_monitor.core.alerts.event import decode
from stream_monitor.core.judge import AlertEvent, Judge, carry, missing_classes, with_stand_ins
from stream_monitor.core.judge.stored.snapshot import opened
from tests.laws.lives import DETECTORS, OWN_ERRORS, OWN_NUMBERS, OWN_RIVER, OWN_RULE, READY, RULES, WORLDS
from tests.traffic import SECOND, T0, Monitor

WORLD = WORLDS["every detector"]
GONE = {OWN_RULE, OWN_NUMBERS, OWN_ERRORS, OWN_RIVER}


@cache
def told() -> tuple[Monitor, bytes]:
    """Return the monitor, and its state while alerts of the user's rule and detectors are open."""
    monitor = WORLD.monitor()
    judge = monitor.judge(0)
    for entry in monitor.log[0]:
        judge.fold(entry)
        if (judge.ledger.panes["events"].next_ms or 0) >= T0 + READY + 60 * SECOND:
            return monitor, judge.dump()
    raise AssertionError("the story ends before")


def without_classes() -> Judge:
    """Return the judge of that state, read by a program that has none of the classes."""
    monitor, state = told()
    written = [fingerprint for fingerprint, _, _ in opened(state).groups]
    rules, detectors = with_stand_ins(WORLD.plan, {}, {}, written)
    return Judge(
        WORLD.plan,
        partition=0,
        partitions=1,
        source="/stream-monitor/test",
        schedule=monitor.schedule.get,
        rules=rules,
        detectors=detectors,
        state=state,
    )


def test_a_state_is_read_without_the_classes_that_made_it() -> None:
    """What a detector of the user's has come to is kept as it is written, to the byte."""
    assert set(missing_classes(WORLD.plan, {}, {})) == GONE
    assert missing_classes(WORLD.plan, RULES, DETECTORS) == []
    assert without_classes().dump() == told()[1]


def test_alerts_of_classes_that_are_gone_end_and_no_others() -> None:
    """The rules that named them are removed; whatever else is open stays open."""
    own = {"own", "own demand", *(f"by {kind}" for kind in GONE)}
    plan = replace(
        WORLD.plan,
        rules=tuple(rule for rule in WORLD.plan.rules if rule.name not in own),
        detection=replace(WORLD.plan.detection, detectors=()),
    )
    judge = without_classes()
    before = {view.alert_id: view.labels["rule"] for view in judge.view().alerts}
    carried = carry(judge, plan)
    ended = {decode(out.value).data.alert_id for out in carried.outputs if isinstance(out, AlertEvent)}
    firing = {view.alert_id for view in without_classes().view().alerts if view.status == "firing"}

    assert ended == {alert for alert, rule in before.items() if rule in own} & firing
    assert len(ended) > 1
    assert {view.alert_id for view in carried.judge.view().alerts} == {
        alert for alert, rule in before.items() if rule not in own
    }
