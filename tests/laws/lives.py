"""Worlds in which every kind of alert lives every part of its life, for laws about the state of a judge.

Panes are short and patience is small, so that alerts open, worsen, remind, recover, wait out their cooldown and fire
again within minutes of event time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from river.drift import PageHinkley

from stream_monitor.core.baseline import Baseline
from stream_monitor.core.canonical import Json
from stream_monitor.core.detectors import DetectorClass
from stream_monitor.core.judge import BaselineProposal, Judge, Output
from stream_monitor.core.plan import (
    DEFAULT_RULES,
    AlertsPlan,
    Budget,
    DetectionPlan,
    DetectorInput,
    DetectorPlan,
    EffectPlan,
    ModelPlan,
    Plan,
    RulePlan,
    Threshold,
    TimePlan,
)
from stream_monitor.core.rules import EffectWindow, RuleFactory, Verdict
from tests.runtimes.own_detectors import Streak
from tests.traffic import MINUTE, SECOND, T0, Events, Monitor, baseline_of

PANE = 2 * SECOND
READY = 8 * MINUTE
"""From then on demand and panes have references of their own, and the changes begin."""

ALERTS = AlertsPlan(
    open_after=2,
    open_events=100,
    resolve_after=4,
    cooldown_ms=20 * SECOND,
    reminder_ms=30 * SECOND,
    forget_after_ms=60 * SECOND,
    max_open=500,
)
TIME = TimePlan(allowed_lateness_ms=4 * SECOND, idle_after_ms=None)
CLOCK = DetectionPlan(pane_ms=PANE, window_ms=20 * SECOND, budget=Budget(1, 60 * MINUTE))


class NumpyRule:
    """A rule of the user's that reckons with NumPy, as such rules do."""

    def __init__(self, params: Mapping[str, Json]) -> None:
        self._floor = np.float64(str(params["floor"]))

    def verdict(self, window: EffectWindow) -> Verdict:
        """Return numbers of NumPy's where Python's are meant."""
        value: Any
        if window.reference is None:
            before = np.float64(window.reference_mean or 0.0)
            value = abs(np.float64(window.n) / window.panes - before) / (before + 1.0)
        else:
            value = np.abs(window.counts / max(1, window.n) - window.reference.shares).sum()
        return Verdict(value, self._floor, clear=value > 2 * self._floor)


class NumpyCusum:
    """A detector of the user's whose answers are NumPy's."""

    def __init__(self, threshold: float) -> None:
        self._threshold, self._sum = threshold, np.float64(0.0)
        self.drift_detected: Any = np.bool_(False)

    def update(self, x: float) -> None:
        """Take a number."""
        self._sum = np.maximum(0.0, (0.0 if self.drift_detected else self._sum) + np.abs(x) - 1.5)
        self.drift_detected = self._sum > self._threshold


OWN_RULE, OWN_NUMBERS, OWN_ERRORS, OWN_RIVER = "own:Rule", "own:Cusum", "own:Streak", "own:PageHinkley"
RULES: Mapping[str, RuleFactory] = {OWN_RULE: NumpyRule}
DETECTORS: Mapping[str, DetectorClass] = {
    OWN_NUMBERS: DetectorClass(NumpyCusum, "1"),
    OWN_ERRORS: DetectorClass(Streak, "1"),
    OWN_RIVER: DetectorClass(PageHinkley, "1"),
}

NUMERIC = ("rank_shiryaev_roberts", "pane_rank", "adwin", "page_hinkley", "kswin", OWN_NUMBERS, OWN_RIVER)
CATEGORIES = ("interval_categories", "beta_categories")
ERRORS = ("interval_bernoulli", "beta_bernoulli", "ddm", "eddm", "hddm_a", "hddm_w", "fhddm", OWN_ERRORS)


def by_every_detector() -> tuple[RulePlan, ...]:
    """Return a rule for every detector, on the series that it takes, and rules of the user's."""
    psi, share = EffectPlan("psi", 0.1), EffectPlan("share_change", 0.02)
    return (
        *(RulePlan(f"by {kind}", ("feature:x0",), evidence=kind, effect=psi) for kind in NUMERIC),
        *(RulePlan(f"by {kind}", ("feature:country",), evidence=kind, effect=share) for kind in CATEGORIES),
        *(RulePlan(f"by {kind}", ("missing:x1",), evidence=kind, effect=share) for kind in ERRORS),
        RulePlan("by tolerance", ("feature:x0",), effect=psi, tolerance=0.02),
        RulePlan("robust", ("feature:x0",), effect=EffectPlan("kolmogorov_smirnov_robust", 0.05)),
        RulePlan("proven", ("feature:x0",), effect=EffectPlan("kolmogorov_smirnov_proven", 0.05)),
        RulePlan("own", ("feature:*",), target=OWN_RULE, params=(("floor", 0.1),)),
        RulePlan("own demand", ("demand",), "negative_binomial", target=OWN_RULE, params=(("floor", 0.1),)),
    )


@dataclass(frozen=True)
class World:
    """A plan and what happens under it.

    Attributes:
        stages: length and change of each part of the story after `READY`.
        segments: whether events say their channel.
        expected: (series, reason) that must be among what is reported.
        rules: those that must fire.
        states: parts of a life that must be gone through.
    """

    plan: Plan
    stages: tuple[tuple[int, str], ...]
    expected: frozenset[tuple[str, str]]
    rules: frozenset[str] = frozenset()
    states: frozenset[str] = frozenset({"pending", "firing", "resolved", "cooling"})
    segments: bool = False
    baselines: tuple[int, ...] = (0,)
    detectors: Mapping[str, DetectorClass] = field(default_factory=dict)

    def monitor(self) -> Monitor:
        """Return the monitor after the story."""
        monitor = Monitor(self.plan, sources=2, baselines=self._baselines(), rules=RULES, detectors=self.detectors)
        feed(monitor, story(self.stages, segments=self.segments))
        return monitor

    def _baselines(self) -> list[tuple[Baseline, int]]:
        """Return a baseline for each instant, each of events of its own."""
        spans = [(T0 - (i + 2) * 20 * MINUTE, 10 * MINUTE) for i in range(len(self.baselines))]
        tables = [healthy(at, length, seed=100 + i, segments=self.segments) for i, (at, length) in enumerate(spans)]
        return [(baseline_of(table), T0 + ms) for table, ms in zip(tables, self.baselines, strict=True)]


def healthy(start_ms: int, length_ms: int, *, seed: int, rate: float = 12.0, segments: bool = False) -> Events:
    """Return events without a change, a few of them late or out of order."""
    random = np.random.default_rng(seed)
    n = round(rate * length_ms / SECOND)
    at = np.sort(start_ms + random.integers(0, max(1, length_ms), n))
    delay = np.where(random.random(n) < 0.02, random.integers(5, 20, n), 0) * SECOND + random.integers(0, 900, n)
    gone = random.random(n) < 0.05
    broken = random.random(n) < 0.02
    cells: list[Any] = random.normal(size=n).tolist()
    return Events(
        model="fraud",
        version="7",
        ids=[f"{start_ms}-{seed}-{i}" for i in range(n)],
        at_ms=at,
        record_ms=at + delay,
        numbers={
            "feature:x0": random.normal(size=n),
            "feature:x1": np.where(gone, np.nan, random.normal(size=n)),
            "latency": random.lognormal(3.0, 0.5, n),
            "confidence": random.beta(8, 2, n),
            "prediction": random.normal(size=n),
        },
        texts={
            "feature:country": random.choice(["AT", "DE", "FR", "IT"], n, p=[0.01, 0.5, 0.3, 0.19]).tolist(),
            "feature:mixed": ["text" if bad else cell for bad, cell in zip(broken, cells, strict=True)],
            "serving_error": (random.random(n) < 0.01).tolist(),
        },
        segments={"channel": random.choice(["app", "web"], n, p=[0.3, 0.7]).tolist()} if segments else {},
    )


def changed(events: Events, change: str) -> Events:
    """Return the events with a change: `drift`, `worse`, `app` (only that channel) or `quiet`."""
    size = {"drift": 1.0, "worse": 4.0, "app": 1.0}.get(change, 0.0)
    if not size:
        return events
    random = np.random.default_rng(len(events))
    rows = np.ones(len(events), dtype=np.bool_)
    if change == "app":
        rows = np.array([name == "app" for name in events.segments["channel"]])
    some = rows & (random.random(len(events)) < 0.3 * min(size, 2.0))
    numbers = {name: values + np.where(rows, size * values.std(), 0.0) for name, values in events.numbers.items()}
    numbers["feature:x1"] = np.where(some, np.nan, numbers["feature:x1"])
    return replace(
        events,
        numbers=numbers,
        texts={
            "feature:country": _some(events.texts["feature:country"], some, "XX"),
            "feature:mixed": _some(events.texts["feature:mixed"], some, "text"),
            "serving_error": _some(events.texts["serving_error"], some, True),
        },
    )


def story(stages: tuple[tuple[int, str], ...], *, segments: bool) -> list[Events]:
    """Return healthy events up to `READY`, then the stages; the changes have more events, `silent` has none."""
    parts = [healthy(T0, READY, seed=1, segments=segments)]
    at = T0 + READY
    for i, (length_ms, change) in enumerate(stages):
        rate = {"silent": 0.0, "few": 3.0, "worse": 30.0, "drift": 20.0}.get(change, 12.0)
        parts.append(changed(healthy(at, length_ms, seed=2 + i, rate=rate, segments=segments), change))
        at += length_ms
    return parts


def feed(monitor: Monitor, parts: list[Events]) -> None:
    """Give the events to two source partitions in chunks of one pane, 1 % of them twice; then close every pane."""
    whole = [part.take(np.argsort(part.record_ms, kind="stable")) for part in parts]
    end_ms = max(int(part.record_ms.max(initial=0)) for part in whole)
    sent = [0] * len(whole)
    for edge in range(T0, end_ms + 2 * PANE, PANE):
        chunk = []
        for i, part in enumerate(whole):
            end = int(np.searchsorted(part.record_ms, edge))
            rows = np.arange(sent[i], end)
            chunk.append(part.take(np.sort(np.concatenate([rows, rows[::100]]))))
            sent[i] = end
        for source in range(2):
            monitor.chunk(source, *(part.take(np.arange(source, len(part), 2)) for part in chunk))
    monitor.close(end_ms + 3 * MINUTE)


def _some(cells: Any, rows: Any, other: Any) -> list[Any]:
    return [other if hit else cell for cell, hit in zip(cells, rows, strict=True)]


CHANGES = (
    (20 * SECOND, "drift"),
    (60 * SECOND, "worse"),
    (40 * SECOND, "quiet"),
    (50 * SECOND, "drift"),
    (40 * SECOND, "quiet"),
    (40 * SECOND, "silent"),
)
"""Open, fire, worsen, remind, recover; again within the cooldown, recover; then nothing."""

EVERY_SERIES = (
    "feature:x0",
    "feature:country",
    "prediction",
    "confidence",
    "latency",
    "missing:x1",
    "invalid:mixed",
    "unseen:country",
    "serving_error",
    "demand",
)

WORLDS: Mapping[str, World] = {
    "default rules": World(
        Plan(time=TIME, detection=CLOCK, alerts=replace(ALERTS, publish_pending=True)),
        CHANGES,
        frozenset((series, reason) for series in EVERY_SERIES for reason in ("opened", "fired", "reminder")),
        frozenset(rule.name for rule in DEFAULT_RULES if rule.name != "drift"),
    ),
    "every detector": World(
        Plan(
            time=TIME,
            detection=replace(
                CLOCK,
                detectors=(
                    DetectorPlan(OWN_NUMBERS, (("threshold", 20.0),)),
                    DetectorPlan(OWN_ERRORS, (("length", 5),), input=DetectorInput.ERRORS),
                    DetectorPlan(OWN_RIVER),
                ),
            ),
            rules=by_every_detector(),
            alerts=ALERTS,
        ),
        CHANGES,
        frozenset({("feature:x0", "worsened"), ("feature:x0", "recovered"), ("demand", "worsened")}),
        frozenset(rule.name for rule in by_every_detector()),
        detectors=DETECTORS,
    ),
    "segments and a storm": World(
        Plan(
            time=TIME,
            detection=replace(CLOCK, threshold=Threshold.CALIBRATED),
            models=(ModelPlan(segments=("channel",)),),
            alerts=replace(ALERTS, max_open=3),
        ),
        ((40 * SECOND, "app"), (40 * SECOND, "worse"), (60 * SECOND, "quiet")),
        frozenset({("AlertStorm", "fired"), ("AlertStorm", "recovered")}),
        states=frozenset({"pending", "firing", "resolved"}),
        segments=True,
    ),
    "new baseline, then retired": World(
        Plan(time=TIME, detection=CLOCK, alerts=ALERTS, rules=DEFAULT_RULES),
        ((40 * SECOND, "worse"), (30 * SECOND, "few"), (90 * SECOND, "silent")),
        frozenset({("feature:x0", "baseline_changed"), ("demand", "model_retired")}),
        states=frozenset({"pending", "firing"}),
        baselines=(0, READY + 30 * SECOND),
    ),
}


def statuses(judge: Judge) -> set[str]:
    """Return where the alerts of a judge are in their lives; `cooling` is pending soon after a resolution."""
    found = set()
    for model in judge.models.values():
        for life in [life for watch in model.watches() for life in watch.lives.values()] + [model.storm]:
            found.add(str(life.status))
            if life.status == "pending" and life.resolved_ms is not None:
                found.add("cooling")
    return found


def written(outputs: list[Output]) -> list[tuple[str, bytes | None, bytes | None]]:
    """Return outputs so that they can be compared."""
    return [
        (type(out).__name__, None, out.baseline.encode())
        if isinstance(out, BaselineProposal)
        else (type(out).__name__, getattr(out, "key", None), getattr(out, "value", None))
        for out in outputs
    ]


__all__ = ["READY", "WORLDS", "World", "feed", "healthy", "statuses", "story", "written"]
