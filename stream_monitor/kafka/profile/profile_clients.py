"""The clients of one life of a profile worker: topics looked at, baselines read, the group begun (steps 1 and 2)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass

from confluent_kafka import Consumer, KafkaException, Producer
from confluent_kafka.admin import AdminClient

from stream_monitor.core.baseline import Schedule, activation_lead_ms
from stream_monitor.kafka import clients
from stream_monitor.kafka.baseline_log import BaselineLog, BaselineWriter
from stream_monitor.kafka.client_settings import outsider, profile_consumer, profile_producer, reader
from stream_monitor.kafka.clients import ErrorCallback
from stream_monitor.kafka.profile.client_errors import ClientErrors
from stream_monitor.kafka.profile.cluster_survey import Surveyor
from stream_monitor.kafka.profile.healing import LogTail
from stream_monitor.kafka.profile.profile_job import ProfileJob
from stream_monitor.kafka.stop_request import StopRequest
from stream_monitor.kafka.topics import (
    TopicState,
    Weight,
    check_inputs,
    describe_topics,
    plan_topics,
    require,
    verify_topics,
)
from stream_monitor.kafka.unwrapped import unwrapped

_LOG = logging.getLogger("stream_monitor.kafka.profile")

_CLOSE_S = 10.0
_HURRIED_CLOSE_S = 3.0

OpenMember = Callable[[ProfileJob, ErrorCallback], Consumer]
"""Returns the member of the group that reads the inputs; its global errors go to the callback."""


@dataclass(frozen=True, slots=True)
class ProfileClients:
    """What a life of a profile worker has open.

    Attributes:
        topics: state of the inputs and of our own topics, when the clients were opened.
        producer: writes counts and dead letters.
        baselines: reader of `drift-baselines`, at its end when this was made.
        tail: reader of the log from which chains are healed.
        consumer: member of the group, not subscribed yet.
        surveyor: asks what the loop must not wait for, in a thread of its own.
    """

    admin: AdminClient
    topics: Mapping[str, TopicState]
    producer: Producer
    baselines: BaselineLog
    tail: LogTail
    consumer: Consumer
    surveyor: Surveyor


def own_member(job: ProfileJob, on_error: ErrorCallback) -> Consumer:
    """Return a member of the group of our own; inside another framework the group's member is the framework's."""
    return clients.open_consumer(profile_consumer(job.settings, group=job.group, instance=job.instance), on_error)


def own_topics(job: ProfileJob) -> Sequence[str]:
    """Return the names of those of our topics that the role reads or writes."""
    return job.topics.profiles, job.topics.baselines, job.topics.dead_letters


def open_clients(
    job: ProfileJob, errors: ClientErrors, *, stopping: StopRequest, closing: ExitStack, open_member: OpenMember
) -> ProfileClients:
    """Look at the topics, open the clients, read the baselines and write the group's start record (steps 1 and 2).

    Args:
        job: of the worker.
        errors: hears the global errors of the clients.
        stopping: says how long a close may take.
        closing: closes what was opened, also when this fails half-way; the consumer before what it needs.
        open_member: opens the consumer.

    Raises:
        Stop: topics are missing or otherwise than they must be, or the cluster refuses us.
        KafkaException: it does not answer.
    """
    settings = job.settings
    admin = clients.open_admin(settings)
    topics = _checked_topics(job, admin)
    producer = clients.open_producer(profile_producer(settings, group=job.group, instance=job.instance), errors.hear)
    closing.callback(_close_producer, producer)
    baselines = BaselineLog(
        clients.open_consumer(reader(settings), errors.hear),
        job.topics.baselines,
        Schedule(group=job.group, lead_ms=activation_lead_ms(job.plan.time)),
    )
    closing.callback(baselines.close)
    tail = LogTail(clients.open_consumer(reader(settings), errors.hear), job.topics.profiles)
    closing.callback(tail.close)
    baselines.read_to_end(timeout_s=job.tuning.committed_s)
    _start_group(job, topics, producer, baselines=baselines)
    consumer = open_member(job, errors.hear)
    closing.callback(_close_consumer, consumer, stopping)
    surveyor = Surveyor(
        admin,
        clients.open_consumer(outsider(settings, group=job.group), errors.hear_of_survey),
        job.inputs,
        ours=own_topics(job),
        every_s=job.tuning.watch_s,
        request_s=job.tuning.request_s,
    )
    closing.callback(surveyor.stop)
    return ProfileClients(admin, topics, producer, baselines, tail, consumer, surveyor)


def _checked_topics(job: ProfileJob, admin: AdminClient) -> dict[str, TopicState]:
    """Verify our topics and look at the inputs (step 1)."""
    ours = [spec for spec in plan_topics(job.topics) if spec.name in own_topics(job)]
    # What only weakens our own topics is for `topics verify` to say; a worker stops at what breaks a promise.
    differences = [
        *(difference for difference in verify_topics(admin, ours) if difference.weight is Weight.ERROR),
        *check_inputs(admin, job.inputs, allowed_lateness_ms=job.plan.time.allowed_lateness_ms),
    ]
    for warning in require(differences):
        _LOG.warning("%s", warning)
    return describe_topics(admin, [*(spec.name for spec in ours), *job.inputs])


def _start_group(
    job: ProfileJob, topics: Mapping[str, TopicState], producer: Producer, *, baselines: BaselineLog
) -> None:
    """Write the group's start record, unless there is one; the lowest offset counts for ever."""
    if job.group not in baselines.schedule.starts:
        partitions = {topic: topics[topic].partitions for topic in job.inputs}
        BaselineWriter(producer, job.topics.baselines).start(
            group=job.group, instance=job.instance, partitions=partitions
        )
        baselines.read_to_end(timeout_s=job.tuning.committed_s)


def _close_consumer(consumer: Consumer, stopping: StopRequest) -> None:
    # Without a broker the close waits for answers that never come; whoever asked for the stop does not.
    hurried = stopping.left_s() <= 0
    clients.close_consumer(consumer, timeout_s=_HURRIED_CLOSE_S if hurried else _CLOSE_S)


def _close_producer(producer: Producer) -> None:
    # What is still queued is dropped: nobody would ever name it.
    with suppress(KafkaException):  # given up, whatever it has to say
        unwrapped(producer.purge)
        unwrapped(producer.close)
