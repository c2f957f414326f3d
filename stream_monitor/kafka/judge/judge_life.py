"""One life of a judge worker's clients: topics looked at, baselines read, then the loop from its start to its end."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Final

from confluent_kafka import Consumer, KafkaException

from stream_monitor.core.baseline import Schedule, activation_lead_ms
from stream_monitor.kafka.baseline_log import BaselineLog
from stream_monitor.kafka.client_settings import Delivery, judge_consumer, judge_producer
from stream_monitor.kafka.clients import open_admin, open_consumer
from stream_monitor.kafka.errors import Misconfigured
from stream_monitor.kafka.judge.context import JudgeContext
from stream_monitor.kafka.judge.judge_job import JudgeJob
from stream_monitor.kafka.judge.judge_loop import JudgeLoop, JudgeWriter
from stream_monitor.kafka.judge.judged_plans import plan_counts
from stream_monitor.kafka.judge.repeating_writer import RepeatingWriter
from stream_monitor.kafka.judge.transactional_writer import TransactionalWriter
from stream_monitor.kafka.observer import Loop
from stream_monitor.kafka.outage import OutageWatch
from stream_monitor.kafka.stop_request import StopRequest
from stream_monitor.kafka.topics import describe_topics

REVOKE_SHARE = 0.2
"""Of the longest allowed time between polls: what a last commit may hold up a rebalance."""


@dataclass(slots=True)
class JudgeMemory:
    """What a judge worker remembers over the lives of its clients.

    Attributes:
        outage: that brokers were away.
        known_plans: how many plans each partition had gone through when the process started; None before it was asked.
    """

    outage: OutageWatch
    known_plans: dict[int, int] | None = None


class JudgeLife:
    """Opens what a loop needs, and the loop.

    Args:
        job: what the worker was given.
        memory: what outlives the clients.
        stopping: looked at whenever the loop comes round.
    """

    failed: Final = None
    """No callback of the judge's clients ends the worker: its calls raise what does."""

    def __init__(self, job: JudgeJob, *, memory: JudgeMemory, stopping: StopRequest) -> None:
        self._job = job
        self._memory = memory
        self._stopping = stopping
        self._exit = ExitStack()

    def open(self) -> JudgeRun:
        """Look at the topics and read the baselines.

        Raises:
            KafkaException: the broker does not answer.
            Stop: topics are missing or otherwise than they must be, or the cluster refuses us.
        """
        job = self._job
        job.observer.progress(Loop.JUDGE)  # waiting for a broker is no stall
        partitions, log_id = self._look_at_topics()
        baselines = BaselineLog(
            open_consumer(job.reader, lambda error: job.observer.kafka_error(error.name())),
            job.topics.baselines,
            Schedule(group=job.group, lead_ms=activation_lead_ms(job.plan.time)),
        )
        self._exit.callback(baselines.close)
        baselines.read_to_end(timeout_s=job.tuning.answer_s)
        return JudgeRun(job, self._memory, self._stopping, baselines, partitions, log_id)

    def close(self) -> None:
        """Close the reader of baselines; the loop has closed its own clients."""
        with suppress(KafkaException):  # given up, whatever it has to say
            self._exit.close()

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
            listed = ", ".join(f"{name} {count}" for name, count in counts.items())
            raise Misconfigured(
                f"topics of the judge must have equally many partitions: {listed}: run 'stream-monitor topics verify'"
            )
        return counts[names.profiles], states[names.profiles].topic_id


@dataclass(frozen=True, slots=True)
class JudgeRun:
    """A loop that can begin: topics and baselines are known.

    Attributes:
        partitions: of `drift-profiles`.
        log_id: id of that topic.
    """

    job: JudgeJob
    memory: JudgeMemory
    stopping: StopRequest
    baselines: BaselineLog
    partitions: int
    log_id: str

    def run(self) -> None:
        """Judge until a stop is asked for.

        The loop leaves its group before the pause between two lives, so that others take its partitions at once.

        Raises:
            ClientRestart: take new clients.
            KafkaException: the broker does not answer.
            Stop: the worker cannot go on.
        """
        job, memory = self.job, self.memory
        if memory.known_plans is None:  # what is changed after this is newer than the plan of this process
            memory.known_plans = plan_counts(job.settings, job.topics.judge_state)
        context = JudgeContext(
            job, self.partitions, self.baselines, memory.outage, memory.known_plans, log_id=self.log_id
        )
        loop = self._loop(context)
        try:
            loop.run(self.stopping.is_asked)
        finally:
            loop.close()

    def _loop(self, context: JudgeContext) -> JudgeLoop:
        settings = self.job.settings
        consumer = open_consumer(
            judge_consumer(settings, group=self.job.group, instance=self.job.instance), context.note_error
        )
        try:
            writer = self._open_writer(context, consumer)
        except BaseException:
            consumer.close()
            raise
        return JudgeLoop(
            context,
            consumer,
            open_admin(settings),
            writer=writer,
            revoke_budget_s=settings.milliseconds("max.poll.interval.ms") / 1000 * REVOKE_SHARE,
        )

    def _open_writer(self, context: JudgeContext, consumer: Consumer) -> JudgeWriter:
        job = self.job
        config = judge_producer(job.settings, group=job.group, instance=job.instance, delivery=job.delivery)
        if job.delivery is Delivery.EXACTLY_ONCE:
            return TransactionalWriter(context, config, consumer)
        return RepeatingWriter(context, config, consumer)
