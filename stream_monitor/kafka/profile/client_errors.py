"""What the clients of a profile worker tell their callbacks: it is counted, and kept when it ends the worker.

A callback comes from inside a call of its client and only notes; the loop acts on it.
"""

from __future__ import annotations

from confluent_kafka import KafkaError

from stream_monitor.kafka.errors import Stop, stop_for
from stream_monitor.kafka.observer import Observer
from stream_monitor.kafka.outage import OutageWatch


class ClientErrors:
    """Hears the global errors of one life's clients.

    Args:
        name: `group.instance.id` of the worker, for errors.
        observer: counts them.
        outage: learns from them that brokers are away.

    Attributes:
        failed: what ends the worker; None while nothing does.
    """

    def __init__(self, name: str, *, observer: Observer, outage: OutageWatch) -> None:
        self.failed: Stop | None = None
        self._name = name
        self._observer = observer
        self._outage = outage

    def hear(self, error: KafkaError) -> None:
        """Hear an error of a client that the loop works with."""
        self._observer.kafka_error(error.name())
        self._outage.note(error)
        stop = stop_for(error, "talk to the cluster", name=self._name)
        if stop is not None:
            self.failed = stop

    def hear_of_survey(self, error: KafkaError) -> None:
        """Hear an error in the survey's thread; the loop hears of whatever matters from its own clients."""
        self._observer.kafka_error(error.name())
