"""Rules: when an alarm of a detector is an alert to a person.

`effect_rule` is the built-in one, `measures` lists what an effect can be measured by. A rule of one's own is a class
with `verdict(window) -> Verdict`, named in the configuration as `target: module:Class`; the caller imports it and
passes the factory in, so nothing here loads code.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from stream_monitor.core.canonical import Json
from stream_monitor.core.names import SeriesKind
from stream_monitor.core.plan import RulePlan
from stream_monitor.core.rules.effect_rule import REST, EffectRule
from stream_monitor.core.rules.measures import MEASURES, Measure, measure
from stream_monitor.core.rules.own_rule import OwnRule, RuleError
from stream_monitor.core.rules.verdict import Pane, Verdict
from stream_monitor.core.rules.window import EffectWindow


class Rule(Protocol):
    """What decides, pane by pane, whether the effect of an episode matters."""

    def verdict(self, window: EffectWindow) -> Verdict:
        """Return the opinion about the panes since the alarm; a pure function of the window."""
        ...


RuleFactory = Callable[[Mapping[str, Json]], Rule]
"""Makes a rule of the user's from the `params` of the configuration."""


def build_rule(plan: RulePlan, factories: Mapping[str, RuleFactory]) -> Rule:
    """Return the rule that a plan describes.

    Args:
        plan: the rule's plan.
        factories: by `target`.

    Raises:
        ValueError: the measure is unknown, or nobody resolved the target.
    """
    if plan.target is None:
        return EffectRule(measure(plan.effect.measure), plan.effect.floor)
    factory = factories.get(plan.target)
    if factory is None:
        raise ValueError(f"rule {plan.name}: nobody resolved its target {plan.target!r}")
    return OwnRule(plan.name, plan.target, factory(dict(plan.params)))


def judges(plan: RulePlan, series: str, kind: SeriesKind) -> bool:
    """Say whether a rule speaks about a series: by its patterns, and because its measure means something there."""
    return plan.covers(series) and (plan.target is not None or kind in measure(plan.effect.measure).kinds)


__all__ = [
    "MEASURES",
    "REST",
    "EffectRule",
    "EffectWindow",
    "Measure",
    "Pane",
    "Rule",
    "RuleError",
    "RuleFactory",
    "Verdict",
    "build_rule",
    "judges",
    "measure",
]
