"""What every alert carries, whatever it is about: evidence, promise, effect, beginning, and what else drifts."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace

import pytest

from stream_monitor.core.alerts.event import AlertCloudEvent
from stream_monitor.core.baseline import (
    Baseline,
    CategoricalBaseline,
    Dependence,
    DesignEffect,
    NumericBaseline,
    Quality,
)
from stream_monitor.core.plan import DEFAULT_RULES, EffectPlan, Plan, RulePlan, Threshold
from stream_monitor.core.time import parse_instant
from stream_monitor.outputs.endpoints import Identity, pages
from tests.outputs.listening import Listener
from tests.timelines.story import Timeline, both, category, minutes, nulls, shifted

SEVERAL = both(shifted("x0", 1.0), shifted("x1", -0.8), nulls("x2", 0.3), category("IT", 0.5))
BOUND = Plan()
CALIBRATED = replace(BOUND, detection=replace(BOUND.detection, threshold=Threshold.CALIBRATED))
ADWIN = Plan(rules=(*DEFAULT_RULES, RulePlan("means", ("feature:*",), "adwin", EffectPlan("psi", 0.1))))
PANES = Plan(rules=(RulePlan("drift", ("feature:*",), "pane_rank", EffectPlan("psi", 0.1)),))


def rich(plan: Plan) -> Timeline:
    """Four features and the demand change at once, and recover."""
    story = Timeline(plan, features=3, rate=12.0)
    story.push(minutes(0, 8))
    story.push(minutes(8, 16), SEVERAL)
    story.push(minutes(16, 28))
    return story


def assert_complete(event: AlertCloudEvent, plan: Plan) -> None:
    """Check what an alert must carry."""
    data, evidence = event.data, event.data.evidence
    budget = plan.budget(data.labels["model"]).panes(plan.detection.pane_ms)
    rule = next(rule for rule in plan.rules if rule.name == data.labels["rule"])
    if rule.evidence == "adwin":
        assert (evidence.log10_evidence, evidence.expected_alarms) == (None, None)
        assert evidence.statistic is not None
    else:
        assert evidence.log10_evidence is not None
        assert evidence.log10_threshold is not None
        assert evidence.log10_evidence >= evidence.log10_threshold
        assert evidence.expected_alarms == pytest.approx(budget / 10**evidence.log10_evidence, rel=1e-4)
        assert ("vidence this strong comes" in data.annotations.description) == (data.status == "firing")
    assert evidence.budget_panes == budget
    assert evidence.guarantee.partition(":")[0] in {"bound", "bound_panes", "calibrated", "approximate", "none"}
    assert (evidence.design_effect is not None) == evidence.guarantee.endswith(":dependence")
    assert (evidence.effect.measure, evidence.effect.floor) == (rule.effect.measure, rule.effect.floor)
    assert math.isfinite(evidence.effect.value)
    assert evidence.effect.noise_95 >= 0.0
    assert data.reason not in ("fired", "worsened") or evidence.effect.value >= evidence.effect.floor
    assert evidence.change is not None
    begin, end = parse_instant(evidence.change.from_), parse_instant(evidence.change.to)
    assert begin < end <= parse_instant(data.starts_at) + plan.detection.window_ms
    assert evidence.family > 1
    assert data.labels["series"] not in {other.series for other in evidence.related}


@pytest.mark.parametrize("plan", [BOUND, CALIBRATED, ADWIN], ids=["bound", "calibrated", "adwin"])
def test_every_alert_of_a_rich_story_is_complete(plan: Plan) -> None:
    """Evidence and threshold, alarms expected at that level, promise, effect, change range, drifting series."""
    story = rich(plan)
    events = story.alerts()
    for event in events:
        assert_complete(event, plan)
    last = {event.data.labels["series"]: event.data for event in events if event.data.reason == "fired"}

    assert {"feature:x0", "feature:x1", "feature:country", "missing:x2"} <= set(last)
    assert {event.data.reason for event in events} >= {"fired", "recovered"}
    assert any(len(data.evidence.related) >= 2 for data in last.values())


def test_related_series_are_those_of_the_e_d_bh_list() -> None:
    """Of the series in the list all have M p w at least p A over their place in it."""
    story = rich(BOUND)
    fired = [event.data for event in story.alerts() if event.data.reason == "fired"]
    excess = {
        data.labels["series"]: (data.evidence.log10_evidence or 0.0) - (data.evidence.log10_threshold or 0.0)
        for data in fired
    }
    places = [
        (excess[other.series], place)
        for data in fired
        for place, other in enumerate(data.evidence.related, 2)
        if other.series in excess
    ]

    assert len(places) >= 6
    assert all(own >= -math.log10(place) - 1e-4 for own, place in places)


def with_series(baseline: Baseline, **changes: object) -> Baseline:
    series = {
        name: replace(own, **changes) if isinstance(own, NumericBaseline | CategoricalBaseline) else own  # type: ignore[arg-type]  # fields of both
        for name, own in baseline.series.items()
    }
    return Baseline(baseline.model, baseline.version, baseline.origin, series, baseline.constraints)


def status_story(guarantee: str) -> Timeline:
    """A story whose first alert has a status."""
    plan = {"calibrated": CALIBRATED, "bound_panes": PANES}.get(guarantee, BOUND)
    story = Timeline(plan, features=1, rate=4.0 if guarantee == "bound_panes" else 12.0)
    own, at = story.baselines[0]
    changes: dict[str, dict[str, object]] = {
        "approximate:dependence": {"dependence": Dependence(DesignEffect(4.0))},
        "none:dependence": {"dependence": Dependence(DesignEffect(4.0, settled=False))},
        "approximate:histogram": {"quality": Quality.APPROXIMATE},
    }
    story.baselines[0] = (with_series(own, **changes.get(guarantee, {})), at)
    quiet = 44.0 if guarantee == "bound_panes" else 6.0
    story.push(minutes(0, quiet))
    story.push(minutes(quiet, quiet + 5), shifted("x0", 1.5))
    return story


def seen_in(text: str, name: str) -> Sequence[str]:
    """Return the guarantees of a series in an exposition."""
    lines = [line for line in text.splitlines() if line.startswith("stream_monitor_series_guarantee_info{")]
    return [line.partition('guarantee="')[2].partition('"')[0] for line in lines if f'series="{name}"' in line]


@pytest.mark.parametrize(
    "guarantee",
    [
        "bound",
        "bound_panes",
        "calibrated",
        "approximate:dependence",
        "approximate:histogram",
        "none:dependence",
    ],
)
def test_a_status_reaches_alerts_metrics_and_the_status_page(guarantee: str) -> None:
    """The same word in all three, and a series without a guarantee is counted as such."""
    story = status_story(guarantee)
    view = story.judge.view()
    listener = Listener()
    listener.metrics.judged(view)
    page = pages(Identity("g", "i", ("judge",), "0", "c"), listener.metrics, listener.health)["/status"]("")
    found = json.loads(page.body)["judge"][0]["models"][0]["guarantees"]
    states = {series.series: series.state for series in view.series}

    assert {event.data.evidence.guarantee for event in story.alerts()} == {guarantee}
    assert list(seen_in(listener.text(), "feature:x0")) == [guarantee]
    assert "7/feature:x0" in found[guarantee]
    assert (states["feature:x0"] == "no_guarantee") == guarantee.startswith("none:")
