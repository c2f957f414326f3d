"""The profile worker inside another framework: one life on a consumer that it is lent.

Where a worker of its own would open new clients, this one ends: the framework's client is not ours to rebuild, and a
restarted process goes on from what is committed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from confluent_kafka import Consumer

from stream_monitor.kafka.client_settings import reader
from stream_monitor.kafka.clients import open_consumer
from stream_monitor.kafka.errors import ClientRestart, Fatal
from stream_monitor.kafka.lent_consumer import LentConsumer, Verdict
from stream_monitor.kafka.observer import Loop
from stream_monitor.kafka.profile.owned import InputPartition
from stream_monitor.kafka.profile.profile_job import ProfileJob
from stream_monitor.kafka.profile.profile_life import ProfileLife, missing_decoders
from stream_monitor.kafka.profile.profile_memory import ProfileMemory
from stream_monitor.kafka.readers import Span, StoredRecord, read_partition
from stream_monitor.kafka.stop_request import StopRequest

_LOG = logging.getLogger("stream_monitor.kafka.lent")


class LentProfileWorker:
    """Counts what a framework reads.

    Args:
        job: as of `ProfileWorker`; the framework reads its inputs in the group `<group>-profile`.
        commit: commits offsets with metadata through the framework, and waits for the verdict.
        end_of: offset after the last record of a partition, as far as the framework knows.
    """

    def __init__(
        self,
        job: ProfileJob,
        *,
        commit: Callable[[Mapping[InputPartition, tuple[int, str]]], Verdict],
        end_of: Callable[[InputPartition], int | None],
    ) -> None:
        missing_decoders(job)
        self._job = job
        self._stopping = StopRequest(job.tuning.drain_s)
        config = {**reader(job.settings), "group.id": job.group_id}
        self.lent = LentConsumer(open_consumer(config, lambda _: None), commit=commit, end_of=end_of, fill=self._fill)

    @property
    def _member(self) -> Consumer:
        return cast("Consumer", self.lent)  # it has what a loop calls, and no class of the binding can be subclassed

    def _fill(self, place: InputPartition, first: int, next_offset: int) -> Sequence[StoredRecord]:
        found = list(read_partition(self._job.settings, *place, span=Span(first=first, next=next_offset)))
        if found:
            _LOG.warning(
                "%s[%d]: %d records from offset %d on were not handed over: read again",
                *place,
                len(found),
                first,
            )
        return found

    def run(self) -> None:
        """Work until `stop`.

        Raises:
            Stop: the worker cannot go on.
        """
        life = ProfileLife(
            self._job,
            memory=ProfileMemory(),
            stopping=self._stopping,
            beat=lambda: None,
            open_member=lambda _job, _on_error: self._member,
        )
        try:
            life.open().run()
        except ClientRestart as restart:
            raise Fatal(f"{restart}: restart the app, it goes on from what is committed") from restart
        finally:
            life.close()
            self._job.observer.readiness(Loop.PROFILE, ready=False, detail="stopped")

    def stop(self) -> None:
        """Ask for a clean end: the round in hand is finished and named."""
        self._stopping.ask()
