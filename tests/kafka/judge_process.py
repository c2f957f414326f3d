"""A judge worker as a process of its own, to be killed.

It ends by itself when it has committed everything up to the ends given, or with the exit code of what stopped it. A
fork server that has imported everything and made no Kafka client starts them: importing takes longer than judging.
"""

from __future__ import annotations

import atexit
import dataclasses
import multiprocessing
import os
import signal
import sys
from collections import Counter
from multiprocessing.connection import Connection

from stream_monitor.core.plan import Plan
from stream_monitor.kafka.client_settings import Delivery, KafkaSettings
from stream_monitor.kafka.errors import Stop
from stream_monitor.kafka.judge import JudgeJob, JudgeTuning, JudgeWorker, context
from stream_monitor.kafka.observer import NullObserver
from stream_monitor.kafka.topics import TopicNames
from tests.kafka.counting_judge import CountingJudge, opened


@dataclasses.dataclass(frozen=True)
class JudgeRun:
    """What one process is to do.

    Attributes:
        fail_at: name of a failpoint, "" for none.
        hit: how many times it is passed before it acts.
        action: `kill`, `freeze` until the parent sends SIGCONT, or `tell`: only say that the step was reached.
        plan: judged by the real fold; without one, by the counting one.
        ends: committed offset of each partition at which the process leaves; empty: it runs until SIGTERM.
    """

    bootstrap: str
    prefix: str
    group: str = "judges"
    instance: str = "0"
    fail_at: str = ""
    hit: int = 1
    action: str = "kill"
    ends: dict[str, int] = dataclasses.field(default_factory=dict)
    delivery: str = "exactly_once"
    plan: Plan | None = None
    tuning: dict[str, float] = dataclasses.field(default_factory=dict)

    def failing_at(self, name: str, hit: int, *, action: str = "kill") -> JudgeRun:
        """Return the same run with a failpoint."""
        return dataclasses.replace(self, fail_at=name, hit=hit, action=action)


def topic_names(prefix: str) -> TopicNames:
    """Return names of our topics that no other test has."""
    return TopicNames(**{f.name: prefix + f.name for f in dataclasses.fields(TopicNames)})


class Failpoint:
    """Acts when a step is reached for the n-th time."""

    def __init__(self, run: JudgeRun, tell: Connection) -> None:
        self._run = run
        self._tell = tell
        self._hits: Counter[str] = Counter()

    def reach(self, name: str) -> None:
        self._hits[name] += 1
        if name != self._run.fail_at or self._hits[name] != self._run.hit:
            return
        self._tell.send(f"reached {name}")
        acts = {"kill": signal.SIGKILL, "freeze": signal.SIGSTOP}
        if self._run.action in acts:
            os.kill(os.getpid(), acts[self._run.action])


class UntilEnds(NullObserver):
    """Stops the worker when nothing is left."""

    def __init__(self, ends: dict[str, int]) -> None:
        self.left = set(map(int, ends))
        self.worker: JudgeWorker | None = None

    def lag(self, topic: str, partition: int, records: int) -> None:
        if records == 0 and self.left:
            self.left.discard(partition)
            if not self.left and self.worker is not None:
                self.worker.stop()


def judge(run: JudgeRun, tell: Connection) -> None:
    """Run until done, and end the process with the worker's exit code."""
    if run.plan is None:
        setattr(context, "Judge", CountingJudge)  # noqa: B010  the fold is not what is tested here
        setattr(context, "opened", opened)  # noqa: B010  likewise
    observer = UntilEnds(run.ends)
    worker = JudgeWorker(
        JudgeJob(
            KafkaSettings(
                {"bootstrap.servers": run.bootstrap, "log_level": "2"},
                consumer={"session.timeout.ms": "6000", "max.poll.interval.ms": "12000"},
            ),
            run.plan or Plan(),
            group=run.prefix + run.group,
            instance=run.instance,
            topics=topic_names(run.prefix),
            delivery=Delivery(run.delivery),
            observer=observer,
            failpoints=Failpoint(run, tell),
            tuning=JudgeTuning(**run.tuning),  # type: ignore[arg-type]  # numbers of a mapping
        )
    )
    observer.worker = worker
    signal.signal(signal.SIGTERM, lambda *_: worker.stop())
    try:
        worker.run()
    except Stop as stop:
        tell.send(str(stop))
        sys.exit(stop.exit_code)


class JudgeProcess:
    """A judge process and what it said."""

    def __init__(self, run: JudgeRun) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([__name__])
        self._said, tell = context.Pipe(duplex=False)
        self._process = context.Process(target=judge, args=(run, tell), daemon=True)
        self._process.start()
        atexit.register(self._process.kill)  # a failed test does not wait for it
        tell.close()

    def next_word(self, *, timeout_s: float = 60.0) -> str:
        """Wait for the next thing that the process says.

        Raises:
            TimeoutError: it says nothing.
            EOFError: it ended without a word.
        """
        if not self._said.poll(timeout_s):
            raise TimeoutError(f"the judge said nothing for {timeout_s:g} s")
        return str(self._said.recv())

    def signal(self, number: signal.Signals) -> None:
        """Send a signal."""
        assert self._process.pid is not None  # it was started
        os.kill(self._process.pid, number)

    def ended(self, *, timeout_s: float = 60.0) -> tuple[int | None, list[str]]:
        """Wait for the end and return exit code and everything said; the process never outlives the call."""
        self._process.join(timeout_s)
        code = self._process.exitcode
        self._process.kill()
        self._process.join()
        said = []
        while self._said.poll():
            try:
                said.append(str(self._said.recv()))
            except EOFError:
                break
        self._said.close()
        return code, said


def finish(run: JudgeRun) -> tuple[int | None, list[str]]:
    """Run a judge process to its end and return exit code and everything said."""
    return JudgeProcess(run).ended()
