"""A small drifting service as records of a topic: what local runs are tested with."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import cache

import numpy as np

from stream_monitor.core.baseline import Baseline
from stream_monitor.core.batch import RawChunk
from stream_monitor.core.plan import BaselineFrom, DetectionPlan, InputPlan, ModelPlan, Plan, TimePlan
from stream_monitor.lab.demo.training import baseline_of
from stream_monitor.lab.drifts import MeanShift
from stream_monitor.lab.fraud import Fraud
from stream_monitor.lab.scenario import Scenario
from tests import instants

TOPIC = "inference-events"
START_MS = instants.T0_MS
SCENARIO = Scenario("shift", Fraud(3), 100, (MeanShift("amount", at_s=15.0, until_s=600.0, factor=3.0),), 600)

PLAN = Plan(
    inputs=(InputPlan(TOPIC),),
    time=TimePlan(allowed_lateness_ms=2_000, idle_after_ms=None),
    detection=DetectionPlan(pane_ms=1_000, window_ms=10_000),
    models=(ModelPlan(baseline=BaselineFrom.PUBLISHED),),
)

Records = list[tuple[int, bytes]]
"""Record time and value of each record of a partition, in its order."""


def reference(plan: Plan = PLAN) -> Baseline:
    """Return the baseline of healthy events."""
    return baseline_of(SCENARIO.reference(2_000, start_ms=START_MS - 86_400_000), plan)


def traffic(seconds: int, *, partitions: int = 1, seed: int = 0, start_ms: int = START_MS) -> list[Records]:
    """Return the records of each partition: disordered within a second, some twice, some late."""
    return [list(records) for records in _traffic(seconds, partitions, seed, start_ms)]


@cache
def _traffic(seconds: int, partitions: int, seed: int, start_ms: int) -> list[Records]:
    rng = np.random.default_rng(seed)
    everything = [event for second in range(seconds) for event in SCENARIO.second(second, start_ms=start_ms)]
    arrival = np.array([at_ms for at_ms, _ in everything]) + rng.integers(0, 800, len(everything))
    arrival[rng.random(len(everything)) < 0.02] += 6_000
    twice = rng.random(len(everything)) < 0.01
    placed: list[Records] = [[] for _ in range(partitions)]
    for index in np.argsort(arrival, kind="stable").tolist():
        record = (int(arrival[index]), everything[index][1])
        placed[int(rng.integers(partitions))].extend([record, record] if twice[index] else [record])
    return placed


def chunks(records: Records, partition: int, cuts: Sequence[int]) -> list[RawChunk]:
    """Return the records of a partition as chunks that end at the cuts."""
    edges = sorted({0, len(records), *(cut % (len(records) + 1) for cut in cuts)})
    return [
        RawChunk(
            TOPIC,
            partition,
            np.arange(first, last, dtype=np.int64),
            np.array([at_ms for at_ms, _ in records[first:last]], dtype=np.int64),
            [value for _, value in records[first:last]],
        )
        for first, last in itertools.pairwise(edges)
    ]
