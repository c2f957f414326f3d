"""What a poll brought, led to the partitions that it belongs to: records, ends of partitions, errors."""

from __future__ import annotations

import logging

from confluent_kafka import KafkaError, Message

from stream_monitor.kafka.errors import stop_for
from stream_monitor.kafka.profile.intake import runs
from stream_monitor.kafka.profile.membership import Membership
from stream_monitor.kafka.profile.profile_job import ProfileJob

_LOG = logging.getLogger("stream_monitor.kafka.profile")


class FetchedMessages:
    """Leads messages to the owned partitions.

    Args:
        job: of the worker.
        membership: has the partitions.
    """

    def __init__(self, job: ProfileJob, membership: Membership) -> None:
        self._job = job
        self._membership = membership

    def take(self, messages: list[Message], now: float) -> None:
        """Take what one poll brought, in its order; `now` is when the poll began, in seconds of the loop's clock.

        Raises:
            Stop: the cluster refuses us.
        """
        if any(map(Message.error, messages)):
            records = []
            for message in messages:
                error = message.error()
                if error is None:
                    records.append(message)
                else:
                    # An end of partition must be seen after the records before it.
                    self._accept(records, now)
                    records = []
                    self._note_event(error, message, now)
            messages = records
        self._accept(messages, now)

    def _accept(self, messages: list[Message], now: float) -> None:
        for topic, partition, run in runs(messages, topics=len(self._job.decoders)):
            owned = self._membership.owned.get((topic, partition))
            if owned is None:  # given up between fetch and now
                continue
            owned.heard_at = now
            dropped = owned.pending.accept(run, now)
            if dropped < len(run):
                owned.end = None
            if dropped:
                _LOG.info("%s[%d]: %d records came again and were dropped", topic, partition, dropped)

    def _note_event(self, error: KafkaError, message: Message, now: float) -> None:
        topic, partition, offset = message.topic(), message.partition(), message.offset()
        owned = None
        if topic is not None and partition is not None:
            owned = self._membership.owned.get((topic, partition))
        if error.code() == KafkaError._PARTITION_EOF:
            if owned is not None and offset is not None and offset >= owned.pending.expected:
                owned.pending.reached_end(offset)
                owned.end = offset
                owned.heard_at = now
            return
        self._job.observer.kafka_error(error.name())
        if error.code() == KafkaError._AUTO_OFFSET_RESET and owned is not None:
            _LOG.warning("%s[%d]: %s", topic, partition, error.str())
            self._membership.take_up_again([owned.place])  # the assignment finds out what was lost
            return
        stop = stop_for(error, f"read {topic or 'the inputs'}", name=self._job.member_name)
        if stop is not None:
            raise stop
        _LOG.warning("%s[%s]: %s: %s", topic, partition, error.name(), error.str())
