"""One life of a profile worker's clients: from the first look at the topics to the close (steps 1, 2 and 17)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack

from stream_monitor.kafka.errors import Misconfigured, Stop
from stream_monitor.kafka.profile.client_errors import ClientErrors
from stream_monitor.kafka.profile.profile_clients import OpenMember, open_clients, own_member
from stream_monitor.kafka.profile.profile_job import ProfileJob
from stream_monitor.kafka.profile.profile_loop import ProfileLoop
from stream_monitor.kafka.profile.profile_memory import ProfileMemory
from stream_monitor.kafka.stop_request import StopRequest


class ProfileLife:
    """Opens the clients of one worker, and closes them.

    Args:
        job: what the worker was given.
        memory: what outlives the clients.
        stopping: looked at whenever the loop comes round.
        beat: called whenever the loop comes round.
        open_member: opens the member of the group; a framework lends its own.
    """

    def __init__(
        self,
        job: ProfileJob,
        *,
        memory: ProfileMemory,
        stopping: StopRequest,
        beat: Callable[[], None],
        open_member: OpenMember = own_member,
    ) -> None:
        self._job = job
        self._memory = memory
        self._stopping = stopping
        self._beat = beat
        self._open_member = open_member
        self._errors = ClientErrors(job.member_name, observer=job.observer, outage=memory.outage)
        self._clients = ExitStack()
        self._partitions = ExitStack()

    @property
    def failed(self) -> Stop | None:
        """What a client told its callback that ends the worker; None while nothing has."""
        return self._errors.failed

    def open(self) -> ProfileLoop:
        """Look at the topics, open the clients, read the baselines and join the group (steps 1 and 2).

        Raises:
            Stop: topics are missing or otherwise than they must be, or the cluster refuses us.
            KafkaException: it does not answer.
        """
        with self._memory.waiting.of("topics and group are not known"):
            clients = open_clients(
                self._job, self._errors, stopping=self._stopping, closing=self._clients, open_member=self._open_member
            )
        loop = ProfileLoop(
            self._job, clients, self._errors, memory=self._memory, stopping=self._stopping, beat=self._beat
        )
        self._partitions.callback(loop.membership.release)
        loop.membership.join()
        return loop

    def close(self) -> None:
        """Close what was opened, the consumer before what it needs; then let go of the partitions."""
        self._clients.close()
        self._partitions.close()


def missing_decoders(job: ProfileJob) -> None:
    """Refuse a job whose inputs and decoders differ.

    Raises:
        Misconfigured: an input has no decoder, or a decoder no input.
    """
    planned = {item.topic for item in job.plan.inputs}
    if planned != set(job.decoders):
        odd = ", ".join(sorted(planned ^ set(job.decoders)))
        raise Misconfigured(f"inputs: every topic of the plan needs its decoder and no other may have one: {odd}")
