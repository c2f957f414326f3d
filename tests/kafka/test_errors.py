"""What an error of the client makes the caller do."""

from __future__ import annotations

import pytest
from confluent_kafka import KafkaError, KafkaException

from stream_monitor.kafka.errors import Fatal, NotAuthorised, is_refusal, is_transient, kafka_error, stop_for


@pytest.mark.parametrize(
    "code",
    [
        KafkaError._TRANSPORT,
        KafkaError._TIMED_OUT,
        KafkaError._ALL_BROKERS_DOWN,
        KafkaError._DESTROY_BROKER,
        KafkaError._UNKNOWN_PARTITION,
        KafkaError.FENCED_LEADER_EPOCH,
        KafkaError.UNSTABLE_OFFSET_COMMIT,
        KafkaError.UNKNOWN_TOPIC_OR_PART,
    ],
)
def test_a_broker_that_comes_or_goes_is_waited_for(code: int) -> None:
    """All of these were seen while a broker was killed and started again."""
    assert is_transient(KafkaError(code))
    assert stop_for(KafkaError(code), "ask") is None


@pytest.mark.parametrize(
    "code", [KafkaError._INVALID_ARG, KafkaError._AUTO_OFFSET_RESET, KafkaError.INVALID_REQUEST, KafkaError._SSL]
)
def test_waiting_mends_nothing_else(code: int) -> None:
    """Neither an error of ours nor offsets that are gone."""
    assert not is_transient(KafkaError(code))


@pytest.mark.parametrize(
    ("code", "stop", "exit_code"),
    [
        (KafkaError.TOPIC_AUTHORIZATION_FAILED, NotAuthorised, 5),
        (KafkaError.SASL_AUTHENTICATION_FAILED, NotAuthorised, 5),
        (KafkaError.FENCED_INSTANCE_ID, Fatal, 3),
        (KafkaError._FATAL, Fatal, 3),
    ],
)
def test_some_errors_end_the_process(code: int, stop: type[Exception], exit_code: int) -> None:
    """Each with the exit code of its kind."""
    found = stop_for(KafkaError(code, "why"), "ask", name="g-profile-a")

    assert isinstance(found, stop)
    assert getattr(found, "exit_code", None) == exit_code


def test_a_rival_is_named_also_when_the_error_is_fatal() -> None:
    """The client tells the cause of a fatal error only in words."""
    words = "Broker: Static consumer fenced by other consumer with same group.instance.id"
    found = stop_for(KafkaError(KafkaError._FATAL, words, fatal=True), "read", name="g-profile-a")

    assert "another process runs as g-profile-a" in str(found)


def test_a_refusal_is_no_passing_error() -> None:
    """The coordinator has said no."""
    assert is_refusal(KafkaError(KafkaError.ILLEGAL_GENERATION))
    assert not is_refusal(KafkaError(KafkaError._TIMED_OUT))


def test_an_exception_without_an_error_is_unknown() -> None:
    """The binding raises some with text alone."""
    assert kafka_error(KafkaException("text")).code() == KafkaError.UNKNOWN
