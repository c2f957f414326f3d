"""Brokers that are away: the log says it once, once a minute and at the end; the probes say what is waited for."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from confluent_kafka import KafkaError

from stream_monitor.kafka.clients import CLIENT_LOG
from stream_monitor.kafka.outage import OutageWatch

REFUSED = KafkaError(
    KafkaError._TRANSPORT,
    "kafka:9092/1: Connect to ipv4#10.0.0.1:9092 failed: Connection refused (after 0ms in state INIT)",
)
DOWN = KafkaError(KafkaError._ALL_BROKERS_DOWN, "1/1 brokers are down")
WAITING = "no broker answers: kafka:9092: connection refused"


class Clock:
    """Seconds by hand."""

    now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@contextmanager
def outage(clock: Clock) -> Iterator[OutageWatch]:
    watch = OutageWatch("fraud-profile-0", clock)
    yield watch


def spent(watch: OutageWatch, clock: Clock, seconds: int) -> str | None:
    """Let time pass as in an outage: a hundred errors a second, a look at each second."""
    detail = None
    for _ in range(seconds):
        clock.now_s += 1.0
        for _ in range(50):
            watch.note(REFUSED)
            watch.note(DOWN)
        detail = watch.look()
    return detail


def test_an_outage_is_a_line_at_its_begin_one_a_minute_and_one_at_its_end(caplog: pytest.LogCaptureFixture) -> None:
    """Eighty seconds and eight thousand errors are three lines."""
    clock = Clock()
    with caplog.at_level(logging.INFO, "stream_monitor"), outage(clock) as watch:
        detail = spent(watch, clock, 80)
        watch.answered()

        assert WAITING == detail
        assert [
            f"fraud-profile-0: {WAITING}, for 5 s",
            f"fraud-profile-0: {WAITING}, for 65 s",
            "fraud-profile-0: brokers answer again after 79 s: nothing is lost, work goes on from what was committed",
        ] == [record.getMessage() for record in caplog.records]


def test_a_broker_that_is_back_at_once_was_not_away(caplog: pytest.LogCaptureFixture) -> None:
    """A leader that moves, or an idle connection that is closed, is no outage."""
    clock = Clock()
    with caplog.at_level(logging.INFO, "stream_monitor"), outage(clock) as watch:
        details = [spent(watch, clock, 3)]
        watch.answered()
        clock.now_s += 60
        details.append(watch.look())

        assert ([None, None], []) == (details, caplog.records)


def test_another_error_is_said_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    """An error that comes again and again is no flood of lines."""
    clock = Clock()
    with caplog.at_level(logging.INFO, "stream_monitor"), outage(clock) as watch:
        for _ in range(125):
            watch.note(KafkaError(KafkaError._TIMED_OUT, "kafka:9092/1: 1 request(s) timed out"))
            clock.now_s += 1

        assert 3 == len(caplog.records)


def test_what_the_owner_of_a_client_hears_is_no_second_line(caplog: pytest.LogCaptureFixture) -> None:
    """The client logs every failed attempt and reports it too; the log of the client has it for debugging only."""
    with caplog.at_level(logging.INFO, CLIENT_LOG.name):
        CLIENT_LOG.error("FAIL [rdkafka#producer-1] kafka:9092/1: Connection refused")
        CLIENT_LOG.warning("CONFWARN [rdkafka#producer-1] a setting has no effect")

        assert ["WARNING"] == [record.levelname for record in caplog.records]
