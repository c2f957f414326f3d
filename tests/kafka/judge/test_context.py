"""What a worker hands to the judges that it builds."""

from __future__ import annotations

from dataclasses import replace

from stream_monitor.core.baseline import Schedule
from stream_monitor.core.detectors import DetectorClass
from stream_monitor.core.plan import DetectorPlan, Plan
from stream_monitor.kafka.baseline_log import BaselineLog
from stream_monitor.kafka.client_settings import KafkaSettings
from stream_monitor.kafka.judge import JudgeJob
from stream_monitor.kafka.judge.context import JudgeContext
from stream_monitor.kafka.outage import OutageWatch
from tests.runtimes.own_detectors import Cusum


def test_a_judge_has_the_detectors_of_its_job() -> None:
    """The classes that the runtime imported reach every judge, new or resumed."""
    plan = Plan()
    plan = replace(plan, detection=replace(plan.detection, detectors=(DetectorPlan("mine:Cusum"),)))
    classes = {"mine:Cusum": DetectorClass(Cusum, "1")}
    job = JudgeJob(KafkaSettings({"bootstrap.servers": "none"}), plan, group="g", instance="0", detectors=classes)
    log = BaselineLog.__new__(BaselineLog)
    log.schedule = Schedule()
    context = JudgeContext(job, 1, log, OutageWatch())
    judge = context.build(0, None)

    assert judge.rulebook.configured.classes == classes
    assert context.build(0, judge.dump()).rulebook.configured.classes == classes
