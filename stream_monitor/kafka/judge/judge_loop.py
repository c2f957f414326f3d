"""One life of a judge worker's clients: the loop between subscribing and leaving (steps 8 to 12 of docs/protocol.md).

Partitions come through a restore and go live at the committed position. Whatever fails, the partition in hand is
dropped and restored again: there is no undo. State that was not committed is never shown.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Protocol

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition
from confluent_kafka.admin import AdminClient

from stream_monitor.core.judge import ChainGap
from stream_monitor.kafka.clients import close_consumer
from stream_monitor.kafka.errors import (
    ClientRestart,
    HistoryUnusable,
    RestartReason,
    RoundFailed,
    Stop,
    is_transient,
    stop_for,
)
from stream_monitor.kafka.judge.context import JudgeContext
from stream_monitor.kafka.judge.partition import LivePartition, Portion
from stream_monitor.kafka.judge.restore import Restored, restore
from stream_monitor.kafka.judge.stored_state import Steps
from stream_monitor.kafka.observer import Loop, RebalanceEvent
from stream_monitor.kafka.refusals import Refusals
from stream_monitor.kafka.unwrapped import unwrapped

_LOG = logging.getLogger("stream_monitor.kafka.judge")
_REFUSED_S = 60.0
_ASK_EVERY_S = 2.0
_ASK_S = 0.5


class JudgeWriter(Protocol):
    """Commits portions of several partitions at once."""

    def commit(self, portions: Sequence[Portion], *, timeout_s: float) -> None:
        """Write everything and move the input offsets, as one step.

        Raises:
            RoundFailed: certainly not done.
            ClientRestart: not known.
            Stop: the process cannot go on.
        """

    def poll(self) -> None:
        """Serve callbacks; between commits."""

    def leave(self) -> None:
        """Let go of the producer, without ending a transaction whose fate is not known."""


class JudgeLoop:
    """The loop over one consumer and one writer.

    Args:
        context: of the worker.
        consumer: a member of the judge's group, not subscribed yet.
        admin: asks for ends of logs.
        writer: commits.
        revoke_budget_s: how long a commit may hold up a rebalance.
    """

    def __init__(
        self,
        context: JudgeContext,
        consumer: Consumer,
        admin: AdminClient,
        *,
        writer: JudgeWriter,
        revoke_budget_s: float,
    ) -> None:
        self._context = context
        self._consumer = consumer
        self._admin = admin
        self._writer = writer
        self._revoke_budget_s = revoke_budget_s
        self._live: dict[int, LivePartition] = {}
        self._restoring: dict[int, Steps[Restored]] = {}
        self._deferred: Exception | None = None
        self._is_leaving = False
        self._last_commit = context.clock()
        self._refusals: Refusals[int] = Refusals()
        self._asks_at = 0.0
        self._readiness: tuple[bool, str] | None = None

    def run(self, is_stopping: Callable[[], bool]) -> None:
        """Fold and commit until told to stop; then commit a last time, with a snapshot of every partition.

        Raises:
            ClientRestart: begin again with new clients.
            Stop: the process ends; a partition with a chain gap makes it one at the latest here.
        """
        self._consumer.subscribe(
            [self._context.job.topics.profiles],
            on_assign=self._on_assign,
            on_revoke=self._on_revoke,
            on_lost=self._on_lost,
        )
        while not is_stopping():
            self._turn()
        self._finish()

    def close(self) -> None:
        """Leave the group without a commit."""
        self._is_leaving = True
        for partition in (*self._live, *self._restoring):
            self._context.job.observer.released(Loop.JUDGE, self._context.job.topics.profiles, partition)
        self._drop_all()
        close_consumer(self._consumer)
        self._writer.leave()

    def _turn(self) -> None:
        self._context.job.observer.progress(Loop.JUDGE)
        wait_s = 0.0 if self._restoring else self._context.job.tuning.poll_s
        for message in unwrapped(lambda: self._consumer.consume(self._context.job.tuning.batch, wait_s)):
            self._take(message)
        if self._deferred is not None:
            raise self._deferred
        self._context.job.failpoints.reach("judge.folded")
        self._restore_slice()
        self._commit_if_due()
        self._stop_if_all_broken()
        self._writer.poll()
        unwrapped(lambda: self._admin.poll(0))  # its log lines wait for it
        self._ask_for_brokers()
        self._report_readiness()

    def _ask_for_brokers(self) -> None:
        """Ask now and then whether brokers are back: a log that nobody writes to would not say so."""
        if self._context.outage.suspected and self._context.clock() >= self._asks_at:
            self._asks_at = self._context.clock() + _ASK_EVERY_S
            with suppress(KafkaException):
                self._consumer.list_topics(self._context.job.topics.profiles, timeout=_ASK_S)
                self._context.outage.answered()

    def _take(self, message: Message) -> None:
        error = message.error()
        partition = message.partition()
        if error is not None:
            self._note(error, partition, message.offset())
            return
        self._context.outage.answered()
        live = self._live.get(partition) if partition is not None else None
        if live is None:
            return
        try:
            live.fold(message)
        except ChainGap as gap:
            _LOG.error("partition %d stops: %s", live.partition, gap)
            self._context.job.observer.chain_gap(gap.topic)

    def _note(self, error: KafkaError, partition: int | None, offset: int | None) -> None:
        if error.code() == KafkaError._PARTITION_EOF:
            if partition in self._live and offset is not None:
                lag = max(0, offset - self._live[partition].committed_offset)
                self._context.job.observer.lag(self._context.job.topics.profiles, partition, lag)
            return
        if error.code() in (KafkaError._AUTO_OFFSET_RESET, KafkaError.OFFSET_OUT_OF_RANGE):
            where = f"{self._context.job.topics.profiles}[{partition}]"
            raise HistoryUnusable(
                f"{where}: history lost: the committed position is not in the log any more; run"
                " 'stream-monitor recover gap' to go on behind the loss"
            )
        stop = stop_for(error, f"consume {self._context.job.topics.profiles}", name=self._context.job.name)
        if stop is not None:
            raise stop
        self._context.note_error(error)
        if not is_transient(error) and error.code() != KafkaError._MAX_POLL_EXCEEDED:
            raise ClientRestart(RestartReason.ERROR, error.str())

    # Commit.

    def _commit_if_due(self) -> None:
        live = list(self._live.values())
        tuning = self._context.job.tuning
        since_s = self._context.clock() - self._last_commit
        if not any(p.is_dirty for p in live):
            return
        is_full = sum(p.pending_bytes for p in live) >= tuning.transaction_bytes
        is_urgent = any(p.is_urgent for p in live) and since_s >= tuning.alert_gap_s
        if is_full or is_urgent or since_s >= tuning.commit_every_s:
            self._commit_or_drop([p for p in live if p.is_dirty])

    def _commit_or_drop(self, live: Sequence[LivePartition]) -> None:
        try:
            self._commit(live, timeout_s=self._context.job.tuning.flush_s)
        except RoundFailed as error:
            _LOG.warning("%s: round dropped: %s", self._context.job.name, error)
            self._fail([p.partition for p in live])

    def _commit(self, live: Sequence[LivePartition], *, timeout_s: float) -> None:
        """Commit partitions in transactions of limited size, each answered in time.

        Raises:
            RoundFailed: one of them was refused; those before it are committed.
        """
        for portions in self._cut(live):
            self._writer.commit(portions, timeout_s=timeout_s)
            self._context.outage.answered()
            self._last_commit = self._context.clock()
            for portion in portions:
                self._refusals.accepted([portion.partition])
                self._show(self._live[portion.partition], portion)

    def _cut(self, live: Sequence[LivePartition]) -> Iterable[list[Portion]]:
        limit = self._context.job.tuning.transaction_bytes
        portions: list[Portion] = []
        size = 0
        for partition in live:
            portion = partition.portion(max(0, limit - size - partition.pending_bytes))
            portions.append(portion)
            size += portion.size
            if size >= limit:
                yield portions
                portions, size = [], 0
        if portions:
            yield portions

    def _show(self, live: LivePartition, portion: Portion) -> None:
        observer = self._context.job.observer
        observer.judged(live.committed(portion))
        position = live.position
        _, end = self._consumer.get_watermark_offsets(TopicPartition(position.topic, position.partition), cached=True)
        if end >= 0:
            observer.lag(position.topic, position.partition, max(0, end - portion.next_offset))

    def _fail(self, partitions: Sequence[int]) -> None:
        """Drop partitions whose round was refused and restore them; after a minute of it, take new clients.

        They look at the topics first, so a topic that is gone ends the worker with its name.
        """
        refused_s = self._refusals.refused(partitions, now=self._context.clock())
        if refused_s > _REFUSED_S:
            raise ClientRestart(RestartReason.ASSIGNMENT_LOST, f"commits refused for {refused_s:.0f} s")
        self._unassign(partitions)
        for partition in partitions:
            self._live.pop(partition, None)
            self._context.job.observer.released(Loop.JUDGE, self._context.job.topics.profiles, partition)
            self._begin_restore(partition)

    def _stop_if_all_broken(self) -> None:
        """End when every partition waits for somebody to mend its chain; what comes before the gaps is committed."""
        gaps = [p.gap for p in self._live.values() if p.gap is not None]
        if gaps and len(gaps) == len(self._live) and not self._restoring:
            self._finish()

    # Restore.

    def _begin_restore(self, partition: int) -> None:
        self._restoring[partition] = restore(self._context, self._consumer, self._admin, partition=partition)

    def _restore_slice(self) -> None:
        """Work on the first partition that waits, for a while."""
        until = time.monotonic() + self._context.job.tuning.restore_slice_s
        while self._restoring and time.monotonic() < until:
            partition, steps = next(iter(self._restoring.items()))
            try:
                next(steps)
            except StopIteration as finished:
                del self._restoring[partition]
                self._go_live(partition, finished.value)

    def _go_live(self, partition: int, restored: Restored) -> None:
        live = LivePartition(self._context, partition, restored)
        self._consumer.incremental_assign([live.position])
        self._live[partition] = live
        self._context.job.observer.restored(restored.seconds)
        self._context.job.observer.judged(live.view())
        _LOG.info("partition %d is live at %d after %.1f s", partition, restored.next_offset, restored.seconds)

    # Rebalance: callbacks run inside consume and must not raise.

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        consumer.incremental_assign([])  # the loop assigns what it has restored
        self._context.job.observer.rebalance(RebalanceEvent.ASSIGNED)
        for each in partitions:
            self._begin_restore(each.partition)

    def _on_revoke(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._context.job.observer.rebalance(RebalanceEvent.REVOKED)
        self._context.job.failpoints.reach("judge.revoke")
        leaving = [self._live[p.partition] for p in partitions if p.partition in self._live]
        if not self._is_leaving and self._deferred is None:
            try:
                self._commit_snapshots(leaving, self._revoke_budget_s)
            except RoundFailed as error:
                _LOG.info("no last commit before the rebalance: %s", error)
            except (ClientRestart, KafkaException, Stop) as error:
                self._deferred = error
        self._release(partitions)

    def _on_lost(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._context.job.observer.rebalance(RebalanceEvent.LOST)
        self._release(partitions)

    def _release(self, partitions: Sequence[TopicPartition]) -> None:
        gone = [p.partition for p in partitions]
        self._unassign(gone)
        for partition in gone:
            steps = self._restoring.pop(partition, None)
            if steps is not None:
                steps.close()
            self._live.pop(partition, None)
            self._refusals.accepted([partition])
            self._context.job.observer.released(Loop.JUDGE, self._context.job.topics.profiles, partition)

    def _unassign(self, partitions: Sequence[int]) -> None:
        assigned = [self._live[p].position for p in partitions if p in self._live]
        self._consumer.incremental_unassign(assigned)

    # Leaving.

    def _finish(self) -> None:
        """Commit what is folded and a snapshot of every partition, so that the next start has nothing to fold."""
        deadline = time.monotonic() + self._context.job.tuning.stop_budget_s
        gaps = [p.gap for p in self._live.values() if p.gap is not None]
        try:
            self._commit_snapshots(list(self._live.values()), deadline - time.monotonic())
        except (RoundFailed, ClientRestart) as error:
            _LOG.warning("%s: left without a last commit: %s", self._context.job.name, error)
        if gaps:
            raise HistoryUnusable(f"{'; '.join(map(str, gaps))}; run 'stream-monitor recover gap' to go on behind it")

    def _commit_snapshots(self, live: Sequence[LivePartition], budget_s: float) -> None:
        deadline = time.monotonic() + budget_s
        for partition in live:
            partition.begin_snapshot()
        while True:
            waiting = [p for p in live if p.is_dirty]
            left_s = deadline - time.monotonic()
            if not waiting or left_s <= 0:
                return
            self._commit(waiting, timeout_s=min(self._context.job.tuning.flush_s, max(1.0, left_s)))

    def _drop_all(self) -> None:
        for steps in self._restoring.values():
            steps.close()
        self._restoring.clear()
        self._live.clear()

    def _report_readiness(self) -> None:
        broken = [str(p.gap) for p in self._live.values() if p.gap is not None]
        away = self._context.outage.look()
        if broken:
            state = (False, broken[0])
        elif away is not None:
            state = (False, away)
        elif self._restoring:
            state = (False, f"restoring {len(self._restoring)} partitions")
        elif not self._consumer.memberid():
            state = (False, "joining the group")
        else:
            state = (True, f"judging {len(self._live)} partitions")
        if state != self._readiness:
            self._readiness = state
            self._context.job.observer.readiness(Loop.JUDGE, ready=state[0], detail=state[1])
