"""The judge worker: sessions one after the other, until it is told to stop or cannot go on."""

from __future__ import annotations

import logging
import threading
import time

from confluent_kafka import Consumer, KafkaException

from stream_monitor.core.baseline import Schedule, activation_lead_ms
from stream_monitor.kafka.baseline_log import BaselineLog
from stream_monitor.kafka.clients import open_admin, open_consumer
from stream_monitor.kafka.errors import (
    ClientRestart,
    Fatal,
    Misconfigured,
    RestartReason,
    is_transient,
    kafka_error,
    stop_for,
)
from stream_monitor.kafka.judge.context import JudgeContext
from stream_monitor.kafka.judge.job import JudgeJob
from stream_monitor.kafka.judge.judged_plans import plan_counts
from stream_monitor.kafka.judge.repeating_writer import RepeatingWriter
from stream_monitor.kafka.judge.session import JudgeSession, JudgeWriter
from stream_monitor.kafka.judge.transactional_writer import TransactionalWriter
from stream_monitor.kafka.observer import Loop
from stream_monitor.kafka.outage import OutageWatch
from stream_monitor.kafka.settings import Delivery, judge_consumer, judge_producer
from stream_monitor.kafka.topics import describe_topics

_LOG = logging.getLogger("stream_monitor.kafka.judge")
REVOKE_SHARE = 0.2
"""Of the longest allowed time between polls: what a last commit may hold up a rebalance."""

RESTART_PAUSE_S = 1.0


class JudgeWorker:
    """Judges the partitions of `drift-profiles` that its group gives it.

    `run` blocks in the calling thread; `stop` may be called from any thread or a signal handler.

    Args:
        job: what to judge, and how.
    """

    def __init__(self, job: JudgeJob) -> None:
        self._job = job
        self._stopping = threading.Event()
        self._away_since: float | None = None
        self._outage = OutageWatch(job.name)
        self._known_plans: dict[int, int] | None = None

    def stop(self) -> None:
        """Ask the worker to commit and leave; from any thread or a signal handler."""
        self._stopping.set()

    def run(self) -> None:
        """Judge until `stop` is called.

        Raises:
            Stop: the worker cannot go on; its `exit_code` says why.
        """
        while not self._stopping.is_set():
            self._job.observer.progress(Loop.JUDGE)  # waiting for a broker is no stall
            try:
                self._live()
            except ClientRestart as restart:
                self._pause(restart)
            except (KafkaException, Fatal) as error:
                self._pause(self._restart_for(error))

    def _live(self) -> None:
        """Live one life of all clients; return when the worker was stopped.

        Raises:
            ClientRestart: take new clients.
            KafkaException: the broker does not answer.
            Stop: the worker cannot go on.
        """
        job = self._job
        partitions, log_id = self._look_at_topics()
        log = open_consumer(job.reader, lambda error: job.observer.kafka_error(error.name()))
        schedule = Schedule(group=job.group, lead_ms=activation_lead_ms(job.plan.time))
        baselines = BaselineLog(log, job.topics.baselines, schedule)
        try:
            baselines.read_to_end(timeout_s=job.tuning.answer_s)
            self._away_since = None
            if self._known_plans is None:  # what is changed after this is newer than the plan of this process
                self._known_plans = plan_counts(job.settings, job.topics.judge_state)
            self._run_session(JudgeContext(job, partitions, baselines, self._outage, self._known_plans, log_id=log_id))
        finally:
            baselines.close()

    def _run_session(self, context: JudgeContext) -> None:
        consumer = open_consumer(
            judge_consumer(self._job.settings, group=self._job.group, instance=self._job.instance), context.note_error
        )
        try:
            writer = self._open_writer(context, consumer)
        except BaseException:
            consumer.close()
            raise
        session = JudgeSession(
            context,
            consumer,
            open_admin(self._job.settings),
            writer=writer,
            revoke_budget_s=self._job.settings.milliseconds("max.poll.interval.ms") / 1000 * REVOKE_SHARE,
        )
        try:
            session.run(self._stopping.is_set)
        finally:
            session.close()

    def _pause(self, restart: ClientRestart) -> None:
        # In an outage every attempt fails the same way, and the outage itself is in the log.
        level = logging.DEBUG if self._outage.look() else logging.WARNING
        _LOG.log(level, "%s: new clients: %s", self._job.name, restart)
        self._job.observer.restart(restart.reason)
        self._job.observer.readiness(Loop.JUDGE, ready=False, detail=str(restart))
        self._stopping.wait(RESTART_PAUSE_S)

    def _restart_for(self, error: KafkaException | Fatal) -> ClientRestart:
        """Return the restart that mends an error: of a broker that is away, or that came back.

        Raises:
            Fatal: the error is no passing one, or no broker has answered for too long.
        """
        if isinstance(error, KafkaException) and is_transient(kafka_error(error)):
            now = time.monotonic()
            if self._away_since is None:
                self._away_since = now
            if now - self._away_since > self._job.tuning.away_s:
                raise Fatal(f"no broker answered for {self._job.tuning.away_s:g} s") from error
            return ClientRestart(RestartReason.ERROR, str(error))
        if self._outage.excuses():
            return ClientRestart(RestartReason.FENCED, f"{error}, soon after brokers were away")
        if isinstance(error, Fatal):
            raise error
        inner = kafka_error(error)
        stop = stop_for(inner, "talk to the cluster", name=self._job.name)
        raise stop or Fatal(f"{inner.name()}: {inner.str()}") from error

    def _open_writer(self, context: JudgeContext, consumer: Consumer) -> JudgeWriter:
        config = judge_producer(
            self._job.settings, group=self._job.group, instance=self._job.instance, delivery=self._job.delivery
        )
        if self._job.delivery is Delivery.EXACTLY_ONCE:
            return TransactionalWriter(context, config, consumer)
        return RepeatingWriter(context, config, consumer)

    def _look_at_topics(self) -> tuple[int, str]:
        """Return n, the number of partitions of `drift-profiles` and of every topic that goes with it, and its id.

        Raises:
            Misconfigured: a topic is missing, or has another number.
        """
        names = self._job.topics
        wanted = (names.profiles, names.alerts, names.alert_state, names.judge_state)
        states = describe_topics(open_admin(self._job.settings), wanted)
        missing = [name for name in wanted if name not in states]
        if missing:
            raise Misconfigured(f"topics missing: {', '.join(missing)}: run 'stream-monitor topics create'")
        counts = {name: states[name].partitions for name in wanted}
        if len(set(counts.values())) > 1:
            told = ", ".join(f"{name} {count}" for name, count in counts.items())
            raise Misconfigured(
                f"topics of the judge must have equally many partitions: {told}: run 'stream-monitor topics verify'"
            )
        return counts[names.profiles], states[names.profiles].topic_id
