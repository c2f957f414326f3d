"""Asks the cluster what `recover offsets` has to know, and commits what it decides."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from confluent_kafka import KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from stream_monitor.kafka.client_settings import KafkaSettings, outsider, reader
from stream_monitor.kafka.clients import close_consumer, committed, end_offsets, open_consumer
from stream_monitor.kafka.errors import Fatal, HistoryUnusable, Misconfigured, kafka_error, stop_or_fatal
from stream_monitor.kafka.profile.healing import LogRange, LogTail
from stream_monitor.kafka.profile.owned import InputPartition
from stream_monitor.kafka.recovery.members import require_none
from stream_monitor.kafka.recovery.offsets import OffsetStep, PartitionFacts
from stream_monitor.kafka.topics import describe_topics

_READING_S = 600.0
_WHOLE_LOG = (10_000, 200_000, 2**62)


class OffsetLog:
    """The committed offsets of `<group>-profile`, seen and changed from outside.

    Args:
        settings: of the cluster.
        group: prefix of the group.
        inputs: input topics.
        profiles: name of the log of profiles.
        admin: the client.
    """

    def __init__(
        self, settings: KafkaSettings, *, group: str, inputs: Sequence[str], profiles: str, admin: AdminClient
    ) -> None:
        self.group_id = f"{group}-profile"
        self._settings = settings
        self._inputs = list(inputs)
        self._profiles = profiles
        self._admin = admin
        self._outsider = open_consumer(outsider(settings, group=group), lambda _: None)

    def close(self) -> None:
        """Close the client."""
        close_consumer(self._outsider)

    def facts(self) -> dict[InputPartition, PartitionFacts]:
        """Return what is known of every input partition.

        Raises:
            Misconfigured: an input topic does not exist.
            HistoryUnusable: the log of profiles cannot be read.
            Stop: the cluster refuses us.
        """
        states = describe_topics(self._admin, [*self._inputs, self._profiles])
        missing = [topic for topic in (*self._inputs, self._profiles) if topic not in states]
        if missing:
            raise Misconfigured(f"topics missing: {', '.join(missing)}")
        places = [TopicPartition(topic, p) for topic in self._inputs for p in range(states[topic].partitions)]
        answers = {(a.topic, a.partition): a for a in committed(self._outsider, places)}
        ranges = self._ranges([*places, TopicPartition(self._profiles, 0)])
        tail = LogTail(open_consumer(reader(self._settings), lambda _: None), self._profiles)
        try:
            search = tail.search(
                {(p.topic, p.partition): states[p.topic].topic_id for p in places},
                ranges[self._profiles, 0],
                timeout_s=_READING_S,
                look_back=_WHOLE_LOG,
            )
        finally:
            tail.close()
        return {
            place: PartitionFacts(
                states[place[0]].topic_id,
                ranges[place],
                answer.offset,
                answer.metadata or "",
                search.traces[place],
                search.reached_start,
            )
            for place, answer in answers.items()
        }

    def require_free(self, *, wait_s: float) -> None:
        """Return when no worker is a member of the group.

        Raises:
            GroupBusy: some are.
        """
        require_none(self._admin, self.group_id, wait_s=wait_s)

    def commit(self, steps: Sequence[OffsetStep]) -> None:
        """Commit what the steps say, and see that it is committed.

        Raises:
            GroupBusy: workers are members of the group.
            Fatal: the group took something else.
            Stop: the cluster refuses us.
        """
        require_none(self._admin, self.group_id)
        wanted: Mapping[InputPartition, TopicPartition] = {
            (s.topic, s.partition): TopicPartition(s.topic, s.partition, s.next, metadata=s.chain.encode())
            for s in steps
            if s.next is not None and s.chain is not None
        }
        if not wanted:
            return
        try:
            answers = self._outsider.commit(offsets=list(wanted.values()), asynchronous=False)
        except KafkaException as error:
            raise stop_or_fatal(kafka_error(error), f"commit offsets of {self.group_id}") from error
        refused = [a for a in answers if a.error is not None]
        if refused:
            raise HistoryUnusable(f"{self.group_id}: {refused[0].topic}[{refused[0].partition}]: {refused[0].error}")
        for found in committed(self._outsider, list(wanted.values())):
            asked = wanted[found.topic, found.partition]
            if (found.offset, found.metadata) != (asked.offset, asked.metadata):
                raise Fatal(f"{self.group_id}: {found.topic}[{found.partition}] stands at {found.offset}: run it again")

    def _ranges(self, partitions: Sequence[TopicPartition]) -> dict[InputPartition, LogRange]:
        starts = end_offsets(self._admin, partitions, earliest=True)
        ends = end_offsets(self._admin, partitions, uncommitted=True)
        return {place: LogRange(starts[place], ends[place]) for place in starts}


def now_ms() -> int:
    """Return this machine's time: it only names an epoch that nobody has used."""
    return int(time.time() * 1_000)
