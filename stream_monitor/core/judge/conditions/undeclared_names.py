"""UndeclaredNames: more new names than can be told apart, of columns or, over the limits, of models and versions.

The names of smallest hash that every pane keeps also tell how many there are (a k-minimum-values sketch): of k kept
names the largest hash h, as a share of all hashes, gives about (k - 1) / h names, in nine of ten cases within 40 %.

Source: Bar-Yossef et al. (2002), doi:10.1007/3-540-45726-7_1.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from xxhash import xxh3_64_intdigest

from stream_monitor.core.alerts.identity import SeriesName
from stream_monitor.core.alerts.wording.numbers import listed
from stream_monitor.core.judge.conditions.condition import Condition, Scene
from stream_monitor.core.judge.standing.finding import Finding
from stream_monitor.core.names import UNDECLARED_NAMES as ALERTNAME
from stream_monitor.core.plan import ConditionName
from stream_monitor.core.profile import Undeclared, merge_undeclared
from stream_monitor.core.profile.record import UNDECLARED_NAMES

UNWATCHED = "*"
"""Stands for the models that no judge watches, in the label `model`."""

_EXAMPLES = 5


def distinct(names: Sequence[str]) -> int:
    """Return about how many names there are of which those of smallest hash were kept; exact when all were.

    >>> distinct(["a", "b"])
    2
    """
    if len(names) < UNDECLARED_NAMES:
        return len(names)
    largest = xxh3_64_intdigest(names[-1].encode()) / 2.0**64
    return max(len(names), round((len(names) - 1) / largest))


def find(scene: Scene) -> Iterator[Finding]:
    """Yield the versions with more new names of columns than are told one by one."""
    for version, state, profile in scene.versions:
        found = merge_undeclared(pane for _, pane in state.memory.undeclared)
        count = distinct(found.names)
        if count > UNDECLARED_NAMES or len(found.names) == UNDECLARED_NAMES:
            yield Finding(
                SeriesName(scene.model.name, version, "", ""),
                summary=f"about {count:,} names of columns that the baseline lacks",
                detail=f"the last window holds {listed(sorted(found.names), _EXAMPLES)}: they are not judged",
                todo="let names be the same in every event, and put what varies into the values",
                value=float(count),
                floor=float(UNDECLARED_NAMES),
                facts={"names": count, "values": found.count, "examples": tuple(sorted(found.names)[:_EXAMPLES])},
                since_ms=state.memory.undeclared[0][0],
                rows=profile.events,
            )


def over_limits(panes: Sequence[tuple[int, Undeclared]], most: int) -> Iterator[Finding]:
    """Yield the models and versions that the limits left out in the last window, if any.

    Args:
        panes: what was left out, by start of pane.
        most: models that this judge may watch.
    """
    found = merge_undeclared(pane for _, pane in panes)
    if not found.count:
        return
    count = distinct(found.names)
    about = "about " if len(found.names) == UNDECLARED_NAMES else ""
    yield Finding(
        SeriesName(UNWATCHED, "", "", ""),
        summary=f"{about}{count:,} {'model is' if count == 1 else 'models or versions are'} over the limits and not"
        " judged",
        detail=f"{found.count:,} events of the last window belong to {listed(sorted(found.names), _EXAMPLES)};"
        f" this judge partition watches {most:,} models",
        todo="raise 'limits.models', or use fewer models and versions at a time",
        value=float(count),
        floor=1.0,
        facts={"names": count, "events": found.count, "examples": tuple(sorted(found.names)[:_EXAMPLES])},
        since_ms=panes[0][0],
        rows=found.count,
    )


CONDITION = Condition(ConditionName.UNDECLARED_NAMES, ALERTNAME, "names", find)
