"""Laws of a change of the plan: what is not touched goes on as if nothing had happened, the rest ends or begins."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache

import msgspec
import pytest

from stream_monitor.core.alerts.event import AlertCloudEvent, decode
from stream_monitor.core.calendar import Calendar
from stream_monitor.core.judge import AlertEvent, Judge, Output
from stream_monitor.core.judge.changes.carry import Changes, carry
from stream_monitor.core.plan import (
    DEFAULT_RULES,
    Budget,
    DetectorPlan,
    EffectPlan,
    InputPlan,
    ModelPlan,
    Plan,
    Severity,
    Threshold,
)
from stream_monitor.core.plan_text import read_plan
from tests.laws.lives import PANE, READY, WORLDS, written
from tests.traffic import MINUTE, SECOND, T0, Monitor

WORLD = WORLDS["default rules"]
PLAN = WORLD.plan
DRIFT, SEVERE, QUALITY, ERRORS, TRAFFIC = DEFAULT_RULES


def rules(*changed: object) -> Plan:
    """Return the plan with rules in the place of those of the same name."""
    return replace(PLAN, rules=tuple(changed))  # type: ignore[arg-type]  # rules


def model(**settings: object) -> Plan:
    return replace(PLAN, models=(replace(ModelPlan(), **settings),))  # type: ignore[arg-type]  # keywords of ModelPlan


def clock(**settings: object) -> Plan:
    return replace(PLAN, detection=replace(PLAN.detection, **settings))  # type: ignore[arg-type]  # as above


def alerts(**settings: object) -> Plan:
    return replace(PLAN, alerts=replace(PLAN.alerts, **settings))  # type: ignore[arg-type]  # as above


SETTINGS: Mapping[str, Plan] = {
    "a rule less": rules(DRIFT, SEVERE, QUALITY, ERRORS),
    "a rule more": rules(*DEFAULT_RULES, replace(DRIFT, name="psi", effect=EffectPlan("psi", 0.5))),
    "another floor": rules(replace(DRIFT, effect=EffectPlan("psi", 0.2)), *DEFAULT_RULES[1:]),
    "another measure": rules(replace(DRIFT, effect=EffectPlan("jensen_shannon", 0.1)), *DEFAULT_RULES[1:]),
    "another severity": rules(DRIFT, SEVERE, replace(QUALITY, severity=Severity.INFO), ERRORS, TRAFFIC),
    "other series": rules(replace(DRIFT, series=("feature:x0",)), *DEFAULT_RULES[1:]),
    "other evidence": rules(replace(DRIFT, evidence="beta_bernoulli"), *DEFAULT_RULES[1:]),
    "tolerance of a rule": rules(replace(DRIFT, tolerance=0.05), *DEFAULT_RULES[1:]),
    "tolerance of a model": model(tolerance=0.03),
    "segments": model(segments=("channel",)),
    "a feature less": model(exclude=("x0",)),
    "budget of a model": model(budget=Budget(1, 600 * MINUTE)),
    "hours": model(strata=Calendar.HOUR_OF_DAY),
    "published baselines": model(baseline_events=63),
    "budget": clock(budget=Budget(2, 60 * MINUTE)),
    "longer window": clock(window_ms=40 * SECOND),
    "shorter window": clock(window_ms=10 * SECOND),
    "longer panes": clock(pane_ms=2 * PANE),
    "shorter panes": clock(pane_ms=PANE // 2),
    "uneven panes": clock(pane_ms=5 * SECOND, window_ms=20 * SECOND),
    "detectors": clock(detectors=(DetectorPlan("page_hinkley"), DetectorPlan("kswin"))),
    "comparisons": clock(comparisons=("psi",)),
    "thresholds": clock(threshold=Threshold.CALIBRATED),
    "patience": alerts(open_after=3, resolve_after=6, cooldown_ms=MINUTE, reminder_ms=MINUTE, open_events=500),
    "labels": alerts(labels=(("team", "risk"),)),
    "at most open": alerts(max_open=3),
    "forgetting": alerts(forget_after_ms=3 * MINUTE),
    "links": alerts(external_url="https://monitor.example", runbook_url="https://runbooks.example"),
    "pending": alerts(publish_pending=False),
    "lateness": replace(PLAN, time=replace(PLAN.time, allowed_lateness_ms=20 * SECOND)),
    "idle limit": replace(PLAN, time=replace(PLAN.time, idle_limit_ms=10 * MINUTE)),
    "an input more": replace(PLAN, inputs=(*PLAN.inputs, InputPlan("labels", "native_labels"))),
    "limits": replace(PLAN, limits=replace(PLAN.limits, models=5, series_per_model=3)),
    "privacy": replace(PLAN, privacy=replace(PLAN.privacy, example_values=True)),
}
"""A change of each kind of setting."""

MOMENTS = (READY + 12 * SECOND, READY + 50 * SECOND, READY + 100 * SECOND, READY + 150 * SECOND)
"""Pending, firing, recovered and in their cooldown, firing again."""


@cache
def told() -> Monitor:
    return WORLD.monitor()


@cache
def at(moment: int) -> tuple[bytes, int]:
    """Return the state of the judge when the pane that ends at a moment is closed, and the position in the log."""
    judge = told().judge(0)
    for entry in told().log[0]:
        judge.fold(entry)
        if (judge.ledger.panes["events"].next_ms or 0) >= T0 + moment:
            return judge.dump(), judge.next_offset
    raise AssertionError("the story ends before")


def judge_at(moment: int) -> Judge:
    """Return that judge, with the chunks that wait."""
    state, end = at(moment)
    judge = told().judge(0, state)
    for entry in told().log[0][judge.next_offset : end]:
        assert judge.fold(entry) == []
    return judge


def rest(judge: Judge) -> list[Output]:
    """Fold what is left of the log."""
    return [out for entry in told().log[0][judge.next_offset :] for out in judge.fold(entry)]


def events(outputs: list[Output] | tuple[Output, ...]) -> list[AlertCloudEvent]:
    return [decode(out.value) for out in outputs if isinstance(out, AlertEvent)]


def open_alerts(judge: Judge) -> dict[str, str]:
    """Return the rule of each open alert by its id."""
    return {view.alert_id: view.labels["rule"] for view in judge.view().alerts}


@pytest.mark.parametrize("moment", MOMENTS)
def test_the_same_plan_changes_nothing(moment: int) -> None:
    """Its text read back is the same plan: same bytes of state, nothing said."""
    judge = judge_at(moment)
    carried = carry(judge, read_plan(PLAN.canonical))

    assert (carried.outputs, carried.changes) == ((), Changes())
    assert carried.judge.dump() == at(moment)[0]


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_plan_of_another_name_that_says_the_same_changes_nothing_but_the_name(moment: int) -> None:
    """As after an upgrade that adds a setting: the whole path is gone, and what follows is the same bytes."""
    judge = judge_at(moment)
    other = replace(PLAN)
    other.__dict__["canonical"] = PLAN.canonical.replace(b"{", b'{"new":1,', 1)
    carried = carry(judge, other)
    before, after = judge_at(moment), carried.judge

    assert other.hash != PLAN.hash
    assert carried.outputs == ()
    assert (carried.changes.restarted, carried.changes.started, carried.changes.ended) == ((), (), ())
    assert len(after.dump()) == len(at(moment)[0])
    assert written(rest(after)) == written(rest(before))


@pytest.mark.parametrize(("name", "moment"), [(name, MOMENTS[i % 4]) for i, name in enumerate(SETTINGS)])
def test_any_setting_can_change_at_any_moment(name: str, moment: int) -> None:
    """Every open alert stays open or ends with its reason, once; the judge goes on and can be restored."""
    plan = SETTINGS[name]
    judge = judge_at(moment)
    open_before = open_alerts(judge)
    carried = carry(judge, plan)
    ended = {event.data.alert_id for event in events(carried.outputs)}
    reasons = {event.data.reason for event in events(carried.outputs)}

    assert reasons <= {"rule_removed"}
    assert set(open_alerts(carried.judge)) | ended == set(open_before)
    assert set(open_alerts(carried.judge)) & ended == set()

    state, position = carried.judge.dump(), carried.judge.next_offset
    again = resumed(plan, state, position)
    first, second = rest(carried.judge), rest(again)
    assert written(first) == written(second)
    assert carried.judge.dump() == again.dump()
    sequences = [(event.data.alert_id, event.data.sequence) for event in events((*carried.outputs, *first))]
    assert len(set(sequences)) == len(sequences)


def resumed(plan: Plan, state: bytes, position: int) -> Judge:
    """Return a judge of the new plan from its snapshot."""
    judge = Judge(
        plan,
        partition=0,
        partitions=1,
        source="/stream-monitor/test",
        schedule=told().schedule.get,
        state=state,
    )
    for entry in told().log[0][judge.next_offset : position]:
        assert judge.fold(entry) == []
    assert judge.dump() == state
    return judge


KEEPS_ALL: tuple[str, ...] = (
    *("another floor", "another measure", "other evidence", "tolerance of a rule", "tolerance of a model", "segments"),
    *("budget of a model", "published baselines", "budget", "longer window", "shorter window", "longer panes"),
    *("shorter panes", "uneven panes", "detectors", "comparisons", "thresholds", "patience", "at most open"),
    *("forgetting", "links", "pending", "lateness", "idle limit", "an input more", "privacy", "a rule more", "hours"),
)


@pytest.mark.parametrize("name", KEEPS_ALL)
def test_an_alert_lives_on_where_its_rule_does(name: str) -> None:
    """Whatever begins anew: no open alert ends by a change that leaves its rule, its series and its labels."""
    judge = judge_at(MOMENTS[1])
    before = open_alerts(judge)
    firing = {view.alert_id for view in judge.view().alerts if view.status == "firing"}
    carried = carry(judge, SETTINGS[name])

    assert carried.outputs == ()
    assert open_alerts(carried.judge) == before != {}
    later = {event.data.alert_id: event.data.reason for event in events(rest(carried.judge))}
    if name != "an input more":  # nobody reports on that topic
        assert {later.get(alert) for alert in firing} <= {"recovered", "model_retired"}


GONE: Mapping[str, Callable[[dict[str, str]], bool]] = {
    "a rule less": lambda labels: labels["rule"] == "traffic",
    "another severity": lambda labels: labels["rule"] == "data_quality",
    "other series": lambda labels: labels["rule"] == "drift" and labels["series"] != "feature:x0",
    "a feature less": lambda labels: labels.get("series", "").endswith(":x0"),
    "labels": lambda _: True,
}


@pytest.mark.parametrize("name", GONE)
def test_an_alert_ends_where_its_rule_is_gone(name: str) -> None:
    """Those and no others, at the end of the last pane, under the labels that they had."""
    judge = judge_at(MOMENTS[1])
    end_ms = judge.ledger.panes["events"].next_ms
    before = {view.alert_id: dict(view.labels) for view in judge.view().alerts}
    carried = carry(judge, SETTINGS[name])
    found = events(carried.outputs)

    assert {event.data.alert_id for event in found} == {key for key, labels in before.items() if GONE[name](labels)}
    assert found
    assert {out.timestamp_ms for out in carried.outputs if isinstance(out, AlertEvent)} == {end_ms}
    assert all(event.data.status == "resolved" and event.data.labels == before[event.data.alert_id] for event in found)
    assert {(series.series, rule) for series, rule in carried.changes.ended} == {
        (event.data.labels["series"], event.data.labels["rule"]) for event in found
    }


UNTOUCHED: Mapping[str, Callable[[AlertCloudEvent], bool]] = {
    "another floor": lambda event: event.data.labels["rule"] in ("traffic", "data_quality"),
    "comparisons": lambda _: True,
    "detectors": lambda _: True,
    "forgetting": lambda _: True,
    "idle limit": lambda _: True,
    "privacy": lambda event: event.data.labels["series"] == "demand",
}


@pytest.mark.parametrize("name", UNTOUCHED)
@pytest.mark.parametrize("moment", MOMENTS[:2])
def test_alerts_that_a_change_does_not_touch_are_the_same_bytes(name: str, moment: int) -> None:
    """As far as another plan leaves everything as it is that an alert says."""
    same = UNTOUCHED[name]
    carried = carry(judge_at(moment), SETTINGS[name])
    both = [events(rest(carried.judge)), events(rest(judge_at(moment)))]
    # What is forgotten later retires later, and says more until then.
    retired = min(event.time for said in both for event in said if event.data.reason == "model_retired")

    found, expected = ([event for event in said if same(event) and event.time < retired] for said in both)
    if name == "another floor":  # an alert says what else drifts, and other alerts are open then
        found, expected = [alone(event) for event in found], [alone(event) for event in expected]
    assert found == expected != []


def alone(event: AlertCloudEvent) -> AlertCloudEvent:
    """Return an event without what it says of other series."""
    change = msgspec.structs.replace
    evidence = change(event.data.evidence, related=())
    annotations = change(event.data.annotations, description="")
    return change(event, data=change(event.data, evidence=evidence, annotations=annotations))


def test_evidence_goes_on_under_another_budget() -> None:
    """Only the threshold moves: the sums stay, and detectors that know the budget begin anew."""
    judge = judge_at(READY - 10 * SECOND)
    before = {view.series: view.log10_evidence for view in judge.view().series}
    carried = carry(judge, SETTINGS["budget"])
    after = {view.series: view.log10_evidence for view in carried.judge.view().series}

    assert after == before
    assert {detector for _, detector in carried.changes.restarted} == {"adwin", "page_hinkley"}


@pytest.mark.parametrize("name", ["longer panes", "shorter panes", "uneven panes"])
def test_panes_of_two_lengths_do_not_mix(name: str) -> None:
    """Chunks that are still counted in panes of the old length: merged where they fit, else flagged, not judged."""
    plan = SETTINGS[name]
    carried = carry(judge_at(READY - 20 * SECOND), plan)
    found = events(rest(carried.judge))
    flagged = carried.judge.view().counters.get(("panes_unfit_total", "fraud"), 0)
    series = {event.data.labels["series"] for event in found}

    assert carried.changes.clock
    assert (flagged > 0) == (plan.detection.pane_ms % PANE != 0)
    assert (series - {"demand"} == set()) == (flagged > 0)
    assert carried.judge.models == {} or carried.judge.models["fraud"].demand is not None


def test_a_model_that_the_plan_does_not_name_is_let_go() -> None:
    """Its alerts end, its state is gone, and the changes say so."""
    carried = carry(judge_at(MOMENTS[1]), replace(PLAN, models=(ModelPlan("other"),)))

    assert carried.changes.models == ("fraud",)
    assert {event.data.reason for event in events(carried.outputs)} == {"rule_removed"}
    assert carried.judge.models == {}
    assert rest(carried.judge) != []  # tombstones of what ended
