"""What the log says, entry by entry."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from stream_monitor.core.baseline import Baseline
from stream_monitor.core.judge import ChainGap, Judge, StoredEntry, UnknownBaseline
from stream_monitor.core.judge.log.roster import Roster
from stream_monitor.core.plan import InputPlan, Plan
from stream_monitor.core.profile import MalformedRecord
from tests.traffic import SECOND, T0, Events, Monitor, baseline_of


def events(n: int, *, start_ms: int = T0, model: str = "m") -> Events:
    at = start_ms + np.arange(n) * 100
    values = np.random.default_rng(3).normal(size=n)
    return Events(model, "", [f"{model}-{start_ms}-{i}" for i in range(n)], at, at, {"feature:x": values})


def story() -> Monitor:
    """Two minutes of one model beside its baseline."""
    monitor = Monitor(Plan(), baselines=[(baseline_of(events(500, start_ms=0)), 0)])
    for start in range(T0, T0 + 120 * SECOND, 5 * SECOND):
        monitor.chunk(0, events(50, start_ms=start))
    monitor.chunk(0)
    return monitor


def blind(monitor: Monitor, plan: Plan) -> Judge:
    return Judge(plan, partition=0, partitions=1, source="", schedule=lambda _: None)


def fold_until_refused(judge: Judge, log: list[StoredEntry]) -> int:
    """Return the offset of the first entry whose baseline nobody has."""
    for entry in log:
        try:
            judge.fold(entry)
        except UnknownBaseline:
            return entry.offset
    raise AssertionError("every baseline was known")


def test_an_unknown_baseline_changes_nothing() -> None:
    """The entry is refused before it changes anything, and folded once the baseline is known."""
    monitor = story()
    known: dict[str, object] = {}
    judge = Judge(
        monitor.plan,
        partition=0,
        partitions=1,
        source="",
        schedule=lambda wanted: monitor.schedule.get(wanted) if known else None,
    )
    position = fold_until_refused(judge, monitor.log[0])
    before = (judge.digest, judge.dump())
    with pytest.raises(UnknownBaseline, match="sha256:"):
        judge.fold(monitor.log[0][position])

    assert (judge.digest, judge.dump()) == before
    known["now"] = True
    for entry in monitor.log[0][position:]:
        judge.fold(entry)
    assert judge.digest == monitor.judges[0].digest


def test_a_schedule_may_raise_for_what_it_does_not_know() -> None:
    """A mapping's KeyError means the same as None."""
    monitor = story()
    nothing: dict[str, Baseline] = {}
    judge = Judge(monitor.plan, partition=0, partitions=1, source="", schedule=nothing.__getitem__)

    assert fold_until_refused(judge, monitor.log[0]) > 0


def test_entries_below_the_position_are_ignored() -> None:
    """A repeat of the log gives nothing and changes nothing: the position does not go back, nothing is counted."""
    monitor = story()
    judge = monitor.judges[0]
    before = judge.dump(), judge.next_offset, dict(judge.counters)
    repeated = monitor.log[0][:-1]

    assert [judge.fold(entry) for entry in repeated] == [[]] * len(repeated)
    assert (judge.dump(), judge.next_offset, dict(judge.counters)) == before


def test_a_foreign_topic_counts_nothing() -> None:
    """Records of a topic that the plan does not name are dropped, and said so."""
    monitor = story()
    judge = blind(monitor, Plan(inputs=(InputPlan("other"),)))
    for entry in monitor.log[0]:
        judge.fold(entry)

    assert judge.view().counters["chunks_dropped_total", "foreign"] == 25
    assert judge.view().awaited == (("other", -1),)


def test_what_is_no_record_stops_the_judge() -> None:
    """A fact that cannot be read is never skipped."""
    monitor = story()
    with pytest.raises(MalformedRecord):
        monitor.judges[0].fold(StoredEntry(monitor.judges[0].next_offset, 0, None, b"{}"))


def test_a_log_that_begins_in_the_middle_is_only_whole_from_its_start() -> None:
    """Read from offset 0, a chain without its first chunk is a gap; read from inside, it is where one begins."""
    monitor = story()
    rest = monitor.log[0][9:]

    for first, outcome in ((0, False), (9, True)):
        judge = monitor.judge(0)
        moved = [StoredEntry(first + i, 0, entry.key, entry.value) for i, entry in enumerate(rest)]
        try:
            for entry in moved:
                judge.fold(entry)
            went_on = True
        except ChainGap:
            went_on = False

        assert went_on is outcome


def test_counters_can_be_cleared_and_decide_nothing() -> None:
    """After a silent fold the counters start from zero, the digest stays."""
    judge = story().judges[0]
    digest = judge.digest
    judge.clear_counters()

    assert (sum(judge.counters.values()), judge.digest) == (0, digest)
    assert isinstance(judge.counters, Counter)


def test_each_stream_waits_for_its_own_topics() -> None:
    """A quiet label topic does not hold the panes of the events."""
    roster = Roster((InputPlan("events"), InputPlan("labels", "native_labels")))
    roster.extend("events", 2)
    roster.reach("events", 0, 50)
    one = roster.watermark("events")
    roster.reach("events", 1, 70)

    assert (one, roster.watermark("events"), roster.watermark("labels")) == (None, 50, None)
    assert roster.awaited() == (("labels", -1),)


def test_a_roster_only_grows() -> None:
    """A stale record that states fewer partitions takes nobody out."""
    roster = Roster((InputPlan("events"),))
    roster.extend("events", 3)
    roster.extend("events", 2)
    roster.reach("events", 0, None)

    assert roster.awaited() == (("events", 0), ("events", 1), ("events", 2))


def test_the_chains_name_the_tip_of_every_partition() -> None:
    """`_commit` carries epoch, sequence, lease and next offset."""
    assert story().judges[0].chains == {"inference-events/0": [0, 24, 1, 1200]}
