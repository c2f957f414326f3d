"""What can stop a judge: a hole in the log, a snapshot that cannot be used, a baseline that nobody has."""

from __future__ import annotations


class JudgeError(Exception):
    """The judge of this partition cannot go on; the state before the failing entry is still whole."""


class ChainGap(JudgeError):
    """A chunk names a predecessor that this log does not hold, or does not start where it ended.

    Raised before anything changed: folding the same entry again raises it again.

    Attributes:
        topic: source topic of the broken chain.
        partition: source partition.
        named: (seq, lease) of the predecessor that was named.
        offset: log offset of the progress record that names it.
        detail: what was expected, in words.
    """

    def __init__(self, topic: str, partition: int, *, named: tuple[int, int], offset: int, detail: str) -> None:
        self.topic = topic
        self.partition = partition
        self.named = named
        self.offset = offset
        self.detail = detail
        super().__init__(
            f"chain gap in {topic}-{partition}: the chunk at log offset {offset} names {named[0]}/{named[1]}, {detail}"
        )


class SnapshotRefused(JudgeError):
    """A snapshot cannot be resumed from; try the other slot, or fold the log from its start.

    Attributes:
        reason: `corrupt`, `format`, `plan`, `partitions` or `detectors`.
    """

    def __init__(self, reason: str, detail: str) -> None:
        self.reason = reason
        super().__init__(f"snapshot refused ({reason}): {detail}")


class UnknownBaseline(JudgeError):
    """A profile was counted with a baseline whose document the schedule does not hold (yet): read on and fold again."""

    def __init__(self, baseline_id: str) -> None:
        self.baseline_id = baseline_id
        super().__init__(f"baseline {baseline_id} is not in the schedule")
