"""A profile worker whose own topics vanish says so, and goes on when they are back."""

from __future__ import annotations

from stream_monitor.kafka.observer import Loop, NullObserver
from stream_monitor.kafka.topics import create_topics, delete_topics, plan_topics
from tests.instants import ago_ms
from tests.kafka.profiling import event, make_stage, running, wait_until


class Heard(NullObserver):
    """Remembers how it stands and what the gaps are."""

    def __init__(self) -> None:
        self.ready: tuple[bool, str] = (False, "")

    def readiness(self, loop: Loop, *, ready: bool, detail: str) -> None:
        self.ready = (ready, detail)


def test_a_deleted_dead_letter_topic_is_not_ready_until_it_is_back(kafka: str, prefix: str) -> None:
    """Before any dead letter needs it: the probe names the topic and the command; made anew, the worker goes on."""
    stage = make_stage(kafka, prefix, partitions=1, rejects=1)
    letters = stage.names.dead_letters
    heard = Heard()
    at_ms = ago_ms(60)
    with running(stage.job(observer=heard)):
        stage.send(0, [event(n, at_ms) for n in range(10)])
        wait_until(lambda: stage.is_caught_up() and heard.ready[0])
        delete_topics(stage.admin, [letters])
        wait_until(lambda: heard.ready == (False, f"topics missing: {letters}: run 'stream-monitor topics create'"))
        create_topics(stage.admin, plan_topics(stage.names, partitions=2, replication=1))
        stage.send(0, [b"not json", event(10, at_ms)])
        wait_until(lambda: stage.is_caught_up() and heard.ready[0])
    (by, *_) = stage.fold().chunks.values()
    counts = [chunk.progress.counts for chunks in by.values() for chunk in chunks]

    assert (11, 1) == (sum(c.counted for c in counts), sum(c.rejected for c in counts))
