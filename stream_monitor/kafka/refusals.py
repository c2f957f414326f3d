"""For how long what a worker wants to commit has been refused, partition by partition.

The success of one partition says nothing about another: whose alerts or dead letters find no topic is refused for ever,
while the others go on.

>>> refusals = Refusals()
>>> refusals.refused([3], now=10.0), refusals.refused([4], now=40.0)
(0.0, 0.0)
>>> refusals.accepted([4])
>>> refusals.refused([3, 4], now=75.0)
65.0
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


@dataclass(slots=True)
class Refusals(Generic[Key]):
    """Since when each partition is refused."""

    _since: dict[Key, float] = field(default_factory=dict)

    def refused(self, keys: Iterable[Key], *, now: float) -> float:
        """Note that partitions were refused, and return the seconds since the first of them was refused at first.

        Args:
            keys: what was refused together.
            now: seconds of a clock that never goes back.
        """
        return max((now - self._since.setdefault(key, now) for key in keys), default=0.0)

    def longest(self, *, now: float) -> float:
        """Return the seconds since the first refusal of the partition that has been refused for longest."""
        return max((now - since for since in self._since.values()), default=0.0)

    def accepted(self, keys: Iterable[Key]) -> None:
        """Note that partitions were committed, or are not ours any more."""
        for key in keys:
            self._since.pop(key, None)
