"""A judge that never lives longer than a pane: after each one its state is written down and another judge goes on."""

from __future__ import annotations

from typing import Any

from stream_monitor.core.judge import Judge, Output, StoredEntry
from stream_monitor.core.plan import Plan


class RestoringJudge(Judge):
    """As a worker does that writes a snapshot at each pane and is then started again.

    Every restore is held to its law: the same bytes and digest, and nothing said while the log is read again.
    """

    def __init__(self, plan: Plan, **given: Any) -> None:
        super().__init__(plan, **given)
        self._given = given
        self._entries: list[StoredEntry] = []
        self.restores = 0

    def fold(self, entry: StoredEntry) -> list[Output]:
        """Fold an entry, and be restored if it closed a pane."""
        before = self.rolling
        self._entries.append(entry)
        outputs = super().fold(entry)
        if self.rolling != before:
            self.restore()
        return outputs

    def restore(self) -> None:
        """Become another judge that has read this one's state."""
        state = self.dump()
        self._entries = [entry for entry in self._entries if entry.offset >= self.replay_from]
        other = Judge(self.plan, **{**self._given, "state": state})
        replayed = [out for entry in self._entries for out in other.fold(entry)]
        assert replayed == []
        assert (other.dump(), other.digest, other.next_offset) == (state, self.digest, self.next_offset)
        other.counters.update(self.counters)
        self.restores += 1
        vars(self).update(vars(other))
