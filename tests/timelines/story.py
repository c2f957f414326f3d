"""A story: traffic in simulated event time through the whole monitor, always with late, disordered and doubled events.

Healthy events of one model have a few normal features, a category and a prediction; a change is a function that
rewrites the columns of a span. Events arrive up to five seconds late, 2 % up to two minutes late, 1 % twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from stream_monitor.core.alerts.event import AlertCloudEvent
from stream_monitor.core.baseline import Baseline
from stream_monitor.core.judge import Judge
from stream_monitor.core.plan import ModelPlan, Plan
from tests.traffic import HOUR, MINUTE, SECOND, T0, Events, Monitor, baseline_of

Change = Callable[[Events, np.random.Generator], Events]
"""Rewrites healthy events."""

Span = tuple[int, int]
"""Event time in milliseconds since T0."""

Told = tuple[str, str, str]
"""Series, rule and reason of an alert event."""


def minutes(start: float, end: float) -> Span:
    return round(start * MINUTE), round(end * MINUTE)


def shifted(feature: str, by: float) -> Change:
    """All values of a feature move."""
    name = f"feature:{feature}"
    return lambda events, _: replace(events, numbers={**events.numbers, name: events.numbers[name] + by})


def nulls(feature: str, share: float) -> Change:
    """A share of the values of a feature goes missing."""

    def change(events: Events, random: np.random.Generator) -> Events:
        name = f"feature:{feature}"
        gone = random.random(len(events)) < share
        return replace(events, numbers={**events.numbers, name: np.where(gone, np.nan, events.numbers[name])})

    return change


def category(value: str, share: float) -> Change:
    """A share of the events has another category."""

    def change(events: Events, random: np.random.Generator) -> Events:
        new = random.random(len(events)) < share
        values = [value if other else old for old, other in zip(events.texts["feature:country"], new, strict=True)]
        return replace(events, texts={"feature:country": values})

    return change


def within(segment: str, value: str, change: Change) -> Change:
    """A change of the events of one segment alone."""

    def limited(events: Events, random: np.random.Generator) -> Events:
        after = change(events, random)
        own = np.array([found == value for found in events.segments[segment]])
        numbers = {name: np.where(own, after.numbers[name], values) for name, values in events.numbers.items()}
        return replace(events, numbers=numbers)

    return limited


def both(*changes: Change) -> Change:
    """Several changes at once."""

    def change(events: Events, random: np.random.Generator) -> Events:
        for one in changes:
            events = one(events, random)
        return events

    return change


@dataclass
class Timeline:
    """One model, or more, over time.

    Attributes:
        plan: what is watched.
        features: number of numeric features x0, x1, ...
        rate: events per second.
        sources: source partitions.
        rows: of the baseline; 0 for none.
        channels: shares of the values of the segment `channel`; without any, events have none.
    """

    plan: Plan = field(default_factory=Plan)
    features: int = 2
    rate: float = 10.0
    sources: int = 2
    rows: int = 4095
    seed: int = 1
    channels: Mapping[str, float] = field(default_factory=dict)
    parts: list[Events] = field(default_factory=list)
    baselines: list[tuple[Baseline, int]] = field(default_factory=list)
    end_ms: int = 0

    def __post_init__(self) -> None:
        self._random = np.random.default_rng(self.seed)
        self._monitor: Monitor | None = None
        if self.rows:
            self.baselines.append((self.baseline(), 0))

    def baseline(self, change: Change | None = None, *, model: str = "fraud", version: str = "7") -> Baseline:
        """Return a baseline of healthy or changed events."""
        span = (-self.rows * SECOND, 0)
        events = self._events(span, 1.0, model=model, version=version)
        return baseline_of(events if change is None else change(events, self._random))

    def activate(self, baseline: Baseline, minute: float) -> None:
        """Let a baseline count from a pane on."""
        self.baselines.append((baseline, T0 + round(minute * MINUTE)))

    def push(
        self,
        span: Span,
        change: Change | None = None,
        *,
        rate: float | None = None,
        model: str = "fraud",
        version: str = "7",
    ) -> None:
        """Add events of a span."""
        events = self._events(span, self.rate if rate is None else rate, model=model, version=version)
        self.parts.append(events if change is None else change(events, self._random))
        self.end_ms = max(self.end_ms, span[1])

    def silence(self, until_minute: float) -> None:
        """Let the story go on without events; idle facts say that nothing more will come."""
        self.end_ms = max(self.end_ms, round(until_minute * MINUTE))

    @property
    def monitor(self) -> Monitor:
        """The monitor after the story."""
        if self._monitor is None:
            self._monitor = self._run()
        return self._monitor

    @property
    def judge(self) -> Judge:
        """The judge after the story."""
        return self.monitor.judges[0]

    def alerts(self, span: Span | None = None) -> list[AlertCloudEvent]:
        """Return the alert events of a span of event time (the end of their panes)."""
        start, end = span if span is not None else (0, 100_000 * HOUR)
        records = zip(self.monitor.alerts(), self.monitor.written(), strict=True)
        return [event for event, (_, _, at) in records if start < at - T0 <= end]

    def told(self, span: Span | None = None) -> list[Told]:
        """Return what was told, in short."""
        return [short(event) for event in self.alerts(span)]

    def counters(self) -> Mapping[tuple[str, ...], int]:
        """Return the counters of the judge."""
        return self.judge.view().counters

    def _events(self, span: Span, rate: float, *, model: str, version: str) -> Events:
        random = self._random
        n = round(rate * (span[1] - span[0]) / SECOND)
        at = T0 + np.sort(random.integers(*span, n))
        delay = np.where(random.random(n) < 0.02, random.integers(40, 120, n), 0) * SECOND
        numbers = {f"feature:x{i}": random.normal(size=n) for i in range(self.features)}
        return Events(
            model=model,
            version=version,
            ids=[f"{model}-{version}-{span[0]}-{i}" for i in range(n)],
            at_ms=at,
            record_ms=at + delay + random.integers(0, 5 * SECOND, n),
            numbers=numbers | {"prediction": random.beta(2, 5, size=n)},
            texts={"feature:country": random.choice(["DE", "FR", "IT"], size=n, p=[0.5, 0.3, 0.2]).tolist()},
            segments=self._segments(n),
        )

    def _segments(self, n: int) -> dict[str, list[str | None]]:
        if not self.channels:
            return {}
        names, shares = zip(*self.channels.items(), strict=True)
        return {"channel": self._random.choice(names, size=n, p=shares).tolist()}

    def _run(self) -> Monitor:
        monitor = Monitor(self.plan, sources=self.sources, baselines=self.baselines)
        parts = [self._arrived(part) for part in self.parts]
        sent = [0] * len(parts)
        first = min((int(part.record_ms[0]) for part in parts if len(part)), default=T0)
        last = max((int(part.record_ms[-1]) for part in parts if len(part)), default=T0)
        for edge in range(first, last + 10 * SECOND, 5 * SECOND):
            chunk = []
            for i, part in enumerate(parts):
                end = int(np.searchsorted(part.record_ms, edge))
                chunk.append(part.take(np.arange(sent[i], end)))
                sent[i] = end
            for source in range(self.sources):
                own = [part.take(np.arange(source, len(part), self.sources)) for part in chunk]
                monitor.chunk(source, *own)
        monitor.close(T0 + self.end_ms)
        return monitor

    def _arrived(self, part: Events) -> Events:
        """Return the events in the order of arrival, 1 % of them twice."""
        twice = np.flatnonzero(self._random.random(len(part)) < 0.01)
        rows = np.concatenate([np.arange(len(part)), twice])
        return part.take(rows[np.argsort(part.record_ms[rows], kind="stable")])


def plan_for(**models: object) -> Plan:
    """Return the default plan with other settings of every model."""
    return Plan(models=(replace(ModelPlan(), **models),))  # type: ignore[arg-type]  # keywords of ModelPlan


def short(event: AlertCloudEvent) -> Told:
    """Return series (or alertname), rule and reason."""
    labels = event.data.labels
    return labels.get("series", labels["alertname"]), labels["rule"], event.data.reason
