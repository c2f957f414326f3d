"""The partitions that the group gives a profile worker: taken up, given back, taken up again (steps 3 to 5, 15 and 16).

Callbacks of the consumer come from inside `consume` and only note what the group said; `take_up` acts on it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Mapping

from confluent_kafka import Consumer, KafkaException, TopicPartition

from stream_monitor.kafka.broker_wait import BrokerWait
from stream_monitor.kafka.errors import ClientRestart, RestartReason, RoundFailed, is_transient, kafka_error
from stream_monitor.kafka.observer import Loop, RebalanceEvent
from stream_monitor.kafka.profile.assignment import Assignment, GroupStart
from stream_monitor.kafka.profile.healing import Found
from stream_monitor.kafka.profile.own_leases import OwnLeases
from stream_monitor.kafka.profile.owned import InputPartition, OwnedPartition
from stream_monitor.kafka.profile.profile_clients import ProfileClients
from stream_monitor.kafka.profile.profile_job import ProfileJob
from stream_monitor.kafka.profile.readiness import Cause, Readiness
from stream_monitor.kafka.profile.refused_rounds import RefusedRounds
from stream_monitor.kafka.profile.round import Round
from stream_monitor.kafka.topics import TopicState

_LOG = logging.getLogger("stream_monitor.kafka.profile")


class Membership:
    """Takes part in the group.

    Args:
        job: of the worker.
        clients: that are open.
        leases: that this process took; learns those that are taken here.
        waiting: learns what of the brokers is waited for.
        round_: commits a lease of what is taken up.
        refused: learns what was refused.
        readiness: learns that there are partitions.

    Attributes:
        owned: partitions that are read, by topic and number.
        topics: state of the topics as last seen.
    """

    def __init__(
        self,
        job: ProfileJob,
        clients: ProfileClients,
        *,
        leases: OwnLeases,
        waiting: BrokerWait,
        round_: Round,
        refused: RefusedRounds,
        readiness: Readiness,
    ) -> None:
        self.owned: dict[InputPartition, OwnedPartition] = {}
        self.topics: dict[str, TopicState] = dict(clients.topics)
        self._job = job
        self._clients = clients
        self._leases = leases
        self._waiting = waiting
        self._round = round_
        self._refused = refused
        self._readiness = readiness
        self._assignment = Assignment(
            consumer=clients.consumer,
            admin=clients.admin,
            tail=clients.tail,
            profiles=job.topics.profiles,
            policy=job.policy,
            request_s=job.tuning.request_s,
            reading_s=job.tuning.committed_s,
            leases=leases,
        )
        self._noted: set[InputPartition] = set()
        self._noted_from = 0.0
        self._silent_since: float | None = None

    @property
    def counting(self) -> list[OwnedPartition]:
        """The partitions that are not left alone."""
        return [p for p in self.owned.values() if p.excess is None]

    def join(self) -> None:
        """Subscribe to the inputs."""
        self._clients.consumer.subscribe(
            self._job.inputs, on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
        )

    def join_anew(self) -> None:
        """Ask the group for a new assignment."""
        self._clients.consumer.unsubscribe()
        self.join()

    def take_up_noted(self, now: float) -> None:
        """Take up what the group gave, unless a failed attempt was just before `now`, in seconds of the loop's clock.

        Raises:
            ClientRestart: the partitions are not ours any more, or no answer has come for too long.
            KafkaException: an error that will not pass.
            Stop: the worker cannot go on.
        """
        if self._noted and now >= self._noted_from:
            self._take_up()

    def take_up_again(self, places: Iterable[InputPartition]) -> None:
        """Drop what is pending of owned partitions and begin again at what is committed (step 15)."""
        again = [place for place in places if place in self.owned]
        self._unassign(again)
        for place in again:
            del self.owned[place]
        self._noted |= set(again)
        self._noted_from = time.monotonic() + self._job.tuning.retry_s

    def release(self) -> None:
        """Say that the partitions are not this worker's any more; after the clients are closed."""
        for place in self.owned:
            self._job.observer.released(Loop.PROFILE, *place)

    # --- callbacks of the consumer: they note -------------------------------------------------------------------------

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._job.observer.rebalance(RebalanceEvent.ASSIGNED)
        self._noted |= {(p.topic, p.partition) for p in partitions}
        consumer.incremental_assign([])  # or the binding would assign all of them itself

    def _on_revoke(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._job.failpoints.reach("profile.16.before")
        self._job.observer.rebalance(RebalanceEvent.REVOKED)
        self._give_up({(p.topic, p.partition) for p in partitions})
        self._job.failpoints.reach("profile.16.after")

    def _on_lost(self, _consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._job.observer.rebalance(RebalanceEvent.LOST)
        self._give_up({(p.topic, p.partition) for p in partitions})

    def _give_up(self, places: set[InputPartition]) -> None:
        """Drop what is not written; nothing is pending across a poll, so there is nothing to commit (step 16)."""
        self._unassign(place for place in places if place in self.owned)
        for place in places:
            self.owned.pop(place, None)
            self._job.observer.released(Loop.PROFILE, *place)
        self._refused.accepted(places)
        self._noted -= places

    def _unassign(self, places: Iterable[InputPartition]) -> None:
        self._clients.consumer.incremental_unassign([TopicPartition(*place) for place in places])

    # --- taking up ----------------------------------------------------------------------------------------------------

    def _take_up(self) -> None:
        """Find where the noted partitions go on, commit a lease for each, and read them (steps 3 to 5)."""
        places, reach = sorted(self._noted), self._job.failpoints.reach
        try:
            reach("profile.3.before")
            with self._waiting.of("committed offsets are not known"):
                found, states = self._assignment.find(places, self._group_start())
            reach("profile.3.after")
            reach("profile.4.before")
            self._round.commit(
                [TopicPartition(*place, state.next, metadata=state.chain.encode()) for place, state in found.items()]
            )
            reach("profile.4.after")
        except RoundFailed as error:
            self._refused.refused(error, places)
            self._noted_from = time.monotonic() + self._job.tuning.retry_s
            return
        except KafkaException as error:
            self._note_silence(error)
            return
        self._silent_since = None
        for place, state in found.items():
            self._leases.add(place, state.chain.lease)
        self.topics.update(states)
        self._read(found)
        self._noted -= set(places)
        self._clients.surveyor.places = tuple(self.owned)
        reach("profile.5.after")
        self._readiness.waits(Cause.PARTITIONS, None)

    def _group_start(self) -> GroupStart:
        record = self._clients.baselines.schedule.starts[self._job.group]
        return GroupStart(record, max(int(time.time() * 1000), record.timestamp_ms, self._round.broker_ms or 0))

    def _read(self, found: Mapping[InputPartition, Found]) -> None:
        """Begin to read partitions whose lease is committed (step 5).

        Raises:
            ClientRestart: the group has taken them back meanwhile.
        """
        job, now = self._job, time.monotonic()
        job.failpoints.reach("profile.5.before")
        try:
            self._clients.consumer.incremental_assign(
                [TopicPartition(*place, state.next) for place, state in found.items()]
            )
        except KafkaException as error:
            raise ClientRestart(RestartReason.ASSIGNMENT_LOST, str(error)) from error
        for place, state in found.items():
            if state.passed:
                _LOG.warning(
                    "%s[%d]: offsets %d to %d were deleted uncounted and are passed over (on_data_loss: continue)",
                    *place,
                    state.next - state.passed,
                    state.next - 1,
                )
                job.observer.input_gap(place[0], state.passed)
            self.owned[place] = OwnedPartition(
                *place,
                source_partitions=self.topics[place[0]].partitions,
                next=state.next,
                chain=state.chain,
                empty_due_at=now + job.tuning.quiet_s,
                heard_at=now,
                guarded=state.guarded,
            )
            job.observer.chunk_limit(*place, state.chain.limit)

    def _note_silence(self, error: KafkaException) -> None:
        """Try again later when an answer did not come; the loop must come round meanwhile.

        Raises:
            ClientRestart: it has not come for too long.
            KafkaException: the error will not pass.
        """
        inner, now = kafka_error(error), time.monotonic()
        if not is_transient(inner):
            raise error
        self._silent_since = self._silent_since or now
        if now - self._silent_since > self._job.tuning.committed_s:
            raise ClientRestart(
                RestartReason.ERROR, f"no answer for {self._job.tuning.committed_s:g} s: {inner.name()}"
            )
        self._noted_from = now + self._job.tuning.retry_s
