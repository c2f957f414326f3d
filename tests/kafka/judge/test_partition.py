"""A live partition of the judge: each record of the log once."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

from stream_monitor.core.judge import Output, StoredEntry
from stream_monitor.kafka.judge.partition import LivePartition
from stream_monitor.kafka.judge.restore import Restored


@dataclass(frozen=True)
class Record:
    """What a fold reads of a message of the client."""

    at: int

    def offset(self) -> int:
        return self.at

    def timestamp(self) -> tuple[int, int]:
        return 2, 1_000

    def key(self) -> bytes | None:
        return None

    def value(self) -> bytes | None:
        return b"{}"


def test_records_below_the_position_are_dropped() -> None:
    """A client that is assigned anew may give records again: nothing is folded, and the position does not go back."""
    folded: list[int] = []

    def fold(_: object, entry: StoredEntry) -> list[Output]:
        folded.append(entry.offset)
        return []

    context = SimpleNamespace(fold=fold, clock=lambda: 0.0)
    restored = Restored(SimpleNamespace(), 5, None, {}, frozenset(), 0.0)  # type: ignore[arg-type]  # its fold is above
    partition = LivePartition(context, 0, restored)  # type: ignore[arg-type]  # what a fold needs
    positions = []
    for at in (3, 4, 5, 6, 5, 3, 7):
        partition.fold(Record(at))  # type: ignore[arg-type]  # likewise
        positions.append(partition.next_offset)

    assert folded == [5, 6, 7]
    assert positions == [5, 5, 6, 7, 7, 7, 8]
