"""A round: the due partitions' chunks counted, written, flushed and committed in one call (steps 8 to 14).

Nothing of the committed state moves before the commit has succeeded; a failure on the way leaves records in the log
that nobody will ever name.
"""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Sequence

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from stream_monitor.core.baseline import Schedule
from stream_monitor.core.chain import CHUNK_LIMIT, ChainState
from stream_monitor.core.names import RejectReason
from stream_monitor.core.pace import after_chunk, is_deadly, is_limited, is_suspected
from stream_monitor.kafka.broker_wait import BrokerWait
from stream_monitor.kafka.clients import end_offsets
from stream_monitor.kafka.deliveries import Outgoing
from stream_monitor.kafka.errors import RoundFailed, TooManyDeadLetters
from stream_monitor.kafka.observer import ChunkStage
from stream_monitor.kafka.profile.committing import commit
from stream_monitor.kafka.profile.counting import CountedChunk, Counter
from stream_monitor.kafka.profile.dead_letter_records import dead_letter
from stream_monitor.kafka.profile.excess import excess_of, is_over, unreadable_after
from stream_monitor.kafka.profile.future import FutureLog
from stream_monitor.kafka.profile.idle import IdleFacts, idle_until
from stream_monitor.kafka.profile.intake import Pending
from stream_monitor.kafka.profile.owned import InputPartition, OwnedPartition
from stream_monitor.kafka.profile.pacing import log_after_chunk
from stream_monitor.kafka.profile.policy import OnExcess
from stream_monitor.kafka.profile.profile_job import ProfileJob
from stream_monitor.kafka.profile.shrinking import Shrinking
from stream_monitor.kafka.profile.writing import RoundWriter, Written
from stream_monitor.kafka.stop_request import StopRequest

_LOG = logging.getLogger("stream_monitor.kafka.profile")

MAX_AGE_S = 30.0
"""Broker time may be this old, and no older than a tenth of `time.max_future`, when it decides about an event."""


class Round:
    """Takes partitions through rounds.

    Attributes:
        broker_ms: latest broker time known.
    """

    def __init__(
        self,
        job: ProfileJob,
        *,
        consumer: Consumer,
        producer: Producer,
        admin: AdminClient,
        schedule: Schedule,
        partitions: int,
        letter_partitions: int,
        stopping: StopRequest,
        waiting: BrokerWait,
    ) -> None:
        settings = job.settings
        self.broker_ms: int | None = None
        self._job = job
        self._consumer = consumer
        self._admin = admin
        self._letter_partitions = letter_partitions
        self._max_bytes = settings.message_max_bytes()
        self._stopping = stopping
        self._waiting = waiting
        self._slow_s = settings.milliseconds("socket.timeout.ms") / 2_000
        self._formats = job.formats
        self._excessive: set[InputPartition] = set()
        self._shrinking = Shrinking()
        self._future = FutureLog(job.plan.time.max_future_ms)
        self._counter = Counter(job.plan, schedule, job.decoders, partitions, job.tuning.written_bytes)
        self._writer = RoundWriter(
            producer,
            job.topics.profiles,
            budget_s=settings.milliseconds("max.poll.interval.ms") / 2_000,
            stopping=stopping,
            failpoints=job.failpoints,
        )

    def run(self, due: Sequence[OwnedPartition]) -> None:
        """Count, write and commit one chunk of each partition that is due.

        Raises:
            RoundFailed: nothing was committed.
            ClientRestart: what was committed is not known.
            Stop: the worker cannot go on.
        """
        if not due:
            return
        reach = self._job.failpoints.reach
        announced = self._announce(due)
        reach("profile.8.before")
        counted = self._count(due)
        self._withdraw(announced)
        counted = [chunk for chunk in counted if not self._is_excessive(chunk)]
        reach("profile.8.after")
        if not counted:
            return
        try:
            with self._waiting.of("records are not acknowledged"):
                written = self._writer.write([(chunk, self._letters(chunk)) for chunk in counted])
        except RoundFailed as error:
            self._shrinking.learn(error, {c.owned.place: (c.first, c.records) for c in counted})
            raise
        chains = [after_chunk(_with_report(c, written), c.next, records=c.records) for c in counted]
        reach("profile.11.before")
        started = time.perf_counter()
        self.commit(
            [
                TopicPartition(*chunk.owned.place, chunk.next, metadata=chain.encode())
                for chunk, chain in zip(counted, chains, strict=True)
            ]
        )
        reach("profile.11.after")
        self._job.observer.duration(ChunkStage.COMMIT, time.perf_counter() - started)
        for chunk, chain in zip(counted, chains, strict=True):
            self._apply(chunk, chain, written)
        reach("profile.12.after")

    def commit(self, offsets: Sequence[TopicPartition]) -> None:
        """Commit offsets and metadata; raises as `committing.commit`."""
        job = self._job
        with self._waiting.of("the commit is not answered"):
            commit(
                self._consumer,
                offsets,
                slow_s=self._slow_s,
                name=job.member_name,
                observer=job.observer,
                stopping=self._stopping,
            )

    # --- counting -----------------------------------------------------------------------------------------------------

    def _count(self, due: Sequence[OwnedPartition]) -> list[CountedChunk]:
        idle = self._idle([p for p in due if not len(p.pending)])
        return [self._count_one(partition, idle.get(partition.place)) for partition in due]

    def _count_one(self, partition: OwnedPartition, idle_until_ms: int | None) -> CountedChunk:
        if not len(partition.pending):
            return self._counter.name_predecessor(partition, idle_until_ms)
        if is_deadly(partition.chain):
            return self._counter.refuse_first(partition, RejectReason.CRASHED, "workers died of this record")
        if partition.chain.broker_ms is None and not partition.has_asked:
            return self._counter.ask_the_time(partition)
        limit = self._limit(partition)
        if limit is None:
            return self._counter.refuse_first(partition, RejectReason.INTERNAL_ERROR, "its counts are refused")
        counted = self._counter.count(partition, limit=limit)
        if counted.profiled.ahead is not None and not self._knows_the_time(partition):
            # Ahead of what the broker's clock showed then: it may have been long ago.
            return self._counter.ask_the_time(partition)
        return counted

    def _knows_the_time(self, partition: OwnedPartition) -> bool:
        max_age_s = min(MAX_AGE_S, self._job.plan.time.max_future_ms / 1_000 / 10)
        return partition.has_asked or time.monotonic() - partition.broker_time_at <= max_age_s

    def _is_excessive(self, chunk: CountedChunk) -> bool:
        """Say whether a chunk is not to be written because too much of it and before it is unreadable.

        Raises:
            TooManyDeadLetters: the operator wants the worker to stop.
        """
        limits = self._job.policy.dead_letters
        excess, place = excess_of(chunk, limits), chunk.owned.place
        if excess is None:
            if place in self._excessive and is_over(chunk, limits):
                self._excessive.discard(place)
                _LOG.info("%s[%d]: records are readable again", *place)
            return False
        match limits.on_excess:
            case OnExcess.STOP:
                raise TooManyDeadLetters(str(excess))
            case OnExcess.PAUSE:
                _LOG.error("the partition is left alone until the worker starts again: %s", excess)
                chunk.owned.excess = str(excess)
                chunk.owned.pending = Pending(*place, chunk.owned.next)
                return True
            case OnExcess.CONTINUE:
                if place not in self._excessive:
                    self._excessive.add(place)
                    _LOG.error("%s: all go to the dead letters, as dead_letters.on_excess says", excess.facts)
                return False

    def _limit(self, partition: OwnedPartition) -> int | None:
        """Return how many records the partition's next chunk may hold; None: not even one."""
        limit = self._shrinking.limit(partition.place, partition.next)
        return None if limit is None else min(limit, partition.chain.limit, self._job.tuning.chunk_records)

    def is_limited(self, partition: OwnedPartition) -> bool:
        """Say whether the partition's chunks are smaller than they may be: what is pending must not wait as well."""
        return is_limited(partition.chain) or self._shrinking.limit(partition.place, partition.next) != CHUNK_LIMIT

    def _announce(self, due: Sequence[OwnedPartition]) -> Sequence[OwnedPartition]:
        """Commit what is about to be counted where a predecessor may have died of it; return where that was so."""
        trying: list[tuple[OwnedPartition, ChainState]] = []
        for partition in due:
            limit = self._limit(partition)
            if partition.guarded and len(partition.pending) and limit is not None and not is_deadly(partition.chain):
                records = min(limit, len(partition.pending))
                trying.append((partition, dataclasses.replace(partition.chain, trying=(partition.next, records))))
        if trying:
            self.commit([TopicPartition(*p.place, p.next, metadata=chain.encode()) for p, chain in trying])
            self._job.failpoints.reach("profile.8.announced")
        return [partition for partition, _ in trying]

    def _withdraw(self, announced: Sequence[OwnedPartition]) -> None:
        """Commit that nobody died of what was announced: a stall or a failure from now on is none of the records'."""
        if announced:
            self.commit([TopicPartition(*p.place, p.next, metadata=p.chain.encode()) for p in announced])
            self._job.failpoints.reach("profile.8.withdrawn")

    def _idle(self, silent: Sequence[OwnedPartition]) -> dict[InputPartition, int]:
        """Return the instants up to which silent partitions are idle, for those that may advance."""
        hopeful = [p for p in silent if isinstance(self._idle_until(p, at_end=p.at_end), int)]
        if not hopeful:
            return {}
        # Asked now, so after `broker_ms` was taken: no record that came before it can be missed.
        parts = [TopicPartition(*p.place) for p in hopeful]
        with self._waiting.of("the ends of partitions are not known"):
            stable = end_offsets(self._admin, parts, timeout_s=self._job.tuning.request_s)
            high = end_offsets(self._admin, parts, uncommitted=True, timeout_s=self._job.tuning.request_s)
        found = {}
        for partition in hopeful:
            place = partition.place
            at_end = stable[place] == high[place] and partition.end is not None and partition.end >= high[place]
            until = self._idle_until(partition, at_end=at_end)
            if isinstance(until, int):
                found[place] = until
        return found

    def _idle_until(self, partition: OwnedPartition, *, at_end: bool) -> object:
        facts = IdleFacts(
            broker_ms=self.broker_ms,
            quiet_since_ms=partition.quiet_since_ms,
            at_end=at_end,
            max_ms=partition.chain.max_ms,
            idle_ms=partition.chain.idle_ms,
            record_ms=partition.record_ms,
        )
        return idle_until(facts, self._job.plan.time, pane_ms=self._job.plan.detection.pane_ms)

    def _letters(self, chunk: CountedChunk) -> list[Outgoing]:
        if chunk.raw is None:
            return []
        return [
            dead_letter(
                chunk.raw,
                reject,
                topic=self._job.topics.dead_letters,
                partitions=self._letter_partitions,
                group=self._job.group_id,
                format_name=self._formats[chunk.owned.topic],
                max_bytes=self._max_bytes,
            )
            for reject in chunk.profiled.rejects
        ]

    # --- after the commit ---------------------------------------------------------------------------------------------

    def _apply(self, chunk: CountedChunk, chain: ChainState, written: Written) -> None:
        """Move a partition to its committed state (step 12)."""
        partition, now = chunk.owned, time.monotonic()
        log_after_chunk(partition.place, partition.chain, chain)
        is_first = partition.chain.last.lease != partition.chain.lease
        has_news = is_first or chunk.next > chunk.first or chain.idle_ms != partition.chain.idle_ms
        partition.next, partition.chain = chunk.next, chain
        # A chunk without records proves nothing about those that a predecessor may have died of.
        partition.guarded = is_suspected(chain) or (partition.guarded and chunk.raw is None)
        partition.pending.drop(chunk.records)
        partition.broker_time_at = now
        partition.has_asked = chunk.raw is None and len(partition.pending) > 0
        pane_s = self._job.plan.detection.pane_ms / 1_000
        partition.empty_due_at = now + (self._job.tuning.quiet_s if has_news else pane_s)
        self.broker_ms = max(filter(None, (self.broker_ms, written.broker_ms)), default=None)
        if chunk.raw is not None:
            partition.record_ms = max(partition.record_ms or 0, int(chunk.raw.record_ms.max()))
        if chunk.raw is not None or partition.quiet_since_ms is None:
            partition.quiet_since_ms = written.broker_ms
        self._report(chunk)

    def _report(self, chunk: CountedChunk) -> None:
        observer, partition = self._job.observer, chunk.owned
        observer.chunk(*partition.place, value_bytes=chunk.value_bytes, chunk=chunk.profiled)
        observer.watermark(*partition.place, chunk.profiled.watermark_ms)
        observer.chunk_limit(*partition.place, partition.chain.limit)
        if chunk.profiled.ahead is not None:
            self._future.note(partition.place, chunk.profiled.ahead, now=time.monotonic())
        for reject in chunk.profiled.rejects:
            observer.dead_letter(partition.topic, reject.reason.value)
        if chunk.raw is not None:
            observer.duration(ChunkStage.DECODE, chunk.decode_s)
            observer.duration(ChunkStage.PROFILE, chunk.profile_s)
        _, end = self._consumer.get_watermark_offsets(TopicPartition(*partition.place), cached=True)
        observer.lag(*partition.place, max(0, end - chunk.next))


def _with_report(chunk: CountedChunk, written: Written) -> ChainState:
    """Return the chain state of a chunk that is written: where and when, and how much of it was unreadable."""
    chain, place = chunk.profiled.chain, chunk.owned.place
    return dataclasses.replace(
        chain,
        at=written.at[place],
        broker_ms=max(written.at_ms[place], chain.broker_ms or 0),
        unreadable=unreadable_after(chunk),
    )
