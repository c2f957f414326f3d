"""A flood of unreadable records: said when it begins and when it is over, and no reason to stop once it is over."""

from __future__ import annotations

from types import SimpleNamespace

from stream_monitor.core.unreadable import Unreadable
from stream_monitor.kafka.profile.counting import CountedChunk
from stream_monitor.kafka.profile.excess import excess_of, is_over
from stream_monitor.kafka.profile.policy import DeadLetterLimits

LIMITS = DeadLetterLimits(max_share=0.5)
FLOOD = Unreadable().after(10_000, [n for n in range(10_000) if n % 5 < 3])


def chunk(before: Unreadable, records: int, rejected: list[int]) -> CountedChunk:
    """Return a chunk as far as the question needs it."""
    rejects = [SimpleNamespace(reason="invalid_json", offset=n) for n in rejected]
    return SimpleNamespace(  # type: ignore[return-value]  # what the question needs of it
        owned=SimpleNamespace(chain=SimpleNamespace(unreadable=before), place=("t", 0)),
        records=records,
        rejected=rejected,
        profiled=SimpleNamespace(rejects=rejects),
        first=0,
        next=records,
    )


def test_one_bad_record_after_a_flood_is_no_flood() -> None:
    """The window still remembers 6,000 bad ones; of the 341 records that come now one is."""
    assert excess_of(chunk(FLOOD, 341, [7]), LIMITS) is None


def test_a_flood_that_goes_on_is_too_much_at_every_start() -> None:
    """Also in small chunks: nothing drains while nobody looks."""
    for records in (1, 5, 341):
        rejected = [n for n in range(records) if n % 5 < 3]
        assert excess_of(chunk(FLOOD, records, rejected), LIMITS) is not None


def test_it_is_over_when_the_window_says_so_not_at_the_first_good_record() -> None:
    """Otherwise every single bad record would begin another flood in the log."""
    assert not is_over(chunk(FLOOD, 341, []), LIMITS)
    later = FLOOD.after(4_000, [])
    assert is_over(chunk(later, 341, [7]), LIMITS)
    assert not is_over(chunk(later, 341, [340]), LIMITS)
