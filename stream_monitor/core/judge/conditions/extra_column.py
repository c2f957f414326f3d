"""ExtraColumn: a name that live traffic has and the baseline lacks, with the name it likeliest had before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from stream_monitor.core.alerts.identity import SeriesName
from stream_monitor.core.alerts.wording.numbers import listed
from stream_monitor.core.judge.conditions.condition import Condition, Scene
from stream_monitor.core.judge.conditions.renames import renamed
from stream_monitor.core.judge.standing.finding import STORM_OF, Finding
from stream_monitor.core.judge.standing.memory import EXTRA_SHARE, Run
from stream_monitor.core.names import EXTRA_COLUMN, feature_series
from stream_monitor.core.plan import ConditionName
from stream_monitor.core.profile.record import UNDECLARED_NAMES


def find(scene: Scene) -> Iterator[Finding]:
    """Yield the new names; of many that came together the first tells of all."""
    for version, state, profile in scene.versions:
        if state.watch is None or state.watch.baseline is None:
            continue
        window_ms = scene.plan.detection.window_ms
        old = {new: name for name, new in renamed(state, within_ms=window_ms).items()}
        crowd = len(profile.undeclared.names) >= UNDECLARED_NAMES  # which UndeclaredNames tells of
        found = [
            _finding(scene, version, name, run, old.get(name), waits=crowd)
            for name, run in sorted(state.memory.extra.items())
            if run.rows >= scene.plan.alerts.open_events
        ]
        yield from _together(found)


def _finding(scene: Scene, version: str, name: str, run: Run, old: str | None, *, waits: bool) -> Finding:
    question = "" if old is None else f", {old} is gone: renamed?"
    return Finding(
        SeriesName(scene.model.name, version, "", feature_series(name)),
        summary=f"{name} is new{question or ', the baseline lacks it'}",
        detail=f"{run.hits:,} of the last {run.rows:,} events hold {name} ({' or '.join(run.kinds)}), which the"
        " baseline lacks: it is not judged by it",
        todo="build and activate a baseline with it, or leave it out by 'features.exclude'",
        value=run.share,
        floor=EXTRA_SHARE,
        facts={
            "column": name,
            "rows": run.rows,
            "rows_with_column": run.hits,
            "kinds": tuple(kind.value for kind in run.kinds),
            "likely_old_name": old,
        },
        since_ms=run.since_ms,
        rows=run.rows,
        waits=waits,
    )


def _together(found: list[Finding]) -> Iterator[Finding]:
    for finding in found:
        alike = [other for other in found if other.since_ms == finding.since_ms]
        if len(alike) < STORM_OF:
            yield finding
        elif finding is not alike[0]:
            yield replace(finding, waits=True)
        else:
            columns = [str(other.facts["column"]) for other in alike]
            yield replace(
                finding,
                summary=f"{len(alike)} columns are new: {listed(columns, 3)}",
                detail=f"the baseline lacks {listed(columns, 10)}: they are not judged by it",
                todo="build and activate a baseline with them, or leave them out by 'features.exclude'",
                facts={**finding.facts, "columns": tuple(columns[:20])},
            )


CONDITION = Condition(ConditionName.EXTRA_COLUMN, EXTRA_COLUMN, "share_with_column", find)
