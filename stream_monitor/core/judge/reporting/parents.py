"""Parents and children: an alert that another one explains waits, and is named there instead.

* Five or more columns whose values go missing (or turn invalid, or unseen) in the same panes are one story: the first
  of them is told, the others wait as long as it fires.
* Values that drift while the same column loses values drift because of that: `feature:x` waits for `missing:x`,
  `prediction` for `invalid:prediction`. What the loss cannot have done is news of its own: whichever values are lost,
  the law of the others moves by no more than their share, in total variation.
* What happens to all rows happens to their segments: a segment waits while an alert about the same series of all rows
  is open, whenever that began (the change of a segment with few rows is seen panes later), and its values also for the
  missing values of all rows. A change of one segment that all rows hardly show is its own.
* A column that is gone (MissingColumn) or of another kind (KindChanged) is one alert: series of it wait. Values
  wait for the alert that they are frozen (FrozenValues).
* Five or more segments with the same alert in the same panes are one story, as columns are.

A child that is still above its floor when its parent is over is told then. Nothing is lost: every alert lists the other
series that drift (`drift_list`).
"""

from __future__ import annotations

from collections.abc import Iterator

from stream_monitor.core.alerts.identity import SeriesName
from stream_monitor.core.alerts.lifecycle import Life
from stream_monitor.core.comparisons import comparison
from stream_monitor.core.judge.model.model_state import ModelState
from stream_monitor.core.judge.reporting.episodes import effect_window
from stream_monitor.core.judge.watch.rulebook import Rulebook
from stream_monitor.core.judge.watch.watch import Episode, Watch
from stream_monitor.core.judge.watch.watched_series import Counted, WatchedSeries
from stream_monitor.core.plan import ConditionName
from stream_monitor.core.rules import Pane

STORM_OF = 5
"""Columns, or segments, that change together from which on they are one story."""

_STORMS = (Counted.MISSING, Counted.INVALID, Counted.UNSEEN)
_OF_COLUMNS = (ConditionName.MISSING_COLUMN, ConditionName.KIND_CHANGED)
_OF_VALUES = (ConditionName.FROZEN_VALUES,)
_CAUSES = (Counted.MISSING, Counted.INVALID)

_Use = tuple[Watch, int]
"""A detector of a watch."""


def waits(model: ModelState, watch: Watch, use: int, rule: str, rulebook: Rulebook, now: Pane) -> bool:
    """Say whether an alert about a series that is about to fire is explained by another one of its version.

    An alert of a severer rule of the same family stands for that of the rule.
    """

    def lives(place: _Use) -> list[Life]:
        names = place[0].rules[place[1]]
        return [_life(place, name) for name in (rule, *rulebook.severer(names, rule)) if name in names]

    def is_told(alike: list[_Use]) -> bool:
        """Say whether there are so many others under the rule that one alert stands for them, and it fires."""
        ruled = [place for place in alike if rule in place[0].rules[place[1]]]
        return len(ruled) + 1 >= STORM_OF and any(life.firing for place in ruled for life in lives(place))

    own, episode = watch.series[watch.uses[use].series], watch.episodes[use]
    column = SeriesName(watch.model, watch.version, "", own.of)
    conditions = (*_OF_COLUMNS, *(_OF_VALUES if own.counted is Counted.VALUES else ()))
    if own.of and any(model.standing.is_open(column, condition) for condition in conditions):
        return True
    beside = [(watch, other) for other in _at_the_same_time(watch, episode) if other != use]
    others = model.siblings(watch) if watch.segment else []
    above = [(sibling, other) for sibling in others if not sibling.segment for other in sibling.episodes]
    if any(_series(place).name == own.name and any(life.open for life in lives(place)) for place in above):
        return True
    if own.counted is Counted.VALUES and any(
        _causes(place, own) and _explains(place, (watch, use), now) for place in (*beside, *above)
    ):
        return True
    if own.counted in _STORMS and is_told([place for place in beside if _series(place).counted is own.counted]):
        return True
    alike = [
        (sibling, other)
        for sibling in others
        if sibling.segment
        for other in _at_the_same_time(sibling, episode)
        if sibling.series[sibling.uses[other].series].name == own.name
    ]
    return is_told(alike)


def _causes(place: _Use, values: WatchedSeries) -> bool:
    """Say whether an open alert is about values that went missing from a column."""
    watch, use = place
    series = _series(place)
    is_cause = series.counted in _CAUSES and series.of == values.of
    return is_cause and any(_life(place, name).open for name in watch.rules[use])


def _explains(cause: _Use, values: _Use, now: Pane) -> bool:
    """Say whether the values that are lost can have moved the others so far.

    With a share q of the rows lost now and p in the reference, both are a common law without some of its mass, so they
    differ by at most p + q.
    """
    lost, left = effect_window(*cause, now), effect_window(*values, now)
    if not lost.n or not left.n or lost.reference is None or left.reference is None:
        return True
    share = float(lost.counts[1] / lost.n + lost.reference.shares[1])
    return comparison("total_variation").corrected(left.reference, left.counts) <= share


def _at_the_same_time(watch: Watch, own: Episode) -> Iterator[int]:
    """Yield the open episodes of a watch that may have begun in the same pane as one."""
    for use, episode in watch.episodes.items():
        if episode.change_from_ms < own.change_to_ms and own.change_from_ms < episode.change_to_ms:
            yield use


def _series(place: _Use) -> WatchedSeries:
    watch, use = place
    return watch.series[watch.uses[use].series]


def _life(place: _Use, rule: str) -> Life:
    watch, use = place
    return watch.lives.get((watch.uses[use].series, rule), Life())
