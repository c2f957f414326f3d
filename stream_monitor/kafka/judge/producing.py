"""What both writers of the judge share: putting records into a batch, and letting go of a producer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress

from confluent_kafka import KafkaError, KafkaException, Producer

from stream_monitor.kafka.deliveries import Deliveries, Outgoing, UndeliveredRecords
from stream_monitor.kafka.errors import kafka_error
from stream_monitor.kafka.unwrapped import unwrapped


def produce_all(batch: Deliveries, records: Iterable[Outgoing], reach: Callable[[], None]) -> None:
    """Hand records to the producer in order, passing a failpoint after each.

    Raises:
        UndeliveredRecords: the producer's queue stayed full.
        KafkaException: the producer refuses a record.
    """
    for record in records:
        batch.produce(record)
        reach()


def error_of(cause: Exception) -> KafkaError | None:
    """Return the client's error behind a failed write, if there is one."""
    if isinstance(cause, KafkaException):
        return kafka_error(cause)
    return cause.error if isinstance(cause, UndeliveredRecords) else None


def discard(producer: Producer) -> None:
    """Forget what a producer still holds; it is never closed, because closing would end its transaction."""
    with suppress(KafkaException):  # given up, whatever it has to say
        unwrapped(lambda: producer.purge(blocking=False))
