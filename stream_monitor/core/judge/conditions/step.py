"""Stepping: one pane through all conditions of a model, or through those of what no model stands for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stream_monitor.core.alerts.lifecycle import Patience
from stream_monitor.core.judge.conditions import CONDITIONS
from stream_monitor.core.judge.conditions.condition import Scene
from stream_monitor.core.judge.conditions.undeclared_names import over_limits
from stream_monitor.core.judge.standing.finding import Finding
from stream_monitor.core.judge.standing.standing import Standing, Stood
from stream_monitor.core.plan import ConditionName, Plan
from stream_monitor.core.profile import Undeclared
from stream_monitor.core.rules.verdict import Pane


def step_conditions(scene: Scene, patience: Patience, *, seen: bool) -> Stood:
    """Advance the conditions of a model by a pane.

    Args:
        scene: what is known after the pane.
        patience: of the plan.
        seen: whether the pane was shown to the model; otherwise only reminders are due.
    """
    model = scene.model
    firing = sum(life.firing for watch in model.watches() for life in watch.lives.values())
    return model.standing.step(
        _findings(scene) if seen else (),
        patience,
        scene.now,
        seen=lambda name: seen and (name.version in scene.profiles or (not name.version and bool(scene.profiles))),
        beside=firing,
        max_open=scene.plan.alerts.max_open,
    )


def step_limits(
    standing: Standing, panes: Sequence[tuple[int, Undeclared]], plan: Plan, patience: Patience, now: Pane, *, most: int
) -> Stood:
    """Advance the alert about models and versions that the limits leave out.

    Args:
        standing: of the judge.
        panes: what was left out in the last window.
        plan: the plan.
        patience: of the plan.
        now: the pane.
        most: models that this judge may watch.
    """
    name = ConditionName.UNDECLARED_NAMES
    found = over_limits(panes, most) if plan.severity(name) is not None else ()
    return standing.step(
        ((name, finding) for finding in found), patience, now, seen=lambda _: True, max_open=plan.alerts.max_open
    )


def _findings(scene: Scene) -> Iterator[tuple[ConditionName, Finding]]:
    for condition in CONDITIONS:
        if scene.plan.severity(condition.name) is not None:
            for finding in condition.find(scene):
                yield condition.name, finding
