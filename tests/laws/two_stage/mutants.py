"""Mutants: each protective rule of the protocol taken away, one at a time; the model must notice every one.

Every class or patch changes one thing. A mutant that the model cannot tell from the real thing would mean that the rule
protects nothing, or that the model is blind there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from stream_monitor.core.chain import ChainState
from stream_monitor.core.judge import Judge
from stream_monitor.core.judge.log import ledger as ledger_module
from stream_monitor.core.judge.log import source_chain as chain_module
from stream_monitor.core.judge.log.ledger import Ledger
from stream_monitor.core.judge.log.roster import Roster
from stream_monitor.core.judge.log.source_chain import Candidate, Chain, Decision, Tip
from stream_monitor.core.judge.stored import snapshot
from stream_monitor.core.profile import ProgressRecord
from tests.laws.two_stage.broker import Event
from tests.laws.two_stage.judging import JudgeWorker, PaneJudge
from tests.laws.two_stage.profiling import TOPIC_ID, Owned, ProfileWorker, Round

Patch = tuple[object, str, object]
"""Object, attribute and the value it gets."""


@dataclass(frozen=True)
class Mutant:
    """A rule taken away.

    Attributes:
        name: the rule.
        worker: the profile worker without it.
        judge: the judge worker without it.
        patches: what the fold is without it.
        late_copies: it protects against hidden late copies of commits.
        silent: without it something wrong is told in silence; it is no news that the judge stops.
    """

    name: str
    worker: type[ProfileWorker] = ProfileWorker
    judge: type[JudgeWorker] = JudgeWorker
    patches: Sequence[Patch] = ()
    late_copies: bool = False
    silent: bool = False


# --- profile ----------------------------------------------------------------------------------------------------------


class CommitBeforeFlush(ProfileWorker):
    """Commits a chunk whose records may still be on their way, and leaves them behind at the next assignment."""

    def may_commit(self, found: Round) -> bool:
        return True


class DeliveryErrorsIgnored(ProfileWorker):
    """Takes a flush that lost a record for a success."""

    def delivery_failed(self, partition: int) -> None:
        self.rounds[partition].flushed = True


class SameLease(ProfileWorker):
    """Writes under the lease of its predecessor."""

    def new_lease(self, chain: ChainState, partition: int) -> int:
        return max(1, chain.lease)


class RefusalIgnored(ProfileWorker):
    """Takes a refused commit for a success."""

    def answered(self, partition: int, after: Owned, *, accepted: bool) -> None:
        super().answered(partition, after, accepted=True)


class NoClientRestart(ProfileWorker):
    """Takes an unanswered commit for a failure and counts the same range again, as the same member."""

    def unanswered(self, partition: int) -> None:
        self.rounds.pop(partition, None)


class OwnedBeforeSuccess(ProfileWorker):
    """Goes on from a chunk before its commit is known to have succeeded."""

    def unanswered(self, partition: int) -> None:
        self.owned[partition] = self.rounds.pop(partition).after


class NoHealing(ProfileWorker):
    """Believes the committed state although the log names a later chunk."""

    def healed(self, partition: int, found: Owned) -> Owned:
        return found


class RestartsAtTheFirstChunk(ProfileWorker):
    """Begins a chain whose committed offset is lost again at its first chunk."""

    def lost(self, partition: int) -> Owned:
        return Owned(0, ChainState(TOPIC_ID))


class RestartsInTheFirstEpoch(ProfileWorker):
    """Takes a lost chain from the log, but not its epoch."""

    def lost(self, partition: int) -> Owned:
        found = super().lost(partition)
        return Owned(found.next, dataclasses.replace(found.chain, epoch=0))


class LostLeaseUsedAgain(ProfileWorker):
    """Takes the lease of a lost chain from the progress records in the log."""

    def unused_lease(self, chain: ChainState) -> int:
        return chain.lease


class NoWatermark(ProfileWorker):
    """Forgets the running maximum at every assignment."""

    def metadata(self, chain: ChainState) -> str:
        return dataclasses.replace(chain, max_ms=None).encode()


class NoIdleFact(ProfileWorker):
    """Forgets idle facts at every assignment."""

    def metadata(self, chain: ChainState) -> str:
        return dataclasses.replace(chain, idle_ms=None).encode()


class LatenessPerChunk(ProfileWorker):
    """Decides lateness by the newest event of the whole chunk."""

    def in_order(self, events: Sequence[Event]) -> Sequence[Event]:
        return sorted(events, key=lambda event: -event.at_ms)


# --- judge ------------------------------------------------------------------------------------------------------------


class FoldAtOnce(Chain):
    """Folds a chunk without waiting for a successor."""

    def decide(self, progress: ProgressRecord, log_offset: int) -> Decision:
        if self._stale(progress.source.epoch, progress.source.name):
            return Decision(self.tip, keep=False)
        half = self._halves.get((progress.source.epoch, progress.source.name))
        own = chain_module._complete(progress, half, log_offset)
        return Decision(Tip(0, progress.source.name, progress.next), folds=own)


class FirstCandidateWins(Chain):
    """Folds the first candidate of a place, whichever is named."""

    def decide(self, progress: ProgressRecord, log_offset: int) -> Decision:
        decision = super().decide(progress, log_offset)
        if decision.folds is None:
            return decision
        return dataclasses.replace(decision, folds=next(iter(self._candidates.values())))


_restore = snapshot.restore


def _unchecked(progress: ProgressRecord, half: object, log_offset: int) -> Candidate | None:
    assert half is None or isinstance(half, chain_module._Half)
    records = [] if half is None else [half.records[index][0] for index in sorted(half.records)]
    return Candidate(progress, tuple(records), log_offset if half is None else half.log_offset)


def _known_partitions_only(roster: Roster, stream: str) -> int | None:
    known = [ms for (topic, _), ms in roster.watermarks.items() if roster.stream(topic) == stream]
    return min(known, default=None)


class RestoredToTheEnd(JudgeWorker):
    """Restores silently to the end of the log instead of the committed position."""

    def restored_until(self) -> int:
        return len(self.broker.log)

    def restore(self) -> None:
        self.broker.judge_digest = None
        super().restore()


class LoudSilentFold(JudgeWorker):
    """Tells again what the silent fold says."""

    def silent(self, told: list[bytes]) -> None:
        self.pending = self.pending + told


class PositionOutsideTheTransaction(JudgeWorker):
    """Writes its alerts in one step and its position in the next, which a failure may skip."""

    def late(self, judge: PaneJudge) -> None:
        self.broker.alerts += self.pending


class ProducerKept(JudgeWorker):
    """Keeps its producer after an unknown commit: the late end of the old transaction takes new alerts along."""

    def late(self, judge: PaneJudge) -> None:
        self.broker.alerts += self.pending[: max(1, len(self.pending) // 2)]


def _without_open_panes(judge: Judge, sealed: bytes) -> None:
    """Restore a snapshot, but not its open panes."""
    _restore(judge, sealed)
    for panes in judge.ledger.panes.values():
        panes.panes.clear()


def _position(ledger: Ledger) -> int:
    return ledger.next_offset


MUTANTS = [
    Mutant("commit before flush", worker=CommitBeforeFlush),
    Mutant("delivery errors ignored", worker=DeliveryErrorsIgnored),
    Mutant("lease not raised", worker=SameLease),
    Mutant("commit answer ignored", worker=RefusalIgnored),
    Mutant("no client restart after an unanswered commit", worker=NoClientRestart),
    Mutant("owned changed before success", worker=OwnedBeforeSuccess),
    Mutant("log not read from `at` on assignment", worker=NoHealing, late_copies=True),
    Mutant("chain restarts at seq 1", worker=RestartsAtTheFirstChunk),
    Mutant("chain restarts in the first epoch", worker=RestartsInTheFirstEpoch),
    Mutant("lease of a lost chain used twice", worker=LostLeaseUsedAgain),
    Mutant("metadata without watermark", worker=NoWatermark),
    Mutant("metadata without idle_until", worker=NoIdleFact),
    Mutant("lateness per chunk", worker=LatenessPerChunk),
    Mutant("fold at once", patches=[(ledger_module, "Chain", FoldAtOnce)]),
    Mutant("first candidate wins", patches=[(ledger_module, "Chain", FirstCandidateWins)]),
    Mutant(
        "records unchecked",
        worker=DeliveryErrorsIgnored,
        patches=[(chain_module, "_complete", _unchecked)],
        silent=True,
    ),
    Mutant("no roster", patches=[(Roster, "watermark", _known_partitions_only)]),
    Mutant("snapshot at the read position", patches=[(Ledger, "replay_from", property(_position))]),
    Mutant("snapshot without open panes", patches=[(snapshot, "restore", _without_open_panes)]),
    Mutant("restore to the end of the log", judge=RestoredToTheEnd),
    Mutant("emit in the silent fold", judge=LoudSilentFold),
    Mutant("offsets outside the transaction", judge=PositionOutsideTheTransaction),
    Mutant("producer kept after a slow commit", judge=ProducerKept),
]
