"""What a monitor's alerts are worth on data whose changes are known.

An alert is placed at the last row that was seen when it was told, so a delay of 0 is the changed row itself. Series
are the streams when the truth names series; otherwise the file is one stream and any alert may find its changes.
Changes inside the reference rows cannot be found and are left out, and said.

>>> card = scorecard([Told(5_060, "x"), Told(9_000, "y")], Truth({"x": (Change(5_000),)}), series=("x", "y"),
...                  judged_from=2_000, rows=10_000)
>>> card.found.recall, card.found.precision, card.found.false_per_stream
(1.0, 0.5, 0.5)
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from stream_monitor.lab.labelled.truth import EVERYTHING, Truth
from stream_monitor.lab.scores import (
    AlarmShare,
    Change,
    Detection,
    Match,
    RunLength,
    detection,
    episode_recall,
    false_alarm_probability,
    match,
    run_length,
)

__all__ = ["Change", "Scorecard", "Told", "Truth", "scorecard"]


@dataclass(frozen=True, slots=True)
class Told:
    """An alert.

    Attributes:
        row: the last row that was seen when it was told.
        series: name of the feature, or of the series of the model, that it is about.
    """

    row: int
    series: str


@dataclass(frozen=True, slots=True)
class Scorecard:
    """Alerts held against known changes.

    Attributes:
        streams: names of what was scored, in order; `EVERYTHING` alone when the file is one stream.
        matches: of each stream.
        found: precision, recall, F1, false alarms, delays (misses infinite).
        detected: share of the changes that were found, of those with no false alarm before them in their stream.
        early: share of the changed streams with a false alarm before their first change.
        run_length: rows without drift to a false alarm, censored at the first change or the end.
        false_alarm: share of the streams with a false alarm before their first change.
        episodes: share of changes that go away again that were told while they lasted; None without such.
        left_out: known changes inside the reference rows.
    """

    streams: tuple[str, ...]
    matches: tuple[Match, ...]
    found: Detection
    detected: float
    early: float
    run_length: RunLength
    false_alarm: AlarmShare
    episodes: float | None
    left_out: int


def scorecard(
    told: Iterable[Told],
    truth: Truth,
    *,
    series: Sequence[str],
    judged_from: int,
    rows: int,
    max_delay: float = math.inf,
) -> Scorecard:
    """Score alerts.

    Args:
        told: first alerts of drifts, one for each time that a series began to alert.
        truth: where the data changed.
        series: names of everything that was watched.
        judged_from: first row after the reference.
        rows: of the file.
        max_delay: rows after a change within which an alert finds it.
    """
    alerts = sorted({(alert.row, alert.series) for alert in told})
    named = tuple(dict.fromkeys([*series, *(name for name in truth.changes if name != EVERYTHING)]))
    streams = named if truth.by_series else (EVERYTHING,)
    matches, firsts, ends, left_out = [], [], [], 0
    for stream in streams:
        own = sorted({row for row, name in alerts if stream in {EVERYTHING, name}})
        known = truth.of(stream)
        changes = [change for change in known if judged_from <= change.start < rows]
        left_out += len(known) - len(changes)
        matched = match(own, changes, max_delay=max_delay)
        end = changes[0].start if changes else float(rows)
        early = [row for row in matched.false if row < end]
        matches.append(matched)
        firsts.append(early[0] + 1 - judged_from if early else None)
        ends.append(end - judged_from)
    return Scorecard(
        streams=streams,
        matches=tuple(matches),
        found=detection(matches),
        detected=_detected(matches, firsts),
        early=_early(matches, firsts),
        run_length=run_length(firsts, horizon=[max(end, 1.0) for end in ends]),
        false_alarm=false_alarm_probability(firsts, within=math.inf),
        episodes=_episodes(matches),
        left_out=left_out,
    )


def _detected(matches: Sequence[Match], firsts: Sequence[float | None]) -> float:
    delays = [d for m, first in zip(matches, firsts, strict=True) if first is None for d in m.delays]
    return sum(map(math.isfinite, delays)) / len(delays) if delays else math.nan


def _early(matches: Sequence[Match], firsts: Sequence[float | None]) -> float:
    changed = [first is not None for m, first in zip(matches, firsts, strict=True) if m.changes]
    return sum(changed) / len(changed) if changed else math.nan


def _episodes(matches: Sequence[Match]) -> float | None:
    recalls = []
    for matched in matches:
        passing = [change for change in matched.changes if math.isfinite(change.end)]
        alarms = [hit for hit in matched.hits if hit is not None] + list(matched.ignored)
        recalls += [episode_recall(alarms, [change]) for change in passing]
    return math.fsum(recalls) / len(recalls) if recalls else None
