"""Episodes: from an alarm of a detector to the effect that rules judge, and back to a detector at rest.

An alarm freezes its detector and opens an episode. Rules look at the panes since the alarm: the panes before it were
selected by the alarm and would overstate the effect. They look at the last window, and at more where that says too
little: a rare event hardly rises above its noise in one window, so shares are added up over as many panes since the
alarm as their change needs (`stretch`). When no rule is pending or firing and enough was seen, the episode ends: a
change that mattered to nobody is learnt by the null, one that did is taken out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from stream_monitor.core.arrays import Bool, Int64
from stream_monitor.core.detectors.negative_binomial import NegativeBinomialGroup
from stream_monitor.core.detectors.river_group import RiverGroup
from stream_monitor.core.judge.watch.watch import Episode, Stretch, Watch
from stream_monitor.core.names import SeriesKind
from stream_monitor.core.rules import EffectWindow, Pane

MATURE_EVENTS = 200
"""Events since the alarm after which an effect below every floor is believed to be none."""

MATURE_WINDOWS = 4
"""Windows after which a series of few events is believed all the same."""

LONGEST_WINDOWS = 40
"""Windows after which an episode of shares is over, however little they say."""

MOST_STRETCHES = 16
"""Stretches of an episode; when there are more, neighbours are added up."""

SHARES = (SeriesKind.BINARY, SeriesKind.CATEGORICAL)


def open_episode(watch: Watch, use: int, log_evidence: float, now: Pane) -> Episode:
    """Freeze a detector that has just alarmed."""
    group, row, series = watch.groups[use], watch.rows[use], watch.uses[use].series
    panes, starts = watch.panes(series, watch.window_panes), watch.starts(watch.window_panes)
    strata = watch.strata(series, watch.window_panes)
    change = group.change_range(row, panes, strata)
    stepped = panes.shape[0] - min(int(watch.since[use]), panes.shape[0])
    first = max(change.first, stepped)
    undo = np.zeros((watch.series[series].calendar.strata, panes.shape[1]), dtype=np.int64)
    np.add.at(undo, strata[first:], panes[first:])
    episode = Episode(
        opened_ms=now.end_ms,
        log_evidence=log_evidence,
        statistic=group.statistic(row) if isinstance(group, RiverGroup) else None,
        change_from_ms=_first_ms(watch, use, now, change.first) if change.first < 0 else int(starts[change.first]),
        change_to_ms=int(starts[max(change.last, 0)]) + now.end_ms - now.start_ms,
        total=np.zeros_like(undo),
        undo=undo,
    )
    watch.episodes[use] = episode
    return episode


def _first_ms(watch: Watch, use: int, now: Pane, before: int) -> int:
    """Return the start of a pane before the last window, but none from before the evidence of the detector began."""
    known = min(watch.kept, watch.window_panes)
    panes = int(watch.since[use]) if before == -1 else min(known - before, int(watch.since[use]))
    return now.end_ms - max(panes, known) * (now.end_ms - now.start_ms)


def observe(watch: Watch, use: int) -> bool:
    """Add the last pane to an episode; return whether it says anything about the effect."""
    episode, series = watch.episodes[use], watch.uses[use].series
    counts = watch.last(series)
    seen = int(counts.sum())
    episode.panes += 1
    episode.total[watch.strata(series, 1)[0]] += counts
    if watch.series[series].kind in SHARES:
        _lengthen(watch, episode, series, counts)
    if watch.series[series].kind is SeriesKind.COUNT:
        expected = _demand(watch, use, 1).mean
        episode.events += max(seen, int(expected or 0))  # events that did not come are seen, too
        return True
    episode.events += seen
    return seen > 0


def is_mature(watch: Watch, use: int, events: int = MATURE_EVENTS) -> bool:
    """Say whether enough was seen since the alarm to believe the effect: so many events, or four windows."""
    episode = watch.episodes[use]
    return episode.events >= events or episode.panes >= MATURE_WINDOWS * watch.window_panes


def effect_window(watch: Watch, use: int, now: Pane) -> EffectWindow:
    """Return what the rules look at: the panes since the alarm, at most the last window."""
    return last_panes(watch, use, now, effect_panes(watch, use))


def stretch(watch: Watch, use: int, now: Pane, is_enough: Callable[[EffectWindow], bool]) -> EffectWindow:
    """Return the shortest run of panes up to now that is enough: the last window, or more of an episode of shares.

    Where nothing is enough it is the whole episode.
    """
    found = effect_window(watch, use, now)
    episode, item = watch.episodes[use], watch.series[watch.uses[use].series]
    if item.kind not in SHARES or episode.panes <= watch.window_panes:
        return found
    panes, counts, events = 0, np.zeros(item.bins, dtype=np.int64), np.zeros(item.calendar.strata, dtype=np.int64)
    for own in reversed(episode.stretches):
        if found.n and is_enough(found):
            break
        panes, counts, events = panes + own.panes, counts + own.counts, events + own.events
        if panes > found.panes:
            reference = item.reference_of(events) if item.strata else item.reference
            found = replace(found, reference=reference, counts=counts, panes=panes, from_ms=own.from_ms)
    return found


def differs(last: EffectWindow, whole: EffectWindow) -> bool:
    """Say whether the newest panes of a stretch are unlike its others: by the likelihood ratio of the two samples.

    It is compared with its mean and four standard deviations of a chi-square law with a degree of freedom for each bin
    but one.
    """
    assert last.reference is not None
    rest = whole.counts - last.counts
    both = np.stack([last.counts, rest]).astype(np.float64)
    sizes, pooled = both.sum(axis=1, keepdims=True), both.sum(axis=0)
    expected = sizes * pooled / sizes.sum()
    filled = both > 0.0
    ratio = 2.0 * float((both[filled] * np.log(both[filled] / expected[filled])).sum()) / last.reference.design_effect
    free = max(int(np.count_nonzero(pooled)) - 1, 1)
    return ratio > free + 4.0 * math.sqrt(2.0 * free)


def is_long(watch: Watch, use: int) -> bool:
    """Say whether an episode has lasted so long that nothing more is expected of it; of shares it takes longer."""
    return watch.episodes[use].panes >= LONGEST_WINDOWS * watch.window_panes


def effect_panes(watch: Watch, use: int) -> int:
    """Return over how many panes the effect of an episode is measured."""
    return min(max(watch.episodes[use].panes, 1), watch.window_panes)


def last_panes(watch: Watch, use: int, now: Pane, count: int) -> EffectWindow:
    """Return the last panes of the series of an episode, so many of them."""
    position = watch.uses[use].series
    item = watch.series[position]
    demand = _demand(watch, use, count)
    return EffectWindow(
        model=watch.model,
        version=watch.version,
        segment=watch.segment,
        series=item.name,
        kind=item.kind,
        baseline=item.baseline,
        reference=watch.reference(position, count),
        counts=watch.panes(position, count)[demand.known].sum(axis=0),
        panes=int(np.count_nonzero(demand.known)),
        from_ms=int(watch.starts(count)[0]),
        to_ms=now.end_ms,
        reference_mean=demand.mean,
        reference_variance=demand.variance,
    )


def begin_again(watch: Watch, use: int, fresh: EffectWindow) -> None:
    """Let an episode begin with the last panes, which proved its drift over: what was before is no effect of now."""
    episode, series = watch.episodes[use], watch.uses[use].series
    if episode.stretches:
        events = np.zeros(watch.series[series].calendar.strata, dtype=np.int64)
        np.add.at(events, watch.strata(series, fresh.panes), watch.panes(series, fresh.panes).sum(axis=1))
        episode.stretches = [Stretch(fresh.from_ms, fresh.panes, fresh.counts.copy(), events)]
    episode.panes = fresh.panes
    episode.events = max(fresh.n, int(fresh.panes * (fresh.reference_mean or 0.0)))


def end_episode(watch: Watch, use: int) -> None:
    """Let a detector go on: M is 0, and the null is what it would be had the episode been learnt, or never begun."""
    episode = watch.episodes.pop(use)
    group, row = watch.groups[use], watch.rows[use]
    for stratum in range(episode.total.shape[0]):
        if episode.fired:
            group.forget(row, episode.undo[stratum], stratum)
        else:
            group.absorb(row, episode.total[stratum], stratum)
    watch.restart(use)


def log10_evidence(episode: Episode) -> float | None:
    """Return log10 of M at the alarm, None for a detector without evidence."""
    return episode.log_evidence / math.log(10) if math.isfinite(episode.log_evidence) else None


def _lengthen(watch: Watch, episode: Episode, series: int, counts: Int64) -> None:
    """Add the last pane to the newest stretch, or begin another; the oldest is at least a window long."""
    own = episode.stretches
    longest = max(watch.window_panes, own[0].panes) if own else 0
    if not own or own[-1].panes >= longest:
        strata = watch.series[series].calendar.strata
        start_ms = int(watch.starts(1)[0])
        own.append(Stretch(start_ms, 0, np.zeros_like(counts), np.zeros(strata, dtype=np.int64)))
    own[-1].panes += 1
    own[-1].counts += counts
    own[-1].events[watch.strata(series, 1)[0]] += int(counts.sum())
    if len(own) > MOST_STRETCHES:
        pairs = [own[i : i + 2] for i in range(0, len(own), 2)]
        episode.stretches = [_joined(pair) for pair in pairs]


def _joined(pair: Sequence[Stretch]) -> Stretch:
    return Stretch(
        pair[0].from_ms,
        sum(own.panes for own in pair),
        np.sum([own.counts for own in pair], axis=0, dtype=np.int64),
        np.sum([own.events for own in pair], axis=0, dtype=np.int64),
    )


class _Demand(NamedTuple):
    """What the reference says of some panes of a demand: which it knows, and mean and variance of one of those."""

    known: Bool
    mean: float | None = None
    variance: float | None = None


def _demand(watch: Watch, use: int, most: int) -> _Demand:
    """Return what is expected of the last panes; a pane whose stratum still warms up has no reference."""
    group, row = watch.groups[use], watch.rows[use]
    strata = watch.strata(watch.uses[use].series, most)
    everything = np.ones(strata.size, dtype=np.bool_)
    if not isinstance(group, NegativeBinomialGroup):
        return _Demand(everything)
    mean = variance = 0.0
    limits = {stratum: group.limits(row, stratum) for stratum in np.unique(strata).tolist()}
    known = np.array([limits[stratum] is not None for stratum in strata.tolist()])
    all_known = int(np.count_nonzero(known))
    if not all_known:
        return _Demand(everything)
    for stratum, own in limits.items():
        expected = group.reference_mean(row, stratum)
        if own is not None and expected is not None:
            share = int(np.count_nonzero(strata == stratum)) / all_known
            mean += share * expected
            variance += share * (expected + expected * expected / own.kappa)
    return _Demand(known, mean, variance)
