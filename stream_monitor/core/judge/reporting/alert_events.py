"""Telling: from a step in the life of an alert to the event that is written.

Everything shown is read from the watch: the effect window beside the reference, when the change began, where the
events are and what else drifts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from stream_monitor.core.alerts import event as wire
from stream_monitor.core.alerts.identity import SeriesName, alert_id, alert_labels, fingerprint, subject
from stream_monitor.core.alerts.lifecycle import AlertStatus, Life, Reason
from stream_monitor.core.alerts.wording import Facts, text
from stream_monitor.core.canonical import round_significant
from stream_monitor.core.detectors.pane_rank import PaneRankGroup
from stream_monitor.core.detectors.river_group import RiverGroup
from stream_monitor.core.judge.model.model_state import ModelState
from stream_monitor.core.judge.reporting.episodes import log10_evidence
from stream_monitor.core.judge.reporting.levels import levels
from stream_monitor.core.judge.reporting.shown import bins, category_names, examples, offset_ranges
from stream_monitor.core.judge.reporting.verdicts import Step
from stream_monitor.core.judge.watch.watch import Watch
from stream_monitor.core.judge.watch.watched_series import WatchedSeries
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
    evidence = _evidence(step, _effect(step, rule), model, plan)
    facts = _facts(step, labels["alertname"], alert_id(identity, step.life.starts_ms), evidence, plan, now)
    data = alert_data(
        identity,
        labels,
        step.life,
        step.reason,
        plan,
        annotations=texts(facts),
        evidence=evidence,
    )
    event = wire.cloud_event(data, source=source, subject=subject(step.name), time_ms=now.end_ms)
    resolved = step.life.status is AlertStatus.RESOLVED
    return Told(step.order, identity, resolved, rule.severity.value, step.reason, wire.encode(event))


def texts(facts: Facts) -> wire.Annotations:
    """Return the texts of an alert."""
    summary, description = text(facts)
    return wire.Annotations(summary=summary, description=description, runbook_url=facts.runbook_url or None)


def summary_now(watch: Watch, use: int, rule: RulePlan, window: EffectWindow, plan: Plan, now: Pane) -> str:
    """Return the summary of an open alert by what its rule looks at now."""
    series = watch.uses[use].series
    life = watch.lives[series, rule.name]
    reason = Reason.FIRED if life.firing else Reason.OPENED
    step = Step(watch, use, rule.name, life, life, reason, window)
    labels = alert_labels(step.name, rule=rule.name, severity=rule.severity)
    evidence = wire.Evidence(
        detector=watch.uses[use].detector,
        guarantee=guarantee(watch, use),
        budget_panes=0,
        pane_ms=plan.detection.pane_ms,
        family=0,
        effect=_effect(step, rule),
        levels=levels(step.window, category_names(watch.series[series])),
        window=wire.Window(from_="", to="", n=step.window.n),
    )
    return text(_facts(step, labels["alertname"], "", evidence, plan, now)).summary


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


def _evidence(step: Step, effect: wire.Effect, model: ModelState, plan: Plan) -> wire.Evidence:
    watch, use = step.watch, step.watch.uses[step.use]
    episode, item = watch.episodes[step.use], watch.series[use.series]
    log10_m = log10_evidence(episode)
    related = _related(step, model)[: wire.MAX_RELATED]
    return wire.Evidence(
        detector=use.detector,
        guarantee=guarantee(watch, step.use),
        design_effect=_design_effect(watch, step.use),
        log10_evidence=None if log10_m is None else round_significant(log10_m),
        log10_threshold=None if log10_m is None else round_significant(watch.thresholds[step.use] / math.log(10)),
        expected_alarms=None if log10_m is None else _expected_alarms(model.budget_panes, log10_m),
        statistic=None if episode.statistic is None else round_significant(episode.statistic),
        threshold=_threshold(step),
        budget_panes=budget_panes(model.budget_panes),
        pane_ms=plan.detection.pane_ms,
        family=sum(bool(other.rules.get(i)) for other in model.watches() for i in range(len(other.uses))),
        effect=effect,
        previous=round_significant(step.before.told_value) if step.reason is Reason.WORSENED else None,
        levels=levels(step.window, category_names(item)),
        worst=_worst(step.life) if step.life.status is AlertStatus.RESOLVED and step.before.firing else None,
        window=wire.Window(
            from_=format_instant(step.window.from_ms), to=format_instant(step.window.to_ms), n=step.window.n
        ),
        change=wire.Change(from_=format_instant(episode.change_from_ms), to=format_instant(episode.change_to_ms)),
        baseline=None if watch.baseline is None else wire.BaselineRef(id=watch.baseline.id, m=item.observed),
        bins=bins(item, step.window.reference, step.window.counts),
        source=offset_ranges(watch, step.window),
        examples=examples(watch, step.window, plan),
        related=tuple(
            wire.Related(segment=segment or None, series=series, log10_evidence=round_significant(value))
            for segment, series, value in related
        ),
    )


def _expected_alarms(budget: float, log10_m: float) -> float:
    """Return A / M; the power of what is beyond doubles is 0."""
    return round_significant(budget * 10.0**-log10_m)


def _worst(life: Life) -> wire.Worst:
    return wire.Worst(
        value=round_significant(life.worst.value),
        at=format_instant(life.worst.at_ms),
        levels=tuple(wire.Level(of=of, baseline=before, window=then) for of, before, then in life.worst.levels),
    )


def _facts(step: Step, alertname: str, own_id: str, evidence: wire.Evidence, plan: Plan, now: Pane) -> Facts:
    item = step.watch.series[step.watch.uses[step.use].series]
    by_pane = isinstance(step.watch.groups[step.use], PaneRankGroup)  # which measures what its panes do to each other
    return Facts(
        alertname=alertname,
        name=step.name,
        rule=step.rule,
        reason=step.reason,
        evidence=evidence,
        starts_ms=step.life.starts_ms,
        ends_ms=step.life.recovers_ms if step.life.status is AlertStatus.RESOLVED else None,
        now_ms=now.end_ms,
        alert_id=own_id,
        runbook_url=plan.alerts.runbook_url,
        hours=item.calendar.words,
        by_pane=by_pane,
        taken_over_by=step.taken_over_by,
        ending=step.ending,
        order_known=by_pane or item.baseline is None or item.design_effect is not None,
    )


def _threshold(step: Step) -> float | None:
    group = step.watch.groups[step.use]
    limit = group.threshold if isinstance(group, RiverGroup) else None
    return None if limit is None else round_significant(limit)


_Related = tuple[str, str, float]
"""Segment, series and log10 M."""


def _related(step: Step, model: ModelState) -> list[_Related]:
    """Return the other drifting series of the model with their log10 M, by e-d-BH, strongest first.

    What alarmed once and is below every floor since drifts no more: it waits for its detector to go on.
    """
    found: list[tuple[SeriesName, float, float]] = []
    for watch in model.watches():
        for i, use in enumerate(watch.uses):
            episode = watch.episodes.get(i)
            log_m = float(watch.log_m[i]) if episode is None else episode.log_evidence
            if use.evidence and math.isfinite(log_m) and (episode is None or _drifts(watch, i)):
                found.append((watch.name(use.series), log_m, log_m - watch.thresholds[i]))
    others: dict[tuple[str, str], float] = {}
    for position in listed(np.array([excess for _, _, excess in found])):
        name, log_m, _ = found[position]
        if name != step.name and name.version in ("", step.name.version):
            place = (name.segment, name.series)
            others[place] = max(others.get(place, -math.inf), log_m / math.log(10))
    return [(segment, series, log10_m) for (segment, series), log10_m in others.items()]


def _drifts(watch: Watch, use: int) -> bool:
    """Say whether an alert about an alarm is pending or firing, or nothing was seen since the alarm."""
    series = watch.uses[use].series
    lives = (watch.lives.get((series, rule), Life()) for rule in watch.rules[use])
    return watch.episodes[use].events == 0 or any(life.open for life in lives)
