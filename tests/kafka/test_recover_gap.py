"""`recover gap` on a real broker: state, history and log are lost in turn, and each time the judge goes on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from confluent_kafka import TopicPartition

from stream_monitor.cli.main import run_command
from stream_monitor.config import load
from stream_monitor.core.judge import Judge
from stream_monitor.kafka.clients import end_offsets
from stream_monitor.kafka.errors import HistoryUnusable
from stream_monitor.kafka.judge import JudgeJob, JudgeTuning, JudgeWorker
from stream_monitor.kafka.judge.snapshot_blocks import whole_snapshots
from stream_monitor.kafka.judge.state_records import COMMIT_KEY, Commit, decode_commit
from stream_monitor.kafka.readers import read_partition
from stream_monitor.kafka.topics import create_topics, plan_topics
from tests.kafka.profiling import Stage, make_stage, running, wait_until
from tests.kafka.test_lost_offsets import EVENTS, feed
from tests.kafka.test_recover_offsets import configured

PARTITIONS = 2


class Judging:
    """A judge worker in a thread."""

    def __init__(self, stage: Stage) -> None:
        self.error: BaseException | None = None
        job = JudgeJob(
            stage.settings,
            stage.plan,
            group=stage.prefix,
            instance="j",
            topics=stage.names,
            tuning=JudgeTuning(commit_every_s=0.1),
        )
        self.worker = JudgeWorker(job)
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.worker.run()
        except BaseException as error:  # noqa: BLE001 - handed to the test
            self.error = error

    def ended(self) -> bool:
        """Say whether the worker has left by itself."""
        return not self._thread.is_alive()

    def stop(self) -> None:
        """Stop the worker and wait for it."""
        self.worker.stop()
        self._thread.join(30)
        assert self.ended(), "the judge did not stop"


@contextmanager
def judging(stage: Stage) -> Iterator[Judging]:
    """Give a running judge that is stopped at the end; what it raised is raised here."""
    judge = Judging(stage)
    try:
        yield judge
    finally:
        judge.stop()
    if judge.error is not None:
        raise judge.error


def commits(stage: Stage, partitions: int = PARTITIONS) -> list[Commit | None]:
    """Return where each judge partition stands."""
    found: list[Commit | None] = []
    for partition in range(partitions):
        records = read_partition(stage.settings, stage.names.judge_state, partition)
        last = {record.key: record.value for record in records}.get(COMMIT_KEY)
        found.append(None if last is None else decode_commit(last))
    return found


def is_judged(stage: Stage) -> bool:
    """Say whether everything in the log of profiles is judged."""
    ends = stage.ends_of_profiles()
    stands = [0 if commit is None else commit.next_offset for commit in commits(stage, len(ends))]
    return stands == [ends[stage.names.profiles, p] for p in range(len(ends))]


def events_judged(stage: Stage) -> int:
    """Return the events in all panes of the judges, open, closed and gathered for a baseline, when all is judged."""
    assert is_judged(stage)
    total, partitions = 0, len(stage.ends_of_profiles())
    for partition in range(partitions):
        records = {r.key: r.value for r in read_partition(stage.settings, stage.names.judge_state, partition)}
        (snapshot, *_) = whole_snapshots(
            {key: value for key, value in records.items() if key is not None and value is not None},
            decode_commit(records[COMMIT_KEY] or b""),
        )
        seen = Judge(
            stage.plan,
            partition=partition,
            partitions=partitions,
            source="",
            schedule=lambda _: None,
            state=snapshot.state,
        )
        open_panes = [pane for panes in seen.ledger.panes.values() for pane in panes.panes.values()]
        total += sum(profile.events for pane in open_panes for profile in pane.profiles.values())
        total += sum(sum(pane.late.values()) for pane in open_panes)
        total += sum(
            0 if state.warm_up is None else state.warm_up.events
            for model in seen.models.values()
            for state in model.versions.values()
        )
    return total


def count(stage: Stage, numbers: range) -> None:
    """Send events and count them."""
    feed(stage, numbers)
    with running(stage.job()):
        wait_until(stage.is_caught_up)


def judge(stage: Stage) -> None:
    """Judge what is counted."""
    with judging(stage) as worker:
        wait_until(lambda: is_judged(stage) or worker.ended())


def stopped(stage: Stage) -> str:
    """Start a judge that cannot go on, and return what it says."""
    worker = Judging(stage)
    wait_until(worker.ended)
    assert isinstance(worker.error, HistoryUnusable)
    assert worker.error.exit_code == 7
    return str(worker.error)


def remake(stage: Stage, topic: str) -> None:
    """Delete a topic of ours and make it anew."""
    (future,) = stage.admin.delete_topics([topic]).values()
    future.result(20)
    wait_until(lambda: topic not in stage.admin.list_topics(timeout=20).topics)
    specs = plan_topics(stage.names, partitions=PARTITIONS, replication=1)
    create_topics(stage.admin, [spec for spec in specs if spec.name == topic])


def test_the_judge_goes_on_after_every_loss(
    kafka: str, prefix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its state: rebuilt from the log to the very digest. The beginning of the log, and the whole log: it goes on with
    the state that it had. Each time it stops first and names the command; a dry run writes nothing, a second run finds
    nothing to do.
    """
    stage = make_stage(kafka, prefix)
    config = configured(stage, tmp_path)
    object.__setattr__(stage, "plan", load(Path(config), environ={}).plan)  # that of the command

    def recover(*arguments: str) -> tuple[int, str]:
        code = run_command(["-c", config, "recover", "gap", *arguments])
        return code, capsys.readouterr().out

    def is_mended(said: str) -> None:
        before = commits(stage)
        assert recover()[0] == 0
        assert commits(stage) == before, "a dry run writes nothing"
        code, out = recover("--yes", "--wait", "30s")
        assert (code, said in out) == (0, True), out
        assert recover("--format", "json")[1].count('"condition":"good"') == PARTITIONS

    count(stage, range(EVENTS))
    judge(stage)
    judged = commits(stage)
    assert all(commit is not None and len(commit.chains) == 2 for commit in judged)

    remake(stage, stage.names.judge_state)
    assert "stream-monitor recover gap" in stopped(stage)
    is_mended("state lost: rebuilt from the log")
    assert [c and (c.next_offset, c.state_digest, c.chains) for c in judged] == [
        c and (c.next_offset, c.state_digest, c.chains) for c in commits(stage)
    ]

    count(stage, range(EVENTS, 2 * EVENTS))
    log = [TopicPartition(stage.names.profiles, p) for p in range(PARTITIONS)]
    ends = end_offsets(stage.admin, log)
    for future in stage.admin.delete_records([TopicPartition(*place, end) for place, end in ends.items()]).values():
        future.result(20)
    count(stage, range(2 * EVENTS, 3 * EVENTS))
    assert "stream-monitor recover gap" in stopped(stage)
    is_mended("history lost")
    judge(stage)
    assert is_judged(stage)

    remake(stage, stage.names.profiles)
    assert "made anew" in stopped(stage)
    is_mended("the log was made anew")
    count(stage, range(3 * EVENTS, 4 * EVENTS))
    judge(stage)
    assert is_judged(stage)
    tips = [commit.chains for commit in commits(stage) if commit is not None]
    assert tips[0] == tips[1]
    assert {tip[3] for tip in tips[0].values()} == {2 * EVENTS}


def test_what_the_log_lost_is_counted_again(
    kafka: str, prefix: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The log loses chunks that nobody had judged, then all of it; the inputs still hold the events. Every event is in
    the judge's panes once, as in a judge that lost nothing.
    """
    stage = make_stage(kafka, prefix)
    config = configured(stage, tmp_path)
    object.__setattr__(stage, "plan", load(Path(config), environ={}).plan)

    def fill(expected: str) -> None:
        assert run_command(["-c", config, "recover", "chain"]) == 0
        assert run_command(["-c", config, "recover", "chain", "--yes", "--wait", "30s"]) == 0
        said = capsys.readouterr().out
        assert expected in said
        assert "are counted again: nothing is lost" in said

    count(stage, range(EVENTS))
    judge(stage)
    count(stage, range(EVENTS, 2 * EVENTS))
    for future in stage.admin.delete_records(
        [TopicPartition(stage.names.profiles, p, -1) for p in range(PARTITIONS)]  # -1: up to the end
    ).values():
        future.result(20)
    count(stage, range(2 * EVENTS, 3 * EVENTS))
    stopped(stage)
    fill("history lost")
    judge(stage)
    assert events_judged(stage) == 3 * EVENTS

    count(stage, range(3 * EVENTS, 4 * EVENTS))
    remake(stage, stage.names.profiles)
    stopped(stage)
    assert run_command(["-c", config, "recover", "chain", "--yes", "--wait", "30s"]) == 2
    assert "start the profile workers" in capsys.readouterr().err
    count(stage, range(4 * EVENTS, 5 * EVENTS))
    fill("made anew")
    judge(stage)
    assert events_judged(stage) == 5 * EVENTS
