"""What `check` prints for people: a summary that fits a screen, or everything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from stream_monitor.cli.output import folded, listed, say

if TYPE_CHECKING:
    from stream_monitor.cli.outlook import ModelReport
    from stream_monitor.config import Settings
    from stream_monitor.core.plan import Plan

NAMED = 5
"""Names that a line of a summary has."""

_IN_FULL = 2
"""Models that have a table each; of more a line each is told."""

_MODELS = 10
"""Models that have a line."""


def print_summary(settings: Settings, kafka: Mapping[str, str], reports: Sequence[ModelReport]) -> None:
    """Write the plan and what it lets one see, in about 25 lines of at most 100 characters."""
    for line in (*_plan_lines(settings, kafka), *_report_lines(settings.plan, reports)):
        say(line)


def print_everything(settings: Settings, kafka: Mapping[str, str], reports: Sequence[ModelReport]) -> None:
    """Write every setting of the cluster, rule and series."""
    from stream_monitor.cli.coverage import print_coverage
    from stream_monitor.cli.outlook import print_report

    plan = settings.plan
    say(f"group {settings.group}, instance {settings.instance}, plan {plan.hash}")
    say("kafka " + " ".join(f"{key}={value}" for key, value in sorted(kafka.items())))
    for source in plan.inputs:
        say(f"input {source.topic}: {source.format}" + (f", model {source.model}" if source.model else ""))
    say(_clock(plan))
    for rule in plan.rules:
        say(
            f"rule {rule.name} ({rule.severity.value}): {rule.evidence} and {rule.effect.measure} >="
            f" {rule.effect.floor:g} on {', '.join(rule.series)}"
        )
    for report in reports:
        print_report(plan, report)
        print_coverage(plan, report.model, report.documents)


def _clock(plan: Plan) -> str:
    from stream_monitor.config.durations import format_duration

    detection = plan.detection
    return (
        f"pane {format_duration(detection.pane_ms)}, window {format_duration(detection.window_ms)},"
        f" lateness {format_duration(plan.time.allowed_lateness_ms)}"
    )


def _plan_lines(settings: Settings, kafka: Mapping[str, str]) -> Iterator[str]:
    plan = settings.plan
    more = f" and {len(kafka) - 1} more settings (-v)" if len(kafka) > 1 else ""
    brokers = kafka.get("bootstrap.servers", "unknown")
    yield from folded(f"group {settings.group}, plan {plan.short_hash}, brokers {brokers}{more}")
    yield from folded("inputs: " + listed([source.topic for source in plan.inputs], NAMED, hint=" (-v)"))
    rules = [f"{rule.name} ({rule.severity.value})" for rule in plan.rules]
    yield from folded(f"{_clock(plan)}; rules: {listed(rules, 2 * NAMED, hint=' (-v)')}")


def _report_lines(plan: Plan, reports: Sequence[ModelReport]) -> Iterator[str]:
    if len([report for report in reports if report.baseline is not None]) <= _IN_FULL >= len(reports) - 1:
        for report in reports:
            yield from _report_in_full(plan, report)
        return
    for report in reports[:_MODELS]:
        yield from folded(_report_in_a_line(plan, report))
    if len(reports) > _MODELS:
        yield f"... and {len(reports) - _MODELS} more models (-v)"


def _report_in_full(plan: Plan, report: ModelReport) -> Iterator[str]:
    from stream_monitor.cli.coverage import planned_coverage, short_coverage
    from stream_monitor.cli.delays import FEW, short_table
    from stream_monitor.cli.outlook import demand_line
    from stream_monitor.core.names import DEMAND

    series = [item for item in report.series if item.series != DEMAND]
    kept = f"; guarantee {series[0].guarantee}" if len({item.guarantee for item in series}) == 1 else ""
    slowest = "; of alike series the slowest" if len(series) > FEW else ""
    head = f"seen in nine of ten cases within, {report.traffic}{kept}{slowest}; * below the floor, no alert:"
    demand = [demand_line(plan, report, item) for item in report.series if item.series == DEMAND]
    coverage = short_coverage(planned_coverage(plan, report.model, report.documents), most=NAMED)
    yield f"model {report.model}: {_budget(plan, report)}"
    for line in (*_reference_lines(plan, report), head):
        yield from folded(f"  {line}")
    yield from (f"  {line}" for line in short_table(plan, report.rate, series))  # rows of a table are not folded
    for line in (*demand, *coverage):
        yield from folded(f"  {line}")


def _budget(plan: Plan, report: ModelReport) -> str:
    from stream_monitor.config.durations import format_duration

    budget = plan.budget(report.model)
    alarms = f"{budget.false_alarms:g} false alarm{'' if budget.false_alarms == 1 else 's'}"
    return (
        f"at most {alarms} in {format_duration(budget.per_ms)} expected, A = {budget.panes(plan.detection.pane_ms):g}"
        " panes"
    )


def _reference_lines(plan: Plan, report: ModelReport) -> list[str]:
    from stream_monitor.core.plan import ModelPlan
    from stream_monitor.runtimes.backtest.notes.season_notes import season_notes
    from stream_monitor.runtimes.backtest.notes.segment_notes import segment_notes

    baseline, own = report.baseline, plan.model(report.model) or ModelPlan()
    if baseline is None:
        return [f"no baseline known, from {own.baseline.value} (give --baseline FILE, or --connect)"]
    version = f" of version {baseline.version}" if baseline.version else ""
    notes = [*season_notes(baseline, own.strata), *segment_notes(baseline, own.segments)]
    more = [f"... and {len(notes) - 2} more notes (-v)"] if len(notes) > 2 else []
    return [f"baseline {baseline.id[:19]}{version}, {baseline.origin.rows:,} rows", *notes[:2], *more]


def _report_in_a_line(plan: Plan, report: ModelReport) -> str:
    from stream_monitor.cli.coverage import planned_coverage

    found = planned_coverage(plan, report.model, report.documents)
    watched = sum(item.reason is None for item in found)
    reference = "no baseline known" if report.baseline is None else f"baseline {report.baseline.id[7:19]}"
    series = f"{watched:,} series watched, {len(found) - watched:,} not"
    return f"model {report.model}: {reference}, {series}; {_budget(plan, report)}"
