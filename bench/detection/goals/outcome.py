"""A goal, and what came out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stream_monitor.lab.scores import share_limits
from stream_monitor.lab.scores.delay import median_limits, quantile


@dataclass(frozen=True, slots=True)
class Outcome:
    """A goal and what was measured.

    Attributes:
        goal: what was asked.
        measured: in words, with limits.
        holds: None when it could not be measured here, and `measured` says why.
        is_open: it does not hold by the figure, but by its 95 % limits it may.
    """

    goal: str
    measured: str
    holds: bool | None
    is_open: bool = False


Check = Callable[[int], list[Outcome]]
"""Measures goals with a size: 1 for a quick look, more for closer limits."""


def median_at_most(goal: str, values: Sequence[float], most: float) -> Outcome:
    """Return whether the median of values, misses infinite, is at most the goal's."""
    ordered = sorted(values)
    middle, limits = quantile(ordered, 0.5), median_limits(ordered)
    words = f"{middle:.0f} (95 %: {limits.lower:.0f}–{limits.upper:.0f})"
    return Outcome(goal, words, middle <= most, is_open=limits.lower <= most < middle)


def share_at_most(goal: str, k: int, n: int, most: float) -> Outcome:
    """Return whether k of n is at most the goal's share."""
    limits = share_limits(k, n)
    words = f"{k / n:.3f} (95 %: {limits.lower:.3f}–{limits.upper:.3f})"
    return Outcome(goal, words, k / n <= most, is_open=limits.lower <= most < k / n)
