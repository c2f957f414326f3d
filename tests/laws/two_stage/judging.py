"""A judge worker: folds the log, writes alerts with its position in one transaction, and is restored from snapshots.

Its fold is the real one; instead of detectors it tells every closed pane, event by event, so that nothing doubled or
lost can hide.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from stream_monitor.core.canonical import canonical_json
from stream_monitor.core.judge import AlertEvent, Judge, Output, StoredEntry
from stream_monitor.core.judge.log.open_panes import ClosedPane
from stream_monitor.core.plan import Plan
from tests.laws.two_stage.broker import Broker


class Outcome(StrEnum):
    """What became of a transaction."""

    COMMITTED = "committed"
    ABORTED = "aborted"
    UNKNOWN_COMMITTED = "unknown_committed"
    UNKNOWN_LOST = "unknown_lost"
    UNKNOWN_LATE = "unknown_late"


class PaneJudge(Judge):
    """The fold without detectors: a closed pane is told as the ids of its events and the number of late ones."""

    def _close(self, pane: ClosedPane) -> list[Output]:
        ids = [row.event_id for profile in pane.profiles.values() for row in profile.examples]
        events = sum(profile.events for profile in pane.profiles.values())
        value = canonical_json([pane.start_ms, sorted(ids), events, sum(pane.late.values())])
        self._roll(pane, [])
        return [AlertEvent(b"", value, pane.end_ms)] if events or pane.late else []


@dataclass
class JudgeWorker:
    """One process."""

    plan: Plan
    broker: Broker
    judge_class: type[PaneJudge] = PaneJudge
    judge: PaneJudge | None = None
    next: int = 0
    pending: list[bytes] = field(default_factory=list)

    def fold(self, count: int) -> None:
        """Fold the next entries of the log aloud."""
        if self.judge is None:
            self.restore()
        assert self.judge is not None
        for entry in self.broker.log[self.next : self.next + count]:
            self.pending += self._told(self.judge, entry)
            self.next = entry.offset + 1

    def commit(self, outcome: Outcome, *, snapshot: bool) -> None:
        """Write alerts, position, digest and maybe a snapshot in one transaction."""
        if self.judge is None:
            return
        if outcome in (Outcome.COMMITTED, Outcome.UNKNOWN_COMMITTED):
            self.apply(self.judge, snapshot=snapshot)
        if outcome is Outcome.UNKNOWN_LATE:
            self.late(self.judge)
        if outcome is Outcome.COMMITTED:
            self.pending = []
        else:
            self.crash()

    def crash(self) -> None:
        """Lose the memory; the only way back is `restore`."""
        self.judge, self.pending = None, []

    def restore(self) -> None:
        """Take the newest snapshot at or before the committed position and fold silently up to it."""
        until = self.restored_until()
        states = [state for position, state in self.broker.snapshots if position <= until]
        judge = self._new(states[-1] if states else None)
        for entry in self.broker.log[judge.next_offset : until]:
            self.silent(self._told(judge, entry))
        if self.broker.judge_digest is not None:
            assert judge.digest == self.broker.judge_digest, "the restored state differs from the committed one"
        self.judge, self.next = judge, until

    # --- what mutants change ------------------------------------------------------------------------------------------

    def apply(self, judge: PaneJudge, *, snapshot: bool) -> None:
        """Make a transaction visible: all of it."""
        self.broker.alerts += self.pending
        self.broker.judge_next, self.broker.judge_digest = self.next, judge.digest
        if snapshot:
            self.broker.snapshots.append((self.next, judge.dump()))

    def late(self, judge: PaneJudge) -> None:
        """Let a held EndTxn arrive late: the client restart has fenced it, so nothing happens."""

    def restored_until(self) -> int:
        """Return the position up to which everything was told."""
        return self.broker.judge_next

    def silent(self, told: list[bytes]) -> None:
        """Drop what a silent fold says: it was said before."""

    def _new(self, state: bytes | None) -> PaneJudge:
        return self.judge_class(self.plan, partition=0, partitions=1, source="", schedule=lambda _: None, state=state)

    def _told(self, judge: PaneJudge, entry: StoredEntry) -> list[bytes]:
        return [out.value for out in judge.fold(entry) if isinstance(out, AlertEvent)]
