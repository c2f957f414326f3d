"""The baseline log on a real broker: read to its end, written ahead of its panes."""

from __future__ import annotations

import numpy as np
import pytest
from confluent_kafka import Consumer, Producer

from stream_monitor.core.baseline import (
    Baseline,
    Origin,
    OriginType,
    ReferenceTable,
    Schedule,
    activation_lead_ms,
    build_baseline,
    proposed_activation_ms,
)
from stream_monitor.core.plan import LimitsPlan, TimePlan
from stream_monitor.kafka.baseline_log import MAX_LAG_S, BaselineLog, BaselineWriter, is_void
from stream_monitor.kafka.client_settings import judge_producer, reader
from stream_monitor.kafka.deliveries import Outgoing, deliver
from stream_monitor.kafka.errors import HistoryUnusable
from tests.kafka.members import make_topic, quick_settings

PANE_MS = 10_000


class Clock:
    """Seconds that a test sets."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def topic(kafka: str, prefix: str) -> str:
    """An empty baseline topic."""
    return make_topic(kafka, f"{prefix}baselines", 1, {"message.timestamp.type": "LogAppendTime"})


@pytest.fixture
def baseline() -> Baseline:
    """A baseline of several parts: 300 numeric features."""
    rng = np.random.default_rng(5)
    rows = 4095
    columns = {f"feature:f{i:03d}": rng.normal(size=rows) for i in range(300)}
    select = rng.permutation(rows).astype(np.uint64)
    table = ReferenceTable(columns, select, rng.integers(0, 2**53, rows))
    return build_baseline("fraud", "7", table, origin=Origin(OriginType.DATASET, rows), limits=LimitsPlan())


def log_of(kafka: str, topic: str, clock: Clock | None = None) -> BaselineLog:
    """Return a reader of the topic."""
    return BaselineLog(Consumer(reader(quick_settings(kafka))), topic, Schedule(), clock=clock or Clock())


def test_a_document_in_parts_and_its_activation_are_read_back(kafka: str, topic: str, baseline: Baseline) -> None:
    """What a writer wrote, a reader that starts later knows when it has read to the end."""
    writer = BaselineWriter(Producer({"bootstrap.servers": kafka}), topic)
    assert len(baseline.parts()) > 1
    writer.document(baseline)
    writer.activation(baseline, 50_000)
    log = log_of(kafka, topic)
    log.read_to_end()

    found = log.schedule.at("fraud", "7", 50_000)
    assert found is not None
    assert found.encode() == baseline.encode()
    assert log.schedule.at("fraud", "7", 40_000) is None
    log.close()


def test_a_reader_follows_what_comes_later(kafka: str, topic: str, baseline: Baseline) -> None:
    """Each refresh reads to the end as it is then; an empty topic is read to its end at once."""
    writer = BaselineWriter(Producer({"bootstrap.servers": kafka}), topic)
    log = log_of(kafka, topic)
    log.read_to_end()
    assert log.schedule.get(baseline.id) is None
    writer.document(baseline)

    assert log.document(baseline.id).encode() == baseline.encode()
    log.close()


def test_the_lag_of_a_reader_is_a_span_since_it_knew_everything(kafka: str, topic: str) -> None:
    """A reader that was at the end is current, one that did not ask for over a minute pauses its worker."""
    clock = Clock()
    log = log_of(kafka, topic, clock)
    assert log.is_behind()
    log.read_to_end()
    assert (log.lag_s(), log.is_behind()) == (0.0, False)
    clock.now_s += MAX_LAG_S + 1

    assert log.is_behind()
    log.close()


def test_the_end_of_the_topic_may_be_an_aborted_transaction(kafka: str, prefix: str, topic: str) -> None:
    """Offsets that no record stands for are passed: the reader does not wait for a record that never comes."""
    producer = Producer(judge_producer(quick_settings(kafka), group=prefix, instance="0"))
    producer.init_transactions(30)
    producer.begin_transaction()
    deliver(producer, [Outgoing(topic, 0, b"doc/x/0", b"{}")], timeout_s=20)
    producer.abort_transaction(20)
    log = log_of(kafka, topic)

    log.read_to_end(timeout_s=20)
    assert log.schedule.documents == {}
    log.close()


def test_a_document_that_nobody_wrote_stops_its_reader(kafka: str, topic: str) -> None:
    """Profile records that name an unknown baseline cannot be judged: the error says which, exit code 7."""
    log = log_of(kafka, topic)
    with pytest.raises(HistoryUnusable, match="sha256:none"):
        log.document("sha256:none", timeout_s=0.0)
    log.close()


def test_a_proposed_activation_is_not_void_although_the_group_has_started(
    kafka: str, topic: str, baseline: Baseline
) -> None:
    """The pane proposed from the broker time of the document is far enough ahead of the activation's own; one that
    begins at once is void for everybody, and its writer can tell.
    """
    lead_ms = activation_lead_ms(TimePlan())
    writer = BaselineWriter(Producer({"bootstrap.servers": kafka}), topic)
    writer.start(group="fraud", instance="0", partitions={"events": 6})
    written_ms = writer.document(baseline)
    from_ms = proposed_activation_ms(written_ms, lead_ms=lead_ms, pane_ms=PANE_MS)
    activated_ms = writer.activation(baseline, from_ms)
    late_ms = writer.activation(baseline, written_ms)
    log = BaselineLog(Consumer(reader(quick_settings(kafka))), topic, Schedule(group="fraud", lead_ms=lead_ms))
    log.read_to_end()

    assert [
        is_void(TimePlan(), written_ms=t, from_ms=f) for t, f in ((activated_ms, from_ms), (late_ms, written_ms))
    ] == [
        False,
        True,
    ]
    assert [(a.from_ms, a.baseline) for a in log.schedule.activations] == [(from_ms, baseline.id)]
    assert [a.from_ms for a in log.schedule.void] == [written_ms]
    log.close()
