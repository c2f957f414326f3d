"""Rules that watch nothing beside the baselines at hand: legal, silent for ever, and hardly what was meant."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from stream_monitor.core.baseline import Baseline
from stream_monitor.core.judge.watch.detector_uses import evidence_of
from stream_monitor.core.judge.watch.rulebook import Rulebook
from stream_monitor.core.judge.watch.watched_series import WatchedSeries, baseline_series, demand_series
from stream_monitor.core.plan import Plan, RulePlan
from stream_monitor.core.rules import judges


class Idle(StrEnum):
    """Why a rule watches nothing."""

    NAMES = "names"
    """No series has a name like its patterns."""
    EFFECT = "effect"
    """Its effect is not measured on the series that have."""
    EVIDENCE = "evidence"
    """Its evidence does not test them."""


@dataclass(frozen=True, slots=True)
class IdleRule:
    """A rule that watches nothing.

    Attributes:
        series: names that come nearest: those that fit its patterns, else all there are; sorted.
    """

    rule: RulePlan
    why: Idle
    series: tuple[str, ...]


def idle_rules(plan: Plan, rulebook: Rulebook, baselines: Mapping[str, Baseline]) -> tuple[IdleRule, ...]:
    """Return the rules that watch no series of any model with a baseline, in the order of the plan.

    Args:
        plan: the plan.
        rulebook: its rules.
        baselines: by model, at least one.
    """
    series = [pair for model in sorted(baselines) for pair in _series(plan, model, baselines[model])]
    found = (_idle(rule, rulebook, series) for rule in plan.rules)
    return tuple(rule for rule in found if rule is not None)


_Tolerated = tuple[WatchedSeries, float | None]
"""A series, and the change that its model tolerates."""


def _series(plan: Plan, model: str, baseline: Baseline) -> Iterator[_Tolerated]:
    own = plan.model(model)
    if own is not None:
        yield from ((item, own.tolerance) for item in (demand_series(), *baseline_series(baseline, own)))


def _idle(rule: RulePlan, rulebook: Rulebook, series: list[_Tolerated]) -> IdleRule | None:
    named = [pair for pair in series if rule.covers(pair[0].name)]
    if not named:
        return IdleRule(rule, Idle.NAMES, _names(series))
    measured = [pair for pair in named if judges(rule, pair[0].name, pair[0].kind)]
    if not measured:
        return IdleRule(rule, Idle.EFFECT, _names(named))
    if all(evidence_of(rule, item, tolerance, rulebook.configured) is None for item, tolerance in measured):
        return IdleRule(rule, Idle.EVIDENCE, _names(measured))
    return None


def _names(series: list[_Tolerated]) -> tuple[str, ...]:
    return tuple(sorted({item.name for item, _ in series}))
