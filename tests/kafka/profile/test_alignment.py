"""Which partitions wait for the slowest."""

from __future__ import annotations

from stream_monitor.kafka.profile.alignment import Progress, too_far_ahead

SLOW, NEAR, FAR = Progress(0, False), Progress(600_000, False), Progress(600_001, False)


def test_who_is_too_far_ahead_waits() -> None:
    """The limit itself is not too far; a partition at its end waits as well, its next records would be far ahead."""
    partitions = {"slow": SLOW, "near": NEAR, "far": FAR, "done": Progress(9_000_000, True)}

    assert too_far_ahead(partitions, max_ahead_ms=600_000) == {"far", "done"}


def test_nobody_waits_for_a_partition_at_its_end() -> None:
    """It may have nothing for days."""
    assert too_far_ahead({"done": Progress(0, True), "far": FAR}, max_ahead_ms=1_000) == set()


def test_everybody_waits_for_a_partition_that_has_not_told_its_time() -> None:
    """Its records are there and may be the oldest; an empty one is at its end."""
    untold, empty = Progress(None, False), Progress(None, True)

    assert too_far_ahead({"untold": untold, "far": FAR, "near": NEAR}, max_ahead_ms=10**9) == {"far", "near"}
    assert too_far_ahead({"empty": empty, "far": FAR}, max_ahead_ms=1) == set()
    assert too_far_ahead({}, max_ahead_ms=1) == set()
