"""One life of a profile worker's clients: from the first look at the topics to the close (steps 1, 2, 6, 15 to 17).

Everything here runs in one thread. Callbacks of the client come from inside `consume` and only note what happened; the
loop acts on it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from threading import Event
from typing import Self

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition
from confluent_kafka.admin import AdminClient

from stream_monitor.core.baseline import Schedule, activation_lead_ms
from stream_monitor.kafka import clients
from stream_monitor.kafka.baseline_log import BaselineLog, BaselineWriter
from stream_monitor.kafka.errors import (
    ClientRestart,
    Fatal,
    Fenced,
    Misconfigured,
    RestartReason,
    RoundFailed,
    Stop,
    is_transient,
    kafka_error,
    stop_for,
)
from stream_monitor.kafka.lives import excused
from stream_monitor.kafka.observer import Loop, RebalanceEvent
from stream_monitor.kafka.outage import OutageWatch
from stream_monitor.kafka.profile.alignment import Progress, too_far_ahead
from stream_monitor.kafka.profile.assignment import Assignment, GroupStart
from stream_monitor.kafka.profile.coverage import Coverage, CoverageWatch
from stream_monitor.kafka.profile.healing import LogTail
from stream_monitor.kafka.profile.intake import runs
from stream_monitor.kafka.profile.job import ProfileJob
from stream_monitor.kafka.profile.owned import OwnedPartition, Place
from stream_monitor.kafka.profile.readiness import Cause, Readiness
from stream_monitor.kafka.profile.round import Round
from stream_monitor.kafka.profile.survey import Surveyor
from stream_monitor.kafka.profile.watchdog import OwnTopicWatch, SilenceWatch, TopicWatch
from stream_monitor.kafka.refusals import Refusals
from stream_monitor.kafka.settings import outsider, profile_consumer, profile_producer, reader
from stream_monitor.kafka.stop_request import StopRequest
from stream_monitor.kafka.topics import (
    TopicState,
    Weight,
    check_inputs,
    describe_topics,
    plan_topics,
    require,
    verify_topics,
)
from stream_monitor.kafka.unwrapped import unwrapped

_LOG = logging.getLogger("stream_monitor.kafka.profile")

_CLOSE_S = 10.0
_HURRIED_CLOSE_S = 3.0


@dataclass(frozen=True, slots=True)
class Memory:
    """What a worker remembers over the lives of its clients.

    Attributes:
        leases: that this process ever took.
        outage: that brokers were away: a member that comes back may be fenced by itself.
        stalled: set by the watch on the loop when it told that the loop stands still.
    """

    leases: set[tuple[Place, int]] = field(default_factory=set)
    outage: OutageWatch = field(default_factory=OutageWatch)
    stalled: Event = field(default_factory=Event)


class ProfileSession:
    """Consumer, producer and readers of one worker, and the partitions it owns.

    Args:
        job: what the worker was given.
        memory: what outlives the clients.
        stopping: looked at whenever the loop comes round.
        beat: told whenever the loop comes round.
    """

    def __init__(
        self,
        job: ProfileJob,
        *,
        memory: Memory,
        stopping: StopRequest,
        beat: Callable[[], None],
    ) -> None:
        self._job = job
        self._memory = memory
        self._stopping = stopping
        self._beat = beat
        self._owned: dict[Place, OwnedPartition] = {}
        self._noted: set[Place] = set()
        self._noted_from = 0.0
        self._failed_error: Stop | None = None
        self._refusals: Refusals[Place] = Refusals()
        self._refusal = ""
        self._held = False
        self._readiness = Readiness(job.observer)
        self._polled_at = time.monotonic()
        self._silent_since: float | None = None
        self._exit = ExitStack()

    # --- start --------------------------------------------------------------------------------------------------------

    def open(self) -> Self:
        """Look at the topics, open the clients, read the baselines and join the group (steps 1 and 2).

        Raises:
            Stop: topics are missing or otherwise than they must be, or the cluster refuses us.
            KafkaException: it does not answer.
        """
        job, settings = self._job, self._job.settings
        self._admin: AdminClient = clients.open_admin(settings)
        self._states = self._checked_topics()
        self._producer: Producer = clients.open_producer(
            profile_producer(settings, group=job.group, instance=job.instance), self._on_error
        )
        self._exit.callback(self._close_producer)
        self._baselines = BaselineLog(
            clients.open_consumer(reader(settings), self._on_error),
            job.topics.baselines,
            Schedule(group=job.group, lead_ms=activation_lead_ms(job.plan.time)),
        )
        self._exit.callback(self._baselines.close)
        self._tail = LogTail(clients.open_consumer(reader(settings), self._on_error), job.topics.profiles)
        self._exit.callback(self._tail.close)
        self._baselines.read_to_end(timeout_s=job.tuning.committed_s)
        self._start_group()
        self._consumer: Consumer = self._open_consumer()
        self._exit.callback(self._close_consumer)
        self._join()
        self._topic_watch = TopicWatch({topic: self._states[topic] for topic in job.inputs})
        self._own_topic_watch = OwnTopicWatch({topic: self._states[topic] for topic in self._ours})
        self._silence_watch = SilenceWatch(job.tuning.silent_s)
        self._coverage_watch = CoverageWatch(job.tuning.forgotten_s)
        self._surveyor = Surveyor(
            self._admin,
            clients.open_consumer(outsider(settings, group=job.group), self._note_error_of_survey),
            job.inputs,
            ours=tuple(self._ours),
            every_s=job.tuning.watch_s,
            request_s=job.tuning.request_s,
        )
        self._exit.callback(self._surveyor.stop)
        self._assignment = Assignment(
            self._consumer,
            self._admin,
            self._tail,
            job.topics.profiles,
            job.policy,
            job.tuning.request_s,
            job.tuning.committed_s,
            self._memory.leases,
        )
        self._round = Round(
            job,
            consumer=self._consumer,
            producer=self._producer,
            admin=self._admin,
            schedule=self._baselines.schedule,
            partitions=self._states[job.topics.profiles].partitions,
            letter_partitions=self._states[job.topics.dead_letters].partitions,
            stopping=self._stopping,
        )
        return self

    def _open_consumer(self) -> Consumer:
        """Return a member of the group; a session inside another framework is lent one."""
        job = self._job
        return clients.open_consumer(
            profile_consumer(job.settings, group=job.group, instance=job.instance), self._on_error
        )

    def _join(self) -> None:
        self._consumer.subscribe(
            self._job.inputs, on_assign=self._on_assign, on_revoke=self._on_revoke, on_lost=self._on_lost
        )

    @property
    def _ours(self) -> Sequence[str]:
        """Names of the topics of ours that the role reads or writes."""
        return self._job.topics.profiles, self._job.topics.baselines, self._job.topics.dead_letters

    def _checked_topics(self) -> dict[str, TopicState]:
        """Verify our topics and look at the inputs (step 1)."""
        job = self._job
        ours = [spec for spec in plan_topics(job.topics) if spec.name in self._ours]
        # What only weakens our own topics is for `topics verify` to say; a worker stops at what breaks a promise.
        found = [
            *(difference for difference in verify_topics(self._admin, ours) if difference.weight is Weight.ERROR),
            *check_inputs(self._admin, job.inputs, allowed_lateness_ms=job.plan.time.allowed_lateness_ms),
        ]
        for warning in require(found):
            _LOG.warning("%s", warning)
        return describe_topics(self._admin, [*(spec.name for spec in ours), *job.inputs])

    def _start_group(self) -> None:
        """Write the group's start record, unless there is one; the lowest offset counts for ever."""
        job = self._job
        if job.group not in self._baselines.schedule.starts:
            partitions = {topic: self._states[topic].partitions for topic in job.inputs}
            BaselineWriter(self._producer, job.topics.baselines).start(
                group=job.group, instance=job.instance, partitions=partitions
            )
            self._baselines.read_to_end(timeout_s=job.tuning.committed_s)

    @property
    def failed(self) -> Stop | None:
        """What a client told its callback that ends the worker; None while nothing has."""
        return self._failed_error

    # --- callbacks of the client: they note ---------------------------------------------------------------------------

    def _on_error(self, error: KafkaError) -> None:
        self._job.observer.kafka_error(error.name())
        self._memory.outage.note(error)
        stop = stop_for(error, "talk to the cluster", name=self._job.member_name)
        if stop is not None:
            self._failed_error = stop

    def _note_error_of_survey(self, error: KafkaError) -> None:
        """Called from the survey's thread; the loop hears of whatever matters from its own clients."""
        self._job.observer.kafka_error(error.name())

    def _on_assign(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._job.observer.rebalance(RebalanceEvent.ASSIGNED)
        self._noted |= {(p.topic, p.partition) for p in partitions}
        consumer.incremental_assign([])  # or the binding would assign all of them itself

    def _on_revoke(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._job.failpoints.reach("profile.16.before")
        self._job.observer.rebalance(RebalanceEvent.REVOKED)
        self._give_up({(p.topic, p.partition) for p in partitions})
        self._job.failpoints.reach("profile.16.after")

    def _on_lost(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        self._job.observer.rebalance(RebalanceEvent.LOST)
        self._give_up({(p.topic, p.partition) for p in partitions})

    def _give_up(self, places: set[Place]) -> None:
        """Drop what is not written; nothing is pending across a poll, so there is nothing to commit (step 16)."""
        self._unassign(place for place in places if place in self._owned)
        for place in places:
            self._owned.pop(place, None)
            self._job.observer.released(Loop.PROFILE, *place)
        self._refusals.accepted(places)
        self._noted -= places

    def _unassign(self, places: Iterable[Place]) -> None:
        self._consumer.incremental_unassign([TopicPartition(*place) for place in places])

    # --- loop ---------------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Work until asked to stop, then finish the round in hand and name it (step 17).

        Raises:
            ClientRestart: the clients have to be rebuilt.
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
        messages = unwrapped(lambda: self._consumer.consume(self._job.tuning.poll_records, self._wait_s(now)))
        self._beat()
        self._job.observer.progress(Loop.PROFILE)
        if self._failed_error is not None:
            raise self._failed_error
        self._route(messages, self._polled_at)  # a record may have waited since then: its chunk is as old
        now = time.monotonic()
        if self._noted and now >= self._noted_from:
            self._take_up()
        due = self._due(now)
        if due:
            self._write_round(due)
            self._follow_baselines()
        self._watch(now)
        self._tell_readiness(now)

    def _wait_s(self, now: float) -> float:
        tuning = self._job.tuning
        due = min(map(self._due_at, self._counting), default=now + tuning.poll_s)
        return max(0.0, min(tuning.poll_s, due - now))

    @property
    def _counting(self) -> list[OwnedPartition]:
        """The partitions that are not left alone."""
        return [p for p in self._owned.values() if p.excess is None]

    def _due_at(self, partition: OwnedPartition) -> float:
        since = partition.pending.since
        if since is None:
            return partition.tell_at
        return since if self._round.is_limited(partition) else since + self._job.tuning.chunk_age_s

    def _due(self, now: float) -> list[OwnedPartition]:
        """Return the partitions whose chunks are to be written now, in one round.

        A limited partition does not draw the others into its many small rounds.
        """
        tuning, owned = self._job.tuning, self._counting
        overdue = [p for p in owned if now >= self._due_at(p)]
        is_full = (
            sum(len(p.pending) for p in owned) >= tuning.chunk_records
            or sum(p.pending.bytes for p in owned) >= tuning.chunk_bytes
        )
        if is_full or not all(len(p.pending) and self._round.is_limited(p) for p in overdue):
            return [p for p in owned if len(p.pending) or now + self._slack_s() >= p.tell_at]
        return overdue

    def _route(self, messages: list[Message], now: float) -> None:
        if any(map(Message.error, messages)):
            records = []
            for message in messages:
                error = message.error()
                if error is None:
                    records.append(message)
                else:
                    # An end of partition must be seen after the records before it.
                    self._accept(records, now)
                    records = []
                    self._note_event(error, message, now)
            messages = records
        self._accept(messages, now)

    def _accept(self, messages: list[Message], now: float) -> None:
        for topic, partition, run in runs(messages, topics=len(self._job.decoders)):
            owned = self._owned.get((topic, partition))
            if owned is None:  # given up between fetch and now
                continue
            owned.heard_at = now
            dropped = owned.pending.accept(run, now)
            if dropped < len(run):
                owned.end = None
            if dropped:
                _LOG.info("%s[%d]: %d records came again and were dropped", topic, partition, dropped)

    def _note_event(self, error: KafkaError, message: Message, now: float) -> None:
        topic, partition, offset = message.topic(), message.partition(), message.offset()
        owned = self._owned.get((topic, partition)) if topic is not None and partition is not None else None
        if error.code() == KafkaError._PARTITION_EOF:
            if owned is not None and offset is not None and offset >= owned.pending.expected:
                owned.pending.reached_end(offset)
                owned.end = offset
                owned.heard_at = now
            return
        self._job.observer.kafka_error(error.name())
        if error.code() == KafkaError._AUTO_OFFSET_RESET and owned is not None:
            _LOG.warning("%s[%d]: %s", topic, partition, error.str())
            self._take_up_again([owned.place])  # the assignment finds out what was lost
            return
        stop = stop_for(error, f"read {topic or 'the inputs'}", name=self._job.member_name)
        if stop is not None:
            raise stop
        _LOG.warning("%s[%s]: %s: %s", topic, partition, error.name(), error.str())

    # --- assignment ---------------------------------------------------------------------------------------------------

    def _take_up(self) -> None:
        """Find where the noted partitions go on, commit a lease for each, and read them (steps 3 to 5)."""
        job, places, reach = self._job, sorted(self._noted), self._job.failpoints.reach
        record = self._baselines.schedule.starts[job.group]
        now_ms = max(int(time.time() * 1000), record.timestamp_ms, self._round.broker_ms or 0)
        try:
            reach("profile.3.before")
            found, states = self._assignment.find(places, GroupStart(record, now_ms))
            reach("profile.3.after")
            reach("profile.4.before")
            self._round.commit(
                [TopicPartition(*place, state.next, metadata=state.chain.encode()) for place, state in found.items()]
            )
            reach("profile.4.after")
        except RoundFailed as error:
            self._note_refusal(error, places)
            self._noted_from = time.monotonic() + job.tuning.retry_s
            return
        except KafkaException as error:
            self._note_silence(error)
            return
        self._silent_since = None
        self._memory.leases.update((place, state.chain.lease) for place, state in found.items())
        self._states.update(states)
        now = time.monotonic()
        reach("profile.5.before")
        try:
            self._consumer.incremental_assign([TopicPartition(*place, state.next) for place, state in found.items()])
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
            self._owned[place] = OwnedPartition(
                *place,
                source_partitions=self._states[place[0]].partitions,
                next=state.next,
                chain=state.chain,
                tell_at=now + job.tuning.quiet_s,
                heard_at=now,
                guarded=state.guarded,
            )
            job.observer.chunk_limit(*place, state.chain.limit)
        self._noted -= set(places)
        self._surveyor.places = tuple(self._owned)
        reach("profile.5.after")
        self._readiness.waits(Cause.PARTITIONS, None)

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

    def _take_up_again(self, places: Iterable[Place]) -> None:
        """Drop what is pending of owned partitions and begin again at what is committed (step 15)."""
        again = [place for place in places if place in self._owned]
        self._unassign(again)
        for place in again:
            del self._owned[place]
        self._noted |= set(again)
        self._noted_from = time.monotonic() + self._job.tuning.retry_s

    # --- rounds -------------------------------------------------------------------------------------------------------

    def _write_round(self, due: list[OwnedPartition]) -> None:
        """Count, write and commit what is due; a failed round leaves no trace that counts."""
        if self._hold(self._baselines.is_behind()):
            return
        try:
            self._round.run(due)
        except RoundFailed as error:
            self._note_refusal(error, [p.place for p in due])
            self._take_up_again([p.place for p in due])
            return
        self._refusals.accepted([p.place for p in due])
        self._align()

    def _follow_baselines(self) -> None:
        """Look for new baselines after the round: the answer may take a while, and no commit has to wait for it."""
        if self._baselines.lag_s() >= self._job.tuning.baselines_s:
            self._baselines.refresh()

    def _slack_s(self) -> float:
        """Return how much earlier an empty chunk may come to share a commit with others."""
        return self._job.tuning.quiet_s / 4

    def _note_refusal(self, error: RoundFailed, places: Sequence[Place]) -> None:
        _LOG.warning("round dropped: %s", error)
        self._refusal = str(error)
        refused_s = self._refusals.refused(places, now=time.monotonic())
        if refused_s > self._job.tuning.refused_s:
            raise ClientRestart(RestartReason.FENCED, f"refused for {refused_s:.0f} s: {error}")

    def _hold(self, hold: bool) -> bool:
        """Stop fetching while the baselines are not known up to now; return whether that is so."""
        if hold != self._held:
            self._held = hold
            detail = "the baseline reader is behind" if hold else None
            _LOG.warning("counting %s", f"waits: {detail}" if hold else "goes on")
            self._readiness.waits(Cause.BASELINES, detail)
            self._align()
        if hold:
            time.sleep(0.05)  # the loop is due at once again
        return hold

    def _align(self) -> None:
        """Pause partitions that are too far ahead, or all while counting waits; resume the others."""
        lateness_ms = self._job.plan.time.allowed_lateness_ms
        progress = {
            place: Progress(p.chain.watermark_ms(lateness_ms), p.at_end and not len(p.pending))
            for place, p in self._owned.items()
            if p.excess is None  # nobody waits for one that is left alone
        }
        ahead = too_far_ahead(progress, max_ahead_ms=self._job.plan.time.max_ahead_ms)
        for place, partition in self._owned.items():
            pause = self._held or place in ahead or partition.excess is not None
            if pause == partition.paused:
                continue
            (self._consumer.pause if pause else self._consumer.resume)([TopicPartition(*place)])
            partition.paused = pause
            partition.heard_at = time.monotonic()

    # --- watch --------------------------------------------------------------------------------------------------------

    def _watch(self, now: float) -> None:
        """Look at what the client does not report (step 18)."""
        self._tail.serve()
        survey = self._surveyor.take()
        if survey is not None:
            self._memory.outage.answered()
        self._readiness.waits(Cause.BROKERS, self._memory.outage.look())
        if survey is None:
            if self._surveyor.silent_s() > self._job.tuning.away_s:
                raise Fatal(f"no broker answered for {self._job.tuning.away_s:g} s")
            return
        self._topic_watch.look(survey.topics)
        self._readiness.waits(Cause.TOPICS, self._own_topic_watch.look(survey.topics))
        self._silence_watch.look(self._owned.values(), stable=survey.stable, high=survey.high, now=now)
        self._states.update(survey.topics)
        for partition in self._owned.values():
            partition.source_partitions = self._states[partition.topic].partitions
            if partition.place in survey.stable:
                self._job.observer.lag(*partition.place, max(0, survey.stable[partition.place] - partition.next))
        self._look_at_coverage(survey.coverage)

    def _tell_readiness(self, now: float) -> None:
        refused_s = self._refusals.longest(now=now)
        is_stuck = refused_s > self._job.tuning.stuck_s
        self._readiness.waits(Cause.COMMITS, f"nothing was committed: {self._refusal}" if is_stuck else None)
        excess = next((p.excess for p in self._owned.values() if p.excess is not None), None)
        self._readiness.waits(Cause.LETTERS, excess)
        if self._memory.stalled.is_set():
            self._memory.stalled.clear()
            self._readiness.tell_again()
        self._readiness.tell(len(self._owned))

    def _look_at_coverage(self, coverage: Coverage) -> None:
        """Ask for a new assignment when the group leaves partitions out."""
        forgotten = self._coverage_watch.look(coverage, owned=self._owned, now=time.monotonic())
        if forgotten:
            _LOG.warning("no member has %s: joining anew", ", ".join(f"{t}[{p}]" for t, p in forgotten))
            self._consumer.unsubscribe()
            self._join()

    # --- end ----------------------------------------------------------------------------------------------------------

    def _drain(self) -> None:
        """Finish the round in hand, and write one empty chunk for each partition to name it."""
        if self._baselines.is_behind():
            return  # what is in hand may belong to a baseline that is not known here
        try:
            while any(len(p.pending) for p in self._counting) and self._stopping.left_s() > 0:
                self._round.run([p for p in self._counting if len(p.pending)])
            self._round.run(self._counting)
        except RoundFailed as error:
            _LOG.warning("the last round was dropped, the next owner counts it: %s", error)

    def close(self) -> None:
        """Close what was opened, the consumer first; what is still queued is dropped: nobody would ever name it."""
        self._exit.close()
        for place in self._owned:
            self._job.observer.released(Loop.PROFILE, *place)

    def _close_consumer(self) -> None:
        # Without a broker the close waits for answers that never come; whoever asked for the stop does not.
        hurried = self._stopping.left_s() <= 0
        clients.close_consumer(self._consumer, timeout_s=_HURRIED_CLOSE_S if hurried else _CLOSE_S)

    def _close_producer(self) -> None:
        with suppress(KafkaException):  # given up, whatever it has to say
            unwrapped(self._producer.purge)
            unwrapped(self._producer.close)


def missing_decoders(job: ProfileJob) -> None:
    """Refuse a job whose inputs and decoders differ.

    Raises:
        Misconfigured: an input has no decoder, or a decoder no input.
    """
    planned = {item.topic for item in job.plan.inputs}
    if planned != set(job.decoders):
        odd = ", ".join(sorted(planned ^ set(job.decoders)))
        raise Misconfigured(f"inputs: every topic of the plan needs its decoder and no other may have one: {odd}")
