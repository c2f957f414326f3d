"""How a model's false-alarm budget is split over its series, so that together they keep it.

A series of weight w alarms at M >= A / w, and expected false alarms add up under any dependence, so all that is asked
of the weights is: fixed before the series starts, and never above 1 in sum over what runs at the same time.

95 % go to the first version of a model, 5 % to newcomers beside it: the i-th gets `6 / (π² i²)` of them. Of the first
part a tenth belongs to the demand of the model, from its first pane on. Half is for series of the model (demand
included), half for features; a feature shares its part with its missing, invalid and unseen series. If one half is
empty the other takes it.

A version with segments gives half of its part to all rows together and half to its segments: equal parts for each
name (`channel`), and within a name for each value. Without segments all rows have it all.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from stream_monitor.core.judge.series import WatchedSeries
from stream_monitor.core.names import segment_name

NEWCOMERS = 0.05
"""Share of a model's budget that is kept for versions that start beside a watched one."""

DEMAND_SHARE = 0.1
"""Share of the rest that belongs to demand."""

_MODEL_HALF = 0.5
_WHOLE_HALF = 0.5


def demand_weight() -> float:
    """Return the weight of a model's demand."""
    return (1.0 - NEWCOMERS) * DEMAND_SHARE


def slot_weight(slot: int) -> float:
    """Return the weight of all series of a version: slot 0 is the first one, i the i-th newcomer beside it."""
    if slot == 0:
        return (1.0 - NEWCOMERS) * (1.0 - DEMAND_SHARE)
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
    of_model = [item for item in series if item.feature is None]
    features = sorted({item.feature for item in series if item.feature is not None})
    model_part = (_MODEL_HALF - DEMAND_SHARE) / (1.0 - DEMAND_SHARE) if features else 1.0
    weights = {item.name: whole * model_part / len(of_model) for item in of_model}
    feature_part = 1.0 - model_part if of_model else 1.0
    for feature in features:
        own = [item for item in series if item.feature == feature]
        weights |= {item.name: whole * feature_part / len(features) / len(own) for item in own}
    return weights
