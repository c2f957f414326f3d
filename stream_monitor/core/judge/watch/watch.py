"""A watch: the series of one model version beside their baseline, with the last window of panes and their detectors.

Counts of all series stand side by side in one vector a pane, so that a pane of a thousand series is a few array calls.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from stream_monitor.core.alerts.identity import SeriesName
from stream_monitor.core.alerts.lifecycle import Life
from stream_monitor.core.arrays import Bool, Float64, Int64, Intp
from stream_monitor.core.baseline import Baseline
from stream_monitor.core.calendar import Calendar
from stream_monitor.core.comparisons import Reference
from stream_monitor.core.detectors import DetectorGroup, Mixture
from stream_monitor.core.detectors.rank_shiryaev_roberts import RankShiryaevRobertsGroup
from stream_monitor.core.detectors.river_group import RiverGroup
from stream_monitor.core.judge.watch.detector_uses import DetectorUse, series_references
from stream_monitor.core.judge.watch.pool import Pool, Work
from stream_monitor.core.judge.watch.watched_series import WatchedSeries
from stream_monitor.core.names import SeriesKind
from stream_monitor.core.profile import Example, OffsetRange, Profile


@dataclass(slots=True, eq=False)
class Stretch:
    """Panes of an episode that follow each other, added up.

    Attributes:
        from_ms: start of the first one.
        panes: how many.
        counts: events per bin, shape (bins,).
        events: events per stratum, shape (strata,).
    """

    from_ms: int
    panes: int
    counts: Int64
    events: Int64


@dataclass(slots=True, eq=False)
class Episode:
    """What has happened on a series since a detector alarmed.

    Attributes:
        opened_ms: end of the pane that alarmed.
        log_evidence: log M (nats) at the alarm; infinite for detectors without evidence.
        statistic: of detectors without evidence, at the alarm.
        change_from_ms, change_to_ms: the 5-95 % range of the change point.
        total: events per stratum and bin since the alarm, shape (strata, bins).
        undo: those that the nulls have learnt since the change began, same shape.
        panes: panes since the alarm.
        events: events since the alarm; of a count, those expected if they are more.
        fired: whether a rule has fired.
        stretches: of a series of shares, all panes since the alarm, oldest first.
    """

    opened_ms: int
    log_evidence: float
    statistic: float | None
    change_from_ms: int
    change_to_ms: int
    total: Int64
    undo: Int64
    panes: int = 0
    events: int = 0
    fired: bool = False
    stretches: list[Stretch] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class PaneSources:
    """Where the events of a pane are: offset ranges by source partition, and the rows of smallest hash."""

    start_ms: int
    offsets: dict[tuple[str, int], OffsetRange]
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Block:
    """Detectors of one group: positions of their uses, and where their counts stand in the vector, (k, bins)."""

    group: DetectorGroup
    uses: Intp
    cells: Intp
    calendar: Calendar
    steps_on_empty: bool


@dataclass(eq=False)
class Watch:
    """The series of one (model, version, segment).

    Attributes:
        baseline: the reference; None for the demand of a model.
        slot: which part of the budget it uses (`weights.slot_weight`).
        uses: its detectors.
        rules: names of the rules that an alarm of a use opens, sorted; nothing for one that is only shown.
        groups, rows: group and row of each use.
        since: panes given to each use since it started or restarted.
        log_m: log M of each use after the last pane.
        thresholds: what log M of each use was held against in its last pane, nats.
        episodes: open episodes by use.
        lives: by (series, rule) where a rule has ever spoken.
        suppressed: series that a limit left out, with their segments; of a whole version they are listed at all rows.
        mixture: alternatives of the rank detector.
        taken: how much of the limit of series other watches used when it began.
    """

    model: str
    version: str
    segment: str
    baseline: Baseline | None
    slot: int
    series: Sequence[WatchedSeries]
    uses: Sequence[DetectorUse]
    window_panes: int
    suppressed: Sequence[tuple[str, WatchedSeries]] = ()
    mixture: Mixture = Mixture.FINE
    taken: int = 0
    rules: dict[int, tuple[str, ...]] = field(default_factory=dict)
    groups: list[DetectorGroup] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)
    episodes: dict[int, Episode] = field(default_factory=dict)
    lives: dict[tuple[int, str], Life] = field(default_factory=dict)

    def __post_init__(self) -> None:
        sizes = np.array([item.bins for item in self.series], dtype=np.intp)
        self.ends = np.cumsum(sizes)
        width = int(sizes.sum())
        self.ring = np.zeros((self.window_panes, width), dtype=np.int64 if self.baseline is None else np.int32)
        self.ring_ms = np.zeros(self.window_panes, dtype=np.int64)
        self.window = np.zeros(width, dtype=np.int64)
        self.pushed = 0
        self.since = np.zeros(len(self.uses), dtype=np.int64)
        self.log_m: Float64 = np.full(len(self.uses), -np.inf)
        self.thresholds: Float64 = np.array([use.log_threshold for use in self.uses])
        self.sources: deque[PaneSources] = deque(maxlen=self.window_panes)
        self.shown: tuple[int, dict[int, dict[str, float]]] = (0, {})  # comparisons after so many panes, by series
        self._blocks: list[_Block] = []

    def enter(self, pool: Pool, rows: Mapping[int, int] | None = None) -> None:
        """Start every detector of a new watch, but for those that stand in rows of the pool already."""
        known = rows or {}
        for i, use in enumerate(self.uses):
            if i in known:
                group, row = pool.group(use.spec, use.layout), known[i]
            else:
                group, row = pool.add(use.spec, use.layout, series_references(self.series[use.series]))
            self.groups.append(group)
            self.rows.append(row)
        self.arrange()

    def leave(self, pool: Pool) -> None:
        """Forget every detector."""
        for use, row in zip(self.uses, self.rows, strict=True):
            pool.remove(use.spec, use.layout, row)

    def arrange(self) -> None:
        """Put the uses of one group together; to be called once groups and rows are known."""
        members: dict[int, list[int]] = {}
        for i, group in enumerate(self.groups):
            members.setdefault(id(group), []).append(i)
        self._blocks = [
            _Block(
                self.groups[uses[0]],
                np.array(uses, dtype=np.intp),
                np.stack([np.arange(*self.span(self.uses[i].series)) for i in uses]),
                self.series[self.uses[uses[0]].series].calendar,
                self.series[self.uses[uses[0]].series].kind is SeriesKind.COUNT,
            )
            for uses in members.values()
        ]
        for block in self._blocks:
            self._lower(block.uses, block.group, np.array([self.rows[i] for i in block.uses.tolist()], dtype=np.intp))

    def span(self, series: int) -> tuple[int, int]:
        """Return where the bins of a series stand in the vector."""
        end = int(self.ends[series])
        return end - self.series[series].bins, end

    def name(self, series: int) -> SeriesName:
        """Return the full name of a series."""
        return SeriesName(self.model, self.version, self.segment, self.series[series].name)

    @property
    def kept(self) -> int:
        """Panes in the ring."""
        return min(self.pushed, self.window_panes)

    @property
    def saw_events(self) -> bool:
        """Say whether the last window holds events, whatever they say of the series."""
        return any(pane.offsets for pane in self.sources)

    def push(self, start_ms: int, profile: Profile | None) -> None:
        """Take a closed pane; None is a pane without events."""
        place = self.pushed % self.window_panes
        if profile is not None or self.window.any():
            counts = np.zeros(self.window.size, dtype=np.int64)
            if profile is not None:
                self._fill(counts, profile)
            self.window += counts - self.ring[place]
            self.ring[place] = counts
        self.ring_ms[place] = start_ms
        offsets = {} if profile is None else dict(profile.offsets)
        self.sources.append(PaneSources(start_ms, offsets, () if profile is None else profile.examples))
        self.pushed += 1

    def pieces(self) -> Iterable[tuple[Intp, Work]]:
        """Yield what must be stepped for the last pane, by uses; frozen ones are left out."""
        self.since += 1
        frozen = self._frozen()
        self.since[frozen] = 0
        place = (self.pushed - 1) % self.window_panes
        counts, start_ms = self.ring[place], int(self.ring_ms[place])
        empty = not counts.any()
        for block in self._blocks:
            if empty and not block.steps_on_empty:
                continue
            live = block.uses[~frozen[block.uses]]
            if live.size:
                cells = block.cells[~frozen[block.uses]]
                rows = np.array([self.rows[i] for i in live.tolist()], dtype=np.intp)
                stratum = block.calendar.stratum(start_ms)
                yield live, Work(block.group, rows, counts[cells].astype(np.int64), stratum)

    def alarms(self, uses: Intp, work: Work, log_m: Float64) -> list[int]:
        """Note log M of uses that were stepped; return those at or above their threshold."""
        self.log_m[uses] = log_m
        self._lower(uses, work.group, work.rows)
        return [int(use) for use in uses[log_m >= self.thresholds[uses]]]

    def last(self, series: int) -> Int64:
        """Return the counts of a series in the last pane, shape (bins,)."""
        low, high = self.span(series)
        return self.ring[(self.pushed - 1) % self.window_panes, low:high].astype(np.int64)

    def panes(self, series: int, most: int) -> Int64:
        """Return the counts of a series in the last panes, at most `most`, oldest first, shape (panes, bins)."""
        low, high = self.span(series)
        return self.ring[self._order(most), low:high].astype(np.int64)

    def starts(self, most: int) -> Int64:
        """Return the starts of the same panes."""
        return self.ring_ms[self._order(most)]

    def strata(self, series: int, most: int) -> Int64:
        """Return to which strata of a series the same panes belong."""
        return self.series[series].calendar.strata_of(self.starts(most))

    def in_window(self, series: int) -> Int64:
        """Return the counts of a series over the last window, shape (bins,)."""
        low, high = self.span(series)
        return self.window[low:high].copy()

    def reference(self, series: int, most: int) -> Reference | None:
        """Return what the events of a series in the same panes are compared with; None for counts per pane."""
        item = self.series[series]
        if not item.strata:
            return item.reference
        events = np.zeros(item.calendar.strata, dtype=np.int64)
        np.add.at(events, self.strata(series, most), self.panes(series, most).sum(axis=1))
        return item.reference_of(events)

    def restart(self, use: int) -> None:
        """Set a detector back to the beginning of its evidence."""
        self.groups[use].restart(self.rows[use])
        self.since[use] = 0
        self.log_m[use] = -np.inf

    def open_lives(self) -> list[tuple[int, str]]:
        """Return the (series, rule) whose alert is pending or firing, sorted."""
        return sorted(place for place, life in self.lives.items() if life.open)

    def _order(self, most: int) -> Intp:
        count = min(self.kept, most)
        return np.arange(self.pushed - count, self.pushed) % self.window_panes

    def _lower(self, uses: Intp, group: DetectorGroup, rows: Intp) -> None:
        """Set the thresholds of a detector that lowers them."""
        if isinstance(group, RankShiryaevRobertsGroup):
            bounds = np.array([self.uses[use].log_threshold for use in uses.tolist()])
            self.thresholds[uses] = bounds - group.lowered(rows)

    def _frozen(self) -> Bool:
        frozen = np.zeros(len(self.uses), dtype=np.bool_)
        frozen[list(self.episodes)] = True
        return frozen

    def _fill(self, counts: Int64, profile: Profile) -> None:
        low = 0
        for item, high in zip(self.series, self.ends.tolist(), strict=True):
            found = item.counts(profile)
            if found is not None:
                counts[low:high] = found
            low = high


def failed_uses(watch: Watch, uses: Intp, group: DetectorGroup) -> list[int]:
    """Return the uses whose class has failed since this was asked before."""
    if not isinstance(group, RiverGroup) or not group.failing:
        return []
    found = [use for use in uses.tolist() if watch.rows[use] in group.failing]
    group.failing.difference_update(watch.rows[use] for use in found)
    return found


def merge_places(ranges: Iterable[Mapping[tuple[str, int], OffsetRange]]) -> dict[tuple[str, int], OffsetRange]:
    """Return the smallest ranges of offsets, by source partition, that hold all the given ones."""
    merged: dict[tuple[str, int], OffsetRange] = {}
    for by_place in ranges:
        for place, found in by_place.items():
            known = merged.get(place, found)
            merged[place] = OffsetRange(min(known.first, found.first), max(known.last, found.last))
    return merged
