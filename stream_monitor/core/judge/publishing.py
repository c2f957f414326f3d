"""Publishing: which steps in the life of an alert are written, and the bookkeeping of what was."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from stream_monitor.core.alerts.lifecycle import AlertStatus, Life
from stream_monitor.core.judge.conditions.condition_events import tell_condition
from stream_monitor.core.judge.model.model_state import ModelState
from stream_monitor.core.judge.outputs import AlertEvent, AlertState, Output
from stream_monitor.core.judge.remembered import Remembered
from stream_monitor.core.judge.reporting.alert_events import Told, tell
from stream_monitor.core.judge.reporting.verdicts import Step
from stream_monitor.core.judge.standing.standing import ConditionStep
from stream_monitor.core.profile import Profile
from stream_monitor.core.rules import Pane


def report_steps(judge: Remembered, model: ModelState, steps: Iterable[Step], now: Pane) -> list[Told]:
    """Return the events of the steps that are published."""
    return [
        tell(step, judge.rulebook.plans[step.rule], model, judge.plan, source=judge.source, now=now)
        for step in steps
        if _is_published(judge, step.before, step.life)
    ]


def report_conditions(
    judge: Remembered,
    steps: Iterable[ConditionStep],
    now: Pane,
    model: ModelState | None = None,
    profiles: Mapping[str, Profile] | None = None,
) -> list[Told]:
    """Return the events of the steps of conditions that are published; without a model those of the whole judge."""
    budget = judge.plan.detection.budget.panes(judge.plan.detection.pane_ms)
    return [
        tell_condition(
            step,
            judge.plan,
            source=judge.source,
            now=now,
            budget=budget if model is None else model.budget_panes,
            profile=(profiles or {}).get(step.name.version),
            partition=judge.partition if model is None else None,
        )
        for step in steps
        if _is_published(judge, step.before, step.held.life)
    ]


def written(judge: Remembered, told: Iterable[Told], now: Pane) -> Iterable[AlertEvent | AlertState]:
    """Yield the records of events, counted and noted for forgetting, then the tombstones that are due."""
    for item in told:
        key = item.fingerprint.encode()
        judge.counters["alert_events_total", item.order[0].model, item.severity, item.reason.value] += 1
        judge.forgetting.told(item.fingerprint, resolved=item.resolved, now_ms=now.end_ms)
        yield AlertEvent(key, item.value, now.end_ms)
        yield AlertState(key, item.value, now.end_ms)
    for fingerprint in judge.forgetting.take(now.end_ms):
        yield AlertState(fingerprint.encode(), None, now.end_ms)


def written_ends(
    judge: Remembered, steps: Mapping[str, Sequence[Step]], others: Sequence[Told], now: Pane
) -> list[Output]:
    """Return the records of ends of alerts that no entry of the log brought about.

    Args:
        judge: whose alerts end.
        steps: by model; their lives are already those after the end.
        others: ends of alerts that are no steps of a series.
        now: the pane that was closed last.
    """
    told = [item for name in sorted(steps) for item in report_steps(judge, judge.models[name], steps[name], now)]
    return list(written(judge, sorted([*told, *others], key=lambda item: item.order), now))


def _is_published(judge: Remembered, before: Life, after: Life) -> bool:
    """Say whether a step is written: a pending alert only if the plan says so."""
    fires = AlertStatus.FIRING in (before.status, after.status)
    return fires or judge.plan.alerts.publish_pending
