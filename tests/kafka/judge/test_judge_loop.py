"""What the judge's loop does in every turn; the clients are made up."""

from __future__ import annotations

from typing import Any

from stream_monitor.core.baseline import Schedule
from stream_monitor.core.plan import Plan
from stream_monitor.kafka.baseline_log import BaselineLog
from stream_monitor.kafka.client_settings import KafkaSettings
from stream_monitor.kafka.judge import JudgeJob, JudgeTuning
from stream_monitor.kafka.judge.context import JudgeContext
from stream_monitor.kafka.judge.judge_loop import JudgeLoop
from stream_monitor.kafka.outage import OutageWatch


class Idle:
    """A client that has nothing to say, and counts how often it was served."""

    def __init__(self) -> None:
        self.polls = 0

    def poll(self, *_: float) -> int:
        self.polls += 1
        return 0

    def subscribe(self, *_: object, **__: object) -> None: ...

    def consume(self, *_: object) -> list[object]:
        return []

    def memberid(self) -> str:
        return "g-judge-0"


def test_every_client_of_the_judge_is_served_once_a_turn() -> None:
    """What a client logs waits in it until it is polled: lines of an outage would come when it is long over."""
    log = BaselineLog.__new__(BaselineLog)
    log.schedule = Schedule()
    job = JudgeJob(
        KafkaSettings({"bootstrap.servers": "none"}), Plan(), group="g", instance="0", tuning=JudgeTuning(poll_s=0.0)
    )
    consumer: Any = Idle()  # Any: stand in for clients of the binding, which cannot be subclassed
    admin: Any = Idle()
    writer: Any = Idle()
    loop = JudgeLoop(JudgeContext(job, 1, log, OutageWatch()), consumer, admin, writer=writer, revoke_budget_s=1)
    turns = iter([False, False, False, True])
    loop.run(lambda: next(turns))

    assert (3, 3) == (admin.polls, writer.polls)
