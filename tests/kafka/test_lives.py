"""The frame of every role: which error begins the next life, and which ends the worker; clients are made up."""

from __future__ import annotations

import logging

import pytest
from confluent_kafka import KafkaError, KafkaException

from stream_monitor.kafka.errors import (
    ClientRestart,
    DataLoss,
    Fatal,
    NotAuthorised,
    RestartReason,
    Stop,
)
from stream_monitor.kafka.lives import LifeRules, Lives
from stream_monitor.kafka.observer import Loop, NullObserver
from stream_monitor.kafka.outage import OutageWatch
from stream_monitor.kafka.stop_request import StopRequest

TIMED_OUT = KafkaException(KafkaError(KafkaError._TIMED_OUT, "no answer"))
UNSUPPORTED = KafkaException(KafkaError(KafkaError._UNSUPPORTED_FEATURE, "not by this broker"))
AWAY = KafkaError(KafkaError._TRANSPORT, "broker:9092/1: Connect failed: Connection refused")
LOG = logging.getLogger("stream_monitor.kafka.lives_test")


class Told(NullObserver):
    """Keeps what it hears between two lives."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def restart(self, reason: RestartReason) -> None:
        self.heard.append(f"restart {reason}")

    def readiness(self, loop: Loop, *, ready: bool, detail: str) -> None:
        self.heard.append(f"{loop} {'ready' if ready else 'not ready'}: {detail}")


class Story:
    """Lives that fail one after another, and a last one that is asked to stop."""

    def __init__(self, *errors: Exception, failed: Stop | None = None, excused: bool = True) -> None:
        self.errors, self.failed = list(errors), failed
        self.observer, self.stopping, self.outage = Told(), StopRequest(1.0), OutageWatch("g-pair-0")
        self.steps: list[str] = []
        rules = LifeRules(
            loop=Loop.RELAY,
            name="g-pair-0",
            log=LOG,
            restarting="g-pair-0: new clients",
            pause_s=0.0,
            away_s=60.0,
            is_excused_by_outage=excused,
        )
        self.lives = Lives(self._begin, rules=rules, observer=self.observer, stopping=self.stopping, outage=self.outage)

    def _begin(self) -> Story:
        self.steps.append("begin")
        return self

    def open(self) -> Story:
        self.steps.append("open")
        return self

    def run(self) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.stopping.ask()

    def close(self) -> None:
        self.steps.append("close")


def test_a_restart_is_logged_counted_and_shown_before_the_next_life(caplog: pytest.LogCaptureFixture) -> None:
    """Whatever asks for new clients gets them, and the reason is told three times: log, metric, probe."""
    story = Story(ClientRestart(RestartReason.COMMIT_UNKNOWN, "no verdict"), TIMED_OUT)
    with caplog.at_level(logging.WARNING, LOG.name):
        story.lives.run()

    assert ["begin", "open", "close"] * 3 == story.steps
    assert [
        "restart commit_unknown",
        "relay not ready: commit_unknown: no verdict",
        "restart error",
        f"relay not ready: error: {TIMED_OUT}",
    ] == story.observer.heard
    assert [
        "g-pair-0: new clients: commit_unknown: no verdict",
        f"g-pair-0: new clients: error: {TIMED_OUT}",
    ] == [record.getMessage() for record in caplog.records]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        pytest.param(DataLoss("in: the topic is gone"), DataLoss, id="a stop of the role"),
        pytest.param(Fatal("another process runs as g-pair-0"), Fatal, id="a fatal error"),
        pytest.param(UNSUPPORTED, Fatal, id="an error that no waiting mends"),
    ],
)
def test_what_new_clients_do_not_mend_ends_the_worker(error: Exception, expected: type[Stop]) -> None:
    """It ends with the exit code of its kind, and what was opened is closed."""
    story = Story(error)
    with pytest.raises(expected) as raised:
        story.lives.run()

    assert type(raised.value) is expected
    assert ["begin", "open", "close"] == story.steps


@pytest.mark.parametrize("error", [Fatal("fenced"), UNSUPPORTED])
def test_an_outage_excuses_one_error_and_not_the_next(error: Exception) -> None:
    """A member that comes back may be fenced by itself, once; a true rival fences the next clients too."""
    story = Story(error, error)
    story.outage.note(AWAY)
    with pytest.raises(Fatal):
        story.lives.run()

    assert ["begin", "open", "close"] * 2 == story.steps
    assert "restart fenced" == story.observer.heard[0]


def test_a_role_that_asks_by_itself_is_not_excused_by_the_frame() -> None:
    """Its own loop has had the one excuse of an outage; the frame gives none for its start."""
    story = Story(Fatal("fenced"), excused=False)
    story.outage.note(AWAY)
    with pytest.raises(Fatal, match="fenced"):
        story.lives.run()


def test_a_refused_client_ends_the_worker_with_its_own_reason() -> None:
    """The call that waits only runs out of time: what the callback heard is what is wrong."""
    story = Story(TIMED_OUT, failed=NotAuthorised("SASL authentication error"))
    with pytest.raises(NotAuthorised, match="SASL"):
        story.lives.run()
