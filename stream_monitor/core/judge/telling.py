"""Telling: from a step in the life of an alert to the event that is written.

Everything shown is read from the watch: the effect window beside the reference, when the change began, where the
events are and what else drifts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stream_monitor.core.alerts import event as wire
from stream_monitor.core.alerts import wording
from stream_monitor.core.alerts.identity import SeriesName, alert_id, alert_labels, fingerprint, subject
from stream_monitor.core.alerts.lifecycle import AlertStatus, Life, Reason
from stream_monitor.core.arrays import Int64
from stream_monitor.core.baseline import CategoricalBaseline, NumericBaseline
from stream_monitor.core.canonical import round_significant
from stream_monitor.core.comparisons import Reference
from stream_monitor.core.comparisons.grouping import groups
from stream_monitor.core.detectors.pane_rank import PaneRankGroup
from stream_monitor.core.detectors.river_group import RiverGroup
from stream_monitor.core.judge.episodes import log10_evidence
from stream_monitor.core.judge.model import ModelState
from stream_monitor.core.judge.series import Counted, WatchedSeries
from stream_monitor.core.judge.verdicts import Step
from stream_monitor.core.judge.watch import PaneSources, Watch, merge_places
from stream_monitor.core.names import BOUND_PANES, NO_GUARANTEE, approximate, no_guarantee
from stream_monitor.core.plan import Plan, RulePlan
from stream_monitor.core.rules import EffectWindow, Pane, measure
from stream_monitor.core.rules.drift_list import listed
from stream_monitor.core.time import format_instant


@dataclass(frozen=True, slots=True)
class Told:
    """An event ready to be written, and what the bookkeeping needs of it."""

    order: tuple[SeriesName, str]
    fingerprint: str
    resolved: bool
    severity: str
    reason: Reason
    value: bytes


def tell(step: Step, rule: RulePlan, model: ModelState, plan: Plan, *, source: str, now: Pane) -> Told:
    """Return the event of a step."""
    labels = alert_labels(step.name, rule=rule.name, severity=rule.severity, constants=plan.alerts.labels)
    identity = fingerprint(labels)
    effect = _effect(step, rule)
    summary = wording.summary(step.name, step.reason, (effect.measure, effect.value))
    related = _related(step, model)
    evidence = _evidence(step, effect, model, plan, related)
    data = alert_data(
        identity,
        labels,
        step.life,
        step.reason,
        plan,
        annotations=wire.Annotations(
            summary=summary,
            description=_description(step, evidence, related),
            runbook_url=plan.alerts.runbook_url or None,
        ),
        evidence=evidence,
    )
    event = wire.cloud_event(data, source=source, subject=subject(step.name), time_ms=now.end_ms)
    resolved = step.life.status is AlertStatus.RESOLVED
    return Told(step.order, identity, resolved, rule.severity.value, step.reason, wire.encode(event))


def alert_data(
    identity: str,
    labels: dict[str, str],
    life: Life,
    reason: Reason,
    plan: Plan,
    *,
    annotations: wire.Annotations,
    evidence: wire.Evidence,
) -> wire.AlertData:
    """Return the part of an event that Alertmanager takes."""
    episode = alert_id(identity, life.starts_ms)
    resolved = life.status is AlertStatus.RESOLVED
    url = plan.alerts.external_url.rstrip("/")
    return wire.AlertData(
        alert_id=episode,
        fingerprint=identity,
        status=(life.status or AlertStatus.PENDING).value,
        reason=reason.value,
        sequence=life.sequence,
        labels=labels,
        annotations=annotations,
        starts_at=format_instant(life.starts_ms),
        ends_at=format_instant(life.recovers_ms) if resolved else None,
        generator_url=f"{url}/alerts/{episode}" if url else None,
        evidence=evidence,
    )


def budget_panes(panes: float) -> int | float:
    """Return A as it is published."""
    return int(panes) if panes == int(panes) else round_significant(panes)


def guarantee(watch: Watch, use: int) -> str:
    """Return what the budget promises for a series with a detector."""
    group = watch.groups[use]
    if isinstance(group, PaneRankGroup):
        return group.promise(watch.rows[use])
    if isinstance(group, RiverGroup) and group.failure(watch.rows[use]):
        return no_guarantee("failed")
    return series_guarantee(watch.series[watch.uses[use].series], group.guarantee)


def series_guarantee(series: WatchedSeries, of_detector: str) -> str:
    """Return what the budget promises for a series with a detector that promises so much for independent events.

    One that takes panes as wholes needs no independent events, and no exact bins.
    """
    if of_detector == BOUND_PANES:
        return of_detector
    dependence = series.design_effect
    if dependence is not None and not dependence.settled:
        return no_guarantee("dependence")
    if of_detector.startswith(NO_GUARANTEE):
        return of_detector
    if not series.exact:
        return approximate("histogram")
    return of_detector if dependence is None or dependence.value == 1.0 else approximate("dependence")


def _design_effect(watch: Watch, use: int) -> float | None:
    """Return d, of what the detector takes as independent, where it is not 1."""
    group = watch.groups[use]
    found = watch.series[watch.uses[use].series].design_effect
    if isinstance(group, PaneRankGroup):
        found = group.design_effect(watch.rows[use])
    return None if found is None or found.value == 1.0 else round_significant(found.value)


def _effect(step: Step, rule: RulePlan) -> wire.Effect:
    if rule.target is not None:
        return wire.Effect(
            measure=rule.name, value=round_significant(step.life.told_value), floor=rule.effect.floor, noise_95=0.0
        )
    by = measure(rule.effect.measure)
    seen = bool(step.window.n) or step.window.reference is None
    return wire.Effect(
        measure=by.name,
        value=round_significant(by.value(step.window)) if seen else 0.0,
        floor=rule.effect.floor,
        noise_95=round_significant(by.noise_95(step.window)) if seen else 0.0,
    )


def _evidence(
    step: Step, effect: wire.Effect, model: ModelState, plan: Plan, related: Sequence[_Related]
) -> wire.Evidence:
    watch, use = step.watch, step.watch.uses[step.use]
    episode, item = watch.episodes[step.use], watch.series[use.series]
    log10_m = log10_evidence(episode)
    return wire.Evidence(
        detector=use.detector,
        guarantee=guarantee(watch, step.use),
        design_effect=_design_effect(watch, step.use),
        log10_evidence=None if log10_m is None else round_significant(log10_m),
        log10_threshold=None if log10_m is None else round_significant(watch.thresholds[step.use] / math.log(10)),
        expected_alarms=None if log10_m is None else round_significant(model.budget_panes / 10.0**log10_m),
        statistic=None if episode.statistic is None else round_significant(episode.statistic),
        threshold=_threshold(step),
        budget_panes=budget_panes(model.budget_panes),
        family=sum(bool(other.rules.get(i)) for other in model.watches() for i in range(len(other.uses))),
        effect=effect,
        window=wire.Window(
            from_=format_instant(step.window.from_ms), to=format_instant(step.window.to_ms), n=step.window.n
        ),
        change=wire.Change(from_=format_instant(episode.change_from_ms), to=format_instant(episode.change_to_ms)),
        baseline=None if watch.baseline is None else wire.BaselineRef(id=watch.baseline.id, m=item.observed),
        bins=_bins(item, step.window.reference, step.window.counts),
        source=_source(watch, step.window),
        examples=_examples(watch, step.window, plan),
        related=tuple(
            wire.Related(segment=segment or None, series=series, log10_evidence=round_significant(value))
            for segment, series, value in related[: wire.MAX_RELATED]
        ),
    )


def _threshold(step: Step) -> float | None:
    group = step.watch.groups[step.use]
    limit = group.threshold if isinstance(group, RiverGroup) else None
    return None if limit is None else round_significant(limit)


def _description(step: Step, evidence: wire.Evidence, related: Sequence[_Related]) -> str:
    threshold = step.watch.thresholds[step.use] / math.log(10)
    sentence = wording.evidence_sentence(evidence.log10_evidence, threshold, evidence.detector)
    item = step.watch.series[step.watch.uses[step.use].series]
    hint, hours = _hint(item, step.window), wording.hours_hint(item.calendar)
    by_pane = isinstance(step.watch.groups[step.use], PaneRankGroup)  # which measures what its panes do to each other
    units = "panes" if by_pane else "events"
    known = by_pane or item.baseline is None or item.design_effect is not None
    caution = wording.dependence_hint(evidence.guarantee, evidence.design_effect, known=known, units=units)
    segments = sorted(segment for segment, series, _ in related if segment and series == step.name.series)
    others = wording.related_hint(len(related) - len(segments))
    parts = (sentence, hint, hours, wording.segments_hint(segments), others, caution)
    return "; ".join(part for part in parts if part) + "."


def _hint(item: WatchedSeries, window: EffectWindow) -> str:
    if window.reference is None:
        return wording.count_hint(window.reference_mean or 0.0, window.n / window.panes)
    if not window.n:
        return ""
    if isinstance(item.baseline, NumericBaseline) and item.counted is Counted.VALUES:
        return wording.rank_hint(window.reference.counts, window.counts)
    before, after = window.reference.shares, window.counts / window.n
    if item.bins == 2:
        return wording.share_hint(float(before[1]), float(after[1]))
    most = int(np.abs(after - before).argmax())
    return wording.category_hint(_categories(item)[most], float(before[most]), float(after[most]))


def _categories(item: WatchedSeries) -> list[str]:
    if isinstance(item.baseline, CategoricalBaseline) and item.counted is Counted.VALUES:
        return [*item.baseline.categories, "<other>", "<unseen>"]
    return ["false", "true"]


def _bins(item: WatchedSeries, reference: Reference | None, counts: Int64) -> wire.Bins | None:
    """Return window and reference side by side: numeric bins grouped, of categories the most frequent ones."""
    if reference is None:
        return None
    if reference.edges is not None:
        starts = groups(reference.counts, max(1, int(counts.sum())))
        return wire.Bins(
            edges=tuple(float(edge) for edge in reference.edges[starts[1:] - 1]),
            baseline=_ints(np.add.reduceat(reference.counts, starts)),
            window=_ints(np.add.reduceat(counts, starts)),
        )
    names, baseline, seen = _categories(item), reference.counts, counts
    if len(names) > wire.MAX_BINS:
        size = baseline + counts
        kept = np.sort(np.argsort(-size[:-2], kind="stable")[: wire.MAX_BINS - 2])
        names = [*(names[i] for i in kept.tolist()), *names[-2:]]
        baseline, seen = _pooled(baseline, kept), _pooled(seen, kept)
    return wire.Bins(categories=tuple(names), baseline=_ints(baseline), window=_ints(seen))


def _pooled(counts: Int64, kept: Int64) -> Int64:
    """Return the kept categories, all others with `other`, and `unseen`."""
    other = int(counts[:-1].sum()) - int(counts[kept].sum())
    return np.concatenate([counts[kept], [other, int(counts[-1])]])


def _ints(counts: Int64) -> tuple[int, ...]:
    return tuple(int(count) for count in counts)


def _of_window(watch: Watch, window: EffectWindow) -> Sequence[PaneSources]:
    return [pane for pane in watch.sources if window.from_ms <= pane.start_ms < window.to_ms]


def _source(watch: Watch, window: EffectWindow) -> tuple[wire.OffsetRange, ...]:
    ranges = merge_places(pane.offsets for pane in _of_window(watch, window))
    return tuple(
        wire.OffsetRange(topic=topic, partition=partition, first=found.first, next=found.last + 1)
        for (topic, partition), found in sorted(ranges.items())[: wire.MAX_POSITIONS]
    )


def _examples(watch: Watch, window: EffectWindow, plan: Plan) -> tuple[wire.ExampleEvent, ...]:
    found = sorted((row for pane in _of_window(watch, window) for row in pane.examples), key=lambda row: row.rank)
    return tuple(
        wire.ExampleEvent(
            event_id=row.event_id,
            partition=row.partition,
            offset=row.offset,
            values=dict(sorted(row.values.items())) if plan.privacy.example_values and row.values else None,
        )
        for row in found[: wire.MAX_EXAMPLES]
    )


_Related = tuple[str, str, float]
"""Segment, series and log10 M."""


def _related(step: Step, model: ModelState) -> list[_Related]:
    """Return the other drifting series of the model with their log10 M, by e-d-BH, strongest first."""
    found: list[tuple[SeriesName, float, float]] = []
    for watch in model.watches():
        for i, use in enumerate(watch.uses):
            episode = watch.episodes.get(i)
            log_m = float(watch.log_m[i]) if episode is None else episode.log_evidence
            if use.evidence and math.isfinite(log_m):
                found.append((watch.name(use.series), log_m, log_m - watch.thresholds[i]))
    others: dict[tuple[str, str], float] = {}
    for position in listed(np.array([excess for _, _, excess in found])):
        name, log_m, _ = found[position]
        if name != step.name and name.version in ("", step.name.version):
            place = (name.segment, name.series)
            others[place] = max(others.get(place, -math.inf), log_m / math.log(10))
    return [(segment, series, log10_m) for (segment, series), log10_m in others.items()]
