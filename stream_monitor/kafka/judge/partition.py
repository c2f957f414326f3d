"""One live judge partition: what it folded since the last commit, and what the next commit writes for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from confluent_kafka import Message, TopicPartition

from stream_monitor.core.judge import (
    ALERT_HEADERS,
    AlertEvent,
    AlertState,
    ChainGap,
    JudgeView,
    Output,
    Proposal,
)
from stream_monitor.kafka.deliveries import Outgoing
from stream_monitor.kafka.judge.context import JudgeContext
from stream_monitor.kafka.judge.fingerprint import algorithm_versions, arithmetic_fingerprint
from stream_monitor.kafka.judge.restore import Restored
from stream_monitor.kafka.judge.snapshot_blocks import SnapshotWriter, StateRecord
from stream_monitor.kafka.judge.state_records import COMMIT_KEY, Commit, Manifest, Slot, encode, plan_key
from stream_monitor.kafka.judge.stored_entry import stored_entry


@dataclass(frozen=True, slots=True)
class Portion:
    """What one transaction writes for one partition.

    Attributes:
        outputs: alerts and alert states, in order.
        proposals: references to be published and activated.
        state: records of `drift-judge-state`, `_commit` last.
        next_offset: the input offset that goes with them.
        manifest: of the snapshot that this portion completes.
    """

    partition: int
    outputs: tuple[Outgoing, ...]
    proposals: tuple[Proposal, ...]
    state: tuple[Outgoing, ...]
    next_offset: int
    manifest: Manifest | None

    @property
    def size(self) -> int:
        """Bytes of the values."""
        return sum(len(record.value or b"") for record in (*self.outputs, *self.state))


class LivePartition:
    """A partition at the head of its log: folds aloud, and is thrown away on any failure."""

    def __init__(self, context: JudgeContext, partition: int, restored: Restored) -> None:
        self.partition = partition
        self.gap: ChainGap | None = None
        self.next_offset = restored.next_offset
        self.committed_offset = restored.next_offset
        self._context = context
        self._judge = restored.judge
        self._history = restored.history
        self._is_changed = restored.is_changed
        self._outputs: list[Output] = []
        self._output_bytes = 0
        self._keep(restored.outputs)
        self._newest_slot = restored.newest_slot
        self._blocks = dict(restored.blocks)
        self._known_plans = restored.known_plans
        self._snapshot: SnapshotWriter | None = None
        is_written = restored.newest_slot is not None and not restored.is_changed
        self._snapshot_offset = restored.next_offset if is_written else -1
        self._snapshot_at = context.clock()
        self._log_bytes = 0

    @property
    def is_dirty(self) -> bool:
        """Whether a commit would write anything."""
        return self.next_offset > self.committed_offset or self._snapshot is not None or self._is_changed

    @property
    def is_urgent(self) -> bool:
        """Whether something waits that others want soon."""
        return bool(self._outputs) or self._snapshot is not None or self._is_changed

    @property
    def pending_bytes(self) -> int:
        """Bytes of the outputs that wait."""
        return self._output_bytes

    @property
    def position(self) -> TopicPartition:
        """Where this partition reads on, as a consumer wants it."""
        return TopicPartition(self._context.job.topics.profiles, self.partition, self.next_offset)

    def fold(self, message: Message) -> None:
        """Fold one record of the log; one below the position is a repeat and is dropped.

        Raises:
            ChainGap: the log has a hole before it; from now on this partition folds nothing.
            HistoryUnusable: a baseline is missing.
        """
        entry = stored_entry(message)
        if entry.offset < self.next_offset or self.gap is not None:
            return
        try:
            outputs = self._context.fold(self._judge, entry)
        except ChainGap as gap:
            self.gap = gap
            raise
        self.next_offset = entry.offset + 1
        self._log_bytes += len(entry.value)
        self._keep(outputs)

    def begin_snapshot(self) -> None:
        """Encode the state at this position, unless one is on its way or this very position was written before."""
        if self._snapshot is not None or self._snapshot_offset == self.next_offset:
            return
        judge = self._judge
        slot = Slot.A if self._newest_slot is None else self._newest_slot.other
        manifest = Manifest(slot, self.next_offset, judge.replay_from, judge.plan.hash, judge.digest, [])
        self._snapshot = SnapshotWriter(
            manifest, judge.dump(), block_bytes=self._context.job.tuning.block_bytes, leftover=self._blocks.get(slot, 0)
        )
        self._snapshot_offset = self.next_offset
        self._snapshot_at, self._log_bytes = self._context.clock(), 0

    def portion(self, snapshot_bytes: int) -> Portion:
        """Return what the next transaction writes for this partition, with at most `snapshot_bytes` of a snapshot."""
        if self._is_snapshot_due():
            self.begin_snapshot()
        state: list[StateRecord] = []
        manifest = None
        if self._snapshot is not None and snapshot_bytes > 0:
            state += self._snapshot.take(snapshot_bytes)
            manifest = self._snapshot.manifest if self._snapshot.finished else None
        plan = self._judge.plan
        if plan.hash not in self._known_plans:
            state.append((plan_key(plan.hash), plan.canonical))
        state.append((COMMIT_KEY, encode(self._commit())))
        names = self._context.job.topics
        return Portion(
            self.partition,
            tuple(self._outgoing(o) for o in self._outputs if isinstance(o, AlertEvent | AlertState)),
            tuple(o for o in self._outputs if not isinstance(o, AlertEvent | AlertState)),
            tuple(Outgoing(names.judge_state, self.partition, key, value) for key, value in state),
            self.next_offset,
            manifest,
        )

    def committed(self, portion: Portion) -> JudgeView:
        """Take note that a portion is committed, and return what may be shown now."""
        self._outputs, self._output_bytes = [], 0
        self.committed_offset = portion.next_offset
        self._known_plans |= {self._judge.plan.hash}
        self._is_changed = False
        if portion.manifest is not None:
            self._newest_slot = portion.manifest.slot
            self._blocks[portion.manifest.slot] = len(portion.manifest.blocks)
            self._snapshot = None
        return self._judge.view()

    def view(self) -> JudgeView:
        """Return what may be shown of the restored state."""
        return self._judge.view()

    def _keep(self, outputs: Sequence[Output]) -> None:
        for output in outputs:
            self._outputs.append(output)
            self._output_bytes += len(output.value or b"") if isinstance(output, AlertEvent | AlertState) else 0

    def _is_snapshot_due(self) -> bool:
        tuning = self._context.job.tuning
        if self._log_bytes == 0:
            return False
        return (
            self._log_bytes >= tuning.snapshot_log_bytes
            or self._context.clock() - self._snapshot_at >= tuning.snapshot_every_s
        )

    def _commit(self) -> Commit:
        return Commit(
            next_offset=self.next_offset,
            partitions=self._context.partitions,
            plan=self._judge.plan.hash,
            state_digest=self._judge.digest,
            chains=self._judge.chains,
            arithmetic=arithmetic_fingerprint(),
            versions=algorithm_versions(),
            plans=list(self._history),
            log=self._context.log_id,
        )

    def _outgoing(self, output: AlertEvent | AlertState) -> Outgoing:
        names = self._context.job.topics
        if isinstance(output, AlertEvent):
            return Outgoing(names.alerts, self.partition, output.key, output.value, output.timestamp_ms, ALERT_HEADERS)
        return Outgoing(names.alert_state, self.partition, output.key, output.value, output.timestamp_ms)


def positions(topic: str, portions: Sequence[Portion]) -> list[TopicPartition]:
    """Return the input offsets that go with portions, as a transaction wants them."""
    return [TopicPartition(topic, p.partition, p.next_offset) for p in portions]
