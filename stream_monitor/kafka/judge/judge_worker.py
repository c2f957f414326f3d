"""The judge worker as a whole: its lives in the frame of every role."""

from __future__ import annotations

import logging

from stream_monitor.kafka.judge.judge_job import JudgeJob
from stream_monitor.kafka.judge.judge_life import JudgeLife, JudgeMemory
from stream_monitor.kafka.lives import Life, LifeRules, Lives
from stream_monitor.kafka.observer import Loop
from stream_monitor.kafka.outage import OutageWatch
from stream_monitor.kafka.stop_request import StopRequest

_LOG = logging.getLogger("stream_monitor.kafka.judge")

_RESTART_PAUSE_S = 1.0


class JudgeWorker:
    """Judges the partitions of `drift-profiles` that its group gives it.

    `run` blocks in the calling thread; `stop` may be called from any thread or a signal handler.

    Args:
        job: what to judge, and how.
    """

    def __init__(self, job: JudgeJob) -> None:
        self._job = job
        self._stopping = StopRequest(job.tuning.stop_budget_s)
        self._memory = JudgeMemory(OutageWatch(job.name))
        self._lives = Lives(
            self._begin,
            rules=LifeRules(
                loop=Loop.JUDGE,
                name=job.name,
                log=_LOG,
                restarting=f"{job.name}: new clients",
                pause_s=_RESTART_PAUSE_S,
                away_s=job.tuning.away_s,
                is_excused_by_outage=True,
            ),
            observer=job.observer,
            stopping=self._stopping,
            outage=self._memory.outage,
        )

    def stop(self) -> None:
        """Ask the worker to commit and leave; from any thread or a signal handler."""
        self._stopping.ask()

    def run(self) -> None:
        """Judge until `stop` is called.

        Raises:
            Stop: the worker cannot go on; its `exit_code` says why.
        """
        self._lives.run()

    def _begin(self) -> Life:
        return JudgeLife(self._job, memory=self._memory, stopping=self._stopping)
