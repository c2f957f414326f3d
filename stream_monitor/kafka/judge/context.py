"""What every part of a judge worker is given: plan, names, pace, and who listens."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from confluent_kafka import KafkaError

from stream_monitor.core.judge import Judge, Output, StoredEntry, UnknownBaseline
from stream_monitor.core.plan import Plan
from stream_monitor.core.rules import RuleFactory
from stream_monitor.kafka.baseline_log import BaselineLog
from stream_monitor.kafka.errors import HistoryUnusable
from stream_monitor.kafka.failpoints import Failpoints
from stream_monitor.kafka.judge.tuning import JudgeTuning
from stream_monitor.kafka.observer import Observer
from stream_monitor.kafka.settings import ClientConfig
from stream_monitor.kafka.topics import TopicNames

_LOG = logging.getLogger("stream_monitor.kafka.judge")
_BASELINE_WAIT_S = 10.0
_BASELINE_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class JudgeContext:
    """Plan, names and pace of one judge worker.

    Attributes:
        partitions: of `drift-profiles`.
        group: prefix of everything the deployment owns in Kafka.
        name: `group.instance.id` and `transactional.id` of this worker.
        reader: configuration of a consumer without a group.
        rules: factories of the user's own rules.
    """

    plan: Plan
    partitions: int
    group: str
    name: str
    topics: TopicNames
    reader: ClientConfig
    tuning: JudgeTuning
    observer: Observer
    failpoints: Failpoints
    baselines: BaselineLog
    rules: Mapping[str, RuleFactory] = field(default_factory=dict)
    clock: Callable[[], float] = time.monotonic

    def build(self, partition: int, state: bytes | None) -> Judge:
        """Return the judge of a partition, new or resumed.

        Raises:
            SnapshotRefused: the state cannot be resumed from.
        """
        return Judge(
            self.plan,
            partition=partition,
            partitions=self.partitions,
            source=f"/stream-monitor/{self.group}",
            schedule=self.baselines.schedule.get,
            rules=self.rules,
            state=state,
        )

    def fold(self, judge: Judge, entry: StoredEntry) -> list[Output]:
        """Fold an entry; a baseline that it names and nobody has read yet is read first.

        Raises:
            ChainGap: the log has a hole before this entry.
            HistoryUnusable: the baseline is not in its topic.
        """
        deadline = self.clock() + _BASELINE_WAIT_S
        while True:
            try:
                return judge.fold(entry)
            except UnknownBaseline as error:
                if self.baselines.refresh() and self.clock() > deadline:
                    raise HistoryUnusable(f"{self.topics.baselines}: {error}, and profile records name it") from error
                time.sleep(_BASELINE_POLL_S)

    def note_error(self, error: KafkaError) -> None:
        """Hear a global error of a client."""
        _LOG.warning("kafka client of %s: %s: %s", self.name, error.name(), error.str())
        self.observer.kafka_error(error.name())
