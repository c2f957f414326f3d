"""Comparing versions: the first rows of a new version against the baseline of the version before it.

A version that starts shifted would become its own reference, and nobody would hear of it. So the rows that make its
first baseline are given, as one pane, to the detectors that watch the version before: their evidence after a first pane
is an e-value, whose mean is at most one if the rows follow the law of the reference rows, whatever that law and however
small the reference. A series differs when its evidence reaches U/α for U detectors, and a rule finds the effect large
enough.

α is what the comparison has saved of its part of the budget: the panes since the last comparison of the model (or since
its first events) times `VERSIONS_SHARE` over A. However often versions come, expected false reports in n panes are at
most n/A of that share.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from stream_monitor.core.arrays import Int64
from stream_monitor.core.baseline import Baseline, CategoricalBaseline, NumericBaseline
from stream_monitor.core.batch import ABSENT, INVALID, Cell, ObjectColumn
from stream_monitor.core.detectors import Mixture
from stream_monitor.core.judge.model.model_state import ModelState, version_watches
from stream_monitor.core.judge.standing.memory import Comparison, SeriesChange
from stream_monitor.core.judge.watch.pool import Pool, step_together
from stream_monitor.core.judge.watch.rulebook import Rulebook
from stream_monitor.core.judge.watch.watch import Watch
from stream_monitor.core.judge.watch.watched_series import Counted, WatchedSeries
from stream_monitor.core.judge.watch.weights import VERSIONS_SHARE
from stream_monitor.core.names import BOUND
from stream_monitor.core.plan import Plan
from stream_monitor.core.profile import Example, Profile, ProfileKey, SeriesCounts
from stream_monitor.core.profile.count import count_column
from stream_monitor.core.rules import EffectWindow, Pane, measure

MOST_CHANGES = 20
"""Series that a comparison names; of more, those of most evidence."""


def previous_version(model: ModelState, version: str) -> str | None:
    """Return the version that a new one is compared with: of those that are watched, the last that had events."""
    watched = [
        (state.last_ms, name) for name, state in model.versions.items() if name != version and state.watch is not None
    ]
    return max(watched)[1] if watched else None


def compare_versions(
    model: ModelState, version: str, rows: Sequence[Example], plan: Plan, rulebook: Rulebook, now: Pane
) -> Comparison | None:
    """Return how the first rows of a version differ from the version before; None where there is none.

    Args:
        model: the model.
        version: the new version.
        rows: of its first baseline.
        plan: the plan.
        rulebook: its rules.
        now: the pane that completed them.
    """
    previous = previous_version(model, version)
    state = None if previous is None else model.versions[previous]
    if previous is None or state is None or state.watch is None or state.watch.baseline is None:
        return None
    baseline = state.watch.baseline
    watch = _watched(model, baseline, rows, plan, rulebook, now)
    since_ms = model.first_ms if model.compared_ms is None else model.compared_ms
    panes = max(1, (now.end_ms - since_ms) // plan.detection.pane_ms)
    alpha = VERSIONS_SHARE * panes / model.budget_panes
    judged = [use for use in sorted(watch.rules) if watch.groups[use].guarantee == BOUND]
    limit = math.log(max(1, len(judged)) / alpha)
    found: dict[str, tuple[float, SeriesChange]] = {}
    for use in judged:
        log_m = float(watch.log_m[use])
        if math.isfinite(log_m) and log_m >= limit:
            item = watch.series[watch.uses[use].series]
            change = _change(watch, watch.uses[use].series, item, watch.rules[use], rows, rulebook, now)
            if change is not None and log_m > found.get(item.name, (-math.inf,))[0]:
                found[item.name] = (log_m, change)
    ranked = sorted(found.values(), key=lambda pair: (-pair[0], pair[1].series))
    changes = [change for _, change in ranked]
    compared = len({watch.uses[use].series for use in judged})
    return Comparison(previous, now.end_ms, len(rows), compared, len(changes), changes[:MOST_CHANGES])


def _watched(
    model: ModelState, baseline: Baseline, rows: Sequence[Example], plan: Plan, rulebook: Rulebook, now: Pane
) -> Watch:
    """Return a watch of the old baseline that has seen the rows as one pane; it leaves no trace."""
    kept = {name: own for name, own in baseline.series.items() if own.strata is None}
    plain = replace(baseline, series=kept, segments={}, id=baseline.id)
    mixture = Mixture.for_events(float(len(rows)))
    [watch, *_] = version_watches(model, plain, plan, rulebook, slot=0, mixture=lambda _: mixture)
    watch.enter(Pool())
    watch.push(now.start_ms, _profile(model.name, plain, rows, now))
    pieces = list(watch.pieces())
    for (uses, _), log_m in zip(pieces, step_together([work for _, work in pieces]), strict=True):
        watch.log_m[uses] = log_m
    return watch


def _profile(model: str, baseline: Baseline, rows: Sequence[Example], now: Pane) -> Profile:
    ties = np.array([row.tie or 0 for row in rows], dtype=np.int64)
    series: dict[str, SeriesCounts] = {}
    for name, reference in baseline.series.items():
        column = ObjectColumn([_cell(row, name) for row in rows], mixed=True)
        constraint = baseline.constraints.get(name)
        series[name] = count_column(column, ties, baseline=reference, constraint=constraint).counts
    key = ProfileKey(model, baseline.version, "", now.start_ms, now.end_ms - now.start_ms, False, baseline.id)
    return Profile(key, {"inference": len(rows)}, len(rows), series, {})


def _cell(row: Example, name: str) -> Cell:
    return INVALID if name in row.invalid else (row.values or {}).get(name, ABSENT)


def _change(
    watch: Watch,
    position: int,
    item: WatchedSeries,
    rules: Sequence[str],
    rows: Sequence[Example],
    rulebook: Rulebook,
    now: Pane,
) -> SeriesChange | None:
    """Return what changed if the effect matters to some rule of the plan."""
    counts = watch.last(position)
    window = EffectWindow(
        watch.model,
        watch.version,
        "",
        item.name,
        item.kind,
        item.baseline,
        watch.reference(position, 1),
        counts,
        1,
        now.start_ms,
        now.end_ms,
    )
    for rule in rules:
        plan = rulebook.plans[rule]
        if plan.target is None and rulebook.rules[rule].verdict(window).holds:
            by = measure(plan.effect.measure)
            before, after = _from_to(item, counts, rows)
            return SeriesChange(item.name, by.name, float(by.value(window)), float(plan.effect.floor), before, after)
    return None


def _from_to(item: WatchedSeries, counts: Int64, rows: Sequence[Example]) -> tuple[str, str]:
    """Return in words what a series was and what it is."""
    assert item.reference is not None
    if isinstance(item.baseline, NumericBaseline) and item.counted is Counted.VALUES:
        values = [value for row in rows if isinstance(value := (row.values or {}).get(item.name), float)]
        middle = int(np.searchsorted(np.cumsum(item.reference.counts), item.reference.counts.sum() / 2.0))
        edge = item.baseline.edges[min(middle, item.baseline.edges.size - 1)]
        return f"median {float(edge):.4g}", f"median {float(np.median(values)):.4g}"
    before, after = item.reference.shares, counts / max(1, int(counts.sum()))
    if item.counted is not Counted.VALUES or not isinstance(item.baseline, CategoricalBaseline):
        return f"{float(before[1]):.1%}", f"{float(after[1]):.1%}"
    most = int(np.abs(after - before).argmax())
    names = [*item.baseline.categories, "other", "unseen"]
    return f"{names[most]} {float(before[most]):.1%}", f"{names[most]} {float(after[most]):.1%}"
