"""The log of a worker while all is well: a line tells of a change, and nothing is said twice."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from stream_monitor.core.alerts.lifecycle import AlertStatus
from stream_monitor.core.judge import Blind, Coverage
from stream_monitor.core.judge.view.judge_view import AlertView, BaselineView, JudgeView, ModelView
from stream_monitor.core.plan import Severity
from stream_monitor.runtimes.narrator import Narrator

NOON_MS = 1_795_348_800_000
ALERT = AlertView(
    "b371c53ded674fc8-1795348800000",
    {"model": "fraud", "series": "latency"},
    AlertStatus.FIRING,
    Severity.WARNING,
    NOON_MS,
    "fraud 7: latency rose",
)


def view(*alerts: AlertView, versions: tuple[str, ...] = ("7",)) -> JudgeView:
    """Return a committed state of partition 0."""
    baselines = tuple(BaselineView(version, f"sha256:{version}", None) for version in versions)
    return JudgeView(0, (ModelView("fraud", 1, NOON_MS, 1.0, baselines),), (), alerts)


class Clock:
    """Seconds by hand."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """All lines from INFO on."""
    caplog.set_level(logging.INFO, "stream_monitor.story")
    return caplog


def lines(log: pytest.LogCaptureFixture) -> list[str]:
    """Return what was said since this was asked before."""
    found = [record.getMessage() for record in log.records]
    log.clear()
    return found


def test_an_alert_is_a_line_when_it_fires_and_one_when_it_is_over(log: pytest.LogCaptureFixture) -> None:
    """Both lines have the summary, the severity, the start and the id that other commands take."""
    narrator = Narrator()
    said = []
    for state in (view(), view(ALERT), view(ALERT), view()):
        narrator.judged(state)
        said.append(lines(log))

    story = "fraud 7: latency rose (warning, since 2026-11-22T12:00:00.000Z, b371c53ded674fc8-1795348800000)"
    assert [[f"alert fired: {story}"], [], [f"alert resolved, it was: {story}"]] == said[1:]


def test_a_partition_that_was_taken_over_is_one_line(log: pytest.LogCaptureFixture) -> None:
    """After a rebalance nothing has fired anew: what stands is a number."""
    narrator = Narrator()
    narrator.judged(view(ALERT))
    first = lines(log)
    narrator.released(0)
    narrator.judged(view(ALERT))

    standing = ["judge partition 0 taken over; models: 1, series watched: 0, alerts firing: 1"]
    assert (standing, standing) == (first, lines(log))


def test_a_new_version_and_its_baseline_are_said(log: pytest.LogCaptureFixture) -> None:
    """Who deploys a version sees in the log that it is met, and what it is compared with."""
    narrator = Narrator()
    narrator.judged(view())
    lines(log)
    narrator.judged(view(versions=("7", "8")))

    assert [
        "first events of model fraud 8",
        "baseline in use: fraud 8 is compared with sha256:8, seen at 2026-11-22T12:00:00.000Z",
    ] == lines(log)


def test_what_a_new_version_differs_in_is_said_once(log: pytest.LogCaptureFixture) -> None:
    """The report of the comparison with the version before is a line, also where nothing differs."""
    narrator = Narrator()
    model = ModelView(
        "fraud", 1, NOON_MS, 1.0, compared={"8": "1,023 first events against version 7: no series differs"}
    )
    said = []
    for models in ((), (model,), (model,)):
        narrator.judged(JudgeView(0, models))
        said.append(lines(log))

    line = "version compared: fraud 8: 1,023 first events against version 7: no series differs"
    assert [[line], []] == said[1:]


def test_very_many_changes_of_a_kind_are_a_number(log: pytest.LogCaptureFixture) -> None:
    """Ten thousand alerts at once do not bury the log."""
    narrator = Narrator()
    narrator.judged(view())
    lines(log)
    storm = [AlertView(f"{n:05}", {}, AlertStatus.FIRING, Severity.WARNING, NOON_MS, "x") for n in range(10_000)]
    narrator.judged(view(*storm))

    said = lines(log)
    assert (21, "alert fired: ... and 9980 more") == (len(said), said[-1])


def test_dead_letters_are_said_at_the_first_and_then_once_a_minute(log: pytest.LogCaptureFixture) -> None:
    """Seven thousand bad records are three lines in two minutes, and none when no more come."""
    clock = Clock()
    narrator = Narrator(clock)
    for second in range(300):
        clock.now_s = float(second)
        for _ in range(70 if second < 100 else 0):
            narrator.dead_letter("events", "invalid_json")
        narrator.tick()

    command = "stream-monitor dead-letters list --reason invalid_json"
    assert [
        f"dead letter: a record of events was put aside (invalid_json): {command}",
        "dead letters: 4269 more of events (invalid_json), 4270 since the start",
        "dead letters: 2730 more of events (invalid_json), 7000 since the start",
    ] == lines(log)


def test_what_is_watched_is_said_when_it_changes(log: pytest.LogCaptureFixture) -> None:
    """A version says how many series are watched, and which are not and why; traffic that comes and goes is no news."""
    narrator = Narrator()
    latency = Coverage("fraud", "7", "", "latency", reason=Blind.WARMING_UP, detail="5 of 4095 rows")
    rows = replace(latency, detail="9 of 4095 rows")
    errors = Coverage("fraud", "7", "", "serving_error", ("interval_bernoulli",), ("serving_errors",))
    silent = errors.but(Blind.NO_EVENTS)
    watched = Coverage("fraud", "7", "", "latency", ("rank_shiryaev_roberts",), ("drift",))
    narrator.judged(view())
    lines(log)
    said = []
    for found in ((errors, latency), (silent, rows), (errors, watched)):
        narrator.judged(replace(view(), coverage=found))
        said.append(lines(log))

    waits = "latency (warming up: its reference is made of live events)"
    assert said == [
        [f"coverage: fraud 7: 1 series watched; not watched: {waits}"],
        [],
        ["coverage: fraud 7: 2 series watched"],
    ]
