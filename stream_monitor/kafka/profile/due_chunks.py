"""When the chunks of owned partitions are written: by age, by size, and empty ones for news without records."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from stream_monitor.kafka.profile.owned import OwnedPartition
from stream_monitor.kafka.profile.policy import Tuning
from stream_monitor.kafka.profile.round import Round


class DueChunks:
    """Says what is due, and how long the loop may wait for records.

    Args:
        tuning: ages and sizes.
        round_: knows which partitions count in small chunks.
    """

    def __init__(self, tuning: Tuning, round_: Round) -> None:
        self._tuning = tuning
        self._round = round_

    def wait_s(self, counting: Iterable[OwnedPartition], now: float) -> float:
        """Return how many seconds the loop may wait for records."""
        due = min(map(self._due_at, counting), default=now + self._tuning.poll_s)
        return max(0.0, min(self._tuning.poll_s, due - now))

    def of(self, counting: Sequence[OwnedPartition], now: float) -> list[OwnedPartition]:
        """Return the partitions whose chunks are to be written now, in one round.

        A limited partition does not draw the others into its many small rounds.
        """
        tuning = self._tuning
        overdue = [p for p in counting if now >= self._due_at(p)]
        is_full = (
            sum(len(p.pending) for p in counting) >= tuning.chunk_records
            or sum(p.pending.bytes for p in counting) >= tuning.chunk_bytes
        )
        if is_full or not all(len(p.pending) and self._round.is_limited(p) for p in overdue):
            return [p for p in counting if len(p.pending) or now + self._slack_s() >= p.empty_due_at]
        return overdue

    def _due_at(self, partition: OwnedPartition) -> float:
        since = partition.pending.since
        if since is None:
            return partition.empty_due_at
        return since if self._round.is_limited(partition) else since + self._tuning.chunk_age_s

    def _slack_s(self) -> float:
        """Return how much earlier an empty chunk may come to share a commit with others."""
        return self._tuning.quiet_s / 4
