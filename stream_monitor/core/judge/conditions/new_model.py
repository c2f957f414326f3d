"""NewModel: a model that nobody has declared and this judge has never met, some time after its start.

Declared is a model that the plan names or that an operator has given a baseline. At the first start every model is
new, and nobody wants to hear of that.
"""

from __future__ import annotations

from collections.abc import Iterator

from stream_monitor.core.alerts.identity import SeriesName
from stream_monitor.core.judge.conditions.condition import Condition, Scene
from stream_monitor.core.judge.standing.finding import Finding
from stream_monitor.core.names import NEW_MODEL
from stream_monitor.core.plan import DAY_MS, HOUR_MS, ConditionName

STARTING_MS = HOUR_MS
"""Models that come this soon after the first events belong to the start."""

NEW_MS = DAY_MS
"""How long a model is new."""


def find(scene: Scene) -> Iterator[Finding]:
    """Yield the model if it is new."""
    model = scene.model
    if model.declared or model.first_ms < scene.started_ms + STARTING_MS:
        return
    if scene.now.end_ms - model.first_ms >= NEW_MS:
        return
    versions = sorted(scene.profiles)
    yield Finding(
        SeriesName(model.name, "", "", ""),
        summary="a model that nobody has declared sends events",
        detail="it is watched like every model without a section of its own",
        todo="if it is expected, name it in 'models' or activate a baseline; if not, look who writes to the"
        " input topic",
        value=1.0,
        floor=1.0,
        facts={"versions": tuple(versions[:20])},
        since_ms=model.first_ms,
        rows=sum(profile.events for profile in scene.profiles.values()),
    )


CONDITION = Condition(ConditionName.NEW_MODEL, NEW_MODEL, "new_models", find)
