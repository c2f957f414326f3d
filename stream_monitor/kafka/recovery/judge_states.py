"""Reads and writes what is stored of the judge from outside, for an operator's decision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from stream_monitor.core.baseline import Schedule, activation_lead_ms
from stream_monitor.core.batch import Decoder
from stream_monitor.kafka.baseline_log import BaselineLog
from stream_monitor.kafka.client_settings import reader
from stream_monitor.kafka.clients import close_consumer, committed, end_offsets, open_consumer, open_producer
from stream_monitor.kafka.deliveries import Outgoing, deliver
from stream_monitor.kafka.errors import HistoryUnusable, Misconfigured
from stream_monitor.kafka.judge.context import JudgeContext
from stream_monitor.kafka.judge.fingerprint import algorithm_versions, arithmetic_fingerprint
from stream_monitor.kafka.judge.judge_job import JudgeJob
from stream_monitor.kafka.judge.sealed import BrokenSeal
from stream_monitor.kafka.judge.snapshot_blocks import SnapshotWriter, block_counts
from stream_monitor.kafka.judge.state_records import (
    COMMIT_KEY,
    Commit,
    Manifest,
    NewerFormat,
    decode_commit,
    encode,
    manifest_key,
    plan_key,
)
from stream_monitor.kafka.outage import OutageWatch
from stream_monitor.kafka.profile.healing import LogRange
from stream_monitor.kafka.readers import read_partition
from stream_monitor.kafka.recovery.gap import GapStep, Stored
from stream_monitor.kafka.recovery.members import require_none
from stream_monitor.kafka.recovery.recount import Recount
from stream_monitor.kafka.topics import describe_topics

_DELIVERY_S = 60.0


class JudgeStates:
    """The stored states of all judge partitions.

    Args:
        context: of a judge that does not join its group.
        admin: the client.
    """

    def __init__(self, context: JudgeContext, admin: AdminClient) -> None:
        self.context = context
        self.group_id = f"{context.job.group}-judge"
        self._admin = admin
        config = {**reader(context.job.settings), "group.id": self.group_id}
        self._outsider = open_consumer(config, lambda _: None)

    def close(self) -> None:
        """Close the client."""
        close_consumer(self._outsider)

    def stored(self, partition: int) -> Stored:
        """Return what is stored of a partition.

        Raises:
            HistoryUnusable: it is of a later version.
            Stop: the cluster refuses us.
        """
        job = self.context.job
        place = TopicPartition(job.topics.profiles, partition)
        (answer,) = committed(self._outsider, [place])
        records: dict[bytes, bytes] = {}
        for record in read_partition(job.settings, job.topics.judge_state, partition, admin=self._admin):
            if record.key is not None and record.value is not None:
                records[record.key] = record.value
            elif record.key is not None:
                records.pop(record.key, None)
        log = LogRange(
            end_offsets(self._admin, [place], earliest=True)[place.topic, partition],
            end_offsets(self._admin, [place], uncommitted=True)[place.topic, partition],
        )
        group_offset = answer.offset if answer.offset >= 0 else None
        return Stored(self._commit(records, partition), records, group_offset, log)

    def require_free(self, *, wait_s: float) -> None:
        """Return when no worker is a member of the group.

        Raises:
            GroupBusy: some are.
        """
        require_none(self._admin, self.group_id, wait_s=wait_s)

    def write(self, step: GapStep, stored: Stored) -> None:
        """Write the state of a step, then where it stands; the other snapshot does not count any more.

        Raises:
            GroupBusy: workers are members of the group.
            UndeliveredRecords: the cluster did not take a record; the command can run again.
            Stop: the cluster refuses us.
        """
        require_none(self._admin, self.group_id)
        job, judge = self.context.job, step.judge
        assert judge is not None  # only steps that change something are written
        manifest = Manifest(step.slot, step.position, judge.replay_from, job.plan.hash, judge.digest, [])
        leftover = block_counts(stored.records)[step.slot]
        snapshot = SnapshotWriter(manifest, judge.dump(), block_bytes=job.tuning.block_bytes, leftover=leftover)
        commit = Commit(
            next_offset=step.position,
            partitions=self.context.partitions,
            plan=job.plan.hash,
            state_digest=judge.digest,
            chains=judge.chains,
            arithmetic=arithmetic_fingerprint(),
            versions=algorithm_versions(),
            plans=[] if stored.commit is None else list(stored.commit.plans),
            log=self.context.log_id,
        )
        values = [
            *snapshot.take(2**62),
            (manifest_key(step.slot.other), None),
            (plan_key(job.plan.hash), job.plan.canonical),
            (COMMIT_KEY, encode(commit)),
        ]
        producer = open_producer(job.settings.producer_config(), lambda _: None)
        records = [Outgoing(job.topics.judge_state, step.partition, key, value) for key, value in values]
        deliver(producer, records, timeout_s=_DELIVERY_S)
        position = TopicPartition(job.topics.profiles, step.partition, step.position)
        self._outsider.commit(offsets=[position], asynchronous=False)

    def _commit(self, records: dict[bytes, bytes], partition: int) -> Commit | None:
        value = records.get(COMMIT_KEY)
        if value is None:
            return None
        try:
            return decode_commit(value)
        except NewerFormat as error:
            raise HistoryUnusable(
                f"{self.context.job.topics.judge_state}[{partition}]: _commit: {error}; run the later version"
            ) from error
        except BrokenSeal:
            return None  # as good as none: the group says where it stood


def recount_of(context: JudgeContext, decoders: Mapping[str, Decoder], admin: AdminClient) -> Recount:
    """Return what counts ranges of the inputs again.

    Raises:
        Stop: the cluster refuses us.
    """
    job = context.job
    topics = describe_topics(admin, sorted(decoders))
    places = [TopicPartition(name, p) for name, state in topics.items() for p in range(state.partitions)]
    starts = end_offsets(admin, places, earliest=True)
    ends = end_offsets(admin, places, uncommitted=True)
    return Recount(
        job.settings,
        job.plan,
        context.baselines.schedule,
        decoders,
        {name: state.topic_id for name, state in topics.items()},
        {place: LogRange(starts[place], ends[place]) for place in starts},
        context.partitions,
    )


@contextmanager
def judge_states(job: JudgeJob, admin: AdminClient) -> Iterator[JudgeStates]:
    """Give the stored states of a judge, with all baselines known.

    Raises:
        Misconfigured: a topic of the judge is missing.
        Stop: the cluster refuses us.
    """
    names = job.topics
    wanted = (names.profiles, names.judge_state, names.baselines)
    topics = describe_topics(admin, wanted)
    missing: Sequence[str] = [name for name in wanted if name not in topics]
    if missing:
        raise Misconfigured(f"topics missing: {', '.join(missing)}: run 'stream-monitor topics create'")
    schedule = Schedule(group=job.group, lead_ms=activation_lead_ms(job.plan.time))
    baselines = BaselineLog(open_consumer(job.reader, lambda _: None), names.baselines, schedule)
    try:
        baselines.read_to_end(timeout_s=job.tuning.patience_s)
        profiles = topics[names.profiles]
        states = JudgeStates(
            JudgeContext(job, profiles.partitions, baselines, OutageWatch(), log_id=profiles.topic_id), admin
        )
        try:
            yield states
        finally:
            states.close()
    finally:
        baselines.close()
