"""MissingColumn: no row names a series of the baseline any more.

It stands for `missing:x`, which waits as long as it is open. Rows without a column are certain when as many of them in
a row come by chance less often than the budget allows (`certain`); what most rows of the baseline lack is thus never
missed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from stream_monitor.core.alerts.identity import SeriesName
from stream_monitor.core.alerts.wording.numbers import listed
from stream_monitor.core.judge.conditions.certain import rows_for_missing
from stream_monitor.core.judge.conditions.condition import Condition, Scene
from stream_monitor.core.judge.conditions.open_alerts import is_firing
from stream_monitor.core.judge.conditions.renames import renamed
from stream_monitor.core.judge.standing.finding import STORM_OF, Finding
from stream_monitor.core.judge.standing.memory import Run
from stream_monitor.core.names import BOUND, MISSING_COLUMN, SERVING_ERROR, feature_of, missing_series
from stream_monitor.core.plan import ConditionName

if TYPE_CHECKING:
    from stream_monitor.core.judge.watch.watch import Watch


def find(scene: Scene) -> Iterator[Finding]:
    """Yield the series that are gone; of many that went together the first tells of all."""
    for version, state, _ in scene.versions:
        names = renamed(state, within_ms=scene.plan.detection.window_ms)
        found = [
            _finding(scene, version, series, run, watch, names)
            for series, run in sorted(state.memory.lacking.items())
            if (watch := state.watch_of(series)) is not None
            and run.rows >= rows_for_missing(watch, series, scene.model.budget_panes)
        ]
        yield from _together(found)


def _finding(scene: Scene, version: str, series: str, run: Run, watch: Watch, names: dict[str, str]) -> Finding:
    feature = feature_of(series)
    column = series if feature is None else feature
    new = None if feature is None else names.get(feature)
    question = "" if new is None else f", {new} is new: renamed?"
    waits = is_firing(watch, SERVING_ERROR if feature is None else missing_series(feature))
    return Finding(
        SeriesName(scene.model.name, version, "", series),
        summary=f"{column} is gone{question or ', no event names it'}",
        detail=f"none of the last {run.rows:,} events names {column}, which the baseline has",
        todo="mend the producer, or build and activate a baseline without it"
        if new is None
        else f"if {new} takes its place, build and activate a baseline with the new name; else mend the producer",
        value=run.share,
        floor=1.0,
        facts={"column": column, "rows": run.rows, "likely_new_name": new},
        since_ms=run.since_ms,
        rows=run.rows,
        guarantee=BOUND,
        waits=waits,
    )


def _together(found: list[Finding]) -> Iterator[Finding]:
    """Yield findings; of those that began in the same pane, if they are many, all but the first wait."""
    for finding in found:
        alike = [other for other in found if other.since_ms == finding.since_ms and not other.waits]
        if len(alike) < STORM_OF or finding.waits:
            yield finding
        elif finding is not alike[0]:
            yield replace(finding, waits=True)
        else:
            columns = [str(other.facts["column"]) for other in alike]
            yield replace(
                finding,
                summary=f"{len(alike)} columns are gone: {listed(columns, 3)}",
                detail=f"none of the last {finding.rows:,} events names {listed(columns, 10)}",
                todo="mend the producer, or build and activate a baseline without them",
                facts={**finding.facts, "columns": tuple(columns[:20])},
            )


CONDITION = Condition(ConditionName.MISSING_COLUMN, MISSING_COLUMN, "share_without_column", find)
