"""A judge that counts: small enough to see by hand what exactly once means, with the protocol of the real one.

An entry counts when the next one names it, as a chunk does; every third counted entry is an alert that carries the
running total. The tests of the worker's transactions use it, those of alerts the real one.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from stream_monitor.core.baseline import Baseline
from stream_monitor.core.judge import (
    AlertEvent,
    AlertState,
    ChainGap,
    JudgeView,
    Output,
    SnapshotRefused,
    StoredEntry,
)
from stream_monitor.core.plan import Plan


def entry_value(seq: int, number: int, time_ms: int) -> bytes:
    """Return the value of one log entry of the counting protocol; its predecessor has the sequence number before."""
    return json.dumps({"seq": seq, "number": number, "time_ms": time_ms}).encode()


@dataclass(frozen=True, slots=True)
class OpenedState:
    """A state of the counting judge as far as its context looks at it: no detector of the user's is in it."""

    groups: tuple[tuple[str, bytes, bytes], ...] = ()


def opened(_: bytes) -> OpenedState:
    """Stand in for what opens a state of the real judge."""
    return OpenedState()


class CountingJudge:
    """Folds numbers into a total."""

    def __init__(
        self,
        plan: Plan,
        *,
        partition: int,
        partitions: int,
        source: str,
        schedule: Callable[[str], Baseline | None],
        rules: Mapping[str, object] | None = None,
        detectors: Mapping[str, object] | None = None,
        state: bytes | None = None,
    ) -> None:
        self.plan = plan
        self._partition = partition
        self._folded, self._total, self._digest, self.next_offset = 0, 0, "", 0
        self._waiting: tuple[int, int, int, int] | None = None
        if state is not None:
            try:
                restored = json.loads(state)
            except ValueError as error:
                raise SnapshotRefused("corrupt", "not JSON") from error
            self._folded, self._total, self._digest, self.next_offset = restored["fold"]

    def fold(self, entry: StoredEntry) -> list[Output]:
        if entry.offset < self.next_offset:
            return []
        content = json.loads(entry.value)
        seq, number = content["seq"], content["number"]
        newest = self._waiting[0] if self._waiting is not None else self._folded
        if seq <= self._folded:
            self.next_offset = entry.offset + 1
            return []
        if seq != newest + 1:
            raise ChainGap("input", 0, named=(seq - 1, 1), offset=entry.offset, detail=f"newest is {newest}")
        outputs = self._count(*self._waiting[:3]) if self._waiting is not None else []
        self._waiting = (seq, number, content["time_ms"], entry.offset)
        self.next_offset = entry.offset + 1
        return outputs

    @property
    def replay_from(self) -> int:
        return self.next_offset if self._waiting is None else self._waiting[3]

    def dump(self) -> bytes:
        # Padding makes a snapshot of several blocks.
        fold = [self._folded, self._total, self._digest, self.replay_from]
        return json.dumps({"fold": fold, "padding": [self._folded] * 100}).encode()

    @property
    def digest(self) -> str:
        return self._digest

    @property
    def rolling(self) -> bytes:
        return self._digest.encode()

    @property
    def chains(self) -> dict[str, list[int]]:
        return {"input/0": [0, self._folded, 1, self.next_offset]}

    @property
    def proposed(self) -> Mapping[tuple[str, str], str]:
        return {}

    def clear_counters(self) -> None:
        pass

    def view(self) -> JudgeView:
        return JudgeView(self._partition)

    def _count(self, seq: int, number: int, time_ms: int) -> list[Output]:
        self._folded, self._total = seq, self._total + number
        self._digest = hashlib.sha256(f"{self._digest}{seq}{number}".encode()).hexdigest()
        if seq % 3:
            return []
        event = json.dumps({"id": f"{self._partition}-{seq}", "total": self._total}).encode()
        key = f"{self._partition}".encode()
        return [AlertEvent(key, event, time_ms), AlertState(key, event, time_ms)]
