"""Where a partition without a committed offset begins: every row of the table, and never under names that were used."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stream_monitor.core.chain import ChunkName
from stream_monitor.core.profile import ChainTrace
from stream_monitor.kafka.errors import DataLoss, HistoryUnusable
from stream_monitor.kafka.profile.beginning import Absent, begin
from stream_monitor.kafka.profile.healing import LogRange
from stream_monitor.kafka.profile.policy import OnDataLoss, ProfilePolicy, StartFrom
from tests.core.profile.test_trace import chunk

PLACE = ("in", 0)
EARLIEST = ProfilePolicy()
OLD = Absent("id", LogRange(5, 50), 1, False, False, ChainTrace("id"), True, 1_800_000_000_123)
"""A partition of a topic that the group has counted for long, of which the whole log says nothing."""


def counted(*, topic_id: str = "id", beginning_is_gone: bool = False) -> ChainTrace:
    """Return the trace of a chain that stands behind its second chunk."""
    trace = ChainTrace("id")
    for record in [chunk((2, 1), (1, 1), topic_id=topic_id), chunk((3, 1), (2, 1), topic_id=topic_id)][
        beginning_is_gone:
    ]:
        trace.note(record, 40)
    return trace


@pytest.mark.parametrize("is_young", [True, False])
@pytest.mark.parametrize("has_siblings", [True, False])
@pytest.mark.parametrize("reached_start", [True, False])
def test_a_chain_in_the_log_goes_on(is_young: bool, has_siblings: bool, reached_start: bool) -> None:
    """Whatever else is known: it never begins again at its first name, which the judge would drop as folded."""
    absent = replace(
        OLD, trace=counted(), is_young=is_young, has_siblings=has_siblings, reached_start=reached_start, counted=None
    )
    found, _ = begin(PLACE, absent, ProfilePolicy(start=StartFrom.LATEST))

    assert (20, ChunkName(2, 1), 0) == (found.next, found.chain.last, found.chain.epoch)
    assert found.chain.lease == 1_800_000_000, "no lease that a worker may have used before the offset was lost"


def test_a_chain_whose_last_chunk_is_gone_goes_on_in_a_new_epoch() -> None:
    """The judge is told that something is missing."""
    found, _ = begin(PLACE, replace(OLD, trace=counted(beginning_is_gone=True)), EARLIEST)

    assert (20, ChunkName(2, 1), 1) == (found.next, found.chain.last, found.chain.epoch)


def test_a_topic_made_anew_is_never_counted_under_old_names() -> None:
    """It stops with the command that mends it, or begins in a new epoch where the operator wants to go on."""
    absent = replace(OLD, trace=counted(topic_id="other"), is_young=True)
    with pytest.raises(DataLoss, match="recover offsets --to earliest"):
        begin(PLACE, absent, EARLIEST)
    found, _ = begin(PLACE, absent, ProfilePolicy(on_data_loss=OnDataLoss.CONTINUE))

    assert (5, 1, "id") == (found.next, found.chain.epoch, found.chain.topic)


@pytest.mark.parametrize(
    "absent",
    [replace(OLD, is_young=True), replace(OLD, has_siblings=True), replace(OLD, counted=None)],
    ids=["young group", "other partitions are counted", "topic is new to the group"],
)
def test_what_the_whole_log_does_not_know_is_new(absent: Absent) -> None:
    """It begins as `start` says, in the first epoch."""
    earliest, _ = begin(PLACE, absent, EARLIEST)
    latest, _ = begin(PLACE, absent, ProfilePolicy(start=StartFrom.LATEST))

    assert [(5, 0), (50, 0)] == [(found.next, found.chain.epoch) for found in (earliest, latest)]
    with pytest.raises(HistoryUnusable, match="start is 'fail'"):
        begin(PLACE, absent, ProfilePolicy(start=StartFrom.FAIL))


def test_an_added_partition_is_read_from_its_first_record() -> None:
    """Every event in it is new, whatever `start` says."""
    absent = replace(OLD, counted=1, has_siblings=True)
    found, _ = begin(("in", 1), absent, ProfilePolicy(start=StartFrom.LATEST))

    assert (0, 0) == (found.next, found.chain.epoch)


@pytest.mark.parametrize("place", [("in", 0), ("in", 1)])
def test_a_log_without_its_beginning_gives_an_epoch_that_nobody_used(place: tuple[str, int]) -> None:
    """What it held is not known: the judge may have folded a chain that began with the same names."""
    found, _ = begin(place, replace(OLD, is_young=place[1] == 0, reached_start=False), EARLIEST)

    assert found.chain.epoch == 1_800_000_000


@pytest.mark.parametrize("absent", [OLD, replace(OLD, has_siblings=True, reached_start=False)])
def test_what_was_counted_and_left_no_trace_is_the_operators_to_say(absent: Absent) -> None:
    """Exit code 7 and the command; nothing is guessed."""
    with pytest.raises(HistoryUnusable, match="recover offsets --to OFFSET") as stop:
        begin(PLACE, absent, EARLIEST)

    assert stop.value.exit_code == 7
