"""What every part of a judge worker shares in one life of its clients."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from confluent_kafka import KafkaError

from stream_monitor.core.detectors import DetectorClass
from stream_monitor.core.judge import Judge, Output, StoredEntry, UnknownBaseline, with_stand_ins
from stream_monitor.core.judge.stored.snapshot import opened
from stream_monitor.core.plan import Plan
from stream_monitor.core.profile import MalformedRecord, UnknownRecord
from stream_monitor.core.rules import RuleFactory
from stream_monitor.kafka.baseline_log import BaselineLog
from stream_monitor.kafka.errors import HistoryUnusable
from stream_monitor.kafka.judge.judge_job import JudgeJob
from stream_monitor.kafka.outage import OutageWatch

_BASELINE_WAIT_S = 10.0
_BASELINE_POLL_S = 0.2

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class JudgeContext:
    """One life of a judge worker: its task, and what its topics said at the start.

    Attributes:
        partitions: of `drift-profiles`.
        baselines: reader of `drift-baselines`, at its end when this was made.
        outage: remembers that brokers were away, over all lives.
        known_plans: how many plans each partition had gone through when this process started.
        log_id: id of the topic of profiles: one that was made anew holds other records at the same offsets.
    """

    job: JudgeJob
    partitions: int
    baselines: BaselineLog
    outage: OutageWatch
    known_plans: Mapping[int, int] = field(default_factory=dict)
    clock: Callable[[], float] = time.monotonic
    log_id: str = ""

    def classes(
        self, plan: Plan, fingerprints: Sequence[str] = ()
    ) -> tuple[Mapping[str, RuleFactory], Mapping[str, DetectorClass]]:
        """Return the user's classes for a plan: those of the configuration, and stand-ins for what it does not name."""
        return with_stand_ins(plan, self.job.rules, self.job.detectors, fingerprints)

    def build(self, partition: int, state: bytes | None, plan: Plan | None = None) -> Judge:
        """Return the judge of a partition, new or resumed, under the plan of the configuration or a stored one.

        Raises:
            SnapshotRefused: the state cannot be resumed from.
            HistoryUnusable: a baseline that the state names is not in its topic.
        """
        under = self.job.plan if plan is None else plan
        written = [] if state is None else [fingerprint for fingerprint, _, _ in opened(state).groups]
        rules, detectors = self.classes(under, written)
        return self.with_baselines(
            lambda: Judge(
                under,
                partition=partition,
                partitions=self.partitions,
                source=self.job.source,
                schedule=self.baselines.schedule.get,
                rules=rules,
                detectors=detectors,
                state=state,
            )
        )

    def fold(self, judge: Judge, entry: StoredEntry) -> list[Output]:
        """Fold an entry; a baseline that it names and nobody has read yet is read first.

        Raises:
            ChainGap: the log has a hole before this entry.
            HistoryUnusable: the baseline is not in its topic, or the entry was written by a later version.
        """
        try:
            return self.with_baselines(lambda: judge.fold(entry))
        except (UnknownRecord, MalformedRecord) as error:
            where = f"{self.job.topics.profiles}: offset {entry.offset}"
            raise HistoryUnusable(f"{where}: {error}; a record is never skipped: upgrade the judges first") from error

    def with_baselines(self, call: Callable[[], Answer]) -> Answer:
        """Repeat a call that changes nothing when it lacks a baseline, until the baseline is read."""
        deadline = self.clock() + _BASELINE_WAIT_S
        while True:
            try:
                return call()
            except UnknownBaseline as error:
                if self.baselines.refresh() and self.clock() > deadline:
                    raise HistoryUnusable(
                        f"{self.job.topics.baselines}: {error}, and profile records name it"
                    ) from error
                time.sleep(_BASELINE_POLL_S)

    def note_error(self, error: KafkaError) -> None:
        """Hear a global error of a client."""
        self.job.observer.kafka_error(error.name())
        self.outage.note(error)
