"""Which monitored series are exported: the k of each model with most evidence, each for an hour at least.

An operator looks at what drifts, so evidence orders the series; the hour keeps a graph whole when ranks change.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

from stream_monitor.core.judge.view.judge_view import SeriesView

HOLD_S: Final = 3600.0

Choice = Literal["top_k", "all", "none"]

_Key = tuple[str, str, str, str]


@dataclass(slots=True)
class TopSeries:
    """Chooses series of judge views.

    Attributes:
        choice: `top_k`, `all` or `none` of a model's series.
        top_k: series a model, of all its versions and segments together.
    """

    choice: Choice
    top_k: int
    _chosen_s: dict[_Key, float] = field(default_factory=dict)

    def choose(self, series: Iterable[SeriesView], *, now_s: float) -> list[SeriesView]:
        """Return the series to export, most evidence first (ties by name).

        Args:
            series: of all judge partitions of this process; what is not among them any more is forgotten.
            now_s: a clock that never goes back, in seconds.
        """
        if self.choice == "none":
            return []
        ranked = sorted(series, key=_rank)
        if self.choice == "all":
            return ranked
        place: dict[str, int] = defaultdict(int)
        held: dict[_Key, float] = {}
        for view in ranked:
            key = _key(view)
            place[view.model] += 1
            last = now_s if place[view.model] <= self.top_k else self._chosen_s.get(key, -math.inf)
            if now_s - last < HOLD_S:
                held[key] = last
        self._chosen_s = held
        return [view for view in ranked if _key(view) in held]


def _key(view: SeriesView) -> _Key:
    return (view.model, view.version, view.segment, view.series)


def _rank(view: SeriesView) -> tuple[float, _Key]:
    evidence = view.evidence_ratio
    return (math.inf if evidence is None or math.isnan(evidence) else -evidence, _key(view))
