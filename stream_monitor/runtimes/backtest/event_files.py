"""Files of events: native ones in JSON, and exported topics; their rows as batches, decoded as a worker does."""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

import numpy as np
import orjson

from stream_monitor.core.batch import Batch, RawChunk
from stream_monitor.core.plan import InputPlan, Plan
from stream_monitor.core.time import parse_instant
from stream_monitor.formats import build_decoder
from stream_monitor.formats.fault import Fault
from stream_monitor.formats.tables import TableBatch, TableError
from stream_monitor.formats.tables.files import readable
from stream_monitor.formats.tables.json_rows import JsonRow, json_rows
from stream_monitor.formats.tree import Tree, read_tree
from stream_monitor.kafka.readers.stored_record import StoredRecord
from stream_monitor.runtimes.replay import CHUNK_RECORDS, ExportError, chunk_of, read_export

_LAST_MS = 253_402_300_800_000
"""The first instant of the year 10000, which no date can name."""


@dataclass(frozen=True, slots=True)
class NativeRows:
    """A file of native events in JSON; the record time of an event is its event time."""

    path: Path
    plan: Plan
    lines: int = 10_000

    def batches(self) -> Iterator[TableBatch]:
        """Yield all events; what is no event is a reject of its batch.

        Raises:
            TableError: the file is damaged as a whole.
        """
        decoder = build_decoder(InputPlan(self.path.name), self.plan)
        first = 0
        with readable(self.path):
            rows = json_rows(self.path)
            while held := list(islice(rows, self.lines)):
                batch = decoder.decode(self._chunk(first, held))
                yield TableBatch(first, first + len(held), _placed(batch, held))
                first += len(held)

    def _chunk(self, first: int, held: Sequence[JsonRow]) -> RawChunk:
        times, newest = [], 0
        for row in held:
            newest = _event_ms(row.value, newest, max_bytes=self.plan.limits.event_bytes)
            times.append(newest)
        return RawChunk(
            topic=self.path.name,
            partition=0,
            offsets=np.arange(first, first + len(held), dtype=np.int64),
            record_ms=np.array(times, dtype=np.int64),
            values=[row.value for row in held],
        )


@dataclass(frozen=True, slots=True)
class ExportedRows:
    """The events in an export of topics, decoded as a worker does; they are counted in the order of the file."""

    path: Path
    plan: Plan

    def batches(self) -> Iterator[TableBatch]:
        """Yield the events of the input topics of the plan; the offset of an event is that of its partition.

        Raises:
            TableError: the export holds no input topic of the plan, or is damaged.
        """
        inputs = {source.topic: build_decoder(source, self.plan) for source in self.plan.inputs}
        found: set[str] = set()
        done = 0
        try:
            for held in self._chunks(found, inputs):
                batch = inputs[held[0].topic].decode(chunk_of(held))
                yield TableBatch(done, done + len(held), _named(batch, held))
                done += len(held)
        except ExportError as error:
            raise TableError(str(error)) from None
        if not done:
            raise TableError(
                f"{self.path}: is an export of {', '.join(sorted(found)) or 'nothing'}, and the plan reads"
                f" {', '.join(inputs)}: name the topic of the events with --set 'inputs=[{{topic: NAME}}]'"
            )

    def _chunks(self, found: set[str], inputs: Container[str]) -> Iterator[list[StoredRecord]]:
        waiting: dict[tuple[str, int], list[StoredRecord]] = {}
        for record in read_export(self.path):
            found.add(record.topic)
            if record.topic in inputs:
                held = waiting.setdefault((record.topic, record.partition), [])
                held.append(record)
                if len(held) == CHUNK_RECORDS:
                    yield held
                    waiting[record.topic, record.partition] = []
        yield from (held for held in waiting.values() if held)


def _named(batch: Batch, held: Sequence[StoredRecord]) -> Batch:
    """Return a batch whose rejects say which record they are."""
    rejects = [
        replace(own, message=f"{held[0].topic}-{held[0].partition} offset {own.offset}: {own.message}")
        for own in batch.rejects
    ]
    return replace(batch, rejects=rejects)


def _placed(batch: Batch, held: Sequence[JsonRow]) -> Batch:
    """Return a batch whose rejects say on which line they stand."""
    rejects = [
        replace(own, message=f"line {held[own.index].line:,}: {own.message.removeprefix('value: ')}")
        for own in batch.rejects
    ]
    return replace(batch, rejects=rejects)


def _event_ms(value: bytes, otherwise: int, *, max_bytes: int) -> int:
    """Return when an event happened, as its record would say; what the decoder refuses lets no time pass.

    NaN among the values must not cost the time: on Kafka it comes from the broker.
    """
    try:
        event: Tree | Fault = orjson.loads(value)
    except orjson.JSONDecodeError:
        event = read_tree(value, max_bytes=max_bytes)
    stamp = event.get("timestamp") if isinstance(event, dict) else None
    try:
        found = parse_instant(stamp) if isinstance(stamp, str) else stamp
    except ValueError:
        return otherwise
    if isinstance(found, int) and not isinstance(found, bool) and abs(found) < _LAST_MS:
        return found
    return otherwise
