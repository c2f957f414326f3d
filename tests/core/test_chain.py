"""The chain state travels as commit metadata and comes back as it was."""

from __future__ import annotations

import json

import pytest

from stream_monitor.core.canonical import canonical_json
from stream_monitor.core.chain import FIRST, ChainState, ChunkName
from stream_monitor.core.unreadable import Unreadable

REFERENCE = (
    '{"v": 1, "topic": "gW9K2u3ZQSGRrHkG9mJKLg", "epoch": 0, "lease": 5, "last": [163, 4], "at": 90210,'
    ' "max_ms": 1795331998000, "idle_ms": null, "limit": 200000, "grow_at": null, "trying": null}'
)


def test_the_reference_state_is_read_and_written_alike() -> None:
    """The example of the format's description survives a round trip to the byte."""
    state = ChainState.decode(REFERENCE)

    assert state.last == ChunkName(163, 4)
    assert canonical_json(json.loads(REFERENCE)).decode() == state.encode()


def test_the_largest_state_fits_the_commit_metadata() -> None:
    """Brokers cut off at 4096 bytes; ours stays below 512 with every field at its widest."""
    wide = 2**53
    state = ChainState(
        "x" * 22,
        epoch=10**6,
        lease=10**9,
        last=ChunkName(10**12, 10**9),
        at=wide,
        max_ms=wide,
        idle_ms=wide,
        grow_at=wide,
        trying=(wide, 200_000),
        tries=3,
        broker_ms=wide,
        unreadable=Unreadable(999, 999, 10**9, (1_000,) * 9),
    )

    assert ChainState.decode(state.encode()) == state
    assert len(state.encode()) < 512


def test_unknown_keys_are_ignored() -> None:
    """A newer worker may have added a key; an older one still starts."""
    later = json.dumps(json.loads(REFERENCE) | {"colour": "blue"})

    assert ChainState.decode(later) == ChainState.decode(REFERENCE)


@pytest.mark.parametrize("text", ["", "null", "{}", "[1]", REFERENCE.replace('"v": 1', '"v": 2'), "\udcff"])
def test_anything_else_is_refused(text: str) -> None:
    """Metadata of another program, or of a later format, must not start a chain."""
    with pytest.raises(ValueError, match="chain state"):
        ChainState.decode(text)


@pytest.mark.parametrize(
    ("max_ms", "idle_ms", "expected"),
    [
        (None, None, None),  # nothing was seen: null holds panes open
        (100_000, None, 70_000),  # the running maximum, less the lateness
        (None, 50_000, 50_000),  # only broker time has spoken
        (100_000, 90_000, 90_000),  # broker time is ahead
        (100_000, 20_000, 70_000),  # and never sets the watermark back
    ],
)
def test_the_watermark_is_the_later_of_events_and_broker_time(
    max_ms: int | None, idle_ms: int | None, expected: int | None
) -> None:
    """The watermark follows the events less the allowed lateness, or an idle fact, whichever is later."""
    assert expected == ChainState("t", max_ms=max_ms, idle_ms=idle_ms).watermark_ms(30_000)


def test_the_first_chunk_names_nothing() -> None:
    """The first chunk of a chain has the predecessor (0, 0)."""
    assert ChainState("t").last == FIRST == ChunkName(0, 0)
