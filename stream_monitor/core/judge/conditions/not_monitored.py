"""NotMonitored: a version has traffic, and nothing is judged by it for longer than `alerts.warm_up_limit`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from stream_monitor.core.alerts.identity import SeriesName
from stream_monitor.core.judge.conditions.condition import Condition, Scene
from stream_monitor.core.judge.standing.finding import Finding
from stream_monitor.core.names import NOT_MONITORED
from stream_monitor.core.plan import BaselineFrom, ConditionName, ModelPlan

if TYPE_CHECKING:
    from stream_monitor.core.judge.model.model_state import VersionState

_BUILD = "stream-monitor baseline build FILE --model {} --version {} --publish --activate"


def find(scene: Scene) -> Iterator[Finding]:
    """Yield the versions that have been blind for too long."""
    for version, state, profile in scene.versions:
        since_ms = state.memory.blind_since_ms
        if since_ms is None or scene.now.end_ms - since_ms < scene.plan.alerts.warm_up_limit_ms:
            continue
        why, step = _why(state, scene.model.plan)
        command = _BUILD.format(scene.model.name, version or "''")
        yield Finding(
            SeriesName(scene.model.name, version, "", ""),
            summary=f"not monitored: {why}",
            detail="its events are counted, and no series of it is judged",
            todo=step.format(command=command),
            value=1.0,
            floor=1.0,
            facts={
                "why": why,
                "blind_ms": scene.now.end_ms - since_ms,
                "gathered": 0 if state.warm_up is None else len(state.warm_up.rows),
                "wanted": scene.model.plan.baseline_events,
                "proposed": state.proposed,
            },
            since_ms=since_ms,
            rows=profile.events,
        )


def _why(state: VersionState, plan: ModelPlan) -> tuple[str, str]:
    """Return why nothing is judged, and the next step."""
    if state.watch is not None and not state.watch.series:
        return "its baseline holds no series that is watched", (
            "look at 'features' and 'limits.series_per_model', or build another baseline: {command}"
        )
    if state.watch is not None:
        return "its events are not counted with its baseline", (
            "see 'stream-monitor baseline list' and the log of the workers, one of which may lack the baseline"
        )
    if plan.baseline is not BaselineFrom.FIRST_EVENTS or state.warm_up is None:
        return "no baseline is active", "build and activate one: {command}"
    if state.warm_up.failure is not None:
        return f"no baseline could be made of its events, {state.warm_up.failure.words}", (
            "mend the producer, for it is tried again on fresh events, or activate a baseline: {command}"
        )
    if state.warm_up.resume_ms is not None:
        return "its first baseline is proposed, and not active", (
            "see the log of the judge, for the activation was not written or came too late, or activate one: {command}"
        )
    return f"{len(state.warm_up.rows):,} of {state.warm_up.wanted:,} events of its first baseline are there", (
        "wait, lower 'models[].baseline.events', or activate a baseline now: {command}"
    )


CONDITION = Condition(ConditionName.NOT_MONITORED, NOT_MONITORED, "versions", find)
