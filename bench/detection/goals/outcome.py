"""A goal, and what came out."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from stream_monitor.lab.scores import alarms_per_horizon, run_length, share_limits
from stream_monitor.lab.scores.delay import median_limits, quantile


@dataclass(frozen=True, slots=True)
class Outcome:
    """A goal and what was measured.

    Attributes:
        goal: what was asked, the figure included.
        measured: in words, with limits.
        holds: None when it could not be measured here, and `measured` says why.
    """

    goal: str
    measured: str
    holds: bool | None

    @property
    def word(self) -> str:
        """What stands in the table."""
        return "not measured" if self.holds is None else "yes" if self.holds else "**no**"


Check = Callable[[int], list[Outcome]]
"""Measures goals with a size: 1 for the quick run, more for closer limits."""


def median_at_most(goal: str, values: Sequence[float], most: float, *, more: str = "") -> Outcome:
    """Return whether the median of values, misses infinite, is at most the goal's."""
    ordered = sorted(values)
    middle, limits = quantile(ordered, 0.5), median_limits(ordered)
    words = f"{_whole(middle)} (95 %: {_whole(limits.lower)}–{_whole(limits.upper)})"
    return Outcome(goal, words + more, middle <= most)


def share_at_most(goal: str, k: int, n: int, most: float) -> Outcome:
    """Return whether k of n is at most the goal's share."""
    limits = share_limits(k, n)
    return Outcome(goal, f"{k / n:.3f} (95 %: {limits.lower:.3f}–{limits.upper:.3f})", k / n <= most)


def share_surely_at_most(goal: str, k: int, n: int, most: float) -> Outcome:
    """Return whether the upper 99 % limit of the probability behind k of n is at most the goal's."""
    upper = share_limits(k, n, level=0.98).upper
    return Outcome(goal, f"{k / n:.3f} (99 % to {upper:.3f})", upper <= most)


def run_length_at_least(
    goal: str, first_alarms: Sequence[Sequence[float | None]], *, names: Sequence[str], horizon: float, least: float
) -> Outcome:
    """Return whether the lower 95 % limits of several run lengths are at least the goal's; the shortest is told."""
    found = [run_length(first, horizon=horizon) for first in first_alarms]
    shortest = min(range(len(found)), key=lambda i: found[i].lower)
    length = found[shortest]
    words = f"shortest: {names[shortest]} {length.mean:,.0f} (95 % from {length.lower:,.0f})"
    longest = max(own.mean for own in found)
    more = f", longest {longest:,.0f}" if math.isfinite(longest) else ""
    return Outcome(goal, words + more, length.lower >= least)


def alarms_at_most(goal: str, counts: Sequence[int], most: float) -> Outcome:
    """Return whether the mean number of alarms of a stream, its upper 95 % limit included, is at most the goal's."""
    mean = alarms_per_horizon(counts)
    return Outcome(goal, f"{mean.mean:.1f} (95 % to {mean.upper:.1f})", mean.upper <= most)


def _whole(value: float) -> str:
    return f"{value:,.0f}" if math.isfinite(value) else "never"
