"""The process on Kafka: its roles in threads of their own, metrics, probes and the end.

`KafkaRuntime.run` returns when it was asked to stop, and raises what ended a worker otherwise.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from importlib.metadata import version

from stream_monitor.config import Settings
from stream_monitor.config.errors import refuse
from stream_monitor.kafka.client_settings import KafkaSettings
from stream_monitor.kafka.clients import open_admin
from stream_monitor.kafka.errors import NotAuthorised
from stream_monitor.kafka.permissions import permissions, require_permissions, topics_of
from stream_monitor.kafka.reach import reach
from stream_monitor.kafka.topics import require, verify_topics
from stream_monitor.outputs.endpoints import Identity, pages
from stream_monitor.outputs.health import Health
from stream_monitor.outputs.http import CannotListen, HttpServer
from stream_monitor.outputs.prometheus import MetricsOptions
from stream_monitor.runtimes.collector import settle_collector
from stream_monitor.runtimes.connection import kafka_settings, topic_names, topic_specs
from stream_monitor.runtimes.roles import ROLES, Engine, Role, Worker, WorkerNeeds
from stream_monitor.runtimes.worker_metrics import WorkerMetrics

_LOG = logging.getLogger("stream_monitor.runtime")
_JOIN_S = 30.0
BROKER_WAIT_S = 60.0
"""A broker that is started together with its worker is up by then."""


class KafkaRuntime:
    """One process of a deployment.

    Args:
        settings: of this worker.
        roles: what the process does.
        engine: what reads the input.
        broker_wait_s: how long the start waits for a broker that comes up.
    """

    def __init__(
        self,
        settings: Settings,
        roles: Sequence[Role] = ROLES,
        *,
        engine: Engine = Engine.DEFAULT,
        broker_wait_s: float = BROKER_WAIT_S,
    ) -> None:
        self._engine = engine
        self._broker_wait_s = broker_wait_s
        self._settings = settings
        self._roles = tuple(dict.fromkeys(roles))
        self._stopping = threading.Event()
        self._failed: list[BaseException] = []
        self._woken = threading.Condition()
        self._loops = tuple(loop for role in self._roles for loop in role.loops)
        health = Health([str(loop) for loop in self._loops], stall_after_s=settings.http.stall_after_s)
        plan = settings.plan
        own = settings.metrics
        options = MetricsOptions(own.per_series, own.top_k, own.max_series, own.comparisons)
        software = version("stream-monitor")
        self.metrics = WorkerMetrics(
            version=software,
            config=plan.short_hash,
            topics=[source.topic for source in plan.inputs],
            health=health,
            options=options,
            segments_warn=settings.segments_warn,
        )
        identity = Identity(
            settings.group, settings.instance, tuple(str(role) for role in self._roles), software, plan.short_hash
        )
        self._http = HttpServer(settings.http.host, settings.http.port, pages(identity, self.metrics, health))

    @property
    def address(self) -> str:
        """`host:port` of metrics and probes, while it runs."""
        return self._http.address

    def stop(self) -> None:
        """Ask for a clean end: the round in hand is finished and committed."""
        self._stopping.set()
        with self._woken:
            self._woken.notify_all()

    def run(self) -> None:
        """Wait for a broker, verify topics, work until `stop`, and end cleanly.

        Raises:
            ConfigError: broker settings or the address of the web server cannot be used.
            Stop: a worker cannot go on; its `exit_code` says why.
        """
        kafka = kafka_settings(self._settings)
        try:
            self._http.start()
        except CannotListen as error:
            raise refuse("http.address", str(error).partition(": ")[2] or str(error)) from None
        try:
            _LOG.info("metrics and probes on http://%s", self._http.address)
            if reach(kafka, within_s=self._broker_wait_s, is_stopping=self._is_asked, waiting=self._wait_for):
                workers = self._verified(kafka)
                settle_collector()
                self._work(workers)
        finally:
            self._http.stop()
        if self._failed:
            raise self._explained(self._failed[0])

    def _explained(self, error: BaseException) -> BaseException:
        """Return an error with what the one who mends it has to look for."""
        if not isinstance(error, NotAuthorised):
            return error
        return NotAuthorised(f"{error}; groups and transactional ids begin with {self._settings.group}-")

    def _is_asked(self) -> bool:
        """Say whether a stop was asked for; called while the start waits, which is no stall."""
        for loop in self._loops:
            self.metrics.progress(loop)
        return self._stopping.is_set()

    def _wait_for(self, what: str) -> None:
        """Say in the log and in the probes what the start waits for."""
        _LOG.warning("waiting for a broker, at most %.0f s: %s", self._broker_wait_s, what)
        for loop in self._loops:
            self.metrics.readiness(loop, ready=False, detail=what)

    def _work(self, workers: dict[Role, Worker]) -> None:
        threads = [
            threading.Thread(target=self._thread, args=(worker,), name=str(role), daemon=True)
            for role, worker in workers.items()
        ]
        for thread in threads:
            thread.start()
        with self._woken:
            while not self._stopping.is_set() and any(thread.is_alive() for thread in threads):
                self._woken.wait(0.5)  # a signal is handled between two waits
        for worker in workers.values():
            worker.stop()
        for thread in threads:
            thread.join(_JOIN_S)
            if thread.is_alive():
                _LOG.error("the %s loop did not end within %d s", thread.name, _JOIN_S)

    def _thread(self, worker: Worker) -> None:
        try:
            worker.run()
        except BaseException as error:  # noqa: BLE001  # the outermost loop of a thread: `run` raises it again
            self._failed.append(error)
        finally:
            self.stop()

    def _verified(self, kafka: KafkaSettings) -> dict[Role, Worker]:
        """Return the workers of the roles, when the cluster has what they need.

        Raises:
            Misconfigured: a topic is missing or otherwise than it must be.
            NotAuthorised: an operation on a topic is not allowed.
        """
        settings, plan = self._settings, self._settings.plan
        names = topic_names(settings)
        admin = open_admin(kafka)
        principals = [role.principal for role in self._roles]
        inputs = [source.topic for source in plan.inputs]
        for principal in principals:
            require_permissions(admin, permissions(principal, group=settings.group, inputs=inputs, topics=names))
        touched = topics_of(principals, topics=names)
        for difference in require(verify_topics(admin, [s for s in topic_specs(settings) if s.name in touched])):
            _LOG.warning("%s", difference)
        needs = WorkerNeeds(settings, kafka, names, self._engine, self.metrics)
        return {role: role.make(needs) for role in self._roles}
