"""Questions that the loop must not wait for: topics, ends of partitions, what the group leaves out.

A thread of its own asks them every few seconds. A broker that is away makes it wait, not the loop: the loop has to
poll the group and to see a stop, and takes what the latest survey found when it comes round.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from stream_monitor.kafka.clients import end_offsets
from stream_monitor.kafka.errors import Stop, is_transient, kafka_error
from stream_monitor.kafka.profile.group_coverage import Coverage, look_at_coverage
from stream_monitor.kafka.profile.owned import InputPartition
from stream_monitor.kafka.topics import TopicState, describe_topics

_JOIN_S = 1.0


@dataclass(frozen=True, slots=True)
class Survey:
    """What the brokers answered.

    Attributes:
        topics: state of the input topics, and of ours, that exist.
        stable: last stable offset of the partitions asked for.
        high: their high watermark.
        coverage: what the group leaves out.
    """

    topics: Mapping[str, TopicState]
    stable: Mapping[InputPartition, int]
    high: Mapping[InputPartition, int]
    coverage: Coverage


class Surveyor:
    """Asks again and again, in a thread.

    Args:
        admin: the client.
        outsider: asks for the group's offsets and never joins it; closed with the thread.
        inputs: topics to ask about.
        ours: topics of ours to ask about.
        every_s: pause between two surveys.
        request_s: how long one question may be repeated.

    Attributes:
        places: partitions to ask about; the loop sets them.
    """

    def __init__(
        self,
        admin: AdminClient,
        outsider: Consumer,
        inputs: Sequence[str],
        *,
        ours: Sequence[str],
        every_s: float,
        request_s: float,
    ) -> None:
        self.places: tuple[InputPartition, ...] = ()
        self._admin = admin
        self._outsider = outsider
        self._inputs = inputs
        self._ours = ours
        self._every_s = every_s
        self._request_s = request_s
        self._found: Survey | None = None
        self._failed: KafkaException | Stop | None = None
        self._answered = time.monotonic()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="profile-survey", daemon=True)
        self._thread.start()

    def take(self) -> Survey | None:
        """Return the latest survey, once.

        Raises:
            Stop: the cluster refuses us.
            KafkaException: an answer that will not pass.
        """
        if self._failed is not None:
            raise self._failed
        found, self._found = self._found, None
        return found

    def silent_s(self) -> float:
        """Return for how many seconds no survey has succeeded."""
        return time.monotonic() - self._answered

    def stop(self) -> None:
        """End the thread; one that waits for an answer ends by itself when it has given up."""
        self._ended.set()
        self._thread.join(_JOIN_S)

    def _run(self) -> None:
        try:
            while not self._ended.wait(self._every_s):
                try:
                    self._found = self._survey()
                    self._answered = time.monotonic()
                except KafkaException as error:
                    if not is_transient(kafka_error(error)):
                        raise
        except (Stop, KafkaException) as error:
            self._failed = error
        finally:
            self._outsider.close()

    def _survey(self) -> Survey:
        self._outsider.poll(0)  # its own events: errors and log lines
        self._admin.poll(0)
        partitions = [TopicPartition(*place) for place in self.places]
        topics = describe_topics(self._admin, [*self._inputs, *self._ours])
        counts = {topic: topics[topic].partitions for topic in self._inputs if topic in topics}
        return Survey(
            topics,
            end_offsets(self._admin, partitions, timeout_s=self._request_s),
            end_offsets(self._admin, partitions, uncommitted=True, timeout_s=self._request_s),
            look_at_coverage(self._outsider, counts, timeout_s=self._request_s),
        )
