"""Viewing: a judge as frozen values for metrics and screens."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from stream_monitor.core.alerts.identity import alert_id, alert_labels, fingerprint, storm_labels
from stream_monitor.core.alerts.lifecycle import AlertStatus
from stream_monitor.core.detectors.river_group import RiverGroup
from stream_monitor.core.judge.conditions.condition_events import labels_of
from stream_monitor.core.judge.conditions.version_changed import report
from stream_monitor.core.judge.model.model_state import ModelState
from stream_monitor.core.judge.model.warm_up import WarmUp
from stream_monitor.core.judge.remembered import Remembered
from stream_monitor.core.judge.reporting.alert_events import guarantee, summary_now
from stream_monitor.core.judge.reporting.verdicts import judged_window
from stream_monitor.core.judge.standing.standing import Standing
from stream_monitor.core.judge.view.judge_view import (
    AlertView,
    BaselineView,
    JudgeView,
    ModelView,
    SeriesState,
    SeriesView,
    WarmUpView,
)
from stream_monitor.core.judge.view.live_coverage import judge_coverage
from stream_monitor.core.judge.watch.watch import Watch
from stream_monitor.core.judge.watch.watched_series import Counted, WatchedSeries
from stream_monitor.core.names import no_guarantee
from stream_monitor.core.plan import RulePlan, Severity
from stream_monitor.core.rules import EffectWindow, Pane, measure

_LN_10 = math.log(10)


def judge_view(judge: Remembered) -> JudgeView:
    """Return what may be shown of a judge."""
    models = [judge.models[name] for name in sorted(judge.models)]
    ledger = judge.ledger
    return JudgeView(
        partition=judge.partition,
        models=tuple(_model(judge, model) for model in models),
        series=tuple(view for model in models for view in _all_series(judge, model)),
        alerts=(
            *_conditions(judge, judge.standing, partition=judge.partition),
            *(view for model in models for view in _alerts(judge, model)),
        ),
        counters=dict(judge.counters),
        watermark_ms={stream: ledger.roster.watermark(stream) for stream in ledger.roster.streams},
        awaited=ledger.roster.awaited(),
        waiting_chunks=sum(chain.waiting for chain in ledger.chains.values()),
        coverage=tuple(judge_coverage(judge)),
    )


def _model(judge: Remembered, model: ModelState) -> ModelView:
    budget = judge.plan.budget(model.name)
    watched = [
        (name, state.watch.baseline)
        for name, state in sorted(model.versions.items())
        if state.watch is not None and state.watch.baseline is not None
    ]
    return ModelView(
        model=model.name,
        panes_closed=judge.counters["panes_closed_total", model.name],
        last_pane_end_ms=model.shown_ms,
        false_alarm_interval_s=budget.per_ms / budget.false_alarms / 1000.0,
        baselines=tuple(BaselineView(name, baseline.id, baseline.origin.to_ms) for name, baseline in watched),
        warming_up={
            name: state.warm_up.share for name, state in sorted(model.versions.items()) if state.warm_up is not None
        },
        unwatched=tuple(
            _unwatched(name, state.unwatched_ms, state.warm_up)
            for name, state in sorted(model.versions.items())
            if state.unwatched_ms is not None
        ),
        compared={
            name: report(state.memory.comparison)
            for name, state in sorted(model.versions.items())
            if state.memory.comparison is not None
        },
    )


def _unwatched(version: str, since_ms: int, warm_up: WarmUp | None) -> WarmUpView:
    if warm_up is None:
        return WarmUpView(version, since_ms)
    failure = "" if warm_up.failure is None else warm_up.failure.words
    return WarmUpView(version, since_ms, len(warm_up.rows), warm_up.wanted, warm_up.attempts, failure)


def _all_series(judge: Remembered, model: ModelState) -> Iterator[SeriesView]:
    for watch in model.watches():
        places = _Places.of(watch)
        for position in range(len(watch.series)):
            yield _series(judge, watch, position, places)
        for segment, item in watch.suppressed:
            yield SeriesView(watch.model, watch.version, segment, item.name, item.kind.value, SeriesState.SUPPRESSED)


@dataclass(frozen=True, slots=True)
class _Places:
    """Where in a watch the parts of a series stand; found once a view, because searching each costs a square.

    Attributes:
        uses: detectors by position of their series.
        missing: position of `missing:x` by feature.
    """

    uses: Mapping[int, Sequence[int]]
    missing: Mapping[str | None, int]

    @classmethod
    def of(cls, watch: Watch) -> _Places:
        """Find them."""
        uses: dict[int, list[int]] = {}
        for i, use in enumerate(watch.uses):
            uses.setdefault(use.series, []).append(i)
        counted = enumerate(watch.series)
        return cls(uses, {item.feature: position for position, item in counted if item.counted is Counted.MISSING})


def _series(judge: Remembered, watch: Watch, position: int, places: _Places) -> SeriesView:
    item = watch.series[position]
    uses = places.uses.get(position, ())
    ratios = {i: _ratio(watch, i) for i in uses}
    judged = [i for i in uses if i in watch.rules]
    ready = [i for i in judged if not watch.groups[i].warming_up(watch.rows[i])]
    leading = max(ready or judged, key=lambda i: ratios[i], default=None)
    warming = bool(judged) and not ready
    low, high = watch.span(position)
    counts = watch.window[low:high]
    promise = "" if leading is None else guarantee(watch, leading)
    if promise and item.counted in (Counted.VALUES, Counted.UNSEEN) and not counts.any() and watch.saw_events:
        promise = no_guarantee("no_values")
    state = SeriesState.WATCHED
    if warming:
        state = SeriesState.WARMING_UP
    elif leading is None or promise.startswith("none:"):
        state = SeriesState.NO_GUARANTEE
    log_m = None if leading is None else _log_evidence(watch, leading)
    return SeriesView(
        model=watch.model,
        version=watch.version,
        segment=watch.segment,
        series=item.name,
        kind=item.kind.value,
        state=state,
        evidence_ratio=None if leading is None or warming else ratios[leading],
        log10_evidence=log_m / _LN_10 if log_m is not None and math.isfinite(log_m) else None,
        log10_threshold=None if leading is None else float(watch.thresholds[leading]) / _LN_10,
        guarantee=promise,
        comparisons=_comparisons(judge, watch, position),
        missing_ratio=_missing_ratio(watch, item, places),
        events=int(watch.last(position).sum()) if watch.pushed else 0,
        window_events=int(counts.sum()),
        detectors=_by_detector(watch, ratios),
        baseline="" if watch.baseline is None else watch.baseline.id,
    )


def _by_detector(watch: Watch, ratios: Mapping[int, float]) -> dict[str, float]:
    """Return the ratios by name; of two with one name, which rules tell apart by what they tolerate, the larger."""
    found: dict[str, float] = {}
    for i, ratio in ratios.items():
        name = watch.uses[i].detector
        found[name] = max(ratio, found.get(name, 0.0))
    return found


def _log_evidence(watch: Watch, use: int) -> float:
    episode = watch.episodes.get(use)
    return float(watch.log_m[use]) if episode is None else episode.log_evidence


def _ratio(watch: Watch, use: int) -> float:
    """Return log evidence over its threshold, or a statistic over its own, at least 0; 1 and more is an alarm."""
    log_m, threshold = _log_evidence(watch, use), float(watch.thresholds[use])
    if math.isinf(log_m):
        group = watch.groups[use]
        if log_m < 0 and isinstance(group, RiverGroup) and group.threshold:
            return min(1.0, group.statistic(watch.rows[use]) / group.threshold)
        return 1.0 if log_m > 0 else 0.0
    return max(0.0, log_m / threshold) if threshold > 0 else float(log_m >= threshold)


def _comparisons(judge: Remembered, watch: Watch, position: int) -> dict[str, float]:
    """Return the distances of the last window; worked out once a pane, however often they are shown."""
    pushed, known = watch.shown
    if pushed != watch.pushed:
        watch.shown = (watch.pushed, known := {})
    if position not in known:
        known[position] = _measured(judge, watch, position)
    return known[position]


def _measured(judge: Remembered, watch: Watch, position: int) -> dict[str, float]:
    item = watch.series[position]
    counts = watch.in_window(position)
    if item.counted is not Counted.VALUES or not counts.any():
        return {}
    window = EffectWindow(
        watch.model,
        watch.version,
        watch.segment,
        item.name,
        item.kind,
        item.baseline,
        watch.reference(position, watch.kept),
        counts,
        watch.kept,
        0,
        0,
    )
    measures = (measure(name) for name in judge.plan.detection.comparisons)
    return {by.name: by.value(window) for by in measures if item.kind in by.kinds}


def _missing_ratio(watch: Watch, item: WatchedSeries, places: _Places) -> float | None:
    """Return the share of missing values of a feature in the last window."""
    if item.counted is not Counted.VALUES or item.feature not in places.missing:
        return None
    present, missing = watch.in_window(places.missing[item.feature]).tolist()
    return missing / (present + missing) if present + missing else None


def _alerts(judge: Remembered, model: ModelState) -> Iterator[AlertView]:
    for watch in model.watches():
        for series, rule in watch.open_lives():
            use = next(i for i, names in watch.rules.items() if rule in names and watch.uses[i].series == series)
            yield _alert(judge, watch, use, judge.rulebook.plans[rule])
    yield from _conditions(judge, model.standing)
    if model.storm.open:
        labels = storm_labels(model.name, judge.plan.alerts.labels)
        yield AlertView(
            alert_id=alert_id(fingerprint(labels), model.storm.starts_ms),
            labels=labels,
            status=AlertStatus.FIRING,
            severity=Severity.CRITICAL,
            starts_ms=model.storm.starts_ms,
            summary=f"{model.name}: {int(model.storm.told_value)} alerts would be open",
            sequence=model.storm.sequence,
        )


def _conditions(judge: Remembered, standing: Standing, partition: int | None = None) -> Iterator[AlertView]:
    for (name, condition), held in sorted(standing.held.items(), key=lambda item: item[0]):
        if held.life.open:
            labels, severity = labels_of(name, condition, judge.plan, partition)
            yield AlertView(
                alert_id=alert_id(fingerprint(labels), held.life.starts_ms),
                labels=labels,
                status=held.life.status or AlertStatus.PENDING,
                severity=severity,
                starts_ms=held.life.starts_ms,
                summary=" ".join(part for part in (name.model, name.version) if part) + f": {held.summary}",
                sequence=held.life.sequence,
            )


def _alert(judge: Remembered, watch: Watch, use: int, rule: RulePlan) -> AlertView:
    series = watch.uses[use].series
    life = watch.lives[series, rule.name]
    labels = alert_labels(
        watch.name(series), rule=rule.name, severity=rule.severity, constants=judge.plan.alerts.labels
    )
    pane_ms = judge.plan.detection.pane_ms
    last_ms = int(watch.starts(1)[0])
    now = Pane(last_ms, last_ms + pane_ms)
    window = judged_window(watch, use, judge.rulebook.rules[rule.name], now, life.worst.value)
    return AlertView(
        alert_id=alert_id(fingerprint(labels), life.starts_ms),
        labels=labels,
        status=life.status or AlertStatus.PENDING,
        severity=rule.severity,
        starts_ms=life.starts_ms,
        summary=summary_now(watch, use, rule, window, judge.plan, now),
        sequence=life.sequence,
    )
