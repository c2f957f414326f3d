"""The course of the evidence while a file is judged: for each feature, the largest of its series, over its threshold.

>>> course = EvidenceCourse()
>>> course.rows, course.of("x")
([], [])
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from stream_monitor.core.judge import JudgeView
from stream_monitor.core.names import feature_of


class EvidenceCourse:
    """Evidence after each look, by feature (or series of the model).

    Attributes:
        rows: rows seen at each look.
    """

    def __init__(self) -> None:
        self.rows: list[int] = []
        self._ratios: dict[str, list[float]] = {}

    def look(self, row: int, views: Iterable[JudgeView]) -> None:
        """Note the evidence of every series after that many rows."""
        now: dict[str, float] = {}
        for view in views:
            for series in view.series:
                if series.evidence_ratio is not None:
                    name = feature_of(series.series) or series.series
                    now[name] = max(now.get(name, 0.0), series.evidence_ratio)
        for name in now.keys() - self._ratios.keys():
            self._ratios[name] = [math.nan] * len(self.rows)
        self.rows.append(row)
        for name, ratios in self._ratios.items():
            ratios.append(now.get(name, math.nan))

    @property
    def names(self) -> list[str]:
        """Features and series of the model, the one with the most evidence first."""
        return sorted(self._ratios, key=lambda name: (-max(filter(math.isfinite, self._ratios[name]), default=0), name))

    def of(self, name: str) -> list[float]:
        """Return the evidence of a feature over its threshold after each look; 1 is an alarm, NaN is none yet."""
        return self._ratios.get(name, [])
