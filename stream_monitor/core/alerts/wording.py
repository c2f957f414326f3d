"""What an alert says to people: one line of summary, one of description.

>>> summary(SeriesName("fraud", "7", "", "feature:amount"), Reason.FIRED, ("psi", 0.222373))
'fraud 7: feature amount drifts (PSI 0.22)'
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stream_monitor.core.alerts.identity import SeriesName
from stream_monitor.core.alerts.lifecycle import Reason
from stream_monitor.core.arrays import Int64
from stream_monitor.core.calendar import Calendar
from stream_monitor.core.names import feature_of, no_guarantee

_SUBJECTS = {
    "feature": "feature {}",
    "missing": "missing values of {}",
    "invalid": "invalid values of {}",
    "unseen": "unseen categories of {}",
    "serving_error": "serving errors",
}

_PREDICATES = {"missing": " changed", "invalid": "", "unseen": "", "serving_error": "", "demand": " changed"}

_ENDINGS = {
    Reason.RECOVERED: "back to the baseline",
    Reason.BASELINE_CHANGED: "under a new baseline",
    Reason.RULE_REMOVED: "no longer judged by this rule",
    Reason.MODEL_RETIRED: "without events for long",
}

_MEASURES = {"psi": "PSI", "share_change": "change of share"}

_NAMED = 5
"""Segments that a description names."""

_CLEAR_SHIFT = 0.01
"""Change of the mean rank, in [-1/2, 1/2], from which a direction is named."""


def summary(name: SeriesName, reason: Reason, effect: tuple[str, float]) -> str:
    """Return the line an operator reads first.

    Args:
        name: the series.
        reason: of the event.
        effect: measure and value.
    """
    who = " ".join(part for part in (name.model, name.version, name.segment) if part)
    ending = _ENDINGS.get(reason)
    if ending is not None:
        return f"{who}: {_subject(name.series)} {ending}"
    measure, value = effect
    return f"{who}: {_phrase(name.series)} ({_MEASURES.get(measure, measure.replace('_', ' '))} {value:.2g})"


def evidence_sentence(log10_evidence: float | None, log10_threshold: float, detector: str) -> str:
    """Return how large the evidence was, against what the budget asks for."""
    if log10_evidence is None:
        return f"{detector.replace('_', ' ')} alarmed"
    return f"Evidence 10^{log10_evidence:.1f}, budget 10^{log10_threshold:.1f}"


def rank_hint(reference: Int64, window: Int64) -> str:
    """Return in words how the values of an ordered series have moved."""
    middle = (np.cumsum(reference) - reference / 2.0) / reference.sum()
    before, after = reference / reference.sum(), window / window.sum()
    shift = float((after - before) @ middle)
    if abs(shift) >= _CLEAR_SHIFT:
        return f"{'higher' if shift > 0 else 'lower'} values are more frequent"
    spread = float((after - before) @ (middle - 0.5) ** 2)
    return "extreme values are more frequent" if spread > 0 else "middle values are more frequent"


def share_hint(reference: float, share: float) -> str:
    """Return both shares of a yes/no series."""
    return f"share {share:.2%} instead of {reference:.2%}"


def category_hint(name: str, reference: float, share: float) -> str:
    """Return the shares of the category that has moved most."""
    return f"{name} is at {share:.2%} instead of {reference:.2%}"


def count_hint(reference: float, mean: float) -> str:
    """Return both means of a count per pane."""
    return f"{mean:.4g} events a pane instead of {reference:.4g}"


def related_hint(series: int) -> str:
    """Return how many other series drift."""
    if not series:
        return ""
    return "another series drifts at the same time" if series == 1 else f"{series} other series drift at the same time"


def segments_hint(segments: Sequence[str]) -> str:
    """Return in which segments the same series drifts, a few of them by name."""
    if not segments:
        return ""
    more = f" and {len(segments) - _NAMED} more" if len(segments) > _NAMED else ""
    return f"also in {', '.join(segments[:_NAMED])}{more}"


def hours_hint(calendar: Calendar) -> str:
    """Say which hours of the baseline traffic is compared with; nothing where all are alike."""
    return "" if calendar is Calendar.NONE else f"compared with {calendar.words}"


def dependence_hint(guarantee: str, design_effect: float | None, *, known: bool = True, units: str = "events") -> str:
    """Return in words what the dependence of events or panes does to the budget; nothing where they have none.

    Args:
        guarantee: status of the series.
        design_effect: d where it is not 1.
        known: the dependence was measured; a baseline without an order of time cannot tell.
        units: of what d say as much as one.
    """
    if guarantee == no_guarantee("dependence"):
        return "no false-alarm rate can be promised: values depend on each other for longer than the baseline shows"
    if not known:
        return "the budget holds if values do not depend on each other: the baseline has no order of time to tell"
    if design_effect is None:
        return ""
    return f"{design_effect:.2g} {units} say as much as one, because values depend on each other"


def _phrase(series: str) -> str:
    return _subject(series) + _PREDICATES.get(series.partition(":")[0], " drifts")


def _subject(series: str) -> str:
    feature = feature_of(series)
    name = series if feature is None else feature
    return _SUBJECTS.get(series.partition(":")[0], "{}").replace("{}", name)
