"""Laws of segments: the budget holds over all of them together, and their law may be what it likes."""

from __future__ import annotations

import numpy as np

from stream_monitor.core.plan import (
    DEFAULT_RULES,
    Budget,
    DetectionPlan,
    DetectorPlan,
    ModelPlan,
    Plan,
    TimePlan,
)
from tests.traffic import SECOND, T0, Events, Monitor, baseline_of

PANES = 60
BUDGET_PANES = 30
ROWS_OF_A_PANE = 30
REFERENCE = 900
DEPLOYMENTS = 20
SHARES = {"app": 0.3, "fax": 0.1, "web": 0.6}

PLAN = Plan(
    time=TimePlan(allowed_lateness_ms=0, idle_after_ms=None),
    detection=DetectionPlan(
        budget=Budget(1, BUDGET_PANES * 10 * SECOND), detectors=(DetectorPlan("rank_shiryaev_roberts"),)
    ),
    models=(ModelPlan(segments=("channel",)),),
    rules=DEFAULT_RULES[:1],
)


def healthy(seed: int, rows: int, *, start_ms: int, span_ms: int) -> Events:
    """Return events without drift; every segment has another law, and none has that of all rows."""
    random = np.random.default_rng(seed)
    at = np.sort(start_ms + random.integers(0, span_ms, rows))
    channel = random.choice(list(SHARES), size=rows, p=list(SHARES.values()))
    laws = {
        "app": random.normal(3.0, 0.5, rows),
        "fax": random.exponential(2.0, rows),
        "web": random.normal(size=rows),
    }
    amount = np.select([channel == name for name in laws], list(laws.values()))
    ids = [f"{seed}-{start_ms}-{i}" for i in range(rows)]
    return Events("m", "", ids, at, at, {"feature:amount": amount}, {}, {"channel": channel.tolist()})


def alarms(seed: int) -> int:
    """Return the alarms of one deployment with a reference of its own: all rows and three segments."""
    reference = healthy(seed, REFERENCE, start_ms=T0 - 600 * SECOND, span_ms=600 * SECOND)
    monitor = Monitor(PLAN, baselines=[(baseline_of(reference), 0)])
    span_ms = PANES * 10 * SECOND
    monitor.chunk(0, healthy(1_000 + seed, PANES * ROWS_OF_A_PANE, start_ms=T0, span_ms=span_ms))
    monitor.close(T0 + span_ms)
    view = monitor.judges[0].view()
    assert {series.segment for series in view.series} == {"", *(f"channel={name}" for name in SHARES)}
    return sum(count for key, count in view.counters.items() if key[0] == "detections_total")


def test_all_rows_and_segments_together_keep_the_budget() -> None:
    """Expected false alarms in n panes are at most n/A, however unlike the segments are."""
    found = [alarms(seed) for seed in range(DEPLOYMENTS)]

    assert 0 < np.mean(found) <= PANES / BUDGET_PANES
