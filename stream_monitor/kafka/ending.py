"""What an error of the client means to a command, which does not try again: the `Stop` that ends it."""

from __future__ import annotations

from confluent_kafka import KafkaException

from stream_monitor.kafka.deliveries import UndeliveredRecords
from stream_monitor.kafka.errors import Fatal, Stop, kafka_error, stop_for, stop_or_fatal


def stop_of(error: BaseException) -> Stop | None:
    """Return the `Stop` that an exception is, or stands for; None when it is not of this adapter."""
    match error:
        case Stop():
            return error
        case KafkaException():
            return stop_or_fatal(kafka_error(error), "kafka")
        case UndeliveredRecords():
            place = str(error).partition(": ")[0]
            denied = None if error.error is None else stop_for(error.error, f"write to {place}")
            return denied or Fatal(f"kafka: not written: {error}")
        case _:
            return None
