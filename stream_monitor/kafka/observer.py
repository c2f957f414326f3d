"""What a worker tells the world about itself, after each commit: metrics and probes listen here.

A worker calls its observer from its own thread; an observer must not block and must not raise.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from stream_monitor.kafka.errors import RestartReason

if TYPE_CHECKING:
    from stream_monitor.core.judge.view.judge_view import JudgeView
    from stream_monitor.core.profile import ProfiledChunk


class Loop(StrEnum):
    """The loops of the product: the label of `last_progress_timestamp_seconds` and `commits_total`."""

    PROFILE = "profile"
    JUDGE = "judge"
    RELAY = "relay"


class CommitOutcome(StrEnum):
    """What is known of a commit: the label of `commits_total`."""

    DONE = "done"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class RebalanceEvent(StrEnum):
    """A change of ownership: the label of `rebalances_total`."""

    ASSIGNED = "assigned"
    REVOKED = "revoked"
    LOST = "lost"


class ChunkStage(StrEnum):
    """A part of the work on a chunk: the label of `chunk_duration_seconds`."""

    DECODE = "decode"
    PROFILE = "profile"
    COMMIT = "commit"


class Observer(Protocol):
    """Listener of a worker; everything it hears is committed unless it says otherwise."""

    def chunk(self, topic: str, partition: int, *, value_bytes: int, chunk: ProfiledChunk) -> None:
        """One chunk was committed: its records, events and rejects count from now on."""

    def judged(self, view: JudgeView) -> None:
        """A judge partition was committed in this state."""

    def commit(self, loop: Loop, outcome: CommitOutcome) -> None:
        """A commit was answered, refused, or left unanswered."""

    def rebalance(self, event: RebalanceEvent) -> None:
        """Partitions came or went (not committed; at once)."""

    def released(self, loop: Loop, topic: str, partition: int) -> None:
        """A partition is not this worker's any more: its series must vanish here."""

    def lag(self, topic: str, partition: int, records: int) -> None:
        """Records between the committed offset and the end of a partition."""

    def watermark(self, topic: str, partition: int, ms: int | None) -> None:
        """Event time up to which an input partition is complete; None before its first event."""

    def chunk_limit(self, topic: str, partition: int, records: int) -> None:
        """The next chunk of an input partition may hold so many records."""

    def input_gap(self, topic: str, offsets: int) -> None:
        """Offsets of an input topic were deleted before they were counted, and the group goes on behind them."""

    def dead_letter(self, topic: str, reason: str) -> None:
        """A record of an input topic was committed to the dead letters."""

    def duration(self, stage: ChunkStage, seconds: float) -> None:
        """A stage of one chunk took this long."""

    def kafka_error(self, code: str) -> None:
        """The client reported an error (at once)."""

    def restart(self, reason: RestartReason) -> None:
        """The clients are being rebuilt (at once)."""

    def progress(self, loop: Loop) -> None:
        """The loop came round (at once); an idle poll is progress."""

    def readiness(self, loop: Loop, *, ready: bool, detail: str) -> None:
        """Partitions are assigned and state is restored, or not yet and why (at once)."""

    def restored(self, seconds: float) -> None:
        """A restore of judge state took this long."""

    def chain_gap(self, topic: str) -> None:
        """The judge of a partition stopped: a chunk of this topic names an unknown predecessor."""

    def diverged(self) -> None:
        """A restored state differs from what was committed."""


class NullObserver:
    """Hears everything, does nothing; the default of the workers and a base for listeners of a few events."""

    def chunk(self, topic: str, partition: int, *, value_bytes: int, chunk: ProfiledChunk) -> None:
        """Do nothing."""

    def judged(self, view: JudgeView) -> None:
        """Do nothing."""

    def commit(self, loop: Loop, outcome: CommitOutcome) -> None:
        """Do nothing."""

    def rebalance(self, event: RebalanceEvent) -> None:
        """Do nothing."""

    def released(self, loop: Loop, topic: str, partition: int) -> None:
        """Do nothing."""

    def lag(self, topic: str, partition: int, records: int) -> None:
        """Do nothing."""

    def watermark(self, topic: str, partition: int, ms: int | None) -> None:
        """Do nothing."""

    def chunk_limit(self, topic: str, partition: int, records: int) -> None:
        """Do nothing."""

    def input_gap(self, topic: str, offsets: int) -> None:
        """Do nothing."""

    def dead_letter(self, topic: str, reason: str) -> None:
        """Do nothing."""

    def duration(self, stage: ChunkStage, seconds: float) -> None:
        """Do nothing."""

    def kafka_error(self, code: str) -> None:
        """Do nothing."""

    def restart(self, reason: RestartReason) -> None:
        """Do nothing."""

    def progress(self, loop: Loop) -> None:
        """Do nothing."""

    def readiness(self, loop: Loop, *, ready: bool, detail: str) -> None:
        """Do nothing."""

    def restored(self, seconds: float) -> None:
        """Do nothing."""

    def chain_gap(self, topic: str) -> None:
        """Do nothing."""

    def diverged(self) -> None:
        """Do nothing."""
