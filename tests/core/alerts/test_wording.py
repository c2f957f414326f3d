"""What alerts say to people: the table of wordings by example, a row for each kind of alert and of event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from stream_monitor.core.alerts import event as wire
from stream_monitor.core.alerts.identity import SeriesName
from stream_monitor.core.alerts.lifecycle import Reason
from stream_monitor.core.alerts.wording import WORDINGS, Facts, Said, text
from stream_monitor.core.alerts.wording.certainty import caution, certainty
from stream_monitor.core.judge.conditions import CONDITIONS
from stream_monitor.core.names import ALERT_STORM, MISSING_COLUMN, alertname
from stream_monitor.core.time import format_instant

START = 1_795_331_960_000
MINUTE = 60_000

Range = tuple[float | None, float | None]


def level(of: str, before: float, now: float, *, was: Range | None = None, held: Range | None = None) -> wire.Level:
    """A level, normally and now."""
    return wire.Level(of=of, baseline=before, window=now, baseline_range=was, window_range=held)


def evidence(
    measure: str = "psi",
    value: float = 3.1,
    *levels: wire.Level,
    log10: float | None = 18.0,
    related: Sequence[tuple[str, str]] = (),
    worst: tuple[float, Sequence[wire.Level]] | None = None,
    guarantee: str = "bound",
    d: float | None = None,
    previous: float | None = None,
) -> wire.Evidence:
    """The payload of an alert of a budget of one in 30 days; its threshold is 10^7."""
    return wire.Evidence(
        detector="rank_shiryaev_roberts",
        guarantee=guarantee,
        design_effect=d,
        log10_evidence=log10,
        log10_threshold=None if log10 is None else 7.0,
        budget_panes=259_200,
        pane_ms=10_000,
        family=12,
        effect=wire.Effect(measure=measure, value=value, floor=0.1, noise_95=0.01),
        previous=previous,
        levels=levels,
        worst=None
        if worst is None
        else wire.Worst(value=worst[0], at=format_instant(START + MINUTE), levels=tuple(worst[1])),
        window=wire.Window(from_=format_instant(START), to=format_instant(START + MINUTE), n=5_000),
        change=wire.Change(from_=format_instant(START - 30_000), to=format_instant(START)),
        baseline=None if measure == "ratio" else wire.BaselineRef(id="sha256:0", m=4_095),
        related=tuple(wire.Related(segment=s or None, series=name, log10_evidence=9.0) for s, name in related),
    )


def facts(
    series: str, own: wire.Evidence, reason: Reason = Reason.FIRED, *, after: int = 12, segment: str = ""
) -> Facts:
    """Facts about a series of `fraud 7`; what is over is so after some minutes."""
    over = reason not in (Reason.OPENED, Reason.FIRED, Reason.WORSENED, Reason.REMINDER)
    of_model = series in ("demand", "")
    return Facts(
        alertname=alertname(series) if series else ALERT_STORM,
        name=SeriesName("fraud", "" if of_model else "7", segment, series),
        rule="drift",
        reason=reason,
        evidence=own,
        starts_ms=START,
        ends_ms=START + after * MINUTE if over else None,
        now_ms=START + after * MINUTE,
        alert_id="b371c53ded674fc8-1795331960000",
        runbook_url="https://runbooks.example/drift",
        taken_over_by="severe_drift" if reason is Reason.ESCALATED else "",
    )


LATENCY = (level("p5", 5.0, 11.0), level("p50", 13.2, 27.1, was=(12.9, 13.5)), level("p95", 31.2, 88.4, was=(30, 32)))
AMOUNT_FELL = (level("p5", 3.0, 0.5), level("p50", 40.0, 22.0), level("p95", 210.0, 209.9, was=(200, 220)))
SPREAD = (level("p5", -1.6, -3.2), level("p50", 0.0, 0.01, was=(-0.1, 0.1)), level("p95", 1.6, 3.3))
COUNTRY = (level("IT", 0.2, 0.501), level("DE", 0.5, 0.31), level("FR", 0.3, 0.189))
BEYOND = (level("p50", 13.0, 90.0), level("p95", 31.0, 120.0, was=(30, 32), held=(120.0, None)))


@pytest.mark.parametrize(
    ("series", "own", "expected"),
    [
        ("latency", evidence("psi", 3.1, *LATENCY), "latency rose: median 13 → 27 ms, p95 31 → 88 ms (PSI 3.1)"),
        ("latency", evidence("psi", 9.4, *BEYOND), "latency rose: median 13 → 90 ms, p95 31 → above 120 ms (PSI 9.4)"),
        ("feature:amount", evidence("psi", 0.222, *AMOUNT_FELL), "amount fell: median 40 → 22, p5 3 → 0.5 (PSI 0.22)"),
        ("feature:x", evidence("psi", 0.6, *SPREAD), "x is more spread out: p5 -1.6 → -3.2, p95 1.6 → 3.3 (PSI 0.6)"),
        ("feature:country", evidence("psi", 0.41, *COUNTRY), "country: IT 20 → 50.1 %, DE 50 → 31 % (PSI 0.41)"),
        ("feature:night", evidence("psi", 0.3, level("yes", 0.32, 0.61)), "night: yes 32 → 61 % (PSI 0.3)"),
        ("prediction", evidence("psi", 0.3, level("p50", 0.07, 0.33)), "prediction rose: median 0.07 → 0.33 (PSI 0.3)"),
        ("confidence", evidence("means", 4.0), "confidence drifts (means 4)"),
        (
            "missing:age",
            evidence("share_change", 0.58, level("yes", 0.021, 0.606)),
            "age: 60.6 % missing, normally 2.1 %",
        ),
        ("invalid:age", evidence("share_change", 0.03, level("yes", 0.0, 0.031)), "age: 3.1 % invalid, normally 0 %"),
        (
            "unseen:country",
            evidence("share_change", 0.2, level("yes", 0.0002, 0.2)),
            "country: 20 % in unseen categories, normally 0.02 %",
        ),
        (
            "serving_error",
            evidence("share_change", 0.04, level("yes", 0.005, 0.045)),
            "4.5 % of requests fail, normally 0.5 %",
        ),
        (
            "demand",
            evidence("ratio", 0.83, level("events", 4_994.2, 856.9)),
            "traffic fell 83 %: 857 events per 10 s, normally 4,994",
        ),
        (
            "demand",
            evidence("ratio", 0.45, level("events", 100, 145)),
            "traffic rose 45 %: 145 events per 10 s, normally 100",
        ),
        (
            "demand",
            evidence("ratio", 2.2, level("events", 5, 16)),
            "traffic rose to 3.2 times: 16 events per 10 s, normally 5",
        ),
        (
            "demand",
            evidence("ratio", 0.995, level("events", 5_000, 24.99)),
            "traffic fell 99.5 %: 25 events per 10 s, normally 5,000",
        ),
        ("demand", evidence("ratio", 1.0, level("events", 50, 0)), "traffic stopped: 0 events per 10 s, normally 50"),
        ("", evidence("open_alerts", 231.0), "231 alerts would be open, the limit is -1"),
    ],
)
def test_every_kind_of_alert_says_from_what_to_what(series: str, own: wire.Evidence, expected: str) -> None:
    """A row of the table reads like this at three in the morning."""
    who = "fraud" if series in ("demand", "") else "fraud 7"

    assert text(facts(series, own)).summary == f"{who}: {expected}"


NOW = (level("p50", 13.2, 13.1), level("p95", 31.2, 30.8))
BACK = evidence("psi", 0.01, *NOW, worst=(3.1, LATENCY))


@pytest.mark.parametrize(
    ("reason", "own", "expected"),
    [
        (
            Reason.OPENED,
            evidence("psi", 3.1, *LATENCY),
            "not yet an alert: latency rose: median 13 → 27 ms, p95 31 → 88 ms (PSI 3.1)",
        ),
        (
            Reason.WORSENED,
            evidence("psi", 6.3, *LATENCY, previous=3.1),
            "worse than before: latency rose: median 13 → 27 ms, p95 31 → 88 ms (PSI 6.3, was 3.1)",
        ),
        (
            Reason.REMINDER,
            evidence("psi", 3.1, *LATENCY),
            "still so after 12 min: latency rose: median 13 → 27 ms, p95 31 → 88 ms (PSI 3.1)",
        ),
        (Reason.ESCALATED, BACK, "latency is worse: severe_drift takes over from drift after 12 min"),
        (Reason.RECOVERED, BACK, "latency is back to normal after 12 min: median 13.1 ms, p95 30.8 ms"),
        (Reason.BASELINE_CHANGED, BACK, "latency is compared with a new baseline now; this alert ends after 12 min"),
        (
            Reason.RULE_REMOVED,
            BACK,
            "the configuration changed; the alert about latency by rule drift ends after 12 min",
        ),
        (
            Reason.STATE_REBUILT,
            BACK,
            "another version of the monitor finds no alert about latency; this one ends after 12 min",
        ),
        (Reason.MODEL_RETIRED, BACK, "no events for long; the alert about latency ends after 12 min"),
    ],
)
def test_every_step_of_a_life_has_its_words(reason: Reason, own: wire.Evidence, expected: str) -> None:
    """Fired, worse, still so, over."""
    assert text(facts("latency", own, reason)).summary == f"fraud 7: {expected}"


def test_every_alert_name_is_in_the_table() -> None:
    """A family of series that can raise alerts has words of its own."""
    watched = {"feature:x", "missing:x", "invalid:x", "unseen:x", "prediction", "latency", "serving_error", "demand"}

    conditions = {condition.alertname for condition in CONDITIONS}

    assert {alertname(series) for series in watched} | {ALERT_STORM} | conditions == {row.alertname for row in WORDINGS}


CONDITION = Said(
    "a is gone, b is new: renamed?", "none of the last 600 events names a", "mend the producer, or build a baseline"
)


@pytest.mark.parametrize(
    ("reason", "summary", "description"),
    [
        (
            Reason.FIRED,
            "a is gone, b is new: renamed?",
            "None of the last 600 events names a. What to do: mend the producer, or build a baseline. Runbook: ",
        ),
        (
            Reason.REMINDER,
            "still so after 12 min: a is gone, b is new: renamed?",
            "None of the last 600 events names a. What to do: mend the producer, or build a baseline. Runbook: ",
        ),
        (
            Reason.RECOVERED,
            "column a is back to normal after 12 min",
            "It lasted from 07:19:20 to 07:31:20 UTC on 2026-11-22. It was: a is gone, b is new: renamed? Runbook: ",
        ),
    ],
)
def test_a_condition_says_what_is_the_case_and_what_to_do(reason: Reason, summary: str, description: str) -> None:
    """Its own words stand where other alerts have figures and evidence."""
    own = facts("feature:a", evidence("share_without_column", 1.0, guarantee="none:fact"), reason)
    found = text(replace(own, alertname=MISSING_COLUMN, said=CONDITION))

    assert found.summary == f"fraud 7: {summary}"
    assert found.description.startswith(description)


@pytest.mark.parametrize(
    ("series", "expected"),
    [
        ("feature:amount", "amount is back to normal after 12 min"),
        ("missing:age", "missing values of age are back to normal after 12 min"),
        ("invalid:age", "invalid values of age are back to normal after 12 min"),
        ("unseen:country", "unseen categories of country are back to normal after 12 min"),
        ("serving_error", "the rate of failures is back to normal after 12 min"),
        ("demand", "traffic is back to normal after 12 min"),
        ("", "the number of open alerts is back to normal after 12 min"),
    ],
)
def test_every_kind_of_alert_ends_in_words_of_its_own(series: str, expected: str) -> None:
    """The subject of a resolved alert is what was wrong."""
    assert text(facts(series, evidence(), Reason.RECOVERED)).summary.partition(": ")[2] == expected


def test_a_firing_alert_answers_all_questions_in_order() -> None:
    """Since when, from what to what and how sure of it, how sure that it is drift, what else, what to do, where."""
    related = [
        ("channel=web", "latency"),
        ("channel=app", "latency"),
        ("", "prediction"),
        ("channel=web", "missing:age"),
        ("", "missing:age"),
    ]
    own = evidence(
        "psi",
        3.1,
        level("p50", 13.2, 27.1, was=(12.9, 13.5), held=(26.2, 28.0)),
        level("p95", 31.2, 88.4, was=(30.0, 32.4), held=(80.0, None)),
        related=related,
    )

    assert text(facts("latency", own)).description == (
        "It began between 07:18:50 and 07:19:20 UTC on 2026-11-22. "
        "Normally → now: median 13.2 ms (12.9 to 13.5) → 27.1 ms (26.2 to 28); "
        "p95 31.2 ms (30 to 32.4) → 88.4 ms (5,000 events, baseline 4,095). "
        "Certain: without drift, evidence this strong comes less than once in 10^9 years. "
        "Also in channel=app and channel=web. Also drifting: prediction and missing age. "
        "What to do: look at load, resources and the last change of the service. "
        "Runbook: https://runbooks.example/drift - details: stream-monitor alerts show b371c53ded674fc8-1795331960000."
    )


def test_a_resolved_alert_says_how_long_how_far_and_what_now() -> None:
    """Nothing is repeated of why it was raised."""
    assert text(facts("latency", BACK, Reason.RECOVERED)).description == (
        "It lasted from 07:19:20 to 07:31:20 UTC on 2026-11-22. "
        "At worst, at 07:20:20: latency rose: median 13 → 27 ms, p95 31 → 88 ms (PSI 3.1). "
        "Normally → now: median 13.2 ms → 13.1 ms; p95 31.2 ms → 30.8 ms (5,000 events, baseline 4,095). "
        "Runbook: https://runbooks.example/drift - details: stream-monitor alerts show b371c53ded674fc8-1795331960000."
    )


def test_alerts_that_wait_are_named() -> None:
    """The alert about too many alerts says whose wait; a series is named once."""
    storm = replace(
        facts("", evidence("open_alerts", 231.0, log10=None, guarantee="none:summary")),
        waiting=("missing:a", "latency"),
    )

    assert "Alerts wait about missing a and latency." in text(storm).description


@pytest.mark.parametrize(
    ("log10", "expected"),
    [
        (7.0, "without drift, evidence this strong comes at most once in 30 days"),
        (8.0, "without drift, evidence this strong comes at most once in 300 days"),
        (9.7, "without drift, evidence this strong comes at most once in 41 years"),
        (14.5, "without drift, evidence this strong comes at most once in 2.5 million years"),
        (17.1, "certain: without drift, evidence this strong comes less than once in 10^9 years"),
        (259.5, "certain: without drift, evidence this strong comes less than once in 10^9 years"),
        (None, "rank shiryaev roberts alarmed; without drift it does so at most once in 30 days"),
    ],
)
def test_certainty_is_said_in_years(log10: float | None, expected: str) -> None:
    """At the threshold the budget itself, beyond it as many times more rarely, up to what anybody can imagine."""
    assert certainty(evidence(log10=log10)) == expected


@pytest.mark.parametrize(
    ("guarantee", "d", "expected"),
    [
        ("bound", None, ""),
        ("approximate:dependence", 4.0, "4 events say as much as one, because values depend on each other"),
        (
            "none:dependence",
            4.0,
            "no false-alarm rate can be promised: values depend on each other for longer than the baseline shows",
        ),
        ("none:failed", None, "no false-alarm rate can be promised (failed)"),
        ("calibrated", None, "this is by simulation, not by theorem"),
        ("approximate:histogram", None, "the bins come from a histogram, so this is an approximation"),
    ],
)
def test_what_spoils_the_promise_is_said(guarantee: str, d: float | None, expected: str) -> None:
    """A series without a guarantee gets no number of years."""
    own = evidence(guarantee=guarantee, d=d)

    assert caution(facts("latency", own)) == expected
    assert (certainty(own) == "") == guarantee.startswith("none:")


def test_a_promise_that_nobody_could_check_says_so() -> None:
    """A baseline without an order of time cannot tell whether values depend on each other."""
    unknown = replace(facts("latency", evidence()), order_known=False)

    assert caution(unknown).startswith("this holds if values do not depend on each other")
