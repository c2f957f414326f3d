"""FrozenValues: a numeric series holds one value, row after row, where its values used to differ.

A sensor that is stuck, a cache that is not filled any more, a default that stands for what is not known. Evidence of a
detector is slow to see it where rows depend on each other: it takes a long stretch around one level for nothing new.
That numbers are *equal* is another matter, and the rows themselves say how long they ever were:

* at least fifty rows, five times as many as ever before, in two panes or more;
* where the reference knows the value as one that comes often, so many that chance shows it less often than the budget
  allows, of rows that depend on each other as much as they do;
* where nothing has been seen yet of how long equal values last, as many as that too.

The drift of the series waits as long as it is open.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from stream_monitor.core.alerts.identity import SeriesName
from stream_monitor.core.alerts.wording.numbers import number
from stream_monitor.core.baseline import NumericBaseline, by_stratum
from stream_monitor.core.detectors.interval_limits import clopper_pearson
from stream_monitor.core.judge.conditions.certain import MISS, certain_rows, log_limit
from stream_monitor.core.judge.conditions.condition import Condition, Scene
from stream_monitor.core.judge.conditions.open_alerts import is_firing
from stream_monitor.core.judge.standing.finding import Finding
from stream_monitor.core.judge.standing.memory import Still
from stream_monitor.core.names import FROZEN_VALUES, feature_of
from stream_monitor.core.plan import ConditionName

if TYPE_CHECKING:
    from stream_monitor.core.judge.watch.watch import Watch

FEWEST_ROWS = 50
FEWEST_PANES = 2
_LONGER = 5
"""Times as long as ever before."""

_KNOWN = 20
"""Times as many rows as asked for, in which equal values have shown how long they last."""


def find(scene: Scene) -> Iterator[Finding]:
    """Yield the series that are frozen."""
    for version, state, _ in scene.versions:
        for series, still in sorted(state.memory.still.items()):
            if still.panes < FEWEST_PANES or still.rows < FEWEST_ROWS:
                continue
            watch = state.watch_of(series)
            reference = None if watch is None or watch.baseline is None else watch.baseline.series[series]
            if watch is None or not isinstance(reference, NumericBaseline) or reference.minimum == reference.maximum:
                continue
            longest = state.memory.longest.get(series, 0)
            needed = _needed(watch, reference, still, longest, state.memory.rows, scene.model.budget_panes)
            if still.rows >= needed:
                yield _finding(scene, version, series, still, watch, longest)


def _needed(
    watch: Watch, reference: NumericBaseline, still: Still, longest: int, seen: int, budget_panes: float
) -> float:
    """Return how many equal rows are news."""
    least = max(FEWEST_ROWS, _LONGER * longest)
    is_known = seen - still.rows >= _KNOWN * least
    share, often = _share(reference, still.value)
    if is_known and not often:
        return least
    d = 1.0 if reference.dependence is None else reference.dependence.values.value
    limit = log_limit(watch.slot, len(watch.series), budget_panes)
    return max(least, d * certain_rows(1.0, upper=share, log_limit=limit))


def _share(reference: NumericBaseline, value: float) -> tuple[float, bool]:
    """Return an upper limit of the share of a value in the reference, and whether it is an edge of its grid."""
    most, often = 0.0, False
    for own in by_stratum(reference):
        assert isinstance(own, NumericBaseline)
        first, last = (int(own.grid.edges.searchsorted(value, side=side)) for side in ("left", "right"))
        spacings = int(own.grid.spacings[first : last + 1].sum())
        limit = clopper_pearson(min(spacings, own.m), own.m, miss=MISS, upward=1.0)
        most, often = max(most, float(limit.upper)), often or last > first
    return min(most, math.nextafter(1.0, 0.0)), often


def _finding(scene: Scene, version: str, series: str, still: Still, watch: Watch, longest: int) -> Finding:
    subject, value = feature_of(series) or series, number(still.value, 6)
    before = f"never more than {longest:,} in a row" if longest else "no two panes in a row"
    return Finding(
        SeriesName(scene.model.name, version, "", series),
        summary=f"{subject} is frozen at {value}: the last {still.rows:,} values are equal",
        detail=f"all of the last {still.rows:,} values of {subject} are {value}; before, {before} were equal",
        todo=f"look at the source of {subject}: a sensor that is stuck, a cache, a default",
        value=1.0,
        floor=1.0,
        facts={"value": still.value, "rows": still.rows, "longest_before": longest},
        since_ms=still.since_ms,
        rows=still.rows,
        waits=is_firing(watch, series),
    )


CONDITION = Condition(ConditionName.FROZEN_VALUES, FROZEN_VALUES, "share_of_one_value", find)
