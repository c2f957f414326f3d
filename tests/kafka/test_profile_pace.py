"""The pace of partitions whose owners are killed: it comes back, and what is pending does not wait for it."""

from __future__ import annotations

from stream_monitor.core.chain import CHUNK_LIMIT, ChainState
from stream_monitor.core.pace import RECOVERY
from stream_monitor.kafka.observer import NullObserver
from stream_monitor.kafka.profile.policy import Tuning
from tests import instants
from tests.kafka.folding import Folded, read_all
from tests.kafka.profiling import Stage, event, make_stage, running, start_process, wait_until

# Chunks that would wait for an hour: a limited one must not.
PATIENT = Tuning(chunk_age_s=3_600.0, quiet_s=0.1, poll_s=0.05, retry_s=0.05, watch_s=0.5, stalled_s=20.0)


class Limits(NullObserver):
    """Remembers what the next chunk may hold."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    def chunk_limit(self, topic: str, partition: int, records: int) -> None:
        self.seen.append(records)


def limit_of(stage: Stage) -> int:
    """Return the committed limit of the first partition."""
    _, metadata = stage.committed()[stage.inputs[0], 0]
    return ChainState.decode(metadata or "").limit


def kill(stage: Stage, kill_at: str) -> None:
    """Start a worker that is killed at a step, and wait until it is."""
    process = start_process(stage, "a", kill_at=kill_at)
    wait_until(lambda: not process.is_alive())
    process.join()


def counted(folded: Folded) -> int:
    """Return the good records that count."""
    (by, *_) = folded.chunks.values()
    return sum(chunk.progress.counts.counted for chunks in by.values() for chunk in chunks)


def test_a_partition_whose_owners_were_killed_again_and_again_is_soon_at_its_full_pace(kafka: str, prefix: str) -> None:
    """Every kill hits an owner while it counts; the next worker catches up and says how much its chunks may hold."""
    stage = make_stage(kafka, prefix, partitions=1)
    now = instants.ago_ms(60)
    stage.send(0, [event(n, now) for n in range(3_000)])
    kill(stage, "profile.8.before")
    for _ in range(5):
        kill(stage, "profile.8.announced")
    limits, sent = Limits(), 3_000
    with running(stage.job(tuning=PATIENT, observer=limits)):
        wait_until(stage.is_caught_up)
        while limit_of(stage) < CHUNK_LIMIT and sent < 3_000 + RECOVERY:
            stage.send(0, [event(sent, now)])
            sent += 1
            wait_until(stage.is_caught_up)
    letters = [m for messages in read_all(stage.settings, stage.names.dead_letters).values() for m in messages]

    assert (1, CHUNK_LIMIT) == (limits.seen[0], limits.seen[-1])
    assert limits.seen == sorted(limits.seen)
    assert (sent, []) == (counted(stage.fold()), letters)


def test_a_worker_that_is_killed_after_the_count_leaves_no_suspicion(kafka: str, prefix: str) -> None:
    """What it announced is withdrawn before anything is written: kills, stalls and outages there are no crashes."""
    stage = make_stage(kafka, prefix, partitions=1)
    now = instants.ago_ms(60)
    stage.send(0, [event(n, now) for n in range(100)])
    kill(stage, "profile.8.before")
    for step in ("profile.8.withdrawn", "profile.10.before", "profile.11.before") * 2:
        kill(stage, step)
        assert limit_of(stage) == CHUNK_LIMIT
    with running(stage.job()):
        wait_until(stage.is_caught_up)

    assert (100, CHUNK_LIMIT) == (counted(stage.fold()), limit_of(stage))
