"""The loop's look at what no client reports (step 18): brokers, topics, stuck partitions, partitions left out."""

from __future__ import annotations

import logging
import time

from stream_monitor.kafka.errors import Fatal
from stream_monitor.kafka.outage import OutageWatch
from stream_monitor.kafka.profile.group_coverage import Coverage, CoverageWatch
from stream_monitor.kafka.profile.membership import Membership
from stream_monitor.kafka.profile.profile_clients import ProfileClients, own_topics
from stream_monitor.kafka.profile.profile_job import ProfileJob
from stream_monitor.kafka.profile.readiness import Cause, Readiness
from stream_monitor.kafka.profile.watchdog import OwnTopicWatch, SilenceWatch, TopicWatch

_LOG = logging.getLogger("stream_monitor.kafka.profile")


class ClusterWatch:
    """Compares the latest survey with what the worker knows.

    Args:
        job: of the worker.
        clients: that are open.
        membership: has the partitions, and learns the state of the topics.
        outage: learns that brokers answer.
        readiness: learns what is waited for.
    """

    def __init__(
        self,
        job: ProfileJob,
        clients: ProfileClients,
        *,
        membership: Membership,
        outage: OutageWatch,
        readiness: Readiness,
    ) -> None:
        self._job = job
        self._clients = clients
        self._membership = membership
        self._outage = outage
        self._readiness = readiness
        self._inputs = TopicWatch({topic: clients.topics[topic] for topic in job.inputs})
        self._ours = OwnTopicWatch({topic: clients.topics[topic] for topic in own_topics(job)})
        self._silence = SilenceWatch(job.tuning.silent_s)
        self._coverage = CoverageWatch(job.tuning.forgotten_s)

    def look(self, now: float) -> None:
        """Look once; `now` is in seconds of the loop's clock.

        Raises:
            ClientRestart: one of our topics was made anew, or a partition is stuck.
            KafkaException: an answer that will not pass.
            Stop: an input topic is gone or was made anew, no broker answers, or the cluster refuses us.
        """
        membership = self._membership
        self._clients.tail.serve()
        survey = self._clients.surveyor.take()
        if survey is not None:
            self._outage.answered()
        self._readiness.waits(Cause.BROKERS, self._outage.look())
        if survey is None:
            if self._clients.surveyor.silent_s() > self._job.tuning.away_s:
                raise Fatal(f"no broker answered for {self._job.tuning.away_s:g} s")
            return
        self._inputs.look(survey.topics)
        self._readiness.waits(Cause.TOPICS, self._ours.look(survey.topics))
        self._silence.look(membership.owned.values(), stable=survey.stable, high=survey.high, now=now)
        membership.topics.update(survey.topics)
        for partition in membership.owned.values():
            partition.source_partitions = membership.topics[partition.topic].partitions
            if partition.place in survey.stable:
                self._job.observer.lag(*partition.place, max(0, survey.stable[partition.place] - partition.next))
        self._look_at_coverage(survey.coverage)

    def _look_at_coverage(self, coverage: Coverage) -> None:
        """Ask for a new assignment when the group leaves partitions out."""
        forgotten = self._coverage.look(coverage, owned=self._membership.owned, now=time.monotonic())
        if forgotten:
            _LOG.warning("no member has %s: joining anew", ", ".join(f"{t}[{p}]" for t, p in forgotten))
            self._membership.join_anew()
