"""The loop of a profile worker over open clients: poll, take up, write what is due, look around (steps 6 to 18).

Everything here runs in one thread.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from confluent_kafka import KafkaException

from stream_monitor.kafka.errors import (
    ClientRestart,
    Fatal,
    Fenced,
    RestartReason,
    RoundFailed,
    kafka_error,
    stop_for,
)
from stream_monitor.kafka.lives import excused
from stream_monitor.kafka.observer import Loop
from stream_monitor.kafka.profile.client_errors import ClientErrors
from stream_monitor.kafka.profile.cluster_watch import ClusterWatch
from stream_monitor.kafka.profile.due_chunks import DueChunks
from stream_monitor.kafka.profile.fetch_pauses import FetchPauses
from stream_monitor.kafka.profile.fetched import FetchedMessages
from stream_monitor.kafka.profile.membership import Membership
from stream_monitor.kafka.profile.owned import OwnedPartition
from stream_monitor.kafka.profile.profile_clients import ProfileClients
from stream_monitor.kafka.profile.profile_job import ProfileJob
from stream_monitor.kafka.profile.profile_memory import ProfileMemory
from stream_monitor.kafka.profile.readiness import Cause, Readiness
from stream_monitor.kafka.profile.refused_rounds import RefusedRounds
from stream_monitor.kafka.profile.round import Round
from stream_monitor.kafka.stop_request import StopRequest
from stream_monitor.kafka.unwrapped import unwrapped

_LOG = logging.getLogger("stream_monitor.kafka.profile")


class ProfileLoop:
    """Comes round until a stop is asked for.

    Args:
        job: what the worker was given.
        clients: that are open.
        errors: what the clients told their callbacks.
        memory: what outlives the clients.
        stopping: looked at whenever the loop comes round.
        beat: called whenever the loop comes round.

    Attributes:
        membership: of the group, with the partitions that are read.
    """

    def __init__(
        self,
        job: ProfileJob,
        clients: ProfileClients,
        errors: ClientErrors,
        *,
        memory: ProfileMemory,
        stopping: StopRequest,
        beat: Callable[[], None],
    ) -> None:
        self._job = job
        self._clients = clients
        self._errors = errors
        self._memory = memory
        self._stopping = stopping
        self._beat = beat
        self._polled_at = time.monotonic()
        self._readiness = Readiness(job.observer)
        self._refused = RefusedRounds(job.tuning)
        self._round = Round(
            job,
            consumer=clients.consumer,
            producer=clients.producer,
            admin=clients.admin,
            schedule=clients.baselines.schedule,
            partitions=clients.topics[job.topics.profiles].partitions,
            letter_partitions=clients.topics[job.topics.dead_letters].partitions,
            stopping=stopping,
            waiting=memory.waiting,
        )
        self.membership = Membership(
            job,
            clients,
            leases=memory.leases,
            waiting=memory.waiting,
            round_=self._round,
            refused=self._refused,
            readiness=self._readiness,
        )
        self._due = DueChunks(job.tuning, self._round)
        self._fetched = FetchedMessages(job, self.membership)
        self._pauses = FetchPauses(
            clients.consumer, self.membership.owned, time_plan=job.plan.time, readiness=self._readiness
        )
        self._cluster = ClusterWatch(
            job, clients, membership=self.membership, outage=memory.outage, readiness=self._readiness
        )

    def run(self) -> None:
        """Work until asked to stop, then finish the round in hand and name it (step 17).

        Raises:
            ClientRestart: the clients have to be rebuilt.
            KafkaException: a call was not answered, or was refused.
            Stop: the worker cannot go on.
        """
        try:
            while not self._stopping.is_asked():
                self._come_round()
        except (Fatal, KafkaException) as raised:
            error = self._fatal(raised)
            if isinstance(error, Fenced) and self._was_absent():
                raise ClientRestart(RestartReason.FENCED, f"the group took this worker for dead: {error}") from error
            excuse = excused(error, self._memory.outage)
            if excuse is not None:
                raise excuse from error
            raise error from (None if error is raised else raised)
        self._drain()

    def _fatal(self, raised: Fatal | KafkaException) -> Fatal:
        """Return the fatal error that was raised; a client may raise its own from any call that serves callbacks.

        Raises:
            Stop: the cluster refuses us.
            KafkaException: no fatal one.
        """
        if isinstance(raised, Fatal):
            return raised
        stop = stop_for(kafka_error(raised), "talk to the cluster", name=self._job.member_name)
        if isinstance(stop, Fatal):
            return stop
        raise stop or raised

    def _was_absent(self) -> bool:
        """Say whether the loop has not polled for so long that the group gave its partitions away."""
        limit_s = self._job.settings.milliseconds("max.poll.interval.ms") / 1_000
        return time.monotonic() - self._polled_at > limit_s

    def _come_round(self) -> None:
        now = self._polled_at = time.monotonic()
        wait_s = self._due.wait_s(self.membership.counting, now)
        messages = unwrapped(lambda: self._clients.consumer.consume(self._job.tuning.poll_records, wait_s))
        self._beat()
        self._job.observer.progress(Loop.PROFILE)
        if self._errors.failed is not None:
            raise self._errors.failed
        self._fetched.take(messages, self._polled_at)  # a record may have waited since then: its chunk is as old
        now = time.monotonic()
        self.membership.take_up_noted(now)
        due = self._due.of(self.membership.counting, now)
        if due:
            self._write_round(due)
            self._follow_baselines()
        self._cluster.look(now)
        self._report_readiness(now)

    def _write_round(self, due: list[OwnedPartition]) -> None:
        """Count, write and commit what is due; a failed round leaves no trace that counts."""
        if self._pauses.hold(self._clients.baselines.is_behind()):
            return
        try:
            self._round.run(due)
        except RoundFailed as error:
            self._refused.refused(error, [p.place for p in due])
            self.membership.take_up_again([p.place for p in due])
            return
        self._refused.accepted([p.place for p in due])
        self._pauses.align()

    def _follow_baselines(self) -> None:
        """Look for new baselines after the round: the answer may take a while, and no commit has to wait for it."""
        if self._clients.baselines.lag_s() >= self._job.tuning.baselines_s:
            self._clients.baselines.refresh()

    def _report_readiness(self, now: float) -> None:
        owned = self.membership.owned
        self._readiness.waits(Cause.COMMITS, self._refused.waits(now))
        excess = next((p.excess for p in owned.values() if p.excess is not None), None)
        self._readiness.waits(Cause.LETTERS, excess)
        if self._memory.stalled.is_set():
            self._memory.stalled.clear()
            self._readiness.report_again()
        self._readiness.report(len(owned))

    def _drain(self) -> None:
        """Finish the round in hand, and write one empty chunk for each partition to name it."""
        membership = self.membership
        if self._clients.baselines.is_behind():
            return  # what is in hand may belong to a baseline that is not known here
        try:
            while any(len(p.pending) for p in membership.counting) and self._stopping.left_s() > 0:
                self._round.run([p for p in membership.counting if len(p.pending)])
            self._round.run(membership.counting)
        except RoundFailed as error:
            _LOG.warning("the last round was dropped, the next owner counts it: %s", error)
