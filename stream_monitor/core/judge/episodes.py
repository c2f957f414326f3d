"""Episodes: from an alarm of a detector to the effect that rules judge, and back to a detector at rest.

An alarm freezes its detector and opens an episode. Rules look at the panes since the alarm, at most the last window:
the panes before it were selected by the alarm and would overstate the effect. When no rule is pending or firing and
enough was seen, the episode ends: a change that mattered to nobody is learnt by the null, one that did is taken out.
"""

from __future__ import annotations

import math

import numpy as np

from stream_monitor.core.detectors.negative_binomial import NegativeBinomialGroup
from stream_monitor.core.detectors.river_group import RiverGroup
from stream_monitor.core.judge.watch import Episode, Watch
from stream_monitor.core.names import SeriesKind
from stream_monitor.core.rules import EffectWindow, Pane

MATURE_EVENTS = 200
"""Events since the alarm on which an effect can be believed."""

MATURE_WINDOWS = 4
"""Windows after which a series of few events is believed all the same."""


def open_episode(watch: Watch, use: int, log_evidence: float, now: Pane) -> Episode:
    """Freeze a detector that has just alarmed."""
    group, row, series = watch.groups[use], watch.rows[use], watch.uses[use].series
    panes, starts = watch.panes(series, watch.window_panes), watch.starts(watch.window_panes)
    change = group.change_range(row, panes)
    stepped = panes.shape[0] - min(int(watch.since[use]), panes.shape[0])
    first = max(change.first, stepped)
    episode = Episode(
        opened_ms=now.end_ms,
        log_evidence=log_evidence,
        statistic=group.statistic(row) if isinstance(group, RiverGroup) else None,
        change_from_ms=int(starts[max(change.first, 0)]),
        change_to_ms=int(starts[max(change.last, 0)]) + now.end_ms - now.start_ms,
        total=np.zeros(panes.shape[1], dtype=np.int64),
        undo=panes[first:].sum(axis=0),
    )
    watch.episodes[use] = episode
    return episode


def observe(watch: Watch, use: int) -> bool:
    """Add the last pane to an episode; return whether it says anything about the effect."""
    episode, series = watch.episodes[use], watch.uses[use].series
    counts = watch.last(series)
    seen = int(counts.sum())
    episode.panes += 1
    episode.total += counts
    if watch.series[series].kind is SeriesKind.COUNT:
        expected, _ = _demand(watch, use)
        episode.events += max(seen, int(expected or 0))  # events that did not come are seen, too
        return True
    episode.events += seen
    return seen > 0


def is_mature(watch: Watch, use: int) -> bool:
    """Say whether enough was seen since the alarm to believe the effect."""
    episode = watch.episodes[use]
    return episode.events >= MATURE_EVENTS or episode.panes >= MATURE_WINDOWS * watch.window_panes


def effect_window(watch: Watch, use: int, now: Pane) -> EffectWindow:
    """Return what the rules look at: the panes since the alarm, at most the last window."""
    episode, position = watch.episodes[use], watch.uses[use].series
    item = watch.series[position]
    count = min(max(episode.panes, 1), watch.window_panes)
    mean, variance = _demand(watch, use)
    return EffectWindow(
        model=watch.model,
        version=watch.version,
        segment=watch.segment,
        series=item.name,
        kind=item.kind,
        baseline=item.baseline,
        reference=item.reference,
        counts=watch.panes(position, count).sum(axis=0),
        panes=count,
        from_ms=int(watch.starts(count)[0]),
        to_ms=now.end_ms,
        reference_mean=mean,
        reference_variance=variance,
    )


def end_episode(watch: Watch, use: int) -> None:
    """Let a detector go on: M is 0, and the null is what it would be had the episode been learnt, or never begun."""
    episode = watch.episodes.pop(use)
    group, row = watch.groups[use], watch.rows[use]
    if episode.fired:
        group.forget(row, episode.undo)
    else:
        group.absorb(row, episode.total)
    watch.restart(use)


def log10_evidence(episode: Episode) -> float | None:
    """Return log10 of M at the alarm, None for a detector without evidence."""
    return episode.log_evidence / math.log(10) if math.isfinite(episode.log_evidence) else None


def _demand(watch: Watch, use: int) -> tuple[float | None, float | None]:
    group = watch.groups[use]
    if not isinstance(group, NegativeBinomialGroup):
        return None, None
    mean, limits = group.reference_mean(watch.rows[use]), group.limits(watch.rows[use])
    return mean, None if mean is None or limits is None else mean + mean * mean / limits.kappa
