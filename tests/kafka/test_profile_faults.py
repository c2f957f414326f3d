"""Faults that kills at steps do not show: refused and unanswered commits, late copies, deadly records."""

from __future__ import annotations

import dataclasses
import os
import random
import signal
import time

from confluent_kafka import ConsumerGroupTopicPartitions, TopicPartition

from stream_monitor.core.batch import Batch, Decoder, RawChunk
from stream_monitor.core.chain import ChainState
from stream_monitor.kafka.errors import ClientRestart, RestartReason
from stream_monitor.kafka.profile import ProfileWorker
from stream_monitor.kafka.profile.committing import CommitRefused
from tests.kafka.folding import read_all
from tests.kafka.profiling import FORK, Stage, event, make_stage, running, wait_until
from tests.kafka.test_profile_worker import T0, assert_exact, feed


class Unlucky:
    """Refuses a third of the commits and leaves a tenth of them unanswered, before or after they are taken."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.refused = self.unknown = 0

    def reach(self, name: str) -> None:
        luck = self._random.random()
        if name == "profile.11.before" and luck < 0.33:
            self.refused += 1
            raise CommitRefused("refused by the test")
        if name in {"profile.11.before", "profile.11.after"} and luck > 0.93:
            self.unknown += 1
            raise ClientRestart(RestartReason.COMMIT_UNKNOWN, "unanswered, says the test")


def test_refused_and_unanswered_commits_lose_and_double_nothing(kafka: str, prefix: str) -> None:
    """Dropped chunks stay in the log, unnamed; a commit whose answer was lost counts as it was taken or not."""
    stage = make_stage(kafka, prefix)
    unlucky = Unlucky(seed=7)
    with running(stage.job(failpoints=unlucky)):
        for first in range(0, 1_000, 100):
            feed(stage, range(first, first + 100))
            time.sleep(0.1)
        wait_until(lambda: stage.is_caught_up() and unlucky.refused > 1 and unlucky.unknown > 0)
    with running(stage.job()):
        wait_until(stage.is_caught_up)
    folded = assert_exact(stage)

    assert folded.counted == 1_000
    assert folded.unnamed >= unlucky.refused


class Stall:
    """Stands still once, longer than the group waits, between the flush and the commit."""

    def __init__(self) -> None:
        self.stalled = False

    def reach(self, name: str) -> None:
        if name == "profile.11.before" and not self.stalled:
            self.stalled = True
            time.sleep(9.0)


def test_a_worker_that_stalls_past_its_time_cannot_commit(kafka: str, prefix: str) -> None:
    """Its partition goes to another worker, its commit is refused, its chunk stays unnamed, and it joins again."""
    stage = make_stage(kafka, prefix, partitions=1)
    feed(stage, range(100), partitions=1)
    stall = Stall()
    with running(stage.job("a", failpoints=stall)) as zombie:
        wait_until(lambda: stall.stalled)
        with running(stage.job("b")):
            wait_until(stage.is_caught_up)
            feed(stage, range(100, 200), partitions=1)
            time.sleep(4.0)  # the zombie wakes up and is refused
            wait_until(stage.is_caught_up)
        assert not zombie.ended()
    folded = assert_exact(stage)

    assert folded.counted == 200
    assert folded.unnamed > 0


def test_a_commit_that_was_set_back_is_healed_from_the_log(kafka: str, prefix: str) -> None:
    """A late copy of an older commit wins at the coordinator; the log names later chunks, so nothing counts twice."""
    stage = make_stage(kafka, prefix, partitions=1)
    place = (stage.inputs[0], 0)
    feed(stage, range(100), partitions=1)
    with running(stage.job()):
        wait_until(stage.is_caught_up)
        older = stage.committed()[place]
        for first in range(100, 400, 100):
            feed(stage, range(first, first + 100), partitions=1)
            wait_until(stage.is_caught_up)
    newer = stage.committed()[place]
    set_back(stage, place, *older)
    feed(stage, range(400, 500), partitions=1)
    with running(stage.job("b")):
        wait_until(stage.is_caught_up)
    folded = assert_exact(stage)
    leases = [p.source.lease for p in folded.progress(place)]

    assert older[0] < newer[0]
    assert folded.counted == 500
    assert max(leases) > ChainState.decode(newer[1] or "").lease


def set_back(stage: Stage, place: tuple[str, int], offset: int, metadata: str | None) -> None:
    """Commit an older state while nobody is in the group, as a held-back copy would."""
    group = f"{stage.prefix}-profile"
    request = ConsumerGroupTopicPartitions(group, [TopicPartition(*place, offset, metadata=metadata)])
    deadline = time.monotonic() + 30
    while True:
        (future,) = stage.admin.alter_consumer_group_offsets([request]).values()
        try:
            (answer,) = future.result(20).topic_partitions or []
        except Exception:  # noqa: BLE001 - the static member is still in the group
            answer = None
        if answer is not None and answer.error is None and stage.committed()[place] == (offset, metadata):
            return
        assert time.monotonic() < deadline, "the group did not become empty"
        time.sleep(0.3)


class Deadly:
    """A decoder that kills its process when it meets one value."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder

    def decode(self, chunk: RawChunk) -> Batch:
        if b"deadly" in chunk.values:
            os.kill(os.getpid(), signal.SIGKILL)
        return self._decoder.decode(chunk)


def work_deadly(bootstrap: str, prefix: str, inputs: tuple[str, ...]) -> None:
    stage = Stage(bootstrap, prefix, inputs)
    job = stage.job()
    decoders = {topic: Deadly(decoder) for topic, decoder in job.decoders.items()}
    worker = ProfileWorker(dataclasses.replace(job, decoders=decoders))
    signal.signal(signal.SIGTERM, lambda *_: worker.stop())
    worker.run()


def test_a_record_that_kills_its_owners_is_put_aside_unread(kafka: str, prefix: str) -> None:
    """Chunks shrink to the one record; when it has killed three owners it is a dead letter, and the rest counts."""
    stage = make_stage(kafka, prefix, partitions=1, rejects=1)
    stage.send(0, [*(event(n, T0) for n in range(30)), b"deadly", *(event(n, T0) for n in range(30, 45))])
    deaths = 0
    for _ in range(12):
        process = FORK.Process(target=work_deadly, args=(stage.bootstrap, stage.prefix, stage.inputs), daemon=True)
        process.start()
        wait_until(lambda p=process: not p.is_alive() or stage.is_caught_up())  # type: ignore[misc]
        if process.is_alive():
            process.terminate()
            process.join(20)
            break
        deaths += 1
    (letters,) = [m for m in read_all(stage.settings, stage.names.dead_letters).values() if m]
    folded = assert_exact(stage)

    assert [(b"deadly", b"crashed")] == [(m.value(), dict(m.headers() or [])["stream_monitor.reason"]) for m in letters]
    assert (45, 1) == (folded.counted, folded.rejected)
    assert 4 <= deaths <= 8
