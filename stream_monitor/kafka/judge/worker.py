"""The judge worker: sessions one after the other, until it is told to stop or cannot go on."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping

from confluent_kafka import Consumer

from stream_monitor.core.baseline import Schedule, activation_lead_ms
from stream_monitor.core.plan import Plan
from stream_monitor.core.rules import RuleFactory
from stream_monitor.kafka.baseline_log import BaselineLog
from stream_monitor.kafka.clients import open_admin, open_consumer
from stream_monitor.kafka.errors import ClientRestart, Misconfigured
from stream_monitor.kafka.failpoints import Failpoints, NoFailpoints
from stream_monitor.kafka.judge.context import JudgeContext
from stream_monitor.kafka.judge.session import JudgeSession
from stream_monitor.kafka.judge.tuning import JudgeTuning
from stream_monitor.kafka.judge.writer import JudgeWriter, RepeatingWriter, TransactionalWriter
from stream_monitor.kafka.observer import NullObserver, Observer
from stream_monitor.kafka.settings import Delivery, KafkaSettings, judge_consumer, judge_producer, reader
from stream_monitor.kafka.topics import TopicNames, describe_topics

_LOG = logging.getLogger("stream_monitor.kafka.judge")
REVOKE_SHARE = 0.2
"""Of the longest allowed time between polls: what a last commit may hold up a rebalance."""

RESTART_PAUSE_S = 1.0


class JudgeWorker:
    """Judges the partitions of `drift-profiles` that its group gives it.

    Args:
        settings: of Kafka.
        plan: what is judged, and how.
        group: prefix of the deployment.
        instance: stable name of this worker; a second one of that name fences the first.
        topics: names of our topics.
        delivery: exactly once, or at least once on brokers without transactions.
        rules: factories of the user's own rules.
        observer: hears of commits.
        failpoints: of tests.
        tuning: pace.
    """

    def __init__(
        self,
        settings: KafkaSettings,
        plan: Plan,
        *,
        group: str,
        instance: str,
        topics: TopicNames,
        delivery: Delivery = Delivery.EXACTLY_ONCE,
        rules: Mapping[str, RuleFactory] | None = None,
        observer: Observer | None = None,
        failpoints: Failpoints | None = None,
        tuning: JudgeTuning | None = None,
    ) -> None:
        self._settings = settings
        self._plan = plan
        self._group = group
        self._instance = instance
        self._topics = topics
        self._delivery = delivery
        self._rules = rules or {}
        self._observer = observer or NullObserver()
        self._failpoints = failpoints or NoFailpoints()
        self._tuning = tuning or JudgeTuning()
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Ask the worker to commit and leave; from any thread or a signal handler."""
        self._stopping.set()

    def run(self) -> None:
        """Judge until `stop` is called.

        Raises:
            Stop: the worker cannot go on; its `exit_code` says why.
        """
        partitions = self._count_partitions()
        readers = reader(self._settings)
        log = open_consumer(readers, lambda error: self._observer.kafka_error(error.name()))
        baselines = BaselineLog(
            log, self._topics.baselines, Schedule(group=self._group, lead_ms=activation_lead_ms(self._plan.time))
        )
        try:
            baselines.read_to_end(timeout_s=self._tuning.patience_s)
            context = JudgeContext(
                plan=self._plan,
                partitions=partitions,
                group=self._group,
                name=f"{self._group}-judge-{self._instance}",
                topics=self._topics,
                reader=readers,
                tuning=self._tuning,
                observer=self._observer,
                failpoints=self._failpoints,
                baselines=baselines,
                rules=self._rules,
            )
            while not self._stopping.is_set():
                self._run_session(context)
        finally:
            baselines.close()

    def _run_session(self, context: JudgeContext) -> None:
        """Live one life of the clients; return when it asks for the next one, or at the end."""
        consumer = open_consumer(
            judge_consumer(self._settings, group=self._group, instance=self._instance), context.note_error
        )
        try:
            writer = self._open_writer(context, consumer)
        except BaseException:
            consumer.close()
            raise
        session = JudgeSession(
            context,
            consumer,
            open_admin(self._settings),
            writer=writer,
            revoke_budget_s=self._settings.milliseconds("max.poll.interval.ms") / 1000 * REVOKE_SHARE,
        )
        try:
            session.run(self._stopping.is_set)
        except ClientRestart as restart:
            _LOG.warning("%s: new clients: %s", context.name, restart)
            self._observer.restart(restart.reason)
            self._stopping.wait(RESTART_PAUSE_S)
        finally:
            session.close()

    def _open_writer(self, context: JudgeContext, consumer: Consumer) -> JudgeWriter:
        config = judge_producer(self._settings, group=self._group, instance=self._instance, delivery=self._delivery)
        if self._delivery is Delivery.EXACTLY_ONCE:
            return TransactionalWriter(context, config, consumer)
        return RepeatingWriter(context, config, consumer)

    def _count_partitions(self) -> int:
        """Return n, the number of partitions of `drift-profiles` and of every topic that goes with it.

        Raises:
            Misconfigured: a topic is missing, or has another number.
        """
        names = self._topics
        wanted = (names.profiles, names.alerts, names.alert_state, names.judge_state)
        states = describe_topics(open_admin(self._settings), wanted)
        missing = [name for name in wanted if name not in states]
        if missing:
            raise Misconfigured(f"topics missing: {', '.join(missing)}: run 'stream-monitor topics create'")
        counts = {name: states[name].partitions for name in wanted}
        if len(set(counts.values())) > 1:
            told = ", ".join(f"{name} {count}" for name, count in counts.items())
            raise Misconfigured(
                f"topics of the judge must have equally many partitions: {told}: run 'stream-monitor topics verify'"
            )
        return counts[names.profiles]
