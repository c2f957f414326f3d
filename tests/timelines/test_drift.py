"""Stories of drift: what an operator is told, when, and when nobody is told anything."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stream_monitor.core.plan import (
    DAY_MS,
    DEFAULT_RULES,
    AlertsPlan,
    Budget,
    DetectionPlan,
    EffectPlan,
    Plan,
    RulePlan,
)
from stream_monitor.core.time import format_instant, parse_instant
from tests.timelines.story import Timeline, both, category, minutes, nulls, shifted
from tests.traffic import MINUTE, T0


def test_healthy_traffic_tells_nobody_anything() -> None:
    """An hour of ordinary events, late, disordered and doubled ones among them, raises no alert."""
    story = Timeline()
    story.push(minutes(0, 60))

    assert story.told() == []


def test_a_mean_shift_opens_alerts_and_resolves_them() -> None:
    """The severe rule fires within a minute, for both, and resolves when fresh panes are clean again."""
    story = Timeline()
    story.push(minutes(0, 20))
    story.push(minutes(20, 25), shifted("x1", 1.0))
    story.push(minutes(25, 45))

    assert story.told(minutes(0, 22)) == [("feature:x1", "severe_drift", "fired")]
    assert story.told(minutes(22, 45)) == story.told(minutes(26, 28)) == [("feature:x1", "severe_drift", "recovered")]


def test_an_alert_says_when_where_and_how() -> None:
    """The change range holds the true change; direction, window, offsets and examples are there."""
    story = Timeline()
    story.push(minutes(0, 20))
    story.push(minutes(20, 25), shifted("x0", -1.0))
    fired = story.alerts()[0].data
    evidence = fired.evidence

    assert fired.annotations.summary.startswith("fraud 7: x0 fell: median ")
    assert "Certain: without drift, evidence this strong" in fired.annotations.description
    assert evidence.change is not None
    assert parse_instant(evidence.change.from_) <= T0 + 20 * MINUTE <= parse_instant(evidence.change.to)
    assert evidence.log10_evidence is not None
    assert evidence.log10_threshold is not None
    assert evidence.log10_evidence >= evidence.log10_threshold
    assert evidence.effect.value >= evidence.effect.floor > evidence.effect.noise_95
    assert {(span.topic, span.partition) for span in evidence.source} == {
        ("inference-events", 0),
        ("inference-events", 1),
    }
    assert len(evidence.examples) == 5
    assert evidence.bins is not None
    assert sum(evidence.bins.window) == evidence.window.n


def test_a_change_that_nobody_cares_about_raises_nothing() -> None:
    """A detector alarms at a small shift, the effect stays below the floor, and the null learns it."""
    story = Timeline(rate=30.0)
    story.push(minutes(0, 10))
    story.push(minutes(10, 60), shifted("x0", 0.2))

    assert story.told() == []
    assert story.counters()["detections_total", "fraud", "rank_shiryaev_roberts"] > 0
    assert story.judge.view().alerts == ()


def test_a_null_storm_is_an_alert_about_missing_values() -> None:
    """Values that go missing are told as such, not as drift of the values that are left."""
    story = Timeline()
    story.push(minutes(0, 10))
    story.push(minutes(10, 15), nulls("x0", 0.5))
    story.push(minutes(15, 30))

    assert story.told() == [("missing:x0", "data_quality", "fired"), ("missing:x0", "data_quality", "recovered")]


def test_a_new_category_is_unseen() -> None:
    """A category that the baseline does not know alarms, however plausible it is."""
    story = Timeline()
    story.push(minutes(0, 10))
    story.push(minutes(10, 15), category("XX", 0.2))

    assert ("unseen:country", "data_quality", "fired") in story.told()
    assert {series for series, _, _ in story.told()} <= {"unseen:country", "feature:country"}


def test_shares_of_known_categories_may_drift() -> None:
    """A shift between known categories is drift of the feature; the alert names the detector of the kind."""
    story = Timeline()
    story.push(minutes(0, 10))
    story.push(minutes(10, 15), category("IT", 0.4))
    fired = story.alerts()[0].data

    assert story.told() == [("feature:country", "severe_drift", "fired")]
    assert fired.evidence.detector == "interval_categories"
    assert "country: IT 19.6 → 50.5 %" in fired.annotations.summary


def test_demand_that_falls_to_zero_is_told() -> None:
    """Silence is data for the demand: idle facts close its panes, and the alert does not wait for events."""
    story = Timeline(rate=5.0, features=1)
    story.push(minutes(0, 40))
    story.silence(44)

    assert story.told() == [("demand", "traffic", "fired")]
    assert "version" not in story.alerts()[0].data.labels


def test_a_new_version_that_takes_over_the_traffic_is_no_change_of_demand() -> None:
    """Demand is the model's, over all its versions."""
    story = Timeline(rate=5.0, features=1)
    story.activate(story.baseline(version="8"), 0)
    story.push(minutes(0, 40))
    story.push(minutes(40, 60), version="8")

    assert story.told() == []


def test_a_silent_series_never_alarms() -> None:
    """Empty panes are no evidence: a thousand of them, ten times the budget, raise nothing."""
    rules = tuple(rule for rule in DEFAULT_RULES if rule.name != "traffic")
    story = Timeline(Plan(detection=DetectionPlan(budget=Budget(1, 100 * 10_000)), rules=rules), seed=5)
    story.push(minutes(0, 5))
    story.silence(180)

    assert story.told() == []


def test_a_new_baseline_resolves_open_alerts() -> None:
    """What drifted from the old reference is the new normal: resolved at its first pane, and quiet from then on."""
    story = Timeline()
    story.activate(story.baseline(shifted("x0", 1.0)), 20)
    story.push(minutes(0, 10))
    story.push(minutes(10, 40), shifted("x0", 1.0))

    assert story.told(minutes(19, 60)) == [("feature:x0", "severe_drift", "baseline_changed")]
    assert {event.time for event in story.alerts(minutes(19, 60))} == {format_instant(T0 + 20 * MINUTE + 10_000)}


def test_a_drift_that_comes_back_within_the_cooldown_waits() -> None:
    """Flapping is told once: the second drift fires when the cooldown of the first is over, not before."""
    alerts = AlertsPlan(resolve_after=3, cooldown_ms=30 * MINUTE)
    detection = DetectionPlan(window_ms=1 * MINUTE)
    story = Timeline(Plan(detection=detection, alerts=alerts, rules=DEFAULT_RULES[:1]))
    story.push(minutes(0, 10))
    story.push(minutes(10, 13), shifted("x0", 1.0))
    story.push(minutes(13, 20))
    story.push(minutes(20, 60), shifted("x0", 1.0))
    recovered = next(event for event in story.alerts() if event.data.reason == "recovered")
    again = story.alerts()[2]

    assert [reason for _, _, reason in story.told()] == ["fired", "recovered", "fired"]
    assert parse_instant(again.time) - parse_instant(recovered.time) == 30 * MINUTE
    assert parse_instant(again.data.starts_at) < parse_instant(again.time) - 15 * MINUTE


def test_the_severe_rule_may_fire_later_in_the_same_episode() -> None:
    """A drift that grows is first a warning, then critical, then worse; the warning ends as the critical one fires."""
    story = Timeline()
    story.push(minutes(0, 10))
    story.push(minutes(10, 17), shifted("x0", 0.36))
    story.push(minutes(17, 24), shifted("x0", 1.5))
    story.push(minutes(24, 30))
    escalated, severe = story.alerts()[1:3]

    assert list(dict.fromkeys(story.told())) == [
        ("feature:x0", "drift", "fired"),
        ("feature:x0", "drift", "escalated"),
        ("feature:x0", "severe_drift", "fired"),
        ("feature:x0", "severe_drift", "worsened"),
        ("feature:x0", "severe_drift", "recovered"),
    ]
    assert (escalated.time, escalated.type) == (severe.time, "io.streammonitor.alert.resolved.v1")
    assert "severe_drift takes over from drift" in escalated.data.annotations.summary


def test_an_alert_storm_is_one_summary() -> None:
    """Ten features at once, room for three: three alerts, and one that names the number and waits with the rest."""
    story = Timeline(Plan(alerts=AlertsPlan(max_open=3), rules=DEFAULT_RULES[:1]), features=10)
    story.push(minutes(0, 10))
    story.push(minutes(10, 13), both(*(shifted(f"x{i}", 1.0) for i in range(10))))
    first = story.told(minutes(0, 12))
    storm = next(event for event in story.alerts() if event.data.labels["alertname"] == "AlertStorm")

    assert first == [
        ("AlertStorm", "alert_storm", "fired"),
        *((f"feature:x{i}", "drift", "fired") for i in range(3)),
    ]
    assert "10 alerts would be open" in storm.data.annotations.summary
    assert storm.subject == "fraud"


def test_waiting_alerts_are_told_when_there_is_room() -> None:
    """Nothing is dropped silently: what the cap held back fires as soon as others resolve."""
    detection = DetectionPlan(window_ms=MINUTE)
    alerts = AlertsPlan(max_open=1, resolve_after=3)
    story = Timeline(Plan(detection=detection, alerts=alerts, rules=DEFAULT_RULES[:1]))
    story.push(minutes(0, 10))
    story.push(minutes(10, 15), both(shifted("x0", 1.0), shifted("x1", 1.0)))
    story.push(minutes(15, 30), shifted("x1", 1.0))

    assert story.told() == [
        ("AlertStorm", "alert_storm", "fired"),
        ("feature:x0", "drift", "fired"),
        ("feature:x0", "drift", "recovered"),
        ("feature:x1", "drift", "fired"),
        ("AlertStorm", "alert_storm", "recovered"),
    ]


def test_a_firing_alert_is_told_again_from_time_to_time() -> None:
    """A reminder has the same id and the next sequence."""
    story = Timeline(Plan(alerts=AlertsPlan(reminder_ms=10 * MINUTE), rules=DEFAULT_RULES[:1]))
    story.push(minutes(0, 10))
    story.push(minutes(10, 35), shifted("x0", 1.0))
    events = story.alerts()

    assert [event.data.reason for event in events] == ["fired", "reminder", "reminder"]
    assert [event.data.sequence for event in events] == [1, 2, 3]
    assert len({event.data.alert_id for event in events}) == 1


def test_pending_alerts_are_told_only_on_request() -> None:
    """With `publish_pending` an alert is opened before it fires, under the same id."""
    story = Timeline(Plan(alerts=AlertsPlan(publish_pending=True), rules=DEFAULT_RULES[:1]))
    story.push(minutes(0, 10))
    story.push(minutes(10, 13), shifted("x0", 1.0))
    opened, fired = story.alerts()

    assert (opened.type, fired.type) == ("io.streammonitor.alert.pending.v1", "io.streammonitor.alert.firing.v1")
    assert (opened.data.alert_id, opened.data.sequence) == (fired.data.alert_id, 0)


def test_other_drifting_series_are_listed() -> None:
    """An alert names what else has alarmed, strongest first."""
    story = Timeline(Plan(rules=DEFAULT_RULES[:1]))
    story.push(minutes(0, 10))
    story.push(minutes(10, 13), both(shifted("x0", 1.5), shifted("x1", 1.0)))
    weaker = next(event for event in story.alerts() if event.data.labels["series"] == "feature:x1")

    assert [other.series for other in weaker.data.evidence.related] == ["feature:x0"]


@pytest.mark.parametrize("detector", ["adwin", "page_hinkley"])
def test_a_detector_of_river_may_be_the_evidence(detector: str) -> None:
    """It alarms at its calibrated run length; the alert shows its statistic, not an evidence that it does not have."""
    story = Timeline(Plan(rules=(RulePlan("drift", ("feature:*",), evidence=detector),)))
    story.push(minutes(0, 20))
    story.push(minutes(20, 25), shifted("x0", 1.0))
    fired = story.alerts()[0].data.evidence

    assert story.told() == [("feature:x0", "drift", "fired")]
    assert (fired.detector, fired.log10_evidence) == (detector, None)
    assert fired.statistic is not None


def test_alerts_about_drift_are_forgotten_days_later() -> None:
    """The compacted state keeps a resolved alert for a while, then drops it."""
    alerts = AlertsPlan(resolve_after=3, forget_after_ms=20 * MINUTE)
    story = Timeline(Plan(detection=DetectionPlan(window_ms=MINUTE), alerts=alerts, rules=DEFAULT_RULES[:1]))
    story.push(minutes(0, 5))
    story.push(minutes(5, 8), shifted("x0", 1.0))
    story.push(minutes(8, 20))
    soon = len(story.monitor.states())
    later = replace(story, parts=[*story.parts], baselines=[story.baselines[0]])
    later.push(minutes(20, 45))

    assert (soon, len(later.monitor.states())) == (1, 0)


def test_a_model_that_stays_silent_is_retired() -> None:
    """After `forget_after` without events its alerts are resolved, and nothing of it is kept."""
    story = Timeline(Plan(rules=DEFAULT_RULES[:1]), features=1)
    story.push(minutes(0, 10))
    story.push(minutes(10, 13), shifted("x0", 1.0))
    story.silence(8 * DAY_MS / MINUTE)

    assert [reason for _, _, reason in story.told()][-1] == "model_retired"
    assert story.judge.view().models == ()


def test_a_share_rule_takes_a_user_floor() -> None:
    """A rule with a floor of its own speaks only above it."""
    rule = RulePlan("many_nulls", ("missing:*",), "interval_bernoulli", EffectPlan("share_change", 0.4))
    story = Timeline(Plan(rules=(rule,)))
    story.push(minutes(0, 10))
    story.push(minutes(10, 15), nulls("x0", 0.3))
    story.push(minutes(15, 20), nulls("x0", 0.8))

    assert story.told(minutes(0, 15)) == []
    assert story.told() == [("missing:x0", "many_nulls", "fired")]


def test_a_drift_that_comes_and_goes_is_not_many_alerts() -> None:
    """Two minutes on, two off: after its first return the alert stays open until all is quiet for long."""
    story = Timeline(Plan(rules=DEFAULT_RULES[:2]), features=1)
    story.push(minutes(0, 10))
    for start in range(10, 110, 4):
        story.push(minutes(start, start + 2), shifted("x0", 1.0))
        story.push(minutes(start + 2, start + 4))
    story.push(minutes(110, 125))

    assert [reason for _, _, reason in story.told() if reason != "worsened"] == ["fired", "recovered"] * 2
    assert parse_instant(story.alerts()[-1].time) > T0 + 114 * MINUTE
    assert "had come back soon after its last end" in story.alerts()[-1].data.annotations.description


def test_a_family_needs_one_place_below_the_cap() -> None:
    """With one place the warning fires, and the critical rule takes that place when it fires; no storm is reported."""
    story = Timeline(Plan(alerts=AlertsPlan(max_open=1), rules=DEFAULT_RULES[:2]), features=1)
    story.push(minutes(0, 10))
    story.push(minutes(10, 14), shifted("x0", 0.36))
    story.push(minutes(14, 18), shifted("x0", 1.5))

    assert list(dict.fromkeys(story.told()))[:3] == [
        ("feature:x0", "drift", "fired"),
        ("feature:x0", "drift", "escalated"),
        ("feature:x0", "severe_drift", "fired"),
    ]
    assert "AlertStorm" not in {event.data.labels["alertname"] for event in story.alerts()}


def test_the_severe_alert_goes_on_for_the_mild_one_and_both_cool_down() -> None:
    """A drift that weakens below the severe floor stays one alert; what comes back after its end waits for both."""
    story = Timeline(Plan(rules=DEFAULT_RULES[:2]), features=1)
    story.push(minutes(0, 10))
    story.push(minutes(10, 14), shifted("x0", 1.0))
    story.push(minutes(14, 26), shifted("x0", 0.4))
    story.push(minutes(26, 32))
    story.push(minutes(32, 50), shifted("x0", 0.4))
    recovered = story.alerts()[-1]

    assert story.told() == [("feature:x0", "severe_drift", "fired"), ("feature:x0", "severe_drift", "recovered")]
    assert T0 + 26 * MINUTE < parse_instant(recovered.time) <= T0 + 29 * MINUTE


def test_rules_of_one_severity_are_two_alerts() -> None:
    """Only a rising severity makes a family: equals are reported each."""
    other = replace(DEFAULT_RULES[0], name="other", effect=EffectPlan("kolmogorov_smirnov", 0.1))
    story = Timeline(Plan(rules=(DEFAULT_RULES[0], other)), features=1)
    story.push(minutes(0, 10))
    story.push(minutes(10, 14), shifted("x0", 1.0))
    story.push(minutes(14, 18))

    assert sorted(story.told()) == [
        ("feature:x0", rule, reason) for rule in ("drift", "other") for reason in ("fired", "recovered")
    ]
