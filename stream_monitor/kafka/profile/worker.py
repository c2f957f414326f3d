"""The profile worker as a whole: lives of clients one after another, until it is stopped or cannot go on."""

from __future__ import annotations

import logging
import time

from confluent_kafka import KafkaException

from stream_monitor.kafka.deliveries import UndeliveredRecords
from stream_monitor.kafka.errors import (
    ClientRestart,
    Fatal,
    NotAuthorised,
    RestartReason,
    is_transient,
    kafka_error,
    stop_for,
)
from stream_monitor.kafka.observer import Loop
from stream_monitor.kafka.outage import OutageWatch
from stream_monitor.kafka.profile.job import ProfileJob
from stream_monitor.kafka.profile.session import Memory, ProfileSession, missing_decoders
from stream_monitor.kafka.profile.watchdog import LoopWatch
from stream_monitor.kafka.stop_request import StopRequest

_LOG = logging.getLogger("stream_monitor.kafka.profile")

_RESTART_PAUSE_S = 0.5


class ProfileWorker:
    """Counts input events into `drift-profiles`.

    `run` blocks in the calling thread; `stop` may be called from any thread or a signal handler.

    Args:
        job: what to read, with what, and how.
    """

    def __init__(self, job: ProfileJob) -> None:
        missing_decoders(job)
        self._job = job
        self._stopping = StopRequest(job.tuning.drain_s)
        self._memory = Memory(outage=OutageWatch(job.member_name))
        self._away_since: float | None = None
        self._watch = LoopWatch(job.tuning.stalled_s, self._stalled)

    def run(self) -> None:
        """Work until `stop`.

        Raises:
            Stop: the worker cannot go on; its kind has the exit code.
        """
        self._watch.start()
        try:
            while not self._stopping.is_asked():
                self._live()
        finally:
            self._watch.stop()
            self._job.observer.readiness(Loop.PROFILE, ready=False, detail="stopped")

    def stop(self) -> None:
        """Ask the worker to finish the round in hand, name it, and leave."""
        self._stopping.ask()

    def _live(self) -> None:
        """Open clients and work until they have to be opened anew."""
        session = ProfileSession(self._job, memory=self._memory, stopping=self._stopping, beat=self._watch.beat)
        try:
            session.open()
            self._away_since = None
            session.run()
        except ClientRestart as restart:
            self._restart(restart)
        except (KafkaException, UndeliveredRecords) as error:
            # A client that is refused tells its callback; the calls that wait for it only run out of time.
            if isinstance(session.failed, NotAuthorised):
                raise session.failed from error
            self._restart(self._restart_for(error))
        finally:
            session.close()

    def _restart_for(self, error: KafkaException | UndeliveredRecords) -> ClientRestart:
        """Return the restart that an unanswered call demands.

        Raises:
            Stop: the cluster refuses us, the error is no passing one, or no broker has answered for too long.
        """
        if isinstance(error, KafkaException) and not is_transient(inner := kafka_error(error)):
            stop = stop_for(inner, "talk to the cluster", name=self._job.member_name)
            raise stop or Fatal(f"{inner.name()}: {inner.str()}") from error
        now = time.monotonic()
        self._away_since = self._away_since or now
        if now - self._away_since > self._job.tuning.away_s:
            raise Fatal(f"no broker answered for {self._job.tuning.away_s:g} s") from error
        return ClientRestart(RestartReason.ERROR, str(error))

    def _restart(self, restart: ClientRestart) -> None:
        # In an outage every attempt fails the same way, and the outage itself is in the log.
        level = logging.DEBUG if self._memory.outage.look() else logging.WARNING
        _LOG.log(level, "clients are opened anew: %s", restart)
        self._job.observer.restart(restart.reason)
        self._job.observer.readiness(Loop.PROFILE, ready=False, detail=str(restart))
        self._stopping.wait(_RESTART_PAUSE_S)

    def _stalled(self) -> None:
        self._memory.stalled.set()
        self._job.observer.readiness(Loop.PROFILE, ready=False, detail="the loop does not come round")
