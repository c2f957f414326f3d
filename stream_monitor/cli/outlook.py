"""The report of `check`: what the budget of each model promises, and what it lets one see at today's traffic."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from stream_monitor.cli.delays import cell, table_of_series, within_ms
from stream_monitor.cli.notes.plan_warnings import SeriesDoubt, faint_floor, no_promise
from stream_monitor.cli.output import say

if TYPE_CHECKING:
    from stream_monitor.core.baseline import Baseline
    from stream_monitor.core.canonical import Json
    from stream_monitor.core.judge import Rulebook
    from stream_monitor.core.outlook import SeriesOutlook, ShiftOutlook
    from stream_monitor.core.plan import Plan

ASSUMED_EVENTS = 100.0
"""Events of a pane where the traffic is unknown; delays are then told in events, which hardly depend on it."""

_SECOND_MS = 1_000


@dataclass(frozen=True, slots=True)
class ModelReport:
    """What `check` says of one model.

    Attributes:
        baseline: the reference it speaks of, None when none is known.
        rate: events a second, None when unknown.
        series: outlook of each series that can raise an alert.
        doubts: what is doubtful about single series.
        supplements: references beside the baseline.
    """

    model: str
    baseline: Baseline | None
    rate: float | None
    series: tuple[SeriesOutlook, ...]
    doubts: tuple[SeriesDoubt, ...]
    supplements: tuple[Baseline, ...] = ()

    @property
    def documents(self) -> tuple[Baseline, ...]:
        """Everything that its series are compared with."""
        return () if self.baseline is None else (self.baseline, *self.supplements)

    @property
    def traffic(self) -> str:
        """At which traffic delays are told, in words."""
        if self.rate is None:
            return f"traffic unknown (give --rate): after so many events, in panes of {ASSUMED_EVENTS:g}"
        return f"at {self.rate:,.3g} events/s"


def rulebook_of(plan: Plan) -> Rulebook:
    """Return the rules of a plan as they would judge.

    Raises:
        ConfigError: a rule or a detector of the user's cannot be used.
    """
    from stream_monitor.core.judge import Configured, Rulebook
    from stream_monitor.runtimes.detectors import resolve_detectors
    from stream_monitor.runtimes.rules import resolve_rules

    configured = Configured.of(plan.detection.detectors, resolve_detectors(plan))
    return Rulebook(plan.rules, resolve_rules(plan), configured)


def model_reports(
    plan: Plan, rulebook: Rulebook, baselines: Mapping[str, Baseline], rates: Mapping[str, float]
) -> list[ModelReport]:
    """Return the report of each model of the plan and of each with a baseline.

    Args:
        plan: the plan.
        rulebook: its rules.
        baselines: the reference of each model that has one.
        rates: events a second by model; unknown for others.
    """
    from stream_monitor.config.rule_paths import rule_path
    from stream_monitor.core.names import NO_GUARANTEE
    from stream_monitor.core.outlook import faint_floors, model_outlook

    names = [model.name for model in plan.models if model.name not in baselines]
    reports: list[ModelReport] = []
    for name in [*sorted(baselines), *names]:
        baseline, rate = baselines.get(name), rates.get(name)
        events = ASSUMED_EVENTS if rate is None else rate * plan.detection.pane_ms / _SECOND_MS
        series = model_outlook(plan, rulebook, name, baseline, events=events)
        doubts = [no_promise(name, item) for item in series if item.guarantee.startswith(NO_GUARANTEE)]
        if baseline is not None and rate is not None:
            floors = faint_floors(plan, rulebook, name, baseline, events=events)
            doubts += [faint_floor(rule_path(plan.rules, floor.rule), name, floor) for floor in floors]
        reports.append(ModelReport(name, baseline, rate, series, tuple(doubts)))
    return reports


def print_report(plan: Plan, report: ModelReport) -> None:
    """Write the report of a model for people."""
    from stream_monitor.config.durations import format_duration
    from stream_monitor.core.names import DEMAND
    from stream_monitor.runtimes.backtest.notes.season_notes import season_notes
    from stream_monitor.runtimes.backtest.notes.segment_notes import segment_notes

    budget, own = plan.budget(report.model), plan.model(report.model)
    assert own is not None  # reports are made of models that the plan watches
    alarms = f"{budget.false_alarms:g} false alarm{'' if budget.false_alarms == 1 else 's'}"
    say(
        f"model {report.model}: at most {alarms} in {format_duration(budget.per_ms)} expected over all its series"
        f" together: A = {budget.panes(plan.detection.pane_ms):g} panes; baseline from {own.baseline.value}"
    )
    if report.baseline is None:
        say(
            "  no baseline known (give --baseline FILE, or --connect): the budget goes half to series of the model,"
            " half to its features in equal parts, 5 % of each kept for new versions"
        )
    else:
        say(f"  baseline {report.baseline.id[:19]}, {report.baseline.origin.rows:,} rows")
        for line in (*season_notes(report.baseline, own.strata), *segment_notes(report.baseline, own.segments)):
            say(f"  {line}")
    say(
        f"  seen in nine of ten cases within, {report.traffic}; * such a change is below the floor and raises no alert:"
    )
    for line in table_of_series(plan, report.rate, [item for item in report.series if item.series != DEMAND]):
        say(line)
    for item in report.series:
        if item.series == DEMAND:
            promise = f", weight {item.weight:.2g}, log10 A/w {item.log10_threshold:.2f}, {item.guarantee}"
            say(f"  {demand_line(plan, report, item, promise)}")


def demand_line(plan: Plan, report: ModelReport, item: SeriesOutlook, promise: str = "") -> str:
    """Return how soon factors of the demand are seen."""
    return f"{item.series} ({item.detector}){promise}: " + ", ".join(
        cell(plan, report.rate, shift, item) for shift in item.shifts
    )


def report_json(plan: Plan, report: ModelReport) -> Json:
    """Return the report of a model for programs."""
    from stream_monitor.cli.coverage import coverage_json, planned_coverage
    from stream_monitor.core.canonical import round_significant

    budget = plan.budget(report.model)

    def shift_json(item: SeriesOutlook, shift: ShiftOutlook) -> Json:
        span_ms = None if report.rate is None else within_ms(plan, shift)
        return {
            "sigma": round_significant(shift.sigma),
            "size": round_significant(shift.size),
            "unit": shift.unit.value,
            "typical_panes": shift.typical,
            "within_panes": shift.within,
            "within_s": None if span_ms is None else span_ms / 1_000,
            "within_events": None if shift.within is None else round(shift.within * item.events),
            "alerts": shift.alerts,
        }

    return {
        "model": report.model,
        "baseline": None if report.baseline is None else report.baseline.id,
        "coverage": coverage_json(planned_coverage(plan, report.model, report.documents)),
        "budget": {
            "false_alarms": budget.false_alarms,
            "per_ms": budget.per_ms,
            "panes": round_significant(budget.panes(plan.detection.pane_ms)),
        },
        "events_per_s": report.rate,
        "series": [
            {
                "series": item.series,
                **({"segment": item.segment} if item.segment else {}),
                "kind": item.kind.value,
                "detector": item.detector,
                "weight": round_significant(item.weight),
                "log10_threshold": round_significant(item.log10_threshold),
                "guarantee": item.guarantee,
                "events_per_pane": None if report.rate is None else round_significant(item.events),
                "shifts": [shift_json(item, shift) for shift in item.shifts],
            }
            for item in report.series
        ],
    }
