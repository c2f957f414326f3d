"""Stories of traffic by day and by night: a season is no drift, and a drift is found in spite of it."""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from stream_monitor.core.baseline import Baseline, Origin, OriginType, ReferenceTable, build_baseline
from stream_monitor.core.calendar import Calendar
from stream_monitor.core.judge import Judge
from stream_monitor.core.keys import row_hashes
from stream_monitor.core.plan import BaselineFrom, Budget, DetectionPlan, LimitsPlan, ModelPlan, Plan
from stream_monitor.core.time import parse_instant
from tests.traffic import HOUR, MINUTE, SECOND, T0, Events, Monitor

DAY = 24 * HOUR
MIDNIGHT = (T0 // DAY + 1) * DAY
RATE_PER_MINUTE = 4


def plan(strata: Calendar) -> Plan:
    """One false alarm in a hundred days, in panes of ten minutes."""
    clock = DetectionPlan(pane_ms=10 * MINUTE, window_ms=2 * HOUR, budget=Budget(1.0, 100 * DAY))
    return Plan(detection=clock, models=(ModelPlan(strata=strata),))


def traffic(start_ms: int, days: float, *, seed: int, shift: float = 0.0) -> Events:
    """Requests of some days: by night half as many, of another level, and with more gaps."""
    rng = np.random.default_rng(seed)
    minutes = np.arange(start_ms, start_ms + round(days * DAY), MINUTE)
    night = (minutes // HOUR % 24 < 6) | (minutes // HOUR % 24 >= 22)
    per_minute = rng.poisson(np.where(night, RATE_PER_MINUTE / 2, RATE_PER_MINUTE))
    at = np.sort(np.repeat(minutes, per_minute) + rng.integers(0, MINUTE, int(per_minute.sum())))
    dark = (at // HOUR % 24 < 6) | (at // HOUR % 24 >= 22)
    gaps = rng.random(at.size) < np.where(dark, 0.3, 0.05)
    return Events(
        "shop",
        "1",
        [f"{start_ms}-{seed}-{n}" for n in range(at.size)],
        at,
        at + rng.integers(0, 5 * SECOND, at.size),
        {
            "feature:basket": rng.normal(np.where(dark, -1.0, 1.0) + shift),
            "feature:age": np.where(gaps, np.nan, rng.normal(size=at.size)),
        },
        {"feature:channel": np.where(rng.random(at.size) < np.where(dark, 0.8, 0.3), "app", "web").tolist()},
    )


@cache
def baseline(strata: Calendar) -> Baseline:
    """The reference of the six days before."""
    events = traffic(MIDNIGHT - 6 * DAY, 6.0, seed=1)
    select, tie = row_hashes(events.model, events.ids)
    table = ReferenceTable(
        {**events.numbers, **events.texts}, select, tie, happened=events.at_ms, event_ms=events.at_ms
    )
    origin = Origin(OriginType.DATASET, len(events))
    seasons = plan(strata).seasons("shop")
    made = build_baseline("shop", "1", table, origin=origin, limits=LimitsPlan(), seasons=seasons)
    # Without strata the season looks like dependence, and everything would be tempered away: here it is not measured.
    return made if strata is not Calendar.NONE else undated(made)


def undated(made: Baseline) -> Baseline:
    series = {name: replace(own, dependence=None) for name, own in made.series.items()}
    return replace(made, series=series, id="")


def watched(strata: Calendar, *parts: Events, sources: int = 2) -> Monitor:
    """Run the events through the monitor, six hours a chunk."""
    monitor = Monitor(plan(strata), sources=sources, baselines=[(baseline(strata), 0)])
    for part in parts:
        edges = np.arange(part.record_ms.min(), part.record_ms.max() + 6 * HOUR + 1, 6 * HOUR)
        order = np.argsort(part.record_ms, kind="stable")
        for low, high in itertools.pairwise(edges):
            rows = order[(part.record_ms[order] >= low) & (part.record_ms[order] < high)]
            for source in range(sources):
                monitor.chunk(source, part.take(rows[source::sources]))
    monitor.close(int(parts[-1].at_ms.max()) + HOUR)
    return monitor


def told(monitor: Monitor) -> set[str]:
    return {event.data.labels["series"] for event in monitor.alerts() if event.data.reason == "fired"}


def test_without_strata_a_season_is_drift() -> None:
    """Every evening the values, the channels and the gaps of the day are gone: alarms that mean nothing."""
    fired = told(watched(Calendar.NONE, traffic(MIDNIGHT, 2.0, seed=2)))

    assert {"feature:basket", "feature:channel", "missing:age"} <= fired


def test_with_strata_a_season_is_no_drift() -> None:
    """The same events beside the same hours of the baseline: silence, and the guarantee is the exact bound."""
    monitor = watched(Calendar.HOUR_OF_DAY, traffic(MIDNIGHT, 2.0, seed=2))
    views = {view.series: view for view in monitor.judges[0].view().series}

    assert told(monitor) == set()
    assert (views["feature:basket"].guarantee, views["missing:age"].guarantee) == ("bound", "bound")
    assert views["feature:basket"].comparisons["psi"] < 0.1


def test_with_strata_a_drift_is_found_at_any_hour() -> None:
    """A shift of one standard deviation, half of what day and night differ by, that begins at three in the morning."""
    healthy, shifted = traffic(MIDNIGHT, 1.125, seed=3), traffic(MIDNIGHT + 27 * HOUR, 0.5, seed=4, shift=1.0)
    events = watched(Calendar.HOUR_OF_DAY, healthy, shifted).alerts()
    fired = [event for event in events if event.data.reason == "fired"]

    assert {event.data.labels["series"] for event in fired} == {"feature:basket"}
    first = fired[0].data
    assert MIDNIGHT + 27 * HOUR < parse_instant(first.starts_at) < MIDNIGHT + 30 * HOUR
    assert first.evidence.guarantee == "bound"
    assert abs(first.evidence.effect.value - 1.0) < 0.5  # PSI of a shift by one standard deviation


@pytest.mark.parametrize("sources", [1, 3])
def test_stratified_alerts_do_not_depend_on_partitions(sources: int) -> None:
    """The same events over one, two or three source partitions: the same alert bytes."""
    parts = traffic(MIDNIGHT, 1.0, seed=5), traffic(MIDNIGHT + DAY, 0.5, seed=6, shift=1.0)
    one = [event.data.evidence.log10_evidence for event in watched(Calendar.HOUR_OF_DAY, *parts).alerts()]
    other = [
        event.data.evidence.log10_evidence for event in watched(Calendar.HOUR_OF_DAY, *parts, sources=sources).alerts()
    ]

    assert one == other != []


def test_a_restored_judge_goes_on_in_the_right_hours() -> None:
    """A snapshot taken in an open episode, restored, is written as the same bytes."""
    parts = traffic(MIDNIGHT, 1.0, seed=5), traffic(MIDNIGHT + DAY, 0.25, seed=6, shift=1.0)
    monitor = watched(Calendar.HOUR_OF_DAY, *parts)
    judge = monitor.judges[0]
    made = baseline(Calendar.HOUR_OF_DAY)
    again = Judge(
        monitor.plan,
        partition=0,
        partitions=1,
        source="/test",
        schedule={made.id: made}.get,
        state=judge.dump(),
    )

    assert any(watch.episodes for model in judge.models.values() for watch in model.watches())
    assert again.dump() == judge.dump()


def test_demand_is_compared_with_the_same_hour() -> None:
    """Half as many requests by night are no alert once the hours are known; as many by day as by night are one."""
    clock = DetectionPlan(pane_ms=5 * MINUTE, window_ms=HOUR, budget=Budget(1.0, 100 * DAY))
    models = (ModelPlan(strata=Calendar.HOUR_OF_DAY, baseline=BaselineFrom.PUBLISHED),)
    monitor = Monitor(Plan(detection=clock, models=models, conditions=()))
    rng = np.random.default_rng(9)
    panes = np.arange(MIDNIGHT, MIDNIGHT + 19 * DAY + 18 * HOUR, 5 * MINUTE)
    noon = MIDNIGHT + 19 * DAY + 12 * HOUR
    night = (panes // HOUR % 24 < 6) | (panes // HOUR % 24 >= 22) | (panes >= noon)
    at = np.sort(np.repeat(panes, rng.poisson(np.where(night, 3.0, 8.0))))
    at += rng.integers(0, 5 * MINUTE, at.size)
    events = Events("shop", "1", [str(n) for n in range(at.size)], at, at)
    for rows in np.array_split(np.argsort(at), 80):
        monitor.chunk(0, events.take(rows))
    monitor.close(int(at.max()) + HOUR)
    alerts = monitor.alerts()

    assert [event.data.labels["series"] for event in alerts][:1] == ["demand"]
    assert parse_instant(alerts[0].data.starts_at) >= noon
    assert "compared with the same hour of the day" in alerts[0].data.annotations.description
