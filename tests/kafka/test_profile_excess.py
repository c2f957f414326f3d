"""More unreadable records than may be: the worker stops, leaves the partition alone or goes on, and says why."""

from __future__ import annotations

import pytest

from stream_monitor.kafka.errors import TooManyDeadLetters
from stream_monitor.kafka.observer import Loop, NullObserver
from stream_monitor.kafka.profile import DeadLetterLimits, OnExcess, ProfilePolicy
from tests import instants
from tests.kafka.profiling import Running, Stage, event, make_stage, running, wait_until

BAD = [b"{"] * 79 + [b"[]"]


class Heard(NullObserver):
    """Remembers how it stands."""

    ready: tuple[bool, str] = (False, "")

    def readiness(self, loop: Loop, *, ready: bool, detail: str) -> None:
        self.ready = (ready, detail)


def limits(on_excess: OnExcess) -> ProfilePolicy:
    return ProfilePolicy(dead_letters=DeadLetterLimits(max_consecutive=100, on_excess=on_excess))


def position(stage: Stage, partition: int = 0) -> int:
    return stage.committed()[stage.inputs[0], partition][0]


def test_a_worker_that_starts_again_stops_where_the_last_one_stopped(kafka: str, prefix: str) -> None:
    """The run goes on over the restart: nothing more is drained, and the message has what the operator needs."""
    stage = make_stage(kafka, prefix, partitions=1, rejects=80)
    topic = stage.inputs[0]
    stage.send(0, BAD)
    with running(stage.job(policy=limits(OnExcess.STOP))):
        wait_until(stage.is_caught_up)
    stage.send(0, BAD[-30:])
    for _ in range(2):
        worker = Running(stage.job(policy=limits(OnExcess.STOP)))
        wait_until(worker.ended)

        assert isinstance(worker.error, TooManyDeadLetters)
        assert (4, 80) == (worker.error.exit_code, position(stage))
        assert str(worker.error).startswith(
            f"{topic}[0]: 110 records in a row are unreadable, more than dead_letters.max_consecutive 100; in offsets"
            " 80 to 109: invalid_json 29 (the first at 80), not_an_object 1 (the first at 109)."
        )
        assert f"Run 'stream-monitor dead-letters list --topic {topic}'" in str(worker.error)


def test_a_poisoned_partition_can_be_left_alone_or_drained(
    kafka: str, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Paused, the other one goes on and the probe says why this one does not; drained, all are dead letters."""
    stage = make_stage(kafka, prefix, rejects=160)
    at_ms, heard = instants.ago_ms(60), Heard()
    stage.send(0, BAD * 2)
    with running(stage.job(policy=limits(OnExcess.PAUSE), observer=heard)) as worker:
        wait_until(lambda: "160 records in a row are unreadable" in heard.ready[1])
        stage.send(1, [event(n, at_ms) for n in range(20)])
        wait_until(lambda: position(stage, 1) == 20)

        assert (False, False) == (heard.ready[0], worker.ended())
    assert position(stage) == 0
    caplog.clear()
    caplog.set_level("INFO", "stream_monitor")
    with running(stage.job(policy=limits(OnExcess.CONTINUE), observer=heard)):
        wait_until(stage.is_caught_up)
        stage.send(0, [event(n, at_ms) for n in range(3)])
        wait_until(lambda: stage.is_caught_up() and heard.ready[0])
    lines = [record.getMessage() for record in caplog.records if "readable" in record.getMessage()]

    assert lines[0].endswith(": all go to the dead letters, as dead_letters.on_excess says")
    assert lines[1:] == [f"{stage.inputs[0]}[0]: records are readable again"]
