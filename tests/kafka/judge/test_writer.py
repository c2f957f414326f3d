"""What the judge's writer does with each answer of the broker; a fake injects the answers that are hard to have."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from stream_monitor.core.baseline import Schedule
from stream_monitor.core.plan import Plan
from stream_monitor.kafka import bounded
from stream_monitor.kafka.baseline_log import BaselineLog
from stream_monitor.kafka.client_settings import KafkaSettings
from stream_monitor.kafka.deliveries import Outgoing
from stream_monitor.kafka.errors import ClientRestart, Fatal, RestartReason, RoundFailed
from stream_monitor.kafka.judge import JudgeJob, JudgeTuning, repeating_writer, transactional_writer
from stream_monitor.kafka.judge.context import JudgeContext
from stream_monitor.kafka.judge.partition import Portion
from stream_monitor.kafka.judge.repeating_writer import RepeatingWriter
from stream_monitor.kafka.judge.transactional_writer import TransactionalWriter
from stream_monitor.kafka.outage import OutageWatch

JOB = JudgeJob(KafkaSettings({"bootstrap.servers": "none"}), Plan(), group="g", instance="0")
PORTION = Portion(
    0,
    (Outgoing("alerts", 0, b"k", b"alert", 1),),
    (),
    (Outgoing("state", 0, b"_commit", b"{}"),),
    7,
    None,
)
UNKNOWN = KafkaError(KafkaError._TIMED_OUT, "no answer", retriable=True)
ABORTABLE = KafkaError(KafkaError.INVALID_TXN_STATE, "refused", txn_requires_abort=True)
FENCED = KafkaError(KafkaError._FENCED, "fenced", fatal=True)
REFUSED = KafkaError(KafkaError.ILLEGAL_GENERATION, "stale", txn_requires_abort=True)


class Message:
    """A delivered record."""

    def __init__(self, topic: str) -> None:
        self._topic = topic

    def topic(self) -> str:
        return self._topic

    def partition(self) -> int:
        return 0

    def timestamp(self) -> tuple[int, int]:
        return (2, 1_000)


class FakeProducer:
    """Notes calls; raises what it is told to."""

    def __init__(self, calls: list[str], failures: dict[str, KafkaError], refused: KafkaError | None) -> None:
        self._calls = calls
        self._failures = failures
        self._refused = refused
        self._reports: list[Callable[[], None]] = []

    def _call(self, name: str) -> None:
        self._calls.append(name)
        if name in self._failures:
            raise KafkaException(self._failures[name])

    def init_transactions(self, timeout: float) -> None:
        self._call("init")

    def begin_transaction(self) -> None:
        self._call("begin")

    def produce(self, topic: str, value: bytes, key: bytes, partition: int, *, on_delivery: Any, **_: object) -> None:
        self._call(f"produce {topic}")
        self._reports.append(lambda: on_delivery(self._refused, Message(topic)))

    def flush(self, timeout: float) -> int:
        self._call("flush")
        while self._reports:
            self._reports.pop(0)()
        return 0

    def send_offsets_to_transaction(self, offsets: list[Any], metadata: object, timeout: float) -> None:
        self._call(f"offsets {offsets[0].offset} by {metadata}")

    def commit_transaction(self, timeout: float) -> None:
        self._call("commit")

    def abort_transaction(self, timeout: float) -> None:
        self._call("abort")

    def purge(self, *, blocking: bool) -> None:
        self._call("purge")


class FakeMember:
    """A group member whose generation grows with each question, and that may lose its place while it is asked."""

    def __init__(self, *, loses_its_place: bool = False) -> None:
        self._member = "m"
        self._generation = 0
        self._loses_its_place = loses_its_place

    def consumer_group_metadata(self) -> str:
        self._generation += 1
        if self._loses_its_place:
            self._member = ""
        return f"generation {self._generation}"

    def memberid(self) -> str:
        return self._member


class Bench:
    """A writer on fakes."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        *,
        failures: dict[str, KafkaError] | None = None,
        refused: KafkaError | None = None,
        member: FakeMember | None = None,
        slow_commit_s: float = 60.0,
    ) -> None:
        self.calls: list[str] = []
        self.statistics: Callable[[str], None] = lambda _: None

        def opened(
            _config: object, _on_error: object, on_statistics: Callable[[str], None] | None = None
        ) -> FakeProducer:
            self.calls.append("open")
            if on_statistics is not None:
                self.statistics = on_statistics
            return FakeProducer(self.calls, failures or {}, refused)

        for module in (transactional_writer, repeating_writer):
            monkeypatch.setattr(module, "open_producer", opened)
        job = JudgeJob(**{**as_fields(JOB), "tuning": JudgeTuning(slow_commit_s=slow_commit_s)})
        log = BaselineLog.__new__(BaselineLog)
        log.schedule = Schedule()
        self.context = JudgeContext(job, 1, log, OutageWatch())
        self.member: Any = member or FakeMember()

    def transactional(self) -> TransactionalWriter:
        """Return the writer, opened; its calls so far are forgotten."""
        made = TransactionalWriter(self.context, {}, self.member)
        self.calls.clear()
        return made


def as_fields(job: JudgeJob) -> dict[str, Any]:
    """Return the fields of a job."""
    return {name: getattr(job, name) for name in JudgeJob.__dataclass_fields__}


COMPLETE = ["begin", "produce alerts", "produce state", "flush", "offsets 7 by generation 1", "commit"]


def test_a_commit_goes_through_its_steps_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Records are safe before the offsets go along, and the offsets are in the transaction."""
    bench = Bench(monkeypatch)
    bench.transactional().commit([PORTION], timeout_s=1)

    assert bench.calls == COMPLETE


def test_group_metadata_is_fetched_for_every_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Metadata of an older generation is refused; a cached one would be that after the next rebalance."""
    bench = Bench(monkeypatch)
    made = bench.transactional()
    made.commit([PORTION], timeout_s=1)
    made.commit([PORTION], timeout_s=1)

    assert bench.calls[-2:] == ["offsets 7 by generation 2", "commit"]


def test_a_member_that_lost_its_place_while_asked_commits_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The metadata of nobody would be accepted by the broker; the member id, looked at afterwards, tells."""
    bench = Bench(monkeypatch, member=FakeMember(loses_its_place=True))
    with pytest.raises(RoundFailed, match="not a member"):
        bench.transactional().commit([PORTION], timeout_s=1)

    assert bench.calls[-1] == "abort"


@pytest.mark.parametrize(
    ("failures", "refused"),
    [
        ({"offsets 7 by generation 1": REFUSED}, None),
        ({"commit": ABORTABLE}, None),
        ({}, KafkaError(KafkaError.MSG_SIZE_TOO_LARGE, "too large")),
    ],
    ids=["offsets refused", "commit refused", "record refused"],
)
def test_a_definite_refusal_aborts(
    monkeypatch: pytest.MonkeyPatch, failures: dict[str, KafkaError], refused: KafkaError | None
) -> None:
    """What is certainly not committed is aborted, and the partitions start again from what is."""
    bench = Bench(monkeypatch, failures=failures, refused=refused)
    with pytest.raises(RoundFailed):
        bench.transactional().commit([PORTION], timeout_s=1)

    assert bench.calls[-1] == "abort"


def test_an_unanswered_commit_is_never_aborted(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may have happened: only a new epoch and what the broker tells then can say, so new clients are taken."""
    bench = Bench(monkeypatch, failures={"commit": UNKNOWN})
    with pytest.raises(ClientRestart) as restart:
        bench.transactional().commit([PORTION], timeout_s=1)

    assert (restart.value.reason, bench.calls) == (RestartReason.COMMIT_UNKNOWN, COMPLETE)


@pytest.mark.parametrize("step", ["begin", "offsets 7 by generation 1", "commit", "abort"])
def test_a_fenced_producer_ends_the_process(monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """Another process has the name: nothing is tried again, at whichever step it is told."""
    failures = {step: FENCED} | ({"commit": ABORTABLE} if step == "abort" else {})
    bench = Bench(monkeypatch, failures=failures)

    with pytest.raises(Fatal, match="g-judge-0"):
        bench.transactional().commit([PORTION], timeout_s=1)


def test_offsets_that_are_never_answered_do_not_hang_the_judge(monkeypatch: pytest.MonkeyPatch) -> None:
    """Librdkafka forgets its own limit when the coordinator goes away: the call is given up from outside, and what it
    belongs to was not committed.
    """
    monkeypatch.setattr(bounded, "GRACE_S", 0.05)
    bench = Bench(monkeypatch)
    made = bench.transactional()
    released = threading.Event()
    monkeypatch.setattr(FakeProducer, "send_offsets_to_transaction", lambda *_: released.wait(60))
    with pytest.raises(RoundFailed, match="no answer"):
        made.commit([PORTION], timeout_s=0.05)
    released.set()

    assert bench.calls[-1] == "abort"


def test_after_a_slow_commit_the_producer_takes_a_new_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy of the slow EndTxn may still be under way: the new epoch fences it before the next transaction begins; the
    old producer is let go without a call that could end a transaction.
    """
    bench = Bench(monkeypatch, slow_commit_s=-1.0)
    bench.transactional().commit([PORTION], timeout_s=1)

    assert bench.calls == [*COMPLETE, "open", "init", "purge"]


def test_a_repeated_request_counts_as_a_slow_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Librdkafka repeats requests inside the call; only its statistics tell."""
    bench = Bench(monkeypatch)
    made = bench.transactional()
    bench.statistics(json.dumps({"brokers": {"b:1": {"txretries": 1}}}))
    made.commit([PORTION], timeout_s=1)

    assert bench.calls == ["open", "init", "purge", *COMPLETE]


def test_without_transactions_alerts_are_safe_before_the_state_that_covers_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A state that arrived before its alerts would lose them in a crash; the other way round repeats them."""

    class Member(FakeMember):
        def commit(self, *, offsets: list[Any], asynchronous: bool) -> list[Any]:
            bench.calls.append(f"commit {offsets[0].offset}")
            return offsets

    bench = Bench(monkeypatch, member=Member())
    RepeatingWriter(bench.context, {}, bench.member).commit([PORTION], timeout_s=1)

    assert bench.calls == ["open", "produce alerts", "flush", "produce state", "flush", "commit 7"]
