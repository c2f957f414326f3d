"""Smaller chunks after the broker has refused a record of one for what it is (step 15).

Only such refusals count: a rebalance or a timeout says nothing about a chunk's size. The third refusal at one offset
makes the chunk an eighth, the next three a single event, the next three send that event to the dead letters.

>>> shrinking = Shrinking()
>>> for _ in range(3): shrinking.learn(RecordRefused(("in", 0), "too large"), {("in", 0): (70, 800)})
>>> shrinking.limit(("in", 0), 70), shrinking.limit(("in", 0), 900) > 800
(100, True)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from stream_monitor.core.chain import CHUNK_LIMIT
from stream_monitor.kafka.errors import Misconfigured, RoundFailed
from stream_monitor.kafka.profile.owned import InputPartition
from stream_monitor.kafka.profile.writing import RecordRefused

REFUSALS = 3
DIVISOR = 8


@dataclass(slots=True)
class _Refused:
    first: int
    times: int = 0
    limit: int | None = CHUNK_LIMIT


class Shrinking:
    """Limits of chunks, by partition and the offset at which they were refused."""

    def __init__(self) -> None:
        self._refused: dict[InputPartition, _Refused] = {}

    def limit(self, place: InputPartition, first: int) -> int | None:
        """Return the most records that a chunk beginning at an offset may hold; None: not even its first record."""
        refused = self._refused.get(place)
        return CHUNK_LIMIT if refused is None or refused.first != first else refused.limit

    def learn(self, error: RoundFailed, tried: Mapping[InputPartition, tuple[int, int]]) -> None:
        """Learn why a round failed, and what it tried: first offset and records of each partition's chunk.

        Raises:
            Misconfigured: even a chunk that only puts one event aside is refused.
        """
        if not isinstance(error, RecordRefused):
            return
        first, records = tried[error.place]
        refused = self._refused.get(error.place)
        if refused is None or refused.first != first:
            refused = self._refused[error.place] = _Refused(first)
        refused.times += 1
        if refused.times % REFUSALS == 0:
            match refused.times // REFUSALS:
                case 1:
                    refused.limit = max(1, records // DIVISOR)
                case 2:
                    refused.limit = 1
                case 3:
                    refused.limit = None
                case _:
                    raise Misconfigured(
                        f"{error}: the topic takes not even the counts of one event: max.message.bytes?"
                    )
