"""Coverage in words: of every series what watches it, or why nothing does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from stream_monitor.cli.output import listed, say

if TYPE_CHECKING:
    from stream_monitor.core.baseline import Baseline
    from stream_monitor.core.canonical import Json
    from stream_monitor.core.judge import Coverage
    from stream_monitor.core.plan import Plan

_NAMED = 12


def planned_coverage(plan: Plan, model: str, documents: Sequence[Baseline]) -> list[Coverage]:
    """Return the coverage of a model as its plan and its references give it: a baseline, then its supplements."""
    from stream_monitor.cli.outlook import rulebook_of
    from stream_monitor.core.judge import model_coverage

    return model_coverage(plan, rulebook_of(plan), model, documents)


def print_coverage(plan: Plan, model: str, documents: Sequence[Baseline]) -> None:
    """Print the coverage of a model: a line for each way to be watched, and for each reason not to be."""
    for line in coverage_lines(planned_coverage(plan, model, documents)):
        say(line)


def coverage_lines(found: Sequence[Coverage]) -> list[str]:
    """Return lines of series that have the same coverage; what is watched comes first."""
    by_words: dict[tuple[bool, str], list[str]] = {}
    for item in found:
        by_words.setdefault((item.reason is not None, item.words), []).append(_name(item))
    return [
        f"{listed(names, _NAMED)}: {words}" if is_blind else f"watched by {words}: {listed(names, _NAMED)}"
        for (is_blind, words), names in sorted(by_words.items())
    ]


def short_coverage(found: Sequence[Coverage], *, most: int) -> list[str]:
    """Return how many series are watched, and for each reason not to be a line with so many names."""
    blind: dict[str, list[str]] = {}
    for item in found:
        if item.reason is not None:
            blind.setdefault(item.words.removeprefix("not watched: "), []).append(_name(item))
    watched = f"{sum(item.reason is None for item in found):,} series"
    lines = [f"not watched: {listed(names, most, hint=' (-v)')}: {words}" for words, names in sorted(blind.items())]
    return [f"watched: {watched}", *lines]


def coverage_json(found: Sequence[Coverage]) -> list[Json]:
    """Return the coverage as JSON."""
    return [
        {
            "segment": item.segment,
            "series": item.series,
            "watched": item.reason is None,
            "detectors": list(item.detectors),
            "rules": list(item.rules),
            "reason": None if item.reason is None else item.reason.value,
            "detail": item.detail,
        }
        for item in found
    ]


def _name(item: Coverage) -> str:
    return "all series" if item.series == "*" else "/".join(part for part in (item.segment, item.series) if part)
