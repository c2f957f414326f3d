"""The profile worker as a whole: its lives in the frame of every role, and a watch on the loop."""

from __future__ import annotations

import logging

from stream_monitor.kafka.broker_wait import BrokerWait
from stream_monitor.kafka.lives import Life, LifeRules, Lives
from stream_monitor.kafka.observer import Loop
from stream_monitor.kafka.outage import OutageWatch
from stream_monitor.kafka.profile.profile_job import ProfileJob
from stream_monitor.kafka.profile.profile_life import ProfileLife, missing_decoders
from stream_monitor.kafka.profile.profile_memory import ProfileMemory
from stream_monitor.kafka.profile.watchdog import LoopWatch
from stream_monitor.kafka.stop_request import StopRequest

_LOG = logging.getLogger("stream_monitor.kafka.profile")

_RESTART_PAUSE_S = 0.5


class ProfileWorker:
    """Counts input events into `drift-profiles`.

    `run` blocks in the calling thread; `stop` may be called from any thread or a signal handler.

    Args:
        job: what to read, with what, and how.

    Raises:
        Misconfigured: inputs and decoders differ.
    """

    def __init__(self, job: ProfileJob) -> None:
        missing_decoders(job)
        self._job = job
        self._stopping = StopRequest(job.tuning.drain_s)
        self._memory = ProfileMemory(outage=OutageWatch(job.member_name), waiting=BrokerWait(job.member_name))
        self._watch = LoopWatch(job.tuning.stalled_s, self._stalled, self._waits_for)
        self._lives = Lives(
            self._begin,
            rules=LifeRules(
                loop=Loop.PROFILE,
                name=job.member_name,
                log=_LOG,
                restarting="clients are opened anew",
                pause_s=_RESTART_PAUSE_S,
                away_s=job.tuning.away_s,
                is_excused_by_outage=False,  # the loop asks: an excuse holds for it, not for a start
            ),
            observer=job.observer,
            stopping=self._stopping,
            outage=self._memory.outage,
        )

    def run(self) -> None:
        """Work until `stop`.

        Raises:
            Stop: the worker cannot go on; its kind has the exit code.
        """
        self._watch.start()
        try:
            self._lives.run()
        finally:
            self._watch.stop()
            self._job.observer.readiness(Loop.PROFILE, ready=False, detail="stopped")

    def stop(self) -> None:
        """Ask the worker to finish the round in hand, name it, and leave."""
        self._stopping.ask()

    def _begin(self) -> Life:
        return ProfileLife(self._job, memory=self._memory, stopping=self._stopping, beat=self._watch.beat)

    def _waits_for(self) -> str | None:
        return self._memory.outage.look() or self._memory.waiting.look()

    def _stalled(self, why: str) -> None:
        self._memory.stalled.set()
        self._job.observer.readiness(Loop.PROFILE, ready=False, detail=why)
