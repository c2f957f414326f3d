"""Precision, recall and F1 of alarms over streams with known changes, by the first-hit rule.

precision = hits / (hits + false alarms), recall = hits / changes, F1 their harmonic mean; without any alarm precision
is 1 (nothing said was wrong), without any change recall is 1.

>>> found = detection([match([100, 520], [Change(500)], max_delay=200), match([], [Change(500)], max_delay=200)])
>>> found.precision, found.recall, found.f1, found.false_per_stream
(0.5, 0.5, 0.5, 0.5)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from stream_monitor.lab.scores.delay import quantile
from stream_monitor.lab.scores.first_hit import Change, Match, match

__all__ = ["Change", "Detection", "detection", "match"]


@dataclass(frozen=True, slots=True)
class Detection:
    """Alarms of many streams held against their changes.

    Attributes:
        streams: all of them, those without a change included.
        changes: true changes.
        hits: changes that were found.
        false: alarms that found nothing.
        median_delay, worst_tenth: of all changes, misses infinite; not a number without a change.
    """

    streams: int
    changes: int
    hits: int
    false: int
    median_delay: float
    worst_tenth: float

    @property
    def precision(self) -> float:
        """Share of the alarms that were right."""
        told = self.hits + self.false
        return self.hits / told if told else 1.0

    @property
    def recall(self) -> float:
        """Share of the changes that were found."""
        return self.hits / self.changes if self.changes else 1.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        both = self.precision + self.recall
        return 2.0 * self.precision * self.recall / both if both else 0.0

    @property
    def false_per_stream(self) -> float:
        """False alarms of a stream, on average."""
        return self.false / self.streams


def detection(matches: Sequence[Match]) -> Detection:
    """Sum up streams.

    Raises:
        ValueError: no stream.
    """
    if not matches:
        raise ValueError("detection: needs at least one stream")
    delays = sorted(d for matched in matches for d in matched.delays)
    return Detection(
        streams=len(matches),
        changes=len(delays),
        hits=sum(math.isfinite(d) for d in delays),
        false=sum(len(matched.false) for matched in matches),
        median_delay=quantile(delays, 0.5) if delays else math.nan,
        worst_tenth=quantile(delays, 0.9) if delays else math.nan,
    )
