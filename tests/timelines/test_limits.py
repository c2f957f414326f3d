"""Stories of the edges: first baselines, limits, mixed baselines, partitions that come late, silence and history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from stream_monitor.core.canonical import Json
from stream_monitor.core.judge import BaselineProposal, Blind, Judge, SeriesState
from stream_monitor.core.judge.model.warm_up import MOST_LEFT_OUT
from stream_monitor.core.judge.watch.coverage import EVERYTHING
from stream_monitor.core.plan import (
    DAY_MS,
    DEFAULT_RULES,
    AlertsPlan,
    BaselineFrom,
    LimitsPlan,
    ModelPlan,
    Plan,
    RulePlan,
    TimePlan,
)
from stream_monitor.core.rules import EffectWindow, Verdict
from tests.timelines.story import Timeline, minutes, shifted
from tests.traffic import MINUTE, SECOND, T0, Events, Monitor


def proposals(monitor: Monitor) -> list[tuple[str, str, int]]:
    """Return model, version and rows of the proposed baselines."""
    found = [out for out in monitor.outputs[0] if isinstance(out, BaselineProposal)]
    return [(out.model, out.version, out.baseline.origin.rows) for out in found]


def resumes_exactly(monitor: Monitor) -> bool:
    """Say whether a judge made of a snapshot gives the same snapshot."""
    state = monitor.judges[0].dump()
    return monitor.judge(0, state).dump() == state


def test_the_first_events_become_the_baseline() -> None:
    """Without a baseline one is proposed once, activated, and drift is found against it."""
    plan = Plan(time=TimePlan(max_future_ms=0), models=(ModelPlan(baseline_events=1023),), rules=DEFAULT_RULES[:1])
    story = Timeline(plan, rows=0)
    story.push(minutes(0, 20))
    story.push(minutes(20, 24), shifted("x0", 1.0))

    assert proposals(story.monitor) == [("fraud", "7", 1023)]
    assert story.told() == [("feature:x0", "drift", "fired")]
    assert story.judge.proposed == {("fraud", "7"): story.judge.view().models[0].baselines[0].id}


def test_an_event_of_many_unknown_names_leaves_no_model_unwatched() -> None:
    """Names that hardly any row has are left out of the automatic baseline; the model is watched all the same."""

    def odd(events: Events, random: np.random.Generator) -> Events:
        names = {f"feature:odd{i}": random.normal(size=len(events)) for i in range(600)}
        return replace(events, numbers={**events.numbers, **names})

    plan = Plan(time=TimePlan(max_future_ms=0), models=(ModelPlan(baseline_events=1023),), rules=DEFAULT_RULES[:1])
    story = Timeline(plan, rows=0)
    story.push(minutes(0, 1), odd, rate=0.05)
    story.push(minutes(0, 12))
    view = story.judge.view()
    rare = [item for item in view.coverage if item.reason is Blind.RARE]

    assert [(series.series, series.state) for series in view.series if series.series == "feature:x0"] == [
        ("feature:x0", SeriesState.WATCHED)
    ]
    assert (len(rare), view.models[0].unwatched) == (MOST_LEFT_OUT, ())


def test_a_version_that_nothing_watches_says_since_when_and_why() -> None:
    """While its first rows come, while they are no use, and while a baseline is to be published."""

    def empty(events: Events, _: np.random.Generator) -> Events:
        nothing = {name: np.full(len(events), np.nan) for name in events.numbers}
        return replace(events, numbers=nothing, texts={})

    gathering = Timeline(Plan(models=(ModelPlan(baseline_events=65_535),)), rows=0)
    useless = Timeline(Plan(models=(ModelPlan(baseline_events=100),)), rows=0)
    published = Timeline(Plan(models=(ModelPlan(baseline=BaselineFrom.PUBLISHED),)), rows=0)
    gathering.push(minutes(0, 4))
    useless.push(minutes(0, 4), empty)
    published.push(minutes(0, 4))
    states = [story.judge.view().models[0].unwatched[0] for story in (gathering, useless, published)]
    reasons = [
        [item.reason for item in story.judge.view().coverage if item.series == EVERYTHING]
        for story in (gathering, useless, published)
    ]

    assert {state.since_ms - T0 for state in states} == {0}
    assert reasons == [[Blind.WARMING_UP], [Blind.BASELINE_FAILED], [Blind.NO_BASELINE]]
    assert states[0].rows > 0
    assert (states[1].attempts > 1, states[1].failure) == (True, "fewer than 63 values of any series among them")


def test_a_published_baseline_is_waited_for() -> None:
    """A model whose baseline is to be published gathers nothing and proposes nothing."""
    story = Timeline(Plan(models=(ModelPlan(baseline=BaselineFrom.PUBLISHED),)), rows=0)
    story.push(minutes(0, 20))

    assert (proposals(story.monitor), story.told()) == ([], [])


def test_a_restored_judge_proposes_the_same_baseline() -> None:
    """The document is a function of the log: a judge that was killed before the activation makes it again."""
    story = Timeline(Plan(models=(ModelPlan(baseline_events=2047),)), rows=0)
    story.push(minutes(0, 5))
    monitor = story.monitor
    half = len(monitor.log[0]) // 2
    judge = monitor.judge(0)
    for entry in monitor.log[0][:half]:
        judge.fold(entry)
    again = monitor.judge(0, judge.dump())
    outputs = [out for entry in monitor.log[0][again.next_offset :] for out in again.fold(entry)]
    first = next(out for out in monitor.outputs[0] if isinstance(out, BaselineProposal))
    second = next(out for out in outputs if isinstance(out, BaselineProposal))

    assert second.baseline.encode() == first.baseline.encode()


def test_models_over_the_limit_are_counted_not_watched() -> None:
    """Who is admitted is decided when a pane closes, in sorted order, and stays so."""
    story = Timeline(Plan(limits=LimitsPlan(models=2)), rate=2.0)
    for model in ("d", "b", "c", "a"):
        story.push(minutes(0, 5), model=model)

    assert [view.model for view in story.judge.view().models] == ["a", "b"]
    assert story.judge.undeclared.count > 0
    assert set(story.judge.undeclared.names) == {"c", "d"}
    assert resumes_exactly(story.monitor)


def test_series_over_the_limit_are_shown_as_suppressed() -> None:
    """A feature with its missing and invalid series counts once."""
    story = Timeline(Plan(limits=LimitsPlan(series_per_model=2)), features=4)
    story.push(minutes(0, 5))
    states = {view.series: view.state for view in story.judge.view().series}

    watched = {name for name, state in states.items() if state is SeriesState.WATCHED}

    assert watched == {"feature:country", "missing:country", "invalid:country", "unseen:country", "prediction"} | {
        "invalid:prediction"
    }
    assert states["feature:x3"] is SeriesState.SUPPRESSED


def test_versions_without_end_do_not_fill_the_memory() -> None:
    """A version per event is cut at the limit, the rest is counted."""
    story = Timeline(rate=1.0, rows=0)
    for i in range(40):
        story.push(minutes(0, 1), version=f"v{i:02}", rate=0.2)

    assert len(story.judge.models["fraud"].versions) == 32
    assert story.judge.undeclared.count > 0


def test_a_pane_with_two_baselines_tests_the_larger_part() -> None:
    """Two workers, two baselines, one pane: each is kept apart, and the mixture is counted."""
    story = Timeline(rate=4.0)
    plain = story.baseline(version="7")
    other = story.baseline(shifted("x0", 3.0), version="7")
    monitor = Monitor(story.plan, sources=2, baselines=[(plain, 0)])
    story.push(minutes(0, 2))
    events = story.parts[0]
    monitor.chunk(0, events.take(np.arange(0, len(events), 2)))
    monitor.publish(other, from_ms=0)
    late_worker = Monitor(story.plan, sources=2, baselines=[(other, 0)])
    monitor.schedule.apply(*other.parts()[0], monitor.schedule.next_offset, 0)
    monitor.append(late_worker.chunk(1, events.take(np.arange(1, len(events), 4))))
    monitor.append(late_worker.chunk(1, idle_until_ms=T0 + 2 * MINUTE))
    monitor.append(late_worker.chunk(1))
    monitor.chunk(0, idle_until_ms=T0 + 2 * MINUTE)
    monitor.chunk(0)
    view = monitor.judges[0].view()

    assert view.counters["baselines_mixed_total", "fraud"] > 5
    assert [baseline.id for baseline in view.models[0].baselines] == [plain.id]


def test_partitions_that_join_late_do_not_reopen_panes() -> None:
    """Events of a new source partition for judged panes are counted as late, by cause."""
    story = Timeline(rate=4.0, sources=1)
    story.push(minutes(0, 5))
    whole = story.parts[0]
    monitor = Monitor(story.plan, sources=2, baselines=story.baselines)
    joined = monitor.sources.pop()
    rows = np.arange(len(whole))
    monitor.chunk(0, whole.take(rows[: len(rows) // 2]))
    monitor.chunk(0, whole.take(rows[len(rows) // 2 :]))
    monitor.chunk(0)
    monitor.sources.append(joined)
    monitor.chunk(1, replace(whole, ids=[f"new-{i}" for i in rows]))
    monitor.close(T0 + 6 * MINUTE)
    counters = monitor.judges[0].view().counters

    assert resumes_exactly(monitor)
    assert counters["closed_pane_records_total", "roster"] > 10
    assert counters["events_late_total", "fraud", "7"] > 100


def test_nothing_closes_before_everybody_has_reported() -> None:
    """A source partition that never reported holds every pane, and the view names it."""
    story = Timeline(rate=4.0, sources=1)
    story.push(minutes(0, 5))
    monitor = Monitor(story.plan, sources=2, baselines=story.baselines)
    monitor.chunk(0, story.parts[0])
    monitor.chunk(0)
    view = monitor.judges[0].view()

    assert (view.models, view.awaited) == ((), (("inference-events", 1),))


def test_an_empty_pane_is_shown_to_every_series() -> None:
    """The window is a span of time: without events it runs empty, and nothing old is compared any longer."""
    story = Timeline(rate=4.0)
    story.push(minutes(0, 10))
    story.silence(20)
    views = [view for view in story.judge.view().series if view.version == "7"]

    assert {(view.events, view.window_events, len(view.comparisons)) for view in views} == {(0, 0, 0)}


def test_years_of_silence_cost_nothing() -> None:
    """Silence longer than `time.idle_limit` is history: its panes are not shown, and the next events are judged."""
    story = Timeline(Plan(rules=DEFAULT_RULES[:1]), features=1)
    year = 365 * DAY_MS / MINUTE
    story.push(minutes(0, 5))
    story.push(minutes(3 * year, 3 * year + 1))
    monitor = Monitor(story.plan, baselines=story.baselines)
    monitor.chunk(0, story.parts[0])
    monitor.chunk(0, story.parts[1])
    monitor.chunk(0)

    day = DAY_MS // (10 * SECOND)
    assert day < monitor.judges[0].view().counters["panes_closed_total", "fraud"] < day + 100


class WeekendRule:
    """A rule of a user's: everything on the days of its parameters, nothing on others."""

    def __init__(self, params: Mapping[str, Json]) -> None:
        self.days = params["days"]

    def verdict(self, window: EffectWindow) -> Verdict:
        day = window.to_ms // DAY_MS % 7  # 1970-01-01 was a Thursday
        return Verdict(1.0 if isinstance(self.days, list) and day in self.days else 0.0, floor=0.5)


def test_a_rule_of_the_users_decides_about_the_effect() -> None:
    """It is resolved by the caller, gets its parameters, and its alert names it as the measure."""
    sunday = 3
    rule = RulePlan("mine", ("feature:*",), target="my_rules:WeekendRule", params=(("days", [sunday]),))
    story = Timeline(Plan(rules=(rule,)))
    story.push(minutes(0, 5))
    story.push(minutes(5, 8), shifted("x0", 1.0))
    monitor = Monitor(story.plan, baselines=story.baselines, rules={"my_rules:WeekendRule": WeekendRule})
    for part in story.parts:
        monitor.chunk(0, part)
    monitor.close(T0 + 8 * MINUTE)

    assert [event.data.labels["rule"] for event in monitor.alerts()] == ["mine"]
    assert monitor.alerts()[0].data.evidence.effect.measure == "mine"


def test_values_of_events_stay_out_of_alerts() -> None:
    """Examples name events by id and place."""
    story = Timeline()
    story.push(minutes(0, 5))
    story.push(minutes(5, 8), shifted("x0", 1.0))
    examples = story.alerts()[0].data.evidence.examples

    assert [(example.event_id[:7], example.values) for example in examples] == [("fraud-7", None)] * 5


def test_constant_labels_and_links_are_in_every_alert() -> None:
    """`alerts.labels`, the external address and the runbook are part of the event."""
    alerts = AlertsPlan(
        labels=(("team", "risk"),),
        external_url="https://monitor.example/",
        runbook_url="https://runbooks.example/drift",
    )
    story = Timeline(Plan(alerts=alerts))
    story.push(minutes(0, 5))
    story.push(minutes(5, 8), shifted("x0", 1.0))
    data = story.alerts()[0].data

    assert data.labels["team"] == "risk"
    assert data.generator_url == f"https://monitor.example/alerts/{data.alert_id}"
    assert data.annotations.runbook_url == "https://runbooks.example/drift"


def test_a_view_shows_evidence_against_its_budget() -> None:
    """Every series has evidence, threshold, guarantee and distances; the drifted one is over 1."""
    story = Timeline()
    story.push(minutes(0, 5))
    story.push(minutes(5, 8), shifted("x0", 1.0))
    judge: Judge = story.judge
    views = {view.series: view for view in judge.view().series}
    drifted, calm = views["feature:x0"], views["feature:x1"]

    assert drifted.evidence_ratio is not None
    assert calm.evidence_ratio is not None
    assert drifted.evidence_ratio >= 1.0 > calm.evidence_ratio
    assert (calm.guarantee, calm.missing_ratio, calm.events) == ("bound", 0.0, views["prediction"].events)
    assert drifted.comparisons["psi"] > 0.1 > calm.comparisons["psi"]
    assert set(calm.detectors) == {"rank_shiryaev_roberts", "adwin", "page_hinkley"}
    assert views["demand"].state is SeriesState.WARMING_UP
    assert {view.labels["series"] for view in judge.view().alerts} == {"feature:x0"}
