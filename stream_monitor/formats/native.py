"""The native format: one JSON object a record, one prediction an object.

Events are read by a typed decoder that has learned what a model's events look like (`shape`, `typed`); what it refuses
is read exactly (`tree`, `event`). The result is what exact reading of every event would give, only faster: see the law
in `tests/laws/test_native_reading.py`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import overload

import msgspec
import numpy as np

from stream_monitor.core.alerts.wording.numbers import span
from stream_monitor.core.arrays import Int64, Intp
from stream_monitor.core.batch import Batch, Group, RawChunk, Reject
from stream_monitor.core.names import RejectReason, ValueReject
from stream_monitor.core.plan import InputPlan, Plan
from stream_monitor.core.time import EARLIEST_MS, LATEST_MS, format_instant, instant_words
from stream_monitor.formats.event import EventReader, EventRow, read_key
from stream_monitor.formats.fault import Fault, unusable
from stream_monitor.formats.rows import RowHasher, groups_of
from stream_monitor.formats.shape import Shape
from stream_monitor.formats.stamp_sink import FARTHEST_MS
from stream_monitor.formats.tree import Tree, read_tree
from stream_monitor.formats.typed import TypedRun

_SHAPES = 256
"""Models whose shape is remembered."""

_FIRST_LOOKS = 16
"""Records read exactly at the start of a chunk while no shape is known."""

_MODEL_NAME = re.compile(rb'"model"\s*:\s*"([^"\\]{1,128})"')
"""Where the model of an event probably stands: picks the decoder that is tried, decides nothing."""


class NativeDecoder:
    """Decodes the records of one input topic."""

    def __init__(self, source: InputPlan, plan: Plan, *, typed: bool = True) -> None:
        """Prepare for an input.

        Args:
            source: the input.
            plan: limits, time and what is watched.
            typed: False reads every event exactly, five to ten times slower, with the same result.
        """
        self._reader = EventReader(source, plan)
        self._max_bytes = plan.limits.event_bytes
        self._time = plan.time
        self._typed = typed
        self._shapes: dict[str, Shape] = {}

    def decode(self, chunk: RawChunk) -> Batch:
        """Return every record as a row, a reject or a tombstone."""
        found = _Found(chunk, RowHasher(self._reader.id_source, chunk.topic, chunk.partition))
        for shape, places in self._routes(chunk):
            if shape is None:
                for place in places.tolist():
                    self._read_alone(found, place)
                continue
            done = 0
            while done < places.size:
                done += self._read_run(found, shape, places[done:])
        return found.batch()

    def _routes(self, chunk: RawChunk) -> Iterator[tuple[Shape | None, Intp]]:
        """Yield the records by the shape that they probably have; None where none is known."""
        everything = np.arange(len(chunk))
        if not self._typed:
            yield None, everything
            return
        if not self._shapes:
            for index, value in enumerate(chunk.values[:_FIRST_LOOKS]):
                self._read(chunk, index, value)
                if self._shapes:
                    break
        if len(self._shapes) == 1:
            yield next(iter(self._shapes.values())), everything
            return
        by_model: dict[bytes, list[int]] = {}
        for index, value in enumerate(chunk.values):
            name = None if value is None else _MODEL_NAME.search(value)
            by_model.setdefault(b"" if name is None else name[1], []).append(index)
        for model, places in by_model.items():
            shape = self._shapes.get(model.decode(errors="replace") or (self._reader.model or ""))
            yield shape, np.array(places, dtype=np.intp)

    def _read_run(self, found: _Found, shape: Shape, places: Intp) -> int:
        """Read records with one typed decoder until the shape wants another; return how many were read."""
        chunk, plan = found.chunk, self._reader.model_plan(shape.model)
        run = TypedRun(
            shape.typed(),
            shape.model,
            size=places.size,
            segments=() if plan is None else plan.segments,
            max_bytes=self._max_bytes,
        )
        dropped: set[int] = set()
        while len(run) < places.size and not shape.is_stale:
            first = len(run)
            block = places[first : first + run.block_rows].tolist()
            if block[-1] - block[0] == len(block) - 1:
                values: Sequence[bytes | None] = chunk.values[block[0] : block[-1] + 1]
            else:
                values = [chunk.values[place] for place in block]
            identities, unnamed = self._identities(chunk, block)
            for row in sorted({*run.feed(values, identities), *(first + row for row in unnamed)}):
                self._read_misfit(found, run, row, int(places[row]), dropped)
        places = places[: len(run)]
        for row in run.settle():
            self._read_misfit(found, run, row, int(places[row]), dropped)
        record_ms = chunk.record_ms[places]
        event_ms, fallbacks = run.times(record_ms)
        distance_ms = event_ms - record_ms
        far = (distance_ms > self._time.max_future_ms) | (distance_ms < -self._time.max_past_ms)
        if far.any():
            for row in sorted(set(np.flatnonzero(far).tolist()) - dropped):
                found.refuse(int(places[row]), self._out_of_range(int(event_ms[row]), int(record_ms[row])))
                dropped.add(row)
        alive = None
        if dropped:
            alive = np.array([row for row in range(len(run)) if row not in dropped], dtype=np.intp)
        if not shape.texts.is_settled:
            shape.observe(run.texts(), len(run))
        found.time_fallbacks += fallbacks
        found.take_run(run, places, event_ms, alive)
        return len(run)

    def _read_misfit(self, found: _Found, run: TypedRun, row: int, index: int, dropped: set[int]) -> None:
        """Read a record exactly and put it into its place in a run, if it belongs there."""
        read = self._read(found.chunk, index, found.chunk.values[index])
        if isinstance(read, EventRow) and read.model == run.model:
            run.patch(row, read)
        else:
            run.drop(row)
            dropped.add(row)
            found.take(index, read)

    def _identities(self, chunk: RawChunk, block: list[int]) -> tuple[list[str] | None, list[int]]:
        """Return the identities of a block if they do not come from the events, and the rows that have none."""
        match self._reader.id_source:
            case "field":
                return None, []
            case "record.offset":
                return [str(chunk.offsets[place]) for place in block], []
            case "record.key":
                keys = [read_key(chunk.key_of(place)) for place in block]
                missing = [row for row, key in enumerate(keys) if isinstance(key, Fault)]
                return ["" if isinstance(key, Fault) else key for key in keys], missing

    def _read_alone(self, found: _Found, index: int) -> None:
        found.take(index, self._read(found.chunk, index, found.chunk.values[index]))

    def _read(self, chunk: RawChunk, index: int, value: bytes | None) -> EventRow | Fault | None:
        """Read one record exactly; None is a tombstone. Good events teach the shape of their model."""
        if value is None:
            return None
        tree = read_tree(value, max_bytes=self._max_bytes)
        if isinstance(tree, Fault):
            return tree
        key = chunk.key_of(index) if self._reader.id_source == "record.key" else None
        row = self._reader.read(tree, key=key, offset=int(chunk.offsets[index]))
        if isinstance(row, Fault):
            return row
        if row.time_ms is not None:
            distance_ms = row.time_ms - int(chunk.record_ms[index])
            if abs(row.time_ms) > FARTHEST_MS or not (
                -self._time.max_past_ms <= distance_ms <= self._time.max_future_ms
            ):
                return self._out_of_range(row.time_ms, int(chunk.record_ms[index]))
        self._learn(row.model, tree)
        return row

    def _learn(self, model: str, tree: Tree) -> None:
        if not self._typed or not isinstance(tree, dict):
            return
        if model not in self._shapes:
            if len(self._shapes) >= _SHAPES:
                self._shapes.clear()
            self._shapes[model] = Shape(model, self._reader)
        self._shapes[model].learn(tree)

    def _out_of_range(self, time_ms: int, record_ms: int) -> Fault:
        if not EARLIEST_MS <= time_ms <= LATEST_MS:
            what = f"timestamp: {time_ms} ms is no instant of our time: is it in seconds or microseconds?"
        else:
            is_past = time_ms < record_ms
            name, limit_ms = (
                ("max_past", self._time.max_past_ms) if is_past else ("max_future", self._time.max_future_ms)
            )
            what = (
                f"timestamp: {format_instant(time_ms)} lies {span(abs(time_ms - record_ms))}"
                f" {'before' if is_past else 'after'} the record's time {instant_words(record_ms)},"
                f" time.{name} allows {span(limit_ms)}"
            )
        return unusable(RejectReason.TIMESTAMP_OUT_OF_RANGE, what)


@dataclass
class _Found:
    """What has been found in a chunk."""

    chunk: RawChunk
    hasher: RowHasher
    rejects: list[Reject] = field(default_factory=list)
    tombstones: int = 0
    alone: dict[int, EventRow] = field(default_factory=dict)
    runs: list[tuple[Intp, Int64, list[Group]]] = field(default_factory=list)
    value_rejects: Counter[tuple[str, ValueReject]] = field(default_factory=Counter)
    time_fallbacks: int = 0

    def take(self, index: int, read: EventRow | Fault | None) -> None:
        """Take a record that was read exactly and stands for itself."""
        if read is None:
            self.tombstones += 1
        elif isinstance(read, Fault):
            self.refuse(index, read)
        else:
            self.alone[index] = read
            self.value_rejects.update((read.model, reason) for reason in read.rejects)
            self.time_fallbacks += read.time_ms is None

    def refuse(self, index: int, fault: Fault) -> None:
        """Take a record that cannot be counted."""
        self.rejects.append(fault.at(index, int(self.chunk.offsets[index])))

    def take_run(self, run: TypedRun, places: Intp, event_ms: Int64, alive: Intp | None) -> None:
        """Take the rows of a run that are alive (None: all)."""
        groups: list[Group] = []
        offsets = self.chunk.offsets[places]
        if self.hasher.id_source == "record.offset":
            select, tie = self.hasher(run.model, (), offsets)
        else:
            select, tie = run.hashes()
        for version, rows in run.versions(alive):
            columns, rejects = run.columns(rows)
            self.value_rejects.update({(run.model, reason): count for reason, count in rejects.items()})
            groups.append(
                Group(
                    model=run.model,
                    version=version,
                    rows=places if rows is None else places[rows],
                    event_ids=_EventIds(self, run, places, rows),
                    select=select if rows is None else select[rows],
                    tie=tie if rows is None else tie[rows],
                    sampled_rate=run.sampled_rates(rows),
                    columns=columns,
                    segments=run.segment_texts(rows),
                    undeclared=run.undeclared(rows),
                )
            )
        if alive is not None:
            places, event_ms = places[alive], event_ms[alive]
        self.runs.append((places, event_ms, groups))

    def batch(self) -> Batch:
        """Return the chunk as a batch, its rows in offset order."""
        alone = np.array(sorted(self.alone), dtype=np.intp)
        good = np.sort(np.concatenate([alone, *(places for places, _, _ in self.runs)]))
        place_of = np.zeros(len(self.chunk), dtype=np.intp)
        place_of[good] = np.arange(good.size)
        offsets, record_ms = self.chunk.offsets[good], self.chunk.record_ms[good]
        event_ms = record_ms.copy()
        groups: list[Group] = []
        for places, times, found in self.runs:
            event_ms[place_of[places]] = times
            groups += [replace(group, rows=place_of[group.rows]) for group in found]
        rows = {int(place_of[index]): row for index, row in self.alone.items()}
        for place, row in rows.items():
            if row.time_ms is not None:
                event_ms[place] = row.time_ms
        return Batch(
            read=len(self.chunk),
            offsets=offsets,
            record_ms=record_ms,
            event_ms=event_ms,
            groups=[*groups, *groups_of(rows, offsets, self.hasher)],
            rejects=sorted(self.rejects, key=lambda reject: reject.index),
            tombstones=self.tombstones,
            value_rejects=+self.value_rejects,
            time_fallbacks=self.time_fallbacks,
        )


class _EventIds(Sequence[str]):
    """Identities of rows, read again from their records when one is asked for: of a chunk hardly any is.

    Keeping all of them alive would cost more than hashing them.
    """

    def __init__(self, found: _Found, run: TypedRun, places: Intp, rows: Intp | None) -> None:
        self._chunk = found.chunk
        self._source = found.hasher.id_source
        self._run = run
        self._places = places
        self._rows = rows

    def __len__(self) -> int:
        return self._places.size if self._rows is None else self._rows.size

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        row = range(len(self))[index] if self._rows is None else int(self._rows[index])
        place = int(self._places[row])
        match self._source:
            case "record.offset":
                return str(self._chunk.offsets[place])
            case "record.key":
                return (self._chunk.key_of(place) or b"").decode()
            case "field":
                return self._run.event_id(row) or _IDENTITY.decode(self._chunk.values[place] or b"").event_id


class _Identity(msgspec.Struct):
    event_id: str


_IDENTITY = msgspec.json.Decoder(_Identity)
