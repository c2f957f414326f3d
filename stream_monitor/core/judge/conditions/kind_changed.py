"""KindChanged: most values of a series are of another kind than in the baseline, so that none of them can be judged.

It stands for `invalid:x`, which waits as long as it is open. More than half of the rows must be of another kind, so
many that chance shows it less often than the budget allows (`certain`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from stream_monitor.core.alerts.identity import SeriesName
from stream_monitor.core.judge.conditions.certain import rows_for_kind
from stream_monitor.core.judge.conditions.condition import Condition, Scene
from stream_monitor.core.judge.conditions.open_alerts import is_firing
from stream_monitor.core.judge.conditions.renames import kind_in
from stream_monitor.core.judge.standing.finding import Finding
from stream_monitor.core.judge.standing.memory import Run
from stream_monitor.core.names import BOUND, KIND_CHANGED, ValueKind, feature_of, invalid_series
from stream_monitor.core.plan import ConditionName

if TYPE_CHECKING:
    from stream_monitor.core.judge.watch.watch import Watch

_PLURALS: Mapping[ValueKind, str] = {
    ValueKind.NUMBER: "numbers",
    ValueKind.TEXT: "text",
    ValueKind.BOOLEAN: "true or false",
    ValueKind.PROBABILITIES: "probabilities",
}


def find(scene: Scene) -> Iterator[Finding]:
    """Yield the series whose values are of another kind."""
    for version, state, _ in scene.versions:
        for series, run in sorted(state.memory.strange.items()):
            watch = state.watch_of(series)
            if watch is not None and run.rows >= rows_for_kind(watch, series, scene.model.budget_panes):
                yield _finding(scene, version, series, run, watch)


def _finding(scene: Scene, version: str, series: str, run: Run, watch: Watch) -> Finding:
    subject = feature_of(series) or series
    live, expected = kinds_in_words(run.kinds), kinds_in_words((kind_in(watch, series),))
    return Finding(
        SeriesName(scene.model.name, version, "", series),
        summary=f"{subject}: {live}, the baseline has {expected}",
        detail=f"{run.hits:,} of the last {run.rows:,} values of {subject} are {live}, the baseline has {expected}:"
        " they are invalid, and drift of them cannot be seen",
        todo="mend the producer, or build and activate a baseline of such events",
        value=run.share,
        floor=0.5,
        facts={
            "rows": run.rows,
            "rows_of_another_kind": run.hits,
            "kinds": tuple(kind.value for kind in run.kinds),
            "baseline_kind": kind_in(watch, series).value,
        },
        since_ms=run.since_ms,
        rows=run.rows,
        guarantee=BOUND,
        waits=is_firing(watch, invalid_series(subject)),
    )


def kinds_in_words(kinds: tuple[ValueKind, ...]) -> str:
    """Return kinds for a sentence.

    >>> kinds_in_words((ValueKind.BOOLEAN, ValueKind.TEXT))
    'true or false and text'
    """
    return " and ".join(_PLURALS[kind] for kind in kinds)


CONDITION = Condition(ConditionName.KIND_CHANGED, KIND_CHANGED, "share_of_another_kind", find)
