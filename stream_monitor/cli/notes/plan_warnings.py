"""What `check` warns of in a plan: what is legal and hardly what was meant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stream_monitor.cli.delays import series_name
from stream_monitor.cli.output import listed

if TYPE_CHECKING:
    from stream_monitor.core.baseline import Baseline
    from stream_monitor.core.judge import Rulebook
    from stream_monitor.core.outlook import FaintFloor, IdleRule, SeriesOutlook
    from stream_monitor.core.plan import Plan

COARSE = 1_023
"""Events of a reference below which small drifts drown in its own error."""

NAMED = 6
"""Series that a warning lists."""

_GROUPS = 5
"""Warnings about single series that a summary has."""


@dataclass(frozen=True, slots=True)
class SeriesDoubt:
    """What is doubtful about one series.

    Attributes:
        series: its name.
        before, after: the sentence, what stands before its name and behind it.
        about: equal for doubts that may share a line.
        size: of the lines that are shared the largest speaks.
    """

    series: str
    before: str
    after: str
    about: tuple[str, ...]
    size: float = 0.0

    def __str__(self) -> str:
        return f"{self.before}{self.series}{self.after}"


def no_promise(model: str, item: SeriesOutlook) -> SeriesDoubt:
    """Return the doubt about a series for which the budget promises nothing."""
    after = f": {item.guarantee}: the budget promises nothing here"
    return SeriesDoubt(series_name(item), f"model {model}: ", after, (model, item.guarantee))


def faint_floor(path: str, model: str, floor: FaintFloor) -> SeriesDoubt:
    """Return the doubt about a floor that chance alone passes; `path` is where its rule stands in a file."""
    return SeriesDoubt(
        series_name(floor),
        f"{path}: {floor.measure} of ",
        f" (model {model}) passes its floor of {floor.floor:g} by chance alone, up to {floor.noise_95:.2g} in 95 % of"
        " windows of this traffic",
        (path, model, floor.measure, f"{floor.floor:g}"),
        floor.noise_95,
    )


def shared_lines(doubts: Sequence[SeriesDoubt], *, most: int) -> list[str]:
    """Return a line for doubts of the same kind, with at most so many of the names; of many kinds the first few."""
    groups: dict[tuple[str, ...], list[SeriesDoubt]] = {}
    for doubt in doubts:
        groups.setdefault(doubt.about, []).append(doubt)
    lines = []
    for alike in groups.values():
        largest = max(alike, key=lambda doubt: doubt.size)
        lines.append(largest.before + listed([doubt.series for doubt in alike], most, hint=" (-v)") + largest.after)
    more = len(lines) - _GROUPS + 1
    return [*lines[: _GROUPS - 1], f"single series have {more} more kinds of warnings (-v)"] if more > 1 else lines


def doubtful_plan(plan: Plan) -> list[str]:
    """Return what is doubtful about a plan whatever it is used on."""
    from stream_monitor.config.rule_paths import rule_path
    from stream_monitor.core.detectors import RiverKind
    from stream_monitor.core.plan import BaselineFrom

    simulated = {*RiverKind, *(own.kind for own in plan.detection.detectors if own.calibration is not None)}
    found = (
        [] if plan.rules else ["rules: the list is empty: nothing raises an alert; leave it out for the default rules"]
    )
    found += [
        f"{rule_path(plan.rules, rule.name)}: {rule.evidence} is calibrated to the budget by simulation, not bound to"
        " it by theorem; its status says so"
        for rule in plan.rules
        if rule.evidence in simulated
    ]
    found += [
        f"{rule_path(plan.rules, rule.name)}: {rule.evidence} is not calibrated: no budget is kept"
        for rule in plan.rules
        if any(own.kind == rule.evidence and own.is_own and own.calibration is None for own in plan.detection.detectors)
    ]
    found += [
        f"models[{index}].baseline.events: {model.baseline_events} events are a coarse reference: small drifts will not"
        " be seen"
        for index, model in enumerate(plan.models)
        if model.baseline is BaselineFrom.FIRST_EVENTS and model.baseline_events < COARSE
    ]
    return found


def idle_warnings(plan: Plan, rulebook: Rulebook, baselines: Mapping[str, Baseline]) -> list[str]:
    """Return a warning for each rule of the file that watches no series of the baselines.

    The default rules are for any model: that some of them find nothing to watch is no mistake of the user's.
    """
    from stream_monitor.config.rule_paths import rule_path
    from stream_monitor.core.outlook import idle_rules
    from stream_monitor.core.plan import DEFAULT_RULES

    if not baselines or plan.rules == DEFAULT_RULES:
        return []
    models = ", ".join(sorted(baselines))
    return [
        f"{rule_path(plan.rules, idle.rule.name)}: watches no series of model {models}: {_why(idle)}"
        for idle in idle_rules(plan, rulebook, baselines)
    ]


def _why(idle: IdleRule) -> str:
    from stream_monitor.core.outlook import Idle

    rule, names = idle.rule, listed(idle.series, NAMED)
    match idle.why:
        case Idle.NAMES:
            return f"none is named like {', '.join(rule.series) or 'its series'}; there are {names}"
        case Idle.EFFECT:
            return f"its effect {rule.effect.measure} is not measured on {names}"
        case Idle.EVIDENCE:
            return f"its evidence {rule.evidence} does not test {names}"
