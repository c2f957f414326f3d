"""The native format: one JSON object a record, one prediction an object."""

from __future__ import annotations

from collections import Counter

import numpy as np

from stream_monitor.core.batch import Batch, RawChunk, Reject
from stream_monitor.core.names import RejectReason, ValueReject
from stream_monitor.core.plan import InputPlan, Plan
from stream_monitor.formats.event import EventReader, EventRow
from stream_monitor.formats.fault import Fault, unusable
from stream_monitor.formats.rows import RowHasher, groups_of
from stream_monitor.formats.tree import read_tree

_FARTHEST_MS = 2**53
"""Instants beyond are out of range wherever a record stands, and would not fit into arithmetic on 64 bits."""


class NativeDecoder:
    """Decodes the records of one input topic."""

    def __init__(self, source: InputPlan, plan: Plan) -> None:
        self._reader = EventReader(source, plan)
        self._max_bytes = plan.limits.event_bytes
        self._time = plan.time

    def decode(self, chunk: RawChunk) -> Batch:
        """Return every record as a row, a reject or a tombstone."""
        rejects: list[Reject] = []
        rows: list[tuple[int, EventRow]] = []
        tombstones = 0
        for index, value in enumerate(chunk.values):
            if value is None:
                tombstones += 1
                continue
            found = self._read(chunk, index, value)
            if isinstance(found, EventRow):
                rows.append((index, found))
            else:
                rejects.append(found.at(index, int(chunk.offsets[index])))
        good = np.array([index for index, _ in rows], dtype=np.intp)
        offsets, record_ms = chunk.offsets[good], chunk.record_ms[good]
        event_ms = np.array(
            [
                record if row.time_ms is None else row.time_ms
                for (_, row), record in zip(rows, record_ms.tolist(), strict=True)
            ],
            dtype=np.int64,
        )
        value_rejects = Counter[tuple[str, ValueReject]]()
        for _, row in rows:
            value_rejects.update((row.model, reason) for reason in row.rejects)
        return Batch(
            read=len(chunk),
            offsets=offsets,
            record_ms=record_ms,
            event_ms=event_ms,
            groups=groups_of(
                {at: row for at, (_, row) in enumerate(rows)},
                offsets,
                RowHasher(self._reader.id_source, chunk.topic, chunk.partition),
            ),
            rejects=rejects,
            tombstones=tombstones,
            value_rejects=value_rejects,
            time_fallbacks=sum(row.time_ms is None for _, row in rows),
        )

    def _read(self, chunk: RawChunk, index: int, value: bytes) -> EventRow | Fault:
        tree = read_tree(value, max_bytes=self._max_bytes)
        if isinstance(tree, Fault):
            return tree
        key = chunk.key_of(index) if self._reader.id_source == "record.key" else None
        row = self._reader.read(tree, key=key, offset=int(chunk.offsets[index]))
        if isinstance(row, EventRow) and row.time_ms is not None:
            distance_ms = row.time_ms - int(chunk.record_ms[index])
            if not -self._time.max_past_ms <= distance_ms <= self._time.max_future_ms:
                return out_of_range(self._time.max_past_ms, self._time.max_future_ms)
        return row


def out_of_range(max_past_ms: int, max_future_ms: int) -> Fault:
    """Return the fault of an event that is too far from its record's time."""
    return unusable(
        RejectReason.TIMESTAMP_OUT_OF_RANGE,
        f"timestamp: must lie from {max_past_ms} ms before to {max_future_ms} ms after the record's time",
    )
