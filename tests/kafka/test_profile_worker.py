"""The profile worker on a real broker: what it writes counts every event once, whatever happens to it."""

from __future__ import annotations

import dataclasses
import signal
import time
from collections import Counter

import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.cimpl import NewPartitions

from stream_monitor.core.baseline import Schedule
from stream_monitor.core.batch import Batch, RawChunk
from stream_monitor.core.chain import FIRST, ChainState
from stream_monitor.core.profile import (
    ChunkPosition,
    Profile,
    ProfileKey,
    ProfileRecord,
    ProgressRecord,
    decode,
    profile_chunk,
)
from stream_monitor.kafka.errors import DataLoss, Fatal, HistoryUnusable, Misconfigured, TooManyDeadLetters
from stream_monitor.kafka.observer import NullObserver
from stream_monitor.kafka.profile import (
    DeadLetterLimits,
    OnDataLoss,
    ProfileJob,
    ProfilePolicy,
    ProfileWorker,
    StartFrom,
)
from stream_monitor.kafka.profile.intake import raw_chunk
from tests import instants
from tests.kafka.folding import Folded, merged, read_all
from tests.kafka.members import make_topic
from tests.kafka.profiling import Running, Stage, event, make_stage, running, start_process, wait_until

T0 = instants.ago_ms(2 * instants.HOUR_S)


def feed(stage: Stage, numbers: range, *, start_ms: int = T0, partitions: int = 2) -> None:
    """Send events, one a tenth of a second of event time, every 13th a minute late."""
    for partition in range(partitions):
        stage.send(
            partition,
            [
                event(n, start_ms + 100 * n - (60_000 if n % 13 == 12 else 0))
                for n in numbers
                if n % partitions == partition
            ],
        )


def truth(stage: Stage) -> dict[ProfileKey, Profile]:
    """Count every input partition as one chunk, without Kafka in between."""
    profiles = []
    for topic in stage.inputs:
        for partition, messages in read_all(stage.settings, topic).items():
            if not messages:
                continue
            chunk = raw_chunk(messages)
            position = ChunkPosition(topic, partition, "id", 1, 0, 1, 1, FIRST, 0, len(messages))
            batch = stage.job().decoders[topic].decode(chunk)
            counted = profile_chunk(
                batch,
                position=position,
                chain=ChainState("id"),
                plan=stage.plan,
                schedule=Schedule(),
                partitions=1,
            )
            records = [decode(entry.value) for entry in counted.entries]
            profiles += [record.profile for record in records if isinstance(record, ProfileRecord)]
    return merged(profiles)


def assert_exact(stage: Stage) -> Folded:
    """Check that the log, folded by the chain, counts what the inputs hold: at least one event."""
    folded = stage.fold()
    assert folded.counted > 0, "nothing was counted: two empty sums are equal, and show nothing"
    for place, end in stage.ends().items():
        progress = folded.progress(place)
        assert (progress[-1].next if progress else 0) == end, f"{place} is counted up to its end"
    expected = truth(stage)
    counted = folded.profiles()
    assert expected.keys() == counted.keys()
    for key, profile in expected.items():
        assert profile == counted[key], key
    return folded


def test_every_event_is_counted_once(kafka: str, prefix: str) -> None:
    """In chunks over two source and two judge partitions, late events included, the sums are those of the topic."""
    stage = make_stage(kafka, prefix)
    with running(stage.job()):
        for first in range(0, 600, 200):
            feed(stage, range(first, first + 200))
            time.sleep(0.15)
        wait_until(stage.is_caught_up)
    folded = assert_exact(stage)

    assert folded.counted == 600
    assert any(key.late for key in folded.profiles())


def test_a_restarted_worker_goes_on_where_it_stopped(kafka: str, prefix: str) -> None:
    """The watermark comes back with the offset: what was late stays late, and each life has a lease of its own."""
    stage = make_stage(kafka, prefix)
    feed(stage, range(400))
    for first in (400, 800):
        with running(stage.job()):
            wait_until(stage.is_caught_up)
        feed(stage, range(first, first + 200), start_ms=T0 - 30_000)
    with running(stage.job()):
        wait_until(stage.is_caught_up)
    folded = assert_exact(stage)

    assert {p.source.lease for p in folded.progress((stage.inputs[0], 0))} == {1, 2, 3}


STEPS = (
    "3.before",
    "4.before",
    "4.after",
    "5.after",
    "8.before",
    "9.mid",
    "10.before",
    "11.before",
    "11.after",
    "12.after",
)


def test_a_worker_killed_at_any_step_loses_and_doubles_nothing(kafka: str, prefix: str) -> None:
    """One process after another is killed, each at another step; the last one finishes, and the sums are exact."""
    stage = make_stage(kafka, prefix)
    killed: Counter[str] = Counter()
    for number, step in enumerate(STEPS):
        feed(stage, range(number * 100, number * 100 + 50))
        # Steps of a round: the second round dies, so that the first one commits.
        times = 1 if step[0] in "345" else 2
        process = start_process(stage, "a", kill_at=f"profile.{step}", times=times)
        process.join(20 if times == 1 else 0.6)
        if process.is_alive():
            feed(stage, range(number * 100 + 50, number * 100 + 100))
            process.join(20)
        assert process.exitcode == -signal.SIGKILL, f"the process must die at {step}"
        killed[step] += 1
    with running(stage.job()):
        wait_until(stage.is_caught_up)
    folded = assert_exact(stage)

    assert folded.unnamed > 0, "at least one chunk was written and not committed, or the test shows nothing"
    assert set(STEPS) == set(killed)


def test_two_workers_share_the_partitions_and_take_over(kafka: str, prefix: str) -> None:
    """A second worker joins in the middle, the first is killed, and every event counts once."""
    stage = make_stage(kafka, prefix, partitions=4, inputs=2)

    def feed_all(numbers: range) -> None:
        for topic in stage.inputs:
            for partition in range(4):
                stage.send(partition, [event(n, T0 + 100 * n) for n in numbers if n % 4 == partition], topic=topic)

    first = start_process(stage, "a")
    feed_all(range(200))
    wait_until(stage.is_caught_up)
    with running(stage.job("b")) as second:
        for step in range(5):
            feed_all(range(200 + step * 40, 240 + step * 40))
            time.sleep(0.3)
        wait_until(lambda: stage.is_caught_up() or second.ended())
        first.kill()
        first.join(10)
        feed_all(range(400, 600))
        wait_until(lambda: stage.is_caught_up() or second.ended())
    folded = assert_exact(stage)

    leases = {p.source.lease for t in stage.inputs for i in range(4) for p in folded.progress((t, i))}
    assert len(leases) > 1, "partitions changed hands"


def test_sigterm_finishes_the_round_and_names_it(kafka: str, prefix: str) -> None:
    """Whoever stops a worker finds everything it had read counted, without waiting for the next one."""
    stage = make_stage(kafka, prefix)
    slow = dataclasses.replace(stage.job().tuning, chunk_age_s=30.0, quiet_s=30.0)
    feed(stage, range(100))
    with running(stage.job(tuning=slow)) as worker:
        wait_until(lambda: len(stage.committed()) == 2)
        time.sleep(1.0)  # it has read and waits for its chunk to be 30 s old
        worker.stop()
    folded = assert_exact(stage)

    assert folded.counted == 100


def test_a_silent_partition_reports_and_advances_by_broker_time(kafka: str, prefix: str) -> None:
    """Both partitions report; the one without events and the one gone silent move up to broker time, once named."""
    stage = make_stage(kafka, prefix, idle_after_ms=500, pane_ms=1_000)
    begun = instants.now_ms()
    stage.send(0, [event(0, begun)])

    def has_advanced() -> bool:
        folded = stage.fold()
        marks = [[p.watermark_ms for p in folded.progress((stage.inputs[0], i))] for i in (0, 1)]
        return all(m and m[-1] is not None and m[-1] > begun for m in marks)

    with running(stage.job()):
        wait_until(has_advanced)
    empty = stage.fold().progress((stage.inputs[0], 1))

    assert empty[0].watermark_ms is None
    assert all(p.idle_until_ms is None or p.idle_until_ms % 1_000 == 0 for p in empty)
    assert [p.source_partitions for p in empty] == [2] * len(empty)
    for message in read_all(stage.settings, stage.names.profiles)[0]:
        record = decode(message.value() or b"")
        if isinstance(record, ProgressRecord) and record.idle_until_ms is not None:
            behind_ms = message.timestamp()[1] - record.idle_until_ms
            assert behind_ms >= 1_000, "idle span and lateness lie between the fact and the broker's time"


def test_bad_records_go_to_the_dead_letters_and_the_rest_counts(kafka: str, prefix: str) -> None:
    """Byte for byte, with their source position; the chunk says how many of its records they were."""
    stage = make_stage(kafka, prefix, partitions=1, rejects=4)
    bad = [b"\xff\xfe", b"{", b"", b"[]"]
    stage.send(0, [*(event(n, T0) for n in range(50)), *bad, None, *(event(n, T0) for n in range(50, 80))])
    with running(stage.job()):
        wait_until(stage.is_caught_up)
    folded = assert_exact(stage)
    letters = [m for messages in read_all(stage.settings, stage.names.dead_letters).values() for m in messages]
    headers = [dict(m.headers() or []) for m in letters]
    counts = [p.counts for p in folded.progress((stage.inputs[0], 0))]

    assert bad == [m.value() or b"" for m in letters]
    assert [b"50", b"51", b"52", b"53"] == [h["__connect.errors.offset"] for h in headers]
    assert {b"native"} == {h["__connect.errors.class.name"] for h in headers}
    assert (85, 80, 4, 1) == tuple(
        sum(getattr(c, part) for c in counts) for part in ("read", "counted", "rejected", "tombstones")
    )


def test_too_many_bad_records_stop_the_worker_before_they_are_drained(kafka: str, prefix: str) -> None:
    """Exit code 4, and nothing of the poisoned chunk is committed."""
    stage = make_stage(kafka, prefix, partitions=1)
    stage.send(0, [b"{"] * 300)
    policy = ProfilePolicy(dead_letters=DeadLetterLimits(max_consecutive=100))
    worker = Running(stage.job(policy=policy))
    wait_until(worker.ended)

    assert isinstance(worker.error, TooManyDeadLetters)
    assert worker.error.exit_code == 4
    assert stage.committed()[stage.inputs[0], 0][0] == 0


class Breaking:
    """A decoder that raises on one record."""

    def __init__(self, job: ProfileJob, topic: str) -> None:
        self._decoder = job.decoders[topic]

    def decode(self, chunk: RawChunk) -> Batch:
        if b"boom" in chunk.values:
            raise RuntimeError("the value is boom")
        return self._decoder.decode(chunk)


def test_a_record_that_breaks_the_decoder_is_found_and_put_aside(kafka: str, prefix: str) -> None:
    """The chunk is halved down to the record; its letter says internal_error and not what the exception said."""
    stage = make_stage(kafka, prefix, partitions=1, rejects=2)
    stage.send(0, [*(event(n, T0) for n in range(70)), b"boom", *(event(n, T0) for n in range(70, 99)), b"{"])
    job = stage.job()
    with running(dataclasses.replace(job, decoders={stage.inputs[0]: Breaking(job, stage.inputs[0])})):
        wait_until(stage.is_caught_up)
    folded = assert_exact(stage)
    (letters,) = [m for m in read_all(stage.settings, stage.names.dead_letters).values() if m]
    headers = [dict(m.headers() or []) for m in letters]

    assert [b"internal_error", b"invalid_json"] == [h["stream_monitor.reason"] for h in headers]
    assert [b"70", b"100"] == [h["__connect.errors.offset"] for h in headers]
    assert "boom" not in str(headers[0])
    assert (99, 2) == (folded.counted, folded.rejected)


def recreate(stage: Stage) -> None:
    admin = stage.admin
    for future in admin.delete_topics([stage.inputs[0]]).values():
        future.result(20)
    wait_until(lambda: stage.inputs[0] not in admin.list_topics(timeout=20).topics)
    make_topic(stage.bootstrap, stage.inputs[0], 1)


def test_a_topic_made_anew_stops_the_worker(kafka: str, prefix: str) -> None:
    """While it runs, when the client itself goes silent, and when it starts: never on at a stale offset."""
    stage = make_stage(kafka, prefix, partitions=1)
    stage.send(0, [event(n, T0) for n in range(20)])
    worker = Running(stage.job())
    wait_until(stage.is_caught_up)
    recreate(stage)
    wait_until(worker.ended)
    stage.send(0, [event(n, T0) for n in range(50)])  # past the committed offset: only the topic's id tells
    again = Running(stage.job("b"))
    wait_until(again.ended)

    assert isinstance(worker.error, DataLoss)
    assert isinstance(again.error, DataLoss)
    assert "the topic was made anew" in str(again.error)
    assert again.error.exit_code == 6


def lose_records(stage: Stage) -> None:
    """Count 20 events, write 20 more and delete the first 10 of those."""
    stage.send(0, [event(n, T0) for n in range(20)])
    with running(stage.job()):
        wait_until(stage.is_caught_up)
    stage.send(0, [event(n, T0) for n in range(20, 40)])
    for future in stage.admin.delete_records([TopicPartition(stage.inputs[0], 0, 30)]).values():
        future.result(20)


def test_records_deleted_unread_stop_the_worker(kafka: str, prefix: str) -> None:
    """Loudly, with the range that is gone."""
    stage = make_stage(kafka, prefix, partitions=1)
    lose_records(stage)
    worker = Running(stage.job())
    wait_until(worker.ended)

    assert isinstance(worker.error, DataLoss)
    assert "offsets 20 to 29" in str(worker.error)


class Gaps(NullObserver):
    """Remembers what was passed over."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, int]] = []

    def input_gap(self, topic: str, offsets: int) -> None:
        self.seen.append((topic, offsets))


def test_going_on_behind_a_gap_is_a_choice_and_is_written_down(
    kafka: str, prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A new epoch in the log says that the offsets do not join; the worker's log and a metric say what is lost."""
    stage = make_stage(kafka, prefix, partitions=1)
    lose_records(stage)
    gaps = Gaps()
    with running(stage.job(policy=ProfilePolicy(on_data_loss=OnDataLoss.CONTINUE), observer=gaps)):
        wait_until(stage.is_caught_up)
    progress = stage.fold().progress((stage.inputs[0], 0))

    assert gaps.seen == [(stage.inputs[0], 10)]
    assert f"{stage.inputs[0]}[0]: offsets 20 to 29 were deleted uncounted and are passed over" in caplog.text
    assert [0, 1] == sorted({p.source.epoch for p in progress})
    assert [30] == [p.first for p in progress if p.source.epoch == 1][:1]
    assert sum(p.counts.counted for p in progress) == 30


def forget_offsets(stage: Stage) -> None:
    admin = stage.admin
    group = f"{stage.prefix}-profile"
    deadline = time.monotonic() + 30
    while True:
        try:
            for future in admin.delete_consumer_groups([group]).values():
                future.result(20)
        except Exception:  # noqa: BLE001 - the static member is still in the group
            assert time.monotonic() < deadline
            time.sleep(0.3)
        else:
            return


def test_expired_offsets_are_never_guessed(kafka: str, prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A group that has counted and whose log of profiles is gone too stops with exit code 7 and the command."""
    stage = make_stage(kafka, prefix, partitions=1)
    stage.send(0, [event(n, T0) for n in range(20)])
    with running(stage.job()):
        wait_until(stage.is_caught_up)
    forget_offsets(stage)
    for future in stage.admin.delete_records(
        [TopicPartition(stage.names.profiles, p, -1) for p in range(2)]  # -1: up to the end
    ).values():
        future.result(20)
    monkeypatch.setattr("stream_monitor.kafka.profile.assignment.YOUNG_MS", 0)
    worker = Running(stage.job())
    wait_until(worker.ended)

    assert isinstance(worker.error, HistoryUnusable)
    assert worker.error.exit_code == 7
    assert "recover offsets" in str(worker.error)


def test_a_first_start_may_begin_at_the_end(kafka: str, prefix: str) -> None:
    """With `start: latest` what was there before is not counted."""
    stage = make_stage(kafka, prefix, partitions=1)
    stage.send(0, [event(n, T0) for n in range(20)])
    with running(stage.job(policy=ProfilePolicy(start=StartFrom.LATEST))):
        wait_until(lambda: len(stage.committed()) == 1)
        stage.send(0, [event(n, T0) for n in range(20, 25)])
        wait_until(stage.is_caught_up)

    assert stage.fold().counted == 5


def test_a_new_partition_is_read_from_its_beginning(kafka: str, prefix: str) -> None:
    """Added while the worker runs: it joins the roster at once, and its first events count, whatever `start` says."""
    stage = make_stage(kafka, prefix, partitions=1, pane_ms=1_000)
    policy = ProfilePolicy(start=StartFrom.LATEST)
    with running(stage.job(policy=policy)):
        wait_until(lambda: len(stage.committed()) == 1)
        for future in stage.admin.create_partitions([NewPartitions(stage.inputs[0], 2)]).values():
            future.result(20)
        # The partition that is owned tells of the new one, although nobody takes it up anew.
        wait_until(lambda: stage.fold().progress((stage.inputs[0], 0))[-1].source_partitions == 2)
        assert {1} == {p.source.lease for p in stage.fold().progress((stage.inputs[0], 0))}
    stage.send(1, [event(n, T0) for n in range(5)])
    with running(stage.job(policy=policy)):
        wait_until(stage.is_caught_up)
    progress = stage.fold().progress((stage.inputs[0], 1))

    assert sum(p.counts.counted for p in progress) == 5
    assert {2} == {p.source_partitions for p in progress}


def test_a_rival_of_the_same_name_stops_the_first_worker(kafka: str, prefix: str) -> None:
    """Exit code 3, with the name that is taken and how to choose another."""
    stage = make_stage(kafka, prefix, partitions=1)
    first = Running(stage.job("a"))
    wait_until(lambda: len(stage.committed()) == 1)
    with running(stage.job("a")):
        stage.send(0, [event(n, T0) for n in range(20)])
        wait_until(first.ended)
        wait_until(stage.is_caught_up)
    assert_exact(stage)

    assert isinstance(first.error, Fatal)
    assert "--instance" in str(first.error)


def test_missing_topics_stop_the_start(kafka: str, prefix: str) -> None:
    """Exit code 2 and the command that makes them."""
    stage = Stage(kafka, prefix, (f"{prefix}in0",))
    with pytest.raises(Misconfigured, match="topics create"):
        ProfileWorker(stage.job()).run()
