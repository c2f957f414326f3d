"""What a judge promises with detectors of the user's: however often it is killed, the alerts are equal."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from stream_monitor.core.detectors import DetectorClass
from stream_monitor.core.judge import AlertEvent, SnapshotRefused
from stream_monitor.core.judge.reporting.alert_events import guarantee
from stream_monitor.core.plan import DetectorInput, DetectorPlan, EffectPlan, RulePlan
from tests.laws.test_judge_laws import END, MODELS, PLAN, SOURCES, baselines, traffic, until
from tests.runtimes.own_detectors import Cusum, Fragile, Streak
from tests.traffic import MINUTE, SECOND, T0, Monitor

CLASSES = {
    "mine:Cusum": DetectorClass(Cusum, "1"),
    "mine:Streak": DetectorClass(Streak, "1"),
    "mine:Fragile": DetectorClass(Fragile, "1"),
}
DETECTORS = (
    DetectorPlan("mine:Cusum", (("threshold", 6.0),), memory=20),
    DetectorPlan("mine:Streak", (("length", 3.0),), DetectorInput.ERRORS, memory=300),
    DetectorPlan("mine:Fragile", (("threshold", 90.0),)),
)
RULES = (
    RulePlan("moved", ("feature:amount",), evidence="mine:Cusum"),
    RulePlan("lost", ("missing:*",), evidence="mine:Streak", effect=EffectPlan("share_change", 0.01)),
)
OWN_PLAN = replace(PLAN, detection=replace(PLAN.detection, detectors=DETECTORS), rules=RULES)


@cache
def whole() -> Monitor:
    """The traffic of the laws in chunks of ten seconds."""
    monitor = Monitor(OWN_PLAN, sources=SOURCES, baselines=baselines(), detectors=CLASSES)
    sent = np.zeros((SOURCES, len(MODELS)), dtype=int)
    for edge in [*range(T0 + 10 * SECOND, END, 10 * SECOND), END + 5 * MINUTE]:
        for p in range(SOURCES):
            ends = [until(part, edge) for part in traffic()[p]]
            monitor.chunk(p, *(part.take(np.arange(sent[p][k], ends[k])) for k, part in enumerate(traffic()[p])))
            sent[p] = ends
    monitor.close(END + MINUTE)
    return monitor


def test_the_story_is_worth_a_law() -> None:
    """Both detectors raise alerts, and a third one fails on the way, counted once for each series."""
    fired = {event.data.evidence.detector for event in whole().alerts() if event.data.reason == "fired"}

    assert fired >= {"mine:Cusum", "mine:Streak"}
    judge = whole().judges[0]
    uses = [(watch, i) for watch in judge.models["fraud"].watches() for i in range(len(watch.uses))]
    failed = [watch.series[watch.uses[i].series].name for watch, i in uses if guarantee(watch, i) == "none:failed"]

    assert set(failed) == {"feature:amount"}
    assert judge.counters["detector_failures_total", "fraud", "mine:Fragile"] == len(failed)


@pytest.mark.parametrize("share", [0.1, 0.3, 0.45, 0.6, 0.9])
def test_a_killed_judge_goes_on_to_the_bit(share: float) -> None:
    """Dumped anywhere, also while a detector fails or an episode is open: the same records, and the same state."""
    monitor = whole()
    log = monitor.log[0]
    cut = int(len(log) * share)
    first = monitor.judge(0)
    before = [out for entry in log[:cut] for out in first.fold(entry)]
    again = monitor.judge(0, first.dump())
    after = [out for entry in log[min(cut, again.next_offset) :] for out in again.fold(entry)]

    records = [(out.key, out.value) for out in [*before, *after] if isinstance(out, AlertEvent)]
    assert records == [(key, value) for key, value, _ in monitor.written()]
    assert again.dump() == monitor.judges[0].dump()


def test_a_snapshot_of_other_code_is_refused() -> None:
    """The class is another version: the log is folded again instead of giving it what the other one kept."""
    monitor = whole()
    changed = {**CLASSES, "mine:Cusum": DetectorClass(Cusum, "2")}
    other = Monitor(OWN_PLAN, sources=SOURCES, baselines=baselines(), detectors=changed)

    with pytest.raises(SnapshotRefused, match="other series or detectors"):
        other.judge(0, monitor.judges[0].dump())


def test_a_class_that_nobody_imported_is_no_silence() -> None:
    """A judge without it is not built."""
    with pytest.raises(ValueError, match="mine:Cusum: nobody has imported the class"):
        Monitor(OWN_PLAN, baselines=baselines())
