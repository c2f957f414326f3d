"""What `recover offsets` would commit for a partition, for everything that can be the matter with it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stream_monitor.core.chain import ChainState, ChunkName
from stream_monitor.core.profile import ChainTrace
from stream_monitor.kafka.profile.healing import LogRange
from stream_monitor.kafka.recovery.offsets import Condition, OffsetStep, PartitionFacts, Target, plan_offset
from stream_monitor.kafka.recovery.watermark import plan_watermark
from tests.core.profile.test_trace import chunk

PLACE = ("in", 0)
NOW_MS = 1_800_000_000_000
CHAIN = ChainState("id", lease=1, last=ChunkName(2, 1), at=40, max_ms=1_002, idle_ms=70)


def trace(*, topic_id: str = "id") -> ChainTrace:
    """Return what a log says of a chain that stands behind its second chunk, at offset 20."""
    found = ChainTrace("id")
    found.note(chunk((2, 1), (1, 1), topic_id=topic_id), 40)
    found.note(chunk((3, 1), (2, 1), topic_id=topic_id), 41)
    return found


GOOD = PartitionFacts("id", LogRange(5, 50), 20, CHAIN.encode(), trace(), reached_start=True)
LOST = replace(GOOD, offset=-1001, metadata="")


def step(facts: PartitionFacts, to: Target = None, *, is_named: bool = False) -> OffsetStep:
    """Return the step for the partition."""
    return plan_offset(PLACE, facts, to=to, is_named=is_named, now_ms=NOW_MS)


def test_a_good_partition_is_left_alone() -> None:
    """Also with --to, unless the operator names it: a repeated command changes nothing."""
    assert [step(GOOD).next, step(GOOD, "earliest").next, step(GOOD, 20, is_named=True).next] == [None, None, None]
    assert step(GOOD, "earliest", is_named=True).next == 5


@pytest.mark.parametrize(
    ("facts", "condition"),
    [
        (LOST, Condition.LOST),
        (replace(GOOD, offset=7, metadata=""), Condition.WITHOUT_CHAIN),
        (replace(GOOD, offset=7, metadata="{"), Condition.UNREADABLE),
        (replace(GOOD, offset=7), Condition.MOVED),
    ],
)
def test_the_log_says_where_a_partition_goes_on(facts: PartitionFacts, condition: Condition) -> None:
    """Where its last chunk ended, in the same epoch: nothing is lost and nothing is doubled."""
    found = step(facts)

    assert (condition, 20) == (found.condition, found.next)
    assert found.chain is not None
    assert (0, ChunkName(2, 1), 1_002) == (found.chain.epoch, found.chain.last, found.chain.max_ms)
    assert found.chain.lease >= (1 if condition is Condition.MOVED else NOW_MS // 1_000)


def test_what_was_committed_is_good_when_the_command_runs_again() -> None:
    """The command is idempotent."""
    for facts in (LOST, replace(GOOD, metadata="{"), replace(GOOD, offset=7)):
        first = step(facts)
        assert first.next is not None
        assert first.chain is not None
        again = step(replace(facts, offset=first.next, metadata=first.chain.encode()))

        assert (Condition.GOOD, None) == (again.condition, again.next)


@pytest.mark.parametrize(
    ("facts", "condition"),
    [
        (replace(GOOD, topic_id="new", trace=ChainTrace("new")), Condition.REMADE),
        (replace(LOST, trace=trace(topic_id="other")), Condition.REMADE),
        (replace(GOOD, log=LogRange(30, 50)), Condition.DELETED),
        (replace(GOOD, log=LogRange(0, 10)), Condition.BEYOND_END),
        (replace(LOST, trace=ChainTrace("id"), reached_start=False), Condition.LOST),
    ],
)
def test_what_the_log_cannot_say_is_asked_for(facts: PartitionFacts, condition: Condition) -> None:
    """And with an answer the partition goes on there, in an epoch that was never used."""
    asked = step(facts)
    told = step(facts, "earliest")

    assert (condition, True, None) == (asked.condition, asked.needs_target, asked.next)
    assert told.chain is not None
    assert (facts.log.start, facts.topic_id) == (told.next, told.chain.topic)
    assert told.chain.epoch > 0
    assert "declared gap" in told.text


def test_a_partition_that_was_never_counted_is_not_touched() -> None:
    """A worker begins it by itself."""
    assert (Condition.GOOD, None) == ((found := step(replace(LOST, trace=ChainTrace("id")))).condition, found.next)


def test_an_offset_outside_the_topic_is_refused() -> None:
    """The message names what is possible."""
    with pytest.raises(ValueError, match="from 5 to 50, got 51"):
        step(GOOD, 51, is_named=True)


def test_a_reset_says_what_is_left_out_or_counted_again() -> None:
    """Before anything is written."""
    assert "offsets 20 to 29 are not counted" in step(GOOD, 30, is_named=True).text
    assert "offsets 10 to 19 are counted again" in step(GOOD, 10, is_named=True).text


def test_a_maximum_in_the_future_is_set_back_in_a_new_epoch() -> None:
    """At the same offset, behind the same chunk; a second run, and a partition that stands before, change nothing."""
    facts = {PLACE: GOOD}
    (found,) = plan_watermark(facts, to_ms=900, named=None, now_ms=NOW_MS)
    assert found.chain is not None
    after = replace(GOOD, metadata=found.chain.encode())
    again = plan_watermark({PLACE: after}, to_ms=900, named=None, now_ms=NOW_MS)
    before = plan_watermark(facts, to_ms=1_002, named=None, now_ms=NOW_MS)

    assert (20, 1, ChunkName(2, 1), 900, 70) == (
        found.next,
        found.chain.epoch,
        found.chain.last,
        found.chain.max_ms,
        found.chain.idle_ms,
    )
    assert [None, None] == [step.next for step in (*again, *before)]


def test_a_maximum_that_no_calendar_has_is_set_back_too() -> None:
    """That is what the command is for; it says the milliseconds."""
    far = replace(GOOD, metadata=replace(CHAIN, max_ms=2**62).encode())
    (found,) = plan_watermark({PLACE: far}, to_ms=900, named=None, now_ms=NOW_MS)

    assert found.chain is not None
    assert (900, True) == (found.chain.max_ms, f"stood at {2**62} ms" in found.text)


def test_a_lost_offset_is_recovered_before_its_watermark() -> None:
    """The message names the command."""
    with pytest.raises(ValueError, match="recover offsets"):
        plan_watermark({PLACE: LOST}, to_ms=900, named=None, now_ms=NOW_MS)
