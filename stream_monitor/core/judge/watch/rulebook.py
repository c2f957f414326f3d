"""The rules of a plan, built once: which of them speak about a series, and through which detector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from stream_monitor.core.judge.watch.configured import Configured
from stream_monitor.core.judge.watch.detector_uses import NOTHING, DetectorUse, Evidence, evidence_of
from stream_monitor.core.judge.watch.watched_series import WatchedSeries
from stream_monitor.core.plan import RulePlan, Severity
from stream_monitor.core.rules import Rule, RuleFactory, build_rule, judges


class Rulebook:
    """All rules by name, in the order of the plan.

    Args:
        plans: of the rules.
        factories: of the user's own rules by their `target`.
        configured: the detectors of the plan.

    Raises:
        ValueError: a rule names a measure or a target that nobody knows, or two rules share a name.
    """

    def __init__(
        self, plans: Sequence[RulePlan], factories: Mapping[str, RuleFactory], configured: Configured = NOTHING
    ) -> None:
        self.configured = configured
        self.plans = {plan.name: plan for plan in plans}
        if len(self.plans) != len(plans):
            raise ValueError("rules: names must differ")
        self.rules: dict[str, Rule] = {plan.name: build_rule(plan, factories) for plan in plans}

    def evidence(self, series: Sequence[WatchedSeries], tolerance: float | None = None) -> dict[str, list[Evidence]]:
        """Return what rules ask for, by series; a series that no rule judges is left out."""
        named: dict[str, list[Evidence]] = {}
        for item in series:
            for plan in self.plans.values():
                asked = self._asks(plan, item, tolerance)
                if asked is not None and judges(plan, item.name, item.kind):
                    named.setdefault(item.name, []).append(asked)
        return named

    def judging(self, item: WatchedSeries, tolerance: float | None = None) -> list[tuple[str, str]]:
        """Return (rule, detector) for each rule that judges a series, in the order of the plan."""
        asked = ((plan, self._asks(plan, item, tolerance)) for plan in self.plans.values())
        return [
            (plan.name, own.detector) for plan, own in asked if own is not None and judges(plan, item.name, item.kind)
        ]

    def opened_by(
        self, series: Sequence[WatchedSeries], uses: Sequence[DetectorUse], tolerance: float | None = None
    ) -> dict[int, tuple[str, ...]]:
        """Return the rules that an alarm of each use opens, sorted by name; uses without any are left out."""
        opened: dict[int, tuple[str, ...]] = {}
        for i, use in enumerate(uses):
            item = series[use.series]
            named = [
                plan.name
                for plan in self.plans.values()
                if judges(plan, item.name, item.kind) and self._asks(plan, item, tolerance) == use.asked
            ]
            if named:
                opened[i] = tuple(sorted(named))
        return opened

    def loudness(self, rule: str) -> int:
        """Return the place of a rule's severity among all, the loudest last."""
        return list(Severity).index(self.plans[rule].severity)

    def milder(self, names: Sequence[str], rule: str) -> tuple[str, ...]:
        """Return which rules on the same evidence have a lower severity: the alert of this one stands for them."""
        return tuple(name for name in names if self.loudness(name) < self.loudness(rule))

    def severer(self, names: Sequence[str], rule: str) -> tuple[str, ...]:
        """Return which rules on the same evidence have a higher severity: their alert stands for this one."""
        return tuple(name for name in names if self.loudness(name) > self.loudness(rule))

    def _asks(self, plan: RulePlan, item: WatchedSeries, tolerance: float | None) -> Evidence | None:
        return evidence_of(plan, item, tolerance, self.configured)
