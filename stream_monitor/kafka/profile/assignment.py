"""Taking partitions up (steps 3 and 4): where each goes on, and a new lease for each before anything is read.

The committed offset and its metadata are all the state there is. What is missing is taken from the log, and never
guessed: `beginning` says where a partition without a committed offset goes on.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from confluent_kafka import Consumer, TopicPartition
from confluent_kafka.admin import AdminClient

from stream_monitor.core.baseline import StartRecord
from stream_monitor.core.chain import ChainState
from stream_monitor.core.pace import after_end, bounded, is_suspected, needs_guard
from stream_monitor.core.plan import MINUTE_MS
from stream_monitor.kafka.clients import committed, end_offsets
from stream_monitor.kafka.errors import DataLoss, HistoryUnusable
from stream_monitor.kafka.profile.beginning import Absent, begin, made_anew
from stream_monitor.kafka.profile.healing import Found, LogRange, LogTail
from stream_monitor.kafka.profile.own_leases import OwnLeases
from stream_monitor.kafka.profile.owned import InputPartition
from stream_monitor.kafka.profile.pacing import log_after_end
from stream_monitor.kafka.profile.policy import OnDataLoss, ProfilePolicy
from stream_monitor.kafka.topics import TopicState, describe_topics

_LOG = logging.getLogger("stream_monitor.kafka.profile")

YOUNG_MS = 10 * MINUTE_MS
"""A group that began less than this ago may have partitions that never committed."""


@dataclass(frozen=True, slots=True)
class GroupStart:
    """What is known of the group's beginning.

    Attributes:
        record: its start record.
        now_ms: the later of this machine's time and the newest broker time seen. It decides only whether a missing
            offset is explained by youth, never anything about events.
    """

    record: StartRecord
    now_ms: int

    @property
    def is_young(self) -> bool:
        """Whether the group may still have partitions without a first commit."""
        return self.now_ms - self.record.timestamp_ms < YOUNG_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """Finds where partitions go on.

    Attributes:
        consumer: member of the group.
        tail: reader of the log from which chains are healed.
        profiles: name of the profiles topic.
        leases: those that this process took, kept by the caller; what they left behind is no crash.
        request_s: how long one question may be repeated.
        reading_s: how long the log may be read.
    """

    consumer: Consumer
    admin: AdminClient
    tail: LogTail
    profiles: str
    policy: ProfilePolicy
    request_s: float
    reading_s: float
    leases: OwnLeases

    def find(
        self, places: Sequence[InputPartition], start: GroupStart
    ) -> tuple[dict[InputPartition, Found], dict[str, TopicState]]:
        """Return where each partition goes on, under a lease that nobody has used, and the state of its topics now.

        Nothing is committed yet.

        Raises:
            DataLoss: input was deleted unread, or its topic was made anew.
            HistoryUnusable: a committed state is missing or cannot be read.
            Stop: the cluster refuses us.
            KafkaException: it does not answer.
        """
        partitions = [TopicPartition(topic, partition) for topic, partition in places]
        answers = committed(self.consumer, partitions, timeout_s=self.request_s)
        states = describe_topics(self.admin, sorted({topic for topic, _ in places}))
        ranges = self._ranges(partitions)
        found: dict[InputPartition, Found] = {}
        absent: list[InputPartition] = []
        for answer in answers:
            place = (answer.topic, answer.partition)
            topic_id = _topic_id(states, place)
            if answer.offset < 0:
                absent.append(place)
            else:
                found[place] = _committed(place, answer, topic_id)
        if absent:
            found |= self._without_offsets(
                {place: _topic_id(states, place) for place in absent}, ranges, start, states=states
            )
        return self._leased(found, ranges), states

    def _leased(
        self, found: Mapping[InputPartition, Found], ranges: Mapping[InputPartition, LogRange]
    ) -> dict[InputPartition, Found]:
        log = TopicPartition(self.profiles, 0)
        end = end_offsets(self.admin, [log], uncommitted=True, timeout_s=self.request_s)[self.profiles, 0]
        healed = self.tail.heal(found, end=end, timeout_s=self.reading_s)
        leased = {}
        for place, state in healed.items():
            checked = self._checked(place, state, ranges[place])
            left = found[place].chain
            # What this process itself left behind is no crash, whatever made it take the partition up again.
            is_own = self.leases.has(place, left.lease)
            if is_own:
                chain = dataclasses.replace(checked.chain, trying=None)
            else:
                chain = bounded(after_end(checked.chain), checked.next)
                log_after_end(place, checked.chain, chain)
            guarded = is_suspected(chain) or (not is_own and needs_guard(left))
            at = end if chain.at is None else chain.at
            leased[place] = dataclasses.replace(
                checked, chain=dataclasses.replace(chain, lease=chain.lease + 1, at=at), guarded=guarded
            )
        return leased

    def _ranges(self, partitions: Sequence[TopicPartition]) -> dict[InputPartition, LogRange]:
        starts = end_offsets(self.admin, partitions, earliest=True, timeout_s=self.request_s)
        ends = end_offsets(self.admin, partitions, uncommitted=True, timeout_s=self.request_s)
        return {place: LogRange(starts[place], ends[place]) for place in starts}

    def _topics_with_metadata(self, absent: Sequence[InputPartition], states: Mapping[str, TopicState]) -> set[str]:
        topics = sorted({topic for topic, _ in absent})
        every = [TopicPartition(topic, p) for topic in topics for p in range(states[topic].partitions)]
        answers = committed(self.consumer, every, timeout_s=self.request_s)
        return {answer.topic for answer in answers if answer.offset >= 0 and answer.metadata}

    def _without_offsets(
        self,
        topic_ids: Mapping[InputPartition, str],
        ranges: Mapping[InputPartition, LogRange],
        start: GroupStart,
        *,
        states: Mapping[str, TopicState],
    ) -> dict[InputPartition, Found]:
        """Return where partitions without a committed offset go on."""
        with_metadata = self._topics_with_metadata(sorted(topic_ids), states)
        log = TopicPartition(self.profiles, 0)
        (profiles,) = self._ranges([log]).values()
        search = self.tail.search(topic_ids, profiles, timeout_s=self.reading_s)
        found = {}
        for place, topic_id in topic_ids.items():
            absent = Absent(
                topic_id,
                ranges[place],
                counted=start.record.partitions.get(place[0]),
                is_young=start.is_young,
                has_siblings=place[0] in with_metadata,
                trace=search.traces[place],
                reached_start=search.reached_start,
                now_ms=start.now_ms,
            )
            found[place], why = begin(place, absent, self.policy)
            _LOG.log(why.level, "%s[%d]: no committed offset: %s", *place, why.text)
        return found

    def _checked(self, place: InputPartition, found: Found, log: LogRange) -> Found:
        """Compare a position with the log of its partition."""
        name = f"{place[0]}[{place[1]}]"
        if found.next > log.end:
            raise DataLoss(
                f"{name}: counted up to offset {found.next}, but the log ends at {log.end}: lost or made anew; run"
                " 'stream-monitor recover offsets --to earliest' to count what is there now"
            )
        if found.next >= log.start:
            return found
        lost = f"{name}: offsets {found.next} to {log.start - 1} were deleted before they were counted"
        if self.policy.on_data_loss is OnDataLoss.FAIL:
            raise DataLoss(
                f"{lost}; set on_data_loss: continue, or run 'stream-monitor recover offsets --to"
                " earliest', to go on behind the gap"
            )
        # A new epoch says in the log that the offsets of this chain do not join: the gap is declared, not hidden.
        chain = dataclasses.replace(found.chain, epoch=found.chain.epoch + 1)
        return Found(log.start, chain, passed=log.start - found.next)


def _topic_id(states: Mapping[str, TopicState], place: InputPartition) -> str:
    state = states.get(place[0])
    if state is None:
        raise DataLoss(f"{place[0]}: the topic is gone")
    return state.topic_id


def _committed(place: InputPartition, answer: TopicPartition, topic_id: str) -> Found:
    name = f"{place[0]}[{place[1]}]"
    if not answer.metadata:
        raise HistoryUnusable(
            f"{name}: offset {answer.offset} was committed without the chain state (reset by a tool?): run"
            " 'stream-monitor recover offsets' to go on at the last chunk, or with '--to OFFSET' to begin elsewhere"
        )
    try:
        chain = ChainState.decode(answer.metadata)
    except ValueError as error:
        raise HistoryUnusable(
            f"{name}: the committed chain state cannot be read: {error}: run 'stream-monitor recover offsets'"
        ) from error
    if chain.topic != topic_id:
        raise DataLoss(made_anew(place, topic_id, chain.topic))
    return Found(answer.offset, chain)
