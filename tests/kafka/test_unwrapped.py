"""Fatal errors of the client arrive as what they are, whichever call brings them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer

from stream_monitor.kafka.clients import open_producer
from stream_monitor.kafka.deliveries import Deliveries, Outgoing
from stream_monitor.kafka.errors import Fenced, kafka_error, stop_for
from stream_monitor.kafka.unwrapped import unwrapped
from tests.kafka.members import make_topic, quick_settings
from tests.kafka.profiling import wait_until

MEANT = KafkaError(KafkaError._FENCED, "fenced", fatal=True)


def wrapped(cause: object) -> Callable[[], None]:
    """Return a call that ends in a `SystemError`, as the binding's do when they had an answer already."""

    def call() -> None:
        error = SystemError("<method 'flush'> returned a result with an exception set")
        error.__cause__ = cause if isinstance(cause, BaseException) else None
        raise error

    return call


def test_the_error_behind_a_system_error_is_raised() -> None:
    """Code and fatality are those of the client's error."""
    with pytest.raises(KafkaException) as raised:
        unwrapped(wrapped(KafkaException(MEANT)))

    assert (KafkaError._FENCED, True) == (kafka_error(raised.value).code(), kafka_error(raised.value).fatal())


def test_everything_else_passes_as_it_is() -> None:
    """An answer, an error of the client, and a `SystemError` that has nothing to do with it."""
    own = KafkaException(MEANT)

    def raises() -> None:
        raise own

    assert unwrapped(lambda: 7) == 7
    with pytest.raises(KafkaException) as same:
        unwrapped(raises)
    assert same.value is own
    with pytest.raises(SystemError):
        unwrapped(wrapped(ValueError("something else")))


def flush(producer: Producer, _topic: str) -> None:
    Deliveries(producer).flush(5.0)


def produce(producer: Producer, topic: str) -> None:
    Deliveries(producer).produce(Outgoing(topic, 0, None, b"again"))


def poll(producer: Producer, _topic: str) -> None:
    unwrapped(lambda: producer.poll(5.0))


@pytest.mark.parametrize("call", [flush, produce, poll])
def test_a_fenced_producer_is_fenced_in_every_call(
    kafka: str, prefix: str, call: Callable[[Producer, str], None]
) -> None:
    """A rival took its transactional id: the next call says so, and the worker ends as fenced."""
    topic = f"{prefix}out"
    config = {**quick_settings(kafka).common_config(), "transactional.id": prefix, "linger.ms": "0"}
    make_topic(kafka, topic, 1)
    first, rival = (open_producer(config, lambda _: None) for _ in range(2))
    for producer in (first, rival):
        producer.init_transactions(20)
        producer.begin_transaction()
        producer.produce(topic, b"x", partition=0)
        assert producer.flush(20) == 0
    first.produce(topic, b"late", partition=0)
    raised: list[KafkaException] = []

    def is_fenced() -> bool:
        try:
            call(first, topic)
        except KafkaException as error:
            raised.append(error)
        return bool(raised)

    wait_until(is_fenced)
    rival.abort_transaction(20)

    assert isinstance(stop_for(kafka_error(raised[0]), "write", name="judge-0"), Fenced)
