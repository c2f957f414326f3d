"""The two texts of an alert: a summary that says what, and a description that says everything else.

The description answers, in this order: since when, from what to what, how sure, what else, and what to do. A resolved
alert says how long it lasted, how far it went and what is so now; why it was raised is history.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from stream_monitor.core.alerts import event as wire
from stream_monitor.core.alerts.lifecycle import Ending, Reason
from stream_monitor.core.alerts.wording.certainty import caution, certainty
from stream_monitor.core.alerts.wording.facts import SAID_BY_LEVELS, Facts, called
from stream_monitor.core.alerts.wording.numbers import between, clock, lasted, listed, number, span
from stream_monitor.core.alerts.wording.table import Wording, wording
from stream_monitor.core.time import parse_instant


class Text(NamedTuple):
    """What people read."""

    summary: str
    description: str


def text(facts: Facts) -> Text:
    """Return the texts of an alert event."""
    row = wording(facts.alertname)
    sentences = _over(facts, row) if facts.resolved else _open(facts, row)
    return Text(f"{facts.who}: {_headline(facts, row)}", " ".join(_sentence(part) for part in sentences if part))


def _headline(facts: Facts, row: Wording) -> str:
    length = span(max(0, (facts.ends_ms or facts.now_ms) - facts.starts_ms))
    subject = row.subject.replace("{what}", facts.what)
    match facts.reason:
        case Reason.RECOVERED:
            now = row.now(facts)
            return f"{subject} back to normal after {length}{': ' if now else ''}{now}"
        case Reason.ESCALATED:
            return f"{subject} worse: {facts.taken_over_by} takes over from {facts.rule} after {length}"
        case Reason.BASELINE_CHANGED:
            return f"{subject} compared with a new baseline now; this alert ends after {length}"
        case Reason.RULE_REMOVED:
            about = facts.what or facts.alertname
            return f"the configuration changed; the alert about {about} by rule {facts.rule} ends after {length}"
        case Reason.MODEL_RETIRED:
            return f"no events for long; the alert about {facts.what or facts.alertname} ends after {length}"
        case Reason.STATE_REBUILT:
            about = facts.what or facts.alertname
            return f"another version of the monitor finds no alert about {about}; this one ends after {length}"
        case Reason.WORSENED:
            return f"worse than before: {row.changed(facts)}{_effect(facts)}"
        case Reason.REMINDER:
            return f"still so after {span(facts.now_ms - facts.starts_ms)}: {row.changed(facts)}{_effect(facts)}"
        case Reason.OPENED:
            return f"not yet an alert: {row.changed(facts)}{_effect(facts)}"
        case Reason.FIRED:
            return f"{row.changed(facts)}{_effect(facts)}"


def _open(facts: Facts, row: Wording) -> Sequence[str]:
    if facts.said is not None:
        return facts.said.detail, f"what to do: {facts.said.todo}", _links(facts)
    change = facts.evidence.change
    began = "" if change is None else f"it began {between(parse_instant(change.from_), parse_instant(change.to))}"
    return (
        began,
        _with_base(facts, row.figures(facts)),
        certainty(facts.evidence),
        caution(facts),
        *_others(facts),
        _waiting(facts),
        f"what to do: {row.todo.replace('{what}', facts.what)}",
        _links(facts),
    )


def _over(facts: Facts, row: Wording) -> Sequence[str]:
    assert facts.ends_ms is not None
    figures = row.figures(facts) if facts.reason is Reason.RECOVERED else ""
    return (
        f"it lasted {lasted(facts.starts_ms, facts.ends_ms)}",
        "" if facts.said is None else f"it was: {facts.said.changed}",
        _worst(facts, row),
        _with_base(facts, figures),
        _waited(facts),
        _links(facts),
    )


def _worst(facts: Facts, row: Wording) -> str:
    """Return how far it went, in the words of the summary then."""
    most = facts.evidence.worst
    if most is None:
        return ""
    effect = msgspec.structs.replace(facts.evidence.effect, value=most.value)
    then = facts.with_evidence(
        msgspec.structs.replace(facts.evidence, effect=effect, levels=most.levels, previous=None)
    )
    return f"at worst, at {clock(parse_instant(most.at))}: {row.changed(then)}{_effect(then)}"


def _waited(facts: Facts) -> str:
    """Say why the end was not seen sooner; nothing where fresh events have proven it."""
    if facts.reason is not Reason.RECOVERED or facts.ending is Ending.PROVEN:
        return ""
    if facts.ending is Ending.CAME_BACK:
        return "it was waited for: the drift had come back soon after its last end, so the whole window had to be quiet"
    seen, floor = facts.evidence.window, facts.evidence.effect.floor
    length = span(parse_instant(seen.to) - parse_instant(seen.from_))
    return (
        f"it was waited for: {seen.n:,} events in {length} are too few, or too near the limit of {number(floor)}, "
        "to prove the end sooner"
    )


def _effect(facts: Facts) -> str:
    """Return the effect in brackets, and what it was in the event before; nothing where levels say it all."""
    own: wire.Effect = facts.evidence.effect
    if own.measure in SAID_BY_LEVELS or facts.said is not None:
        return ""
    before = "" if facts.evidence.previous is None else f", was {number(facts.evidence.previous, 2)}"
    return f" ({facts.measure} {number(own.value, 2)}{before})"


def _with_base(facts: Facts, figures: str) -> str:
    """Add what the figures rest on."""
    if not figures:
        return ""
    window, baseline = facts.evidence.window, facts.evidence.baseline
    seen = f"{window.n:,} events"
    base = "" if baseline is None else f", baseline {baseline.m:,}"
    hours = f", compared with {facts.hours}" if facts.hours else ""
    return f"normally → now: {figures} ({seen}{base}{hours})"


def _others(facts: Facts) -> Sequence[str]:
    """Return what else drifts: the same series in segments, and other series, each segment and series once."""
    related = facts.evidence.related
    own = [other.segment for other in related if other.segment and other.series == facts.name.series]
    others = list(dict.fromkeys(other.series for other in related if other.series != facts.name.series))
    return (
        f"also in {listed(sorted(own))}" if own else "",
        f"also drifting: {listed([called(series) for series in others])}" if others else "",
    )


def _waiting(facts: Facts) -> str:
    """Return whose alerts wait for room."""
    if not facts.waiting:
        return ""
    return f"alerts wait about {listed([called(series) for series in facts.waiting])}"


def _links(facts: Facts) -> str:
    details = f"details: stream-monitor alerts show {facts.alert_id}"
    return f"runbook: {facts.runbook_url} - {details}" if facts.runbook_url else details


def _sentence(part: str) -> str:
    return f"{part[0].upper()}{part[1:]}{'' if part.endswith('?') else '.'}"
