"""How a model's false-alarm budget is split over its series, so that together they keep it.

A series of weight w alarms at M >= A / w, and expected false alarms add up under any dependence, so all that is asked
of the weights is: fixed before the series starts, and never above 1 in sum over what runs at the same time.

95 % go to the first version of a model, 4 % to newcomers beside it: the i-th gets `6 / (π² i²)` of them, 1 % to
conditions: half of it to columns that are gone or of another kind, half to the comparison of versions. Of the first
part a tenth belongs to the demand of the model, from its first pane on. Half is for series of the model (demand
included), half for features; a feature shares its part with its missing, invalid and unseen series, a series of the
model with that of its invalid values. If one half is
empty the other takes it.

A version with segments gives half of its part to all rows together and half to its segments: equal parts for each
name (`channel`), and within a name for each value. Without segments all rows have it all.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from stream_monitor.core.judge.watch.watched_series import WatchedSeries
from stream_monitor.core.names import segment_name

NEWCOMERS = 0.04
"""Share of a model's budget that is kept for versions that start beside a watched one."""

COLUMNS_SHARE = 0.005
"""Share that is kept for conditions of columns, all versions of a model together."""

VERSIONS_SHARE = 0.005
"""Share that is kept for the comparison of new versions with those before them."""

_FIRST = 1.0 - NEWCOMERS - COLUMNS_SHARE - VERSIONS_SHARE

DEMAND_SHARE = 0.1
"""Share of the rest that belongs to demand."""

_MODEL_HALF = 0.5
_WHOLE_HALF = 0.5


def demand_weight() -> float:
    """Return the weight of a model's demand."""
    return _FIRST * DEMAND_SHARE


def slot_weight(slot: int) -> float:
    """Return the weight of all series of a version: slot 0 is the first one, i the i-th newcomer beside it."""
    if slot == 0:
        return _FIRST * (1.0 - DEMAND_SHARE)
    return NEWCOMERS * 6.0 / (math.pi * slot) ** 2


def segment_shares(segments: Sequence[str]) -> dict[str, float]:
    """Return which share of a version's weight all rows ("") and each segment have; their sum is 1.

    Args:
        segments: labels of the segments that are judged.

    >>> segment_shares(["channel=app", "channel=web", "country=DE"])
    {'': 0.5, 'channel=app': 0.125, 'channel=web': 0.125, 'country=DE': 0.25}
    """
    if not segments:
        return {"": 1.0}
    values = Counter(segment_name(label) for label in segments)
    share = (1.0 - _WHOLE_HALF) / len(values)
    return {"": _WHOLE_HALF, **{label: share / values[segment_name(label)] for label in segments}}


def split(series: Sequence[WatchedSeries], whole: float) -> dict[str, float]:
    """Return the weight of each series; their sum is `whole`, or 0 without series.

    Args:
        series: those that a rule judges.
        whole: what the version may use.
    """
    of_model = _by_subject(item for item in series if item.feature is None)
    features = _by_subject(item for item in series if item.feature is not None)
    model_part = (_MODEL_HALF - DEMAND_SHARE) / (1.0 - DEMAND_SHARE) if features else 1.0
    parts = ((of_model, model_part), (features, 1.0 - model_part if of_model else 1.0))
    return {
        item.name: whole * part / len(subjects) / len(own)
        for subjects, part in parts
        for own in subjects
        for item in own
    }


def _by_subject(series: Iterable[WatchedSeries]) -> list[list[WatchedSeries]]:
    """Return series in groups of those that speak about the same feature, or the same series of the model."""
    found: dict[str, list[WatchedSeries]] = {}
    for item in series:
        found.setdefault(item.subject, []).append(item)
    return [found[subject] for subject in sorted(found)]
