"""Reads `drift-profiles` back and folds it by the chain, written apart from the judge: the tests' own referee."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from confluent_kafka import Consumer, KafkaError, Message, TopicPartition

from stream_monitor.core.chain import FIRST, ChunkName
from stream_monitor.core.profile import (
    Profile,
    ProfileKey,
    ProfileRecord,
    ProgressRecord,
    chunk_digest,
    decode,
    merge_profiles,
)
from stream_monitor.kafka.client_settings import KafkaSettings, reader

InputPartition = tuple[str, int]


@dataclass
class Chunk:
    """A chunk as one judge partition sees it."""

    progress: ProgressRecord
    profiles: list[ProfileRecord]


@dataclass
class Folded:
    """What counts of a log.

    Attributes:
        chunks: named chunks in chain order, by judge partition and source partition.
        unnamed: chunks that were written whole or in part and that nobody named.
        tips: the last written chunk of each source partition that nobody names yet, by judge partition.
    """

    chunks: dict[int, dict[InputPartition, list[Chunk]]] = field(default_factory=dict)
    unnamed: int = 0

    def profiles(self) -> dict[ProfileKey, Profile]:
        """Return the sum of all profiles that count."""
        records = (p for by in self.chunks.values() for chunks in by.values() for c in chunks for p in c.profiles)
        return merged(record.profile for record in records)

    @property
    def counted(self) -> int:
        """Events that count, late ones among them; not dead letters, not tombstones."""
        return sum(p.counts.counted + p.counts.late for p in self._progress_of_all())

    @property
    def rejected(self) -> int:
        """Records of the chunks that count which are dead letters."""
        return sum(p.counts.rejected for p in self._progress_of_all())

    def _progress_of_all(self) -> list[ProgressRecord]:
        (by, *_) = self.chunks.values()
        return [chunk.progress for chunks in by.values() for chunk in chunks]

    def progress(self, place: InputPartition) -> list[ProgressRecord]:
        """Return the progress records that count for a source partition, the same in every judge partition."""
        (first, *others) = [[c.progress for c in by.get(place, [])] for by in self.chunks.values()]
        names = [(p.source, p.first, p.next, p.prev, p.watermark_ms) for p in first]
        for other in others:
            assert names == [(p.source, p.first, p.next, p.prev, p.watermark_ms) for p in other]
        return first


def merged(profiles: Iterable[Profile]) -> dict[ProfileKey, Profile]:
    """Return the sums of profiles by key."""
    sums: dict[ProfileKey, list[Profile]] = {}
    for profile in profiles:
        sums.setdefault(profile.key, []).append(profile)
    return {key: merge_profiles(parts) for key, parts in sums.items()}


def read_all(settings: KafkaSettings, topic: str) -> dict[int, list[Message]]:
    """Return every record of a topic, by partition, up to where it ends now."""
    consumer = Consumer(reader(settings))
    try:
        count = len(consumer.list_topics(topic, timeout=20).topics[topic].partitions)
        consumer.assign([TopicPartition(topic, p, 0) for p in range(count)])
        found: dict[int, list[Message]] = {p: [] for p in range(count)}
        open_partitions = set(found)
        deadline = time.monotonic() + 60
        while open_partitions:
            assert time.monotonic() < deadline, f"{topic} could not be read to its end"
            for message in consumer.consume(10_000, 0.2):
                partition, error = message.partition(), message.error()
                assert partition is not None
                if error is None:
                    found[partition].append(message)
                else:
                    assert error.code() == KafkaError._PARTITION_EOF, error
                    open_partitions.discard(partition)
        return found
    finally:
        consumer.close()


def fold(log: Mapping[int, list[Message]]) -> Folded:
    """Fold the partitions of `drift-profiles`.

    Raises:
        AssertionError: a chain has a gap, an overlap or a chunk that is not whole, or two chunks have one name.
    """
    folded = Folded()
    for partition, messages in log.items():
        folder = _Folder()
        for message in messages:
            value = message.value()
            assert value is not None
            folder.fold(decode(value), value)
        folded.chunks[partition] = {place: chain.counted for place, chain in folder.chains.items()}
        folded.unnamed += sum(chain.dropped for chain in folder.chains.values())
    return folded


@dataclass
class _Chain:
    tip: ChunkName = FIRST
    next: int | None = None
    epoch: int = 0
    blocks: dict[ChunkName, list[tuple[ProfileRecord, bytes]]] = field(default_factory=dict)
    candidates: dict[ChunkName, Chunk] = field(default_factory=dict)
    counted: list[Chunk] = field(default_factory=list)
    dropped: int = 0
    written: set[tuple[int, ChunkName]] = field(default_factory=set)


class _Folder:
    def __init__(self) -> None:
        self.chains: dict[InputPartition, _Chain] = {}

    def fold(self, record: ProfileRecord | ProgressRecord, value: bytes) -> None:
        source = record.source
        chain = self.chains.setdefault((source.topic, source.partition), _Chain())
        if isinstance(record, ProgressRecord):
            assert (source.epoch, source.name) not in chain.written, f"two chunks have one name: {source}"
            chain.written.add((source.epoch, source.name))
        if source.name <= chain.tip:
            return
        match record:
            case ProfileRecord():
                chain.blocks.setdefault(source.name, []).append((record, value))
            case ProgressRecord():
                self._progress(chain, record)

    def _progress(self, chain: _Chain, record: ProgressRecord) -> None:
        if record.prev < chain.tip:
            chain.dropped += 1  # a zombie's, or one that was refused
            return
        if record.prev > chain.tip:
            assert record.prev in chain.candidates, f"CHAIN GAP: {record.source} names {record.prev}, tip {chain.tip}"
            self._count(chain, chain.candidates[record.prev])
        blocks = sorted(chain.blocks.pop(record.source.name, []), key=lambda block: block[0].index)
        is_whole = len(blocks) == record.records and chunk_digest(v for _, v in blocks) == record.digest
        if is_whole:
            chain.candidates[record.source.name] = Chunk(record, [block for block, _ in blocks])

    def _count(self, chain: _Chain, chunk: Chunk) -> None:
        progress = chunk.progress
        assert progress.prev == chain.tip, f"{progress.source} does not follow {chain.tip}"
        if chain.next is not None and progress.source.epoch == chain.epoch:
            assert progress.first == chain.next, f"{progress.source} begins at {progress.first}, not {chain.next}"
        chain.tip, chain.next, chain.epoch = progress.source.name, progress.next, progress.source.epoch
        chain.counted.append(chunk)
        rivals = [name for name in chain.candidates if name <= chain.tip]
        chain.dropped += len(rivals) - 1
        for name in rivals:
            del chain.candidates[name]
