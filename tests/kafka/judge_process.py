"""A judge worker as a process of its own, to be killed: `python -m tests.kafka.judge_process '<JSON of JudgeRun>'`.

It ends by itself when it has committed everything up to the ends given, or with the exit code of what stopped it.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import sys
import threading
from collections import Counter

from stream_monitor.core.plan import Plan
from stream_monitor.kafka.errors import Stop
from stream_monitor.kafka.judge import JudgeTuning, JudgeWorker, context
from stream_monitor.kafka.observer import NullObserver
from stream_monitor.kafka.settings import Delivery, KafkaSettings
from stream_monitor.kafka.topics import TopicNames
from tests.kafka.counting_judge import CountingJudge


@dataclasses.dataclass(frozen=True)
class JudgeRun:
    """What one process is to do.

    Attributes:
        fail_at: name of a failpoint, "" for none.
        hit: how many times it is passed before it acts.
        action: `kill`, `freeze` until the parent sends SIGCONT, or `tell`: only say that the step was reached.
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
    tuning: dict[str, float] = dataclasses.field(default_factory=dict)

    def failing_at(self, name: str, hit: int, *, action: str = "kill") -> JudgeRun:
        """Return the same run with a failpoint."""
        return dataclasses.replace(self, fail_at=name, hit=hit, action=action)


def topic_names(prefix: str) -> TopicNames:
    """Return names of our topics that no other test has."""
    return TopicNames(**{f.name: prefix + f.name for f in dataclasses.fields(TopicNames)})


class Failpoint:
    """Acts when a step is reached for the n-th time."""

    def __init__(self, run: JudgeRun) -> None:
        self._run = run
        self._hits: Counter[str] = Counter()

    def reach(self, name: str) -> None:
        self._hits[name] += 1
        if name != self._run.fail_at or self._hits[name] != self._run.hit:
            return
        print(f"reached {name}", flush=True)  # noqa: T201  the parent waits for it
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


def main(text: str) -> int:
    """Run until done, and return an exit code."""
    given = json.loads(text)
    run = JudgeRun(**given)
    setattr(context, "Judge", CountingJudge)  # noqa: B010  the fold is not what is tested here
    observer = UntilEnds(run.ends)
    worker = JudgeWorker(
        KafkaSettings(
            {"bootstrap.servers": run.bootstrap, "log_level": "2"},
            consumer={"session.timeout.ms": "6000", "max.poll.interval.ms": "12000"},
        ),
        Plan(),
        group=run.prefix + run.group,
        instance=run.instance,
        topics=topic_names(run.prefix),
        delivery=Delivery(run.delivery),
        observer=observer,
        failpoints=Failpoint(run),
        tuning=JudgeTuning(**run.tuning),  # type: ignore[arg-type]  # numbers from JSON
    )
    observer.worker = worker
    signal.signal(signal.SIGTERM, lambda *_: worker.stop())
    failure: list[Stop] = []

    def work() -> None:
        try:
            worker.run()
        except Stop as stop:
            failure.append(stop)
            print(f"stopped {stop}", flush=True)  # noqa: T201  for the parent

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    return failure[0].exit_code if failure else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
