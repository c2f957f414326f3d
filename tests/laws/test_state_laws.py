"""Laws of the state: whatever a judge has come to, it can be written down, and another one goes on from there."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from enum import Enum
from functools import cache

import msgspec
import pytest

from stream_monitor.core.alerts.event import decode
from stream_monitor.core.calendar import Calendar
from stream_monitor.core.judge import AlertEvent, Judge, Output
from tests.laws.lives import READY, WORLDS, statuses, written
from tests.restoring_judge import RestoringJudge
from tests.timelines.test_seasons import MIDNIGHT, traffic, watched
from tests.traffic import HOUR, MINUTE, T0, Monitor

PLAIN = (bool, int, float, str, bytes, type(None))


@cache
def told(name: str) -> Monitor:
    return WORLDS[name].monitor()


def strangers(value: object, place: str = "") -> Iterator[str]:
    """Yield the places of what is no plain value: a scalar of NumPy's looks like a number until somebody writes it."""
    if type(value) in PLAIN or isinstance(value, Enum):
        return
    if isinstance(value, msgspec.Struct):
        value = {name: getattr(value, name) for name in value.__struct_fields__}
    elif dataclasses.is_dataclass(value):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from strangers(key, f"{place}[{key!r}]")
            yield from strangers(item, f"{place}.{key}")
    elif isinstance(value, list | tuple | set | frozenset):
        for i, item in enumerate(value):
            yield from strangers(item, f"{place}[{i}]")
    else:
        yield f"{place}: {type(value).__module__}.{type(value).__name__}"


@pytest.mark.parametrize("name", WORLDS)
def test_the_worlds_are_worth_their_while(name: str) -> None:
    """Every kind of alert is reported in them: laws about silence would prove nothing."""
    alerts = [event.data for event in told(name).alerts()]
    found = {(alert.labels.get("series", alert.labels["alertname"]), alert.reason) for alert in alerts}

    assert WORLDS[name].rules - {alert.labels["rule"] for alert in alerts if alert.reason == "fired"} == set()
    assert WORLDS[name].expected - found == set()


@pytest.mark.parametrize("name", WORLDS)
def test_a_judge_that_is_restored_at_every_pane_goes_on_as_one_that_is_not(name: str) -> None:
    """Dump, restore, dump is equal after every pane, whatever its alerts are at, and what follows is the same bytes."""
    seen = again(told(name), from_ms=T0 + READY - MINUTE)

    assert WORLDS[name].states - seen == set()


def again(monitor: Monitor, *, from_ms: int = 0) -> set[str]:
    """Fold a log again with a judge that is restored at every pane from an instant on; return what its alerts were at.

    It writes what the judge did that was never restored.
    """
    judge: Judge = monitor.judge(0)
    outputs: list[Output] = []
    seen: set[str] = set()
    for entry in monitor.log[0]:
        if not isinstance(judge, RestoringJudge) and (judge.ledger.panes["events"].next_ms or 0) >= from_ms:
            judge = restoring(monitor, judge.dump())
            outputs += [out for old in monitor.log[0][judge.next_offset : entry.offset] for out in judge.fold(old)]
        outputs += judge.fold(entry)
        seen |= statuses(judge)
    assert isinstance(judge, RestoringJudge)
    assert judge.restores > 5
    assert written(outputs) == written(monitor.outputs[0])
    assert judge.dump() == monitor.judges[0].dump()
    return seen


def restoring(monitor: Monitor, state: bytes) -> RestoringJudge:
    return RestoringJudge(
        monitor.plan,
        partition=0,
        partitions=1,
        source="/stream-monitor/test",
        schedule=monitor.schedule.get,
        rules=monitor.rules,
        detectors=monitor.detectors,
        state=state,
    )


@pytest.mark.parametrize("name", WORLDS)
def test_what_leaves_the_core_is_plain(name: str) -> None:
    """Lives, views and events hold Python's own numbers: an encoder takes no other."""
    monitor = told(name)
    judge = monitor.judge(0)
    for entry in monitor.log[0]:
        for out in judge.fold(entry):
            if isinstance(out, AlertEvent):
                assert list(strangers(dataclasses.asdict(out))) == []
                assert list(strangers(decode(out.value))) == []
        if entry.key is None and entry.offset % 5 == 0:
            lives = [life for m in judge.models.values() for w in m.watches() for life in w.lives.values()]
            assert list(strangers([judge.view(), lives])) == []


def test_a_judge_that_tells_the_hours_apart_is_restored_after_every_chunk() -> None:
    """The same of references by the hour, with a drift that begins at night."""
    monitor = watched(
        Calendar.HOUR_OF_DAY,
        traffic(MIDNIGHT, 1.125, seed=3),
        traffic(MIDNIGHT + 27 * HOUR, 0.5, seed=4, shift=1.0),
    )

    again(monitor)
    assert {event.data.reason for event in monitor.alerts()} >= {"fired"}
