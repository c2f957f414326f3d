"""An episode freezes its detector, and ends with what the null should know."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest

from stream_monitor.core.arrays import Float64, Int64, Intp
from stream_monitor.core.comparisons import Reference
from stream_monitor.core.detectors import ChangeRange, SeriesReference
from stream_monitor.core.judge.reporting.episodes import (
    MOST_STRETCHES,
    begin_again,
    effect_window,
    end_episode,
    is_mature,
    observe,
    open_episode,
    stretch,
)
from stream_monitor.core.judge.watch.detector_uses import DetectorUse
from stream_monitor.core.judge.watch.watch import Watch
from stream_monitor.core.judge.watch.watched_series import Counted, WatchedSeries
from stream_monitor.core.names import SeriesKind
from stream_monitor.core.profile import Profile, ProfileKey, SeriesCounts
from stream_monitor.core.rules import Pane

PANE_MS = 10_000
WINDOW = 4


BEFORE = ChangeRange(-1, -1, -1)


@dataclass
class FakeGroup:
    """A detector that says what it was told."""

    change: ChangeRange = BEFORE
    calls: list[tuple[str, list[int]]] = field(default_factory=list)
    guarantee: str = "bound"

    def add(self, *references: SeriesReference) -> int:
        return 0

    def remove(self, row: int) -> None: ...

    def step(self, rows: Intp, counts: Int64, stratum: int = 0) -> Float64:
        return np.zeros(rows.size)

    def log_evidence(self, rows: Intp) -> Float64:
        return np.zeros(rows.size)

    def warming_up(self, row: int) -> bool:
        return False

    def restart(self, row: int) -> None:
        self.calls.append(("restart", []))

    def absorb(self, row: int, counts: Int64, stratum: int = 0) -> None:
        self.calls.append(("absorb", counts.tolist()))

    def forget(self, row: int, counts: Int64, stratum: int = 0) -> None:
        self.calls.append(("forget", counts.tolist()))

    def change_range(self, row: int, panes: Int64, strata: Intp | None = None) -> ChangeRange:
        return self.change

    def dump(self) -> bytes:
        return b""


@dataclass(frozen=True)
class FakeSpec:
    fingerprint: str = "fake/1"
    strata: int = 1

    def build(self, layout: int, state: bytes | None = None) -> FakeGroup:
        return FakeGroup()


def watch_of(group: FakeGroup) -> Watch:
    """A yes/no series with one detector."""
    reference = Reference(np.array([90, 10]))
    series = WatchedSeries("serving_error", SeriesKind.BINARY, Counted.VALUES, "serving_error", 2, 2, reference, None)
    use = DetectorUse(0, "fake", FakeSpec(), 2, 1.0, 5.0, evidence=True)
    watch = Watch("m", "", "", None, 0, [series], [use], WINDOW)
    watch.groups, watch.rows = [group], [0]
    watch.arrange()
    return watch


def push(watch: Watch, *panes: tuple[int, int]) -> None:
    """Show panes to the watch and its detector; (0, 0) is an empty one."""
    for counts in panes:
        start = watch.pushed * PANE_MS
        key = ProfileKey("m", "", "", start, PANE_MS, late=False)
        found = {"serving_error": SeriesCounts(np.array(counts))}
        watch.push(start, Profile(key, {}, 0, found, {}) if any(counts) else None)
        list(watch.pieces())


def now(watch: Watch) -> Pane:
    return Pane((watch.pushed - 1) * PANE_MS, watch.pushed * PANE_MS)


def test_a_drift_that_mattered_to_nobody_is_learnt() -> None:
    """The null absorbs the panes since the alarm, and M begins at 0."""
    group = FakeGroup()
    watch = watch_of(group)
    push(watch, (9, 1), (5, 5))
    open_episode(watch, 0, 7.0, now(watch))
    for counts in ((6, 4), (7, 3)):
        push(watch, counts)
        observe(watch, 0)
    end_episode(watch, 0)

    assert group.calls == [("absorb", [13, 7]), ("restart", [])]
    assert watch.episodes == {}


def test_a_drift_that_was_told_is_taken_out_of_the_null() -> None:
    """What was learnt since the change began, the alarming pane included, is forgotten."""
    group = FakeGroup(ChangeRange(1, 2, 3))
    watch = watch_of(group)
    push(watch, (9, 1), (8, 2), (7, 3), (1, 9))
    episode = open_episode(watch, 0, 7.0, now(watch))
    episode.fired = True
    push(watch, (0, 10))
    observe(watch, 0)
    end_episode(watch, 0)

    assert group.calls == [("forget", [16, 14]), ("restart", [])]


@pytest.mark.parametrize(("first", "expected"), [(-1, [10, 10]), (3, [5, 5])])
def test_only_what_was_learnt_is_forgotten(first: int, expected: list[int]) -> None:
    """Panes before the last restart were not stepped: the detector has nothing of them."""
    group = FakeGroup(ChangeRange(first, first, first))
    watch = watch_of(group)
    push(watch, (9, 1), (9, 1))
    watch.restart(0)
    push(watch, (5, 5), (5, 5))
    episode = open_episode(watch, 0, 7.0, now(watch))

    assert episode.undo.tolist() == [expected]


def test_a_frozen_detector_steps_no_pane() -> None:
    """While the episode stands its detector sees nothing; others of the watch would."""
    watch = watch_of(FakeGroup())
    push(watch, (5, 5))
    open_episode(watch, 0, 7.0, now(watch))
    watch.push(PANE_MS, None)

    assert list(watch.pieces()) == []


def test_an_empty_pane_steps_nobody_but_moves_the_window() -> None:
    """A silent series does not alarm by its silence, and its window empties."""
    watch = watch_of(FakeGroup())
    push(watch, (5, 5), *[(0, 0)] * (WINDOW - 1))

    assert watch.in_window(0).tolist() == [5, 5]
    push(watch, (0, 0))
    assert watch.in_window(0).tolist() == [0, 0]


def test_the_effect_looks_at_the_panes_since_the_alarm() -> None:
    """Not at those that raised it, and at most at the last window."""
    watch = watch_of(FakeGroup())
    push(watch, (0, 10), (0, 10))
    open_episode(watch, 0, 7.0, now(watch))
    seen = []
    for _ in range(WINDOW + 1):
        push(watch, (9, 1))
        observe(watch, 0)
        window = effect_window(watch, 0, now(watch))
        seen.append((window.counts.tolist(), window.panes, window.to_ms - window.from_ms))

    assert seen[0] == ([9, 1], 1, PANE_MS)
    assert seen[-1] == ([36, 4], WINDOW, WINDOW * PANE_MS)


@pytest.mark.parametrize(
    ("pane", "panes"),
    [
        pytest.param((100, 0), 2, id="two hundred events"),
        pytest.param((1, 0), 4 * WINDOW, id="four windows of few events"),
    ],
)
def test_an_effect_is_believed_after(pane: tuple[int, int], panes: int) -> None:
    """Enough events, or a long time."""
    watch = watch_of(FakeGroup())
    push(watch, (5, 5))
    open_episode(watch, 0, 7.0, now(watch))
    mature = []
    for _ in range(panes):
        push(watch, pane)
        observe(watch, 0)
        mature.append(is_mature(watch, 0))

    assert mature == [False] * (panes - 1) + [True]


def test_the_change_range_is_told_in_event_time() -> None:
    """From the start of the first possible pane to the end of the last."""
    watch = watch_of(FakeGroup(ChangeRange(1, 2, 2)))
    push(watch, (9, 1), (8, 2), (7, 3), (1, 9))
    episode = open_episode(watch, 0, 7.0, now(watch))

    assert (episode.change_from_ms, episode.change_to_ms) == (1 * PANE_MS, 3 * PANE_MS)


def rare(panes: int) -> Watch:
    """A watch in an episode of so many panes of ten events, the last three of which are true."""
    watch = watch_of(FakeGroup())
    push(watch, (9, 1))
    open_episode(watch, 0, 7.0, now(watch))
    for place in range(panes):
        push(watch, (9, 1) if place >= panes - 3 else (10, 0))
        observe(watch, 0)
    return watch


def test_shares_are_added_up_over_more_than_a_window() -> None:
    """The window holds four panes; where they are not enough, it is as many more as are, up to the whole episode."""
    watch = rare(30)

    assert stretch(watch, 0, now(watch), lambda _: True).counts.tolist() == [37, 3]
    longer = stretch(watch, 0, now(watch), lambda found: found.n >= 100)
    assert 100 <= longer.n < 300
    assert longer.counts[1] == 3
    assert longer.to_ms - longer.from_ms == longer.panes * PANE_MS
    assert stretch(watch, 0, now(watch), lambda _: False).counts.tolist() == [297, 3]


@pytest.mark.parametrize("panes", [1, 4, 5, 70, 1_000])
def test_a_long_episode_is_a_few_stretches_and_loses_no_pane(panes: int) -> None:
    """Neighbours are added up: sixteen stretches hold an episode of any length."""
    watch = rare(panes)
    own = watch.episodes[0].stretches

    assert len(own) <= MOST_STRETCHES
    assert sum(one.panes for one in own) == panes
    assert sum(int(one.counts.sum()) for one in own) == sum(int(one.events.sum()) for one in own) == 10 * panes
    assert stretch(watch, 0, now(watch), lambda _: False).n == 10 * panes


def test_an_episode_that_begins_again_knows_the_fresh_panes_alone() -> None:
    """What was before the proof of the end is no effect of now."""
    watch = rare(30)
    fresh = effect_window(watch, 0, now(watch))
    begin_again(watch, 0, fresh)
    for _ in range(6):
        push(watch, (10, 0))
        observe(watch, 0)

    whole = stretch(watch, 0, now(watch), lambda _: False)
    assert (whole.n, whole.from_ms) == (fresh.n + 60, fresh.from_ms)


def test_a_change_before_the_last_window_is_told_by_its_panes() -> None:
    """Nine panes before the window of four, and no earlier than the evidence of the detector."""
    watch = watch_of(FakeGroup(ChangeRange(-9, -2, 1)))
    push(watch, *[(9, 1)] * 20)
    assert open_episode(watch, 0, 7.0, now(watch)).change_from_ms == (20 - 4 - 9) * PANE_MS

    young = watch_of(FakeGroup(ChangeRange(-9, -2, 1)))
    push(young, *[(9, 1)] * 6)
    assert open_episode(young, 0, 7.0, now(young)).change_from_ms == 0
