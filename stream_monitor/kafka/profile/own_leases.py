"""The leases that this process took: what they left behind is no crash of another worker.

>>> leases = OwnLeases()
>>> leases.add(("events", 0), 7)
>>> leases.has(("events", 0), 7), leases.has(("events", 0), 6), leases.has(("events", 1), 7)
(True, False, False)
"""

from __future__ import annotations

from collections import deque
from typing import Final

from stream_monitor.kafka.profile.owned import InputPartition

KEPT: Final = 16
"""Newest leases kept of each partition. A committed state is of the newest one, or, where a late copy of a commit has
set it back, of one shortly before: a worker that lives for months must not remember each of them."""


class OwnLeases:
    """Remembers the newest leases of each partition, over all lives of a worker's clients."""

    def __init__(self) -> None:
        self._newest: dict[InputPartition, deque[int]] = {}

    def add(self, place: InputPartition, lease: int) -> None:
        """Note that a lease of a partition was taken, which is one commit."""
        self._newest.setdefault(place, deque(maxlen=KEPT)).append(lease)

    def has(self, place: InputPartition, lease: int) -> bool:
        """Say whether a lease of a partition was taken by this process."""
        return lease in self._newest.get(place, ())

    def __len__(self) -> int:
        """Return how many leases are remembered, over all partitions."""
        return sum(map(len, self._newest.values()))
