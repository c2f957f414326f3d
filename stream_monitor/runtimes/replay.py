"""Exported topics, replayed: the same records, the same chunks' meaning, the same alerts as on Kafka.

An export is JSON lines with topic, partition, offset, record time, key, value and headers. Input topics are counted and
judged anew; without them a range of `drift-profiles` is judged again, with whatever rules the plan has now. Panes that
were open at the end of the export stay open, as they were.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import numpy as np

from stream_monitor.config import Settings
from stream_monitor.core.baseline import Schedule, activation_lead_ms
from stream_monitor.core.batch import RawChunk
from stream_monitor.core.judge import StoredEntry
from stream_monitor.core.profile import MalformedRecord, UnknownRecord
from stream_monitor.formats.packed import DAMAGE, PackedError, unpacked
from stream_monitor.formats.tables.json_rows import json_rows, looks_like_json
from stream_monitor.kafka.readers.record_export import decode_line
from stream_monitor.kafka.readers.stored_record import StoredRecord
from stream_monitor.runtimes.local import LocalAlert, LocalPipeline

CHUNK_RECORDS = 5_000
_LOOKED_AT = 1 << 12
_FIRST_LINES = 3


class ExportError(ValueError):
    """A file is no export, or does not hold what the plan reads."""


@dataclass(slots=True)
class Contents:
    """What an export holds: record counts, partitions seen and largest offset by topic."""

    records: dict[str, int] = field(default_factory=dict)
    partitions: dict[str, int] = field(default_factory=dict)

    def add(self, record: StoredRecord) -> None:
        """Count a record."""
        self.records[record.topic] = self.records.get(record.topic, 0) + 1
        self.partitions[record.topic] = max(self.partitions.get(record.topic, 0), record.partition + 1)


def read_export(path: Path) -> Iterator[StoredRecord]:
    """Yield the records of an export in the order of its lines.

    Raises:
        ExportError: a line is not one of an export, or its record is not behind those of its partition before it; its
            number is named. Or the file is damaged.
    """
    ends: dict[tuple[str, int], int] = {}
    try:
        for row in json_rows(path):
            try:
                record = decode_line(row.value)
                _go_on(ends, record)
            except ValueError as error:
                raise ExportError(f"{path}, line {row.line}: {error}") from None
            yield record
    except (*DAMAGE, PackedError) as error:
        raise ExportError(f"{path}: cannot be read: {error}") from error


def _go_on(ends: dict[tuple[str, int], int], record: StoredRecord) -> None:
    """Learn where a partition stands behind a record.

    Raises:
        ValueError: the record stood there before: files were joined that hold it twice, or not in order.
    """
    place = record.topic, record.partition
    if record.partition < 0 or record.offset < ends.get(place, 0):
        raise ValueError(
            f"{record.topic}-{record.partition}: offset {record.offset} must be {ends.get(place, 0)} or more: an export"
            " holds each record once, in the order of its partition"
        )
    ends[place] = record.offset + 1


def is_export(path: Path) -> bool:
    """Say whether a file is an export, whatever it is called: one of its first lines is a record of a topic."""
    if not path.is_file():
        return False
    try:
        with unpacked(path) as stream:
            if not looks_like_json(stream.read(_LOOKED_AT)):
                return False
        first = [row.value for row in islice(json_rows(path), _FIRST_LINES)]
    except (*DAMAGE, PackedError):
        return False  # who reads it as rows says what is wrong
    return any(map(_is_record, first))


def _is_record(line: bytes) -> bool:
    try:
        decode_line(line)
    except ValueError:
        return False
    return True


def survey(path: Path) -> Contents:
    """Return what an export holds; reads it once."""
    contents = Contents()
    for record in read_export(path):
        contents.add(record)
    return contents


def replay(
    path: Path,
    settings: Settings,
    *,
    contents: Contents,
    partitions: Mapping[str, int],
    on_alert: Callable[[LocalAlert], None],
    on_progress: Callable[[float], None] = lambda _: None,
) -> LocalPipeline:
    """Replay an export and return the pipeline in its last state.

    Args:
        path: the export; baselines in it are known before the first event, as they were to the workers.
        settings: what is watched; group and judge partitions are part of what makes alerts equal.
        contents: of `survey`.
        partitions: of input topics of which the export cannot tell all: a partition without records leaves no trace.
        on_alert: told each alert in the order of its partition.
        on_progress: told the records read so far.

    Raises:
        ExportError: the export holds neither an input topic of the plan nor the topic of profiles.
    """
    plan, topics = settings.plan, settings.topics
    inputs = [source.topic for source in plan.inputs if contents.records.get(source.topic)]
    schedule = Schedule(group=settings.group, lead_ms=activation_lead_ms(plan.time))
    for record in _of_topics(read_export(path), [topics.baselines]):
        schedule.apply(record.key, record.value, record.offset, record.timestamp_ms)
    if not inputs and topics.profiles not in contents.records:
        known = ", ".join(sorted(contents.records)) or "nothing"
        wanted = ", ".join(source.topic for source in plan.inputs)
        raise ExportError(f"{path}: holds {known}, and the plan reads {wanted} or {topics.profiles}")
    started = schedule.starts.get(settings.group)
    sources = {
        source.topic: max(
            contents.partitions.get(source.topic, 0),
            partitions.get(source.topic, 0),
            0 if started is None else started.partitions.get(source.topic, 0),
            1,
        )
        for source in plan.inputs
    }
    judges = topics.partitions if inputs else max(topics.partitions, contents.partitions[topics.profiles])
    pipeline = LocalPipeline(
        plan,
        group=settings.group,
        partitions=judges,
        sources=sources,
        schedule=schedule if schedule.next_offset else None,
    )
    feed = _events if inputs else _profiles
    for done, alerts in feed(path, pipeline, inputs or [topics.profiles]):
        on_progress(done)
        for alert in alerts:
            on_alert(alert)
    return pipeline


def _events(path: Path, pipeline: LocalPipeline, inputs: list[str]) -> Iterator[tuple[float, list[LocalAlert]]]:
    waiting: dict[tuple[str, int], list[StoredRecord]] = {}
    done = 0
    for record in _of_topics(read_export(path), inputs):
        done += 1
        held = waiting.setdefault((record.topic, record.partition), [])
        held.append(record)
        if len(held) >= CHUNK_RECORDS:
            yield done, pipeline.feed(chunk_of(held))
            held.clear()
    for held in waiting.values():
        if held:
            yield done, pipeline.feed(chunk_of(held))
    yield done, pipeline.pause()


def _profiles(path: Path, pipeline: LocalPipeline, topics: list[str]) -> Iterator[tuple[float, list[LocalAlert]]]:
    for done, record in enumerate(_of_topics(read_export(path), topics), start=1):
        if record.value is not None:
            entry = StoredEntry(record.offset, record.timestamp_ms, record.key, record.value)
            try:
                yield done, pipeline.fold(record.partition, entry)
            except (MalformedRecord, UnknownRecord) as error:
                place = f"{record.topic}-{record.partition} offset {record.offset}"
                raise ExportError(f"{path}: {place}: {error}") from None


def _of_topics(records: Iterable[StoredRecord], topics: list[str]) -> Iterator[StoredRecord]:
    return (record for record in records if record.topic in topics)


def chunk_of(records: list[StoredRecord]) -> RawChunk:
    """Return records of one partition, in order, as a chunk."""
    kept = tuple(records)
    return RawChunk(
        topic=kept[0].topic,
        partition=kept[0].partition,
        offsets=np.array([record.offset for record in kept], dtype=np.int64),
        record_ms=np.array([record.timestamp_ms for record in kept], dtype=np.int64),
        values=[record.value for record in kept],
        key_of=lambda i: kept[i].key,
        headers_of=lambda i: kept[i].headers,
    )
