"""VersionChanged: the first rows of a version differ from the baseline of the version before it (`comparing`)."""

from __future__ import annotations

from collections.abc import Iterator

from stream_monitor.core.alerts.identity import SeriesName
from stream_monitor.core.alerts.wording.numbers import listed
from stream_monitor.core.judge.conditions.condition import Condition, Scene
from stream_monitor.core.judge.standing.finding import Finding
from stream_monitor.core.judge.standing.memory import Comparison
from stream_monitor.core.names import BOUND, VERSION_CHANGED, feature_of
from stream_monitor.core.plan import DAY_MS, CompareVersions, ConditionName

NEW_MS = DAY_MS
"""How long a version is new."""


def find(scene: Scene) -> Iterator[Finding]:
    """Yield the new versions that differ, for a day, unless another baseline than their first is watched by then."""
    if scene.model.plan.compare_versions is not CompareVersions.ALERT:
        return
    for version, state, _ in scene.versions:
        found = state.memory.comparison
        baseline = None if state.watch is None else state.watch.baseline
        replaced = baseline is not None and baseline.id != state.proposed
        if found is None or not found.differing or replaced or scene.now.end_ms - found.made_ms >= NEW_MS:
            continue
        yield Finding(
            SeriesName(scene.model.name, version, "", ""),
            summary=f"differs from version {found.previous or '(none)'}: {in_words(found, most=3)}",
            detail=f"{found.differing} of {found.compared} series of its first {found.rows:,} events differ from the"
            f" baseline of version {found.previous or '(none)'}: {in_words(found, most=10)}",
            todo="look whether the version before drifts too; if these events are wrong, activate another baseline, for"
            " from now on the version is compared with them",
            value=float(found.differing),
            floor=1.0,
            facts={
                "previous_version": found.previous,
                "compared": found.compared,
                "differing": found.differing,
                "changes": tuple(
                    f"{change.series}: {change.before} -> {change.after} ({change.measure} {change.value:.3g})"
                    for change in found.changes
                ),
            },
            since_ms=found.made_ms,
            rows=found.rows,
            guarantee=BOUND,
        )


def report(found: Comparison) -> str:
    """Return a comparison in one line, for the log and `/status`."""
    what = f"{found.differing} of {found.compared} series differ" if found.differing else "no series differs"
    detail = f": {in_words(found, most=10)}" if found.differing else f" of {found.compared}"
    return f"{found.rows:,} first events against version {found.previous or '(none)'}: {what}{detail}"


def in_words(found: Comparison, *, most: int) -> str:
    """Return the changes for a sentence: what, from and to."""
    return listed([f"{_subject(change.series)} {change.before} -> {change.after}" for change in found.changes], most)


def _subject(series: str) -> str:
    prefix, colon, _ = series.partition(":")
    feature = feature_of(series)
    if feature is None:
        return series
    return feature if prefix == "feature" and colon else f"{prefix} {feature}"


CONDITION = Condition(ConditionName.VERSION_CHANGED, VERSION_CHANGED, "series", find)
