"""A run of events of one shape, decoded block by block straight into columns.

Blocks are small enough that the values of a block stay in the processor's cache between being read and being written
to their column. Rows that do not fit the shape are handed back; the exact reader decides about them, and what it finds
is patched in at their place.
"""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, cast

import msgspec
import numpy as np

from stream_monitor.core.arrays import Int64, Intp, UInt64
from stream_monitor.core.batch import ABSENT, INVALID, Cell, CodedColumn, Column, NumericColumn
from stream_monitor.core.keys import row_digests, row_hashes, split_digests
from stream_monitor.core.names import CONFIDENCE, LATENCY, PREDICTION, SERVING_ERROR, ValueReject, check_name
from stream_monitor.formats.event import (
    SAMPLED_RATE_LIMIT,
    EventRow,
    checked_id,
    read_segment,
)
from stream_monitor.formats.fault import Fault
from stream_monitor.formats.prediction_sink import PredictionSink
from stream_monitor.formats.shape import FeatureField, TypedEvents
from stream_monitor.formats.sinks import CodeSink, NumberSink, PlainSink, Sink, packer
from stream_monitor.formats.stamp_sink import StampSink
from stream_monitor.formats.text_sets import Place
from stream_monitor.formats.tree import MAX_DEPTH, Tree

BLOCK_CELLS = 16_384
"""Values of a block: their objects stay in the second-level cache."""

_SHORT_ID = 64
"""Characters of an identity that surely fits its bytes."""

_INT64 = range(-(2**63), 2**64)
"""Integers that every decoder reads as integers."""

_REFUSALS = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What msgspec raises for bytes of another shape."""


Columns = Sequence[tuple[Any, ...]]
"""Fields of a block of events, by their place in the struct."""


class TypedRun:
    """Events of one model that are read by one typed decoder.

    Feed blocks, `patch` or `drop` the rows that come back, then `settle`, and again `patch` or `drop`; after that the
    columns are there. Only decoding happens block by block; what can be done to all rows at once waits for `settle`.

    Args:
        typed: the decoder.
        model: the model of the shape; events of another are handed back.
        size: most events that will be fed.
        segments: names of the segments to keep.
        max_bytes: longest value.

    Attributes:
        model: the model of the shape.
    """

    def __init__(self, typed: TypedEvents, model: str, *, size: int, segments: Sequence[str], max_bytes: int) -> None:
        self.model = model
        self._typed = typed
        self._size = size
        self._max_bytes = max_bytes
        self._rows = 0
        self._last_block: tuple[Columns, list[int]] = ([], [])
        self._digests: list[bytes] = []
        self._stamps = StampSink()
        self._exact: dict[int, EventRow | None] = {}
        self._misfits: set[int] = set()
        self._versions: Intp = np.zeros(size, dtype=np.intp)
        self._version_codes: dict[str | int, int] = {"": 0}
        self._rates: Int64 | None = None
        self._segments: dict[str, list[str | None]] = {name: [] for name in segments}
        self._segment_texts: dict[tuple[type, Tree], tuple[str | None, ValueReject | None]] = {}
        self._rejects: dict[int, list[ValueReject]] = {}
        self._errors: Intp = np.zeros(size, dtype=np.intp)
        self._sinks: dict[str, Sink] = {}
        self._numbers: list[tuple[int, NumberSink]] = []
        self._codes: list[tuple[int, CodeSink]] = []
        self._others: list[FeatureField] = []
        for field in typed.features:
            self._add_sink(field)
        self._prediction = PredictionSink(typed, size)
        self._latency = NumberSink(size)

    def __len__(self) -> int:
        return self._rows

    @property
    def block_rows(self) -> int:
        """How many events make a good block."""
        return max(64, min(256, BLOCK_CELLS // (len(self._typed.features) + 8)))

    def feed(self, values: Sequence[bytes | None], identities: Sequence[str] | None = None) -> list[int]:
        """Decode a block; return the rows, counted from the run's first, that do not have the shape.

        Args:
            values: the records' values.
            identities: their event ids, when these do not come from the events.
        """
        start, size = self._rows, len(values)
        columns, refused = self._last_block = _decode(
            self._typed, _readable(values, self._max_bytes, whole=self._typed.whole_check)
        )
        self._rows += size
        self._take_names(columns, start, size, identities)
        self._take_features(columns, start)
        self._take_serving(columns, start, size)
        for name, texts in self._segments.items():
            texts.extend(self._segment_column(name, columns, start, size))
        return [start + row for row in refused]

    def settle(self) -> list[int]:
        """Finish the rows fed; return those whose types fit but whose values do not: the exact reader must decide."""
        self._misfits |= self._prediction.settle(self._rows)
        self._misfits.update(self._stamps.settle(self._rows))
        return sorted(self._misfits - self._exact.keys())

    def patch(self, row: int, event: EventRow) -> None:
        """Put an event that was read exactly at its place."""
        self._exact[row] = event
        self._versions[row] = self._version_codes.setdefault(event.version, len(self._version_codes))
        if event.sampled_rate != 1 or self._rates is not None:
            self._own_rates()[row] = event.sampled_rate
        for name, texts in self._segments.items():
            texts[row] = event.segments.get(name)
        cells = dict(event.cells)
        self._errors[row] = _ERRORS.index(cells.pop(SERVING_ERROR))
        self._prediction.patch(row, cells.pop(PREDICTION, ABSENT), cells.pop(CONFIDENCE, ABSENT))
        self._latency.patch(row, cells.pop(LATENCY, ABSENT))
        for series, cell in cells.items():
            if series not in self._sinks:
                self._sinks[series] = PlainSink(self._size)
            self._sinks[series].patch(row, cell)
        self._rejects[row] = event.rejects

    def drop(self, row: int) -> None:
        """Give up a row: it does not belong here."""
        self._exact[row] = None

    def times(self, record_ms: Int64) -> tuple[Int64, int]:
        """Return the event time of every row, and how many took their record's time for lack of their own.

        Args:
            record_ms: the records' own times.
        """
        times, without = self._stamps.times(record_ms)
        for row, event in self._exact.items():
            without.discard(row)
            if event is not None:
                times[row] = record_ms[row] if event.time_ms is None else event.time_ms
                if event.time_ms is None:
                    without.add(row)
        return times, len(without)

    def hashes(self) -> tuple[UInt64, Int64]:
        """Return the selection hash and the tie-breaker of every row; those of dropped rows mean nothing."""
        select, tie = split_digests(b"".join(self._digests))
        patched = {row: event.event_id for row, event in self._exact.items() if event is not None}
        if patched:
            rows = list(patched)
            select[rows], tie[rows] = row_hashes(self.model, list(patched.values()))
        return select, tie

    def event_id(self, row: int) -> str | None:
        """Return the identity of a row that was read exactly, None of any other."""
        event = self._exact.get(row)
        return None if event is None else event.event_id

    def versions(self, alive: Intp | None) -> Iterator[tuple[str, Intp | None]]:
        """Yield each version and its rows among those alive; None means all."""
        codes = self._versions[: self._rows] if alive is None else self._versions[alive]
        codes_of: dict[str, list[int]] = {}
        for version, code in self._version_codes.items():
            codes_of.setdefault(str(version), []).append(code)
        for version in sorted(codes_of):
            rows = np.flatnonzero(np.isin(codes, codes_of[version]) if len(codes_of) > 1 else np.ones(codes.size))
            if rows.size == codes.size and rows.size:
                yield version, alive
            elif rows.size:
                yield version, rows if alive is None else alive[rows]

    def columns(self, rows: Intp | None) -> tuple[dict[str, Column], Counter[ValueReject]]:
        """Return the columns of some rows, or of all, and the values left out of them."""
        rejects = Counter[ValueReject]()
        for row in self._rejects if rows is None else self._rejects.keys() & set(rows.tolist()):
            rejects.update(self._rejects[row])
        if rows is None and self._rows < self._size:
            rows = np.arange(self._rows)
        found: dict[str, Column | None] = {series: sink.column(rows) for series, sink in self._sinks.items()}
        found[PREDICTION] = self._prediction.column(rows)
        for series, column, most in (
            (CONFIDENCE, self._prediction.confidence.column(rows), 1.0),
            (LATENCY, self._latency.column(rows), np.inf),
        ):
            found[series], outside = _bounded(column, most)
            rejects[ValueReject.OUT_OF_DOMAIN] += outside
        found[SERVING_ERROR] = CodedColumn(self._errors if rows is None else self._errors[rows], _ERRORS)
        return {series: column for series, column in found.items() if column is not None}, +rejects

    def texts(self) -> dict[Place, set[str]]:
        """Return the different texts that fields have shown: of the features all, of other fields those of a block."""
        found: dict[Place, set[str]] = {}
        names = {field.position: field.name for field in self._typed.features}
        for position, sink in self._codes:
            found["features", names[position]] = {cell for cell in sink.distinct if isinstance(cell, str)}
        columns, _ = self._last_block
        for name, place in self._typed.outer.items():
            if columns and name not in _UNIQUE:
                found["", name] = {cell for cell in set(columns[place]) if isinstance(cell, str)}
        return found

    def sampled_rates(self, rows: Intp | None) -> Int64 | None:
        """Return the sampled rate of some rows, or of all; None if each is one."""
        if self._rates is None:
            return None
        rates = self._rates[: self._rows] if rows is None else self._rates[rows]
        return None if (rates == 1).all() else rates

    def undeclared(self, rows: Intp | None) -> dict[int, tuple[str, ...]]:
        """Return the feature names over the limit, by position among some rows, or among all."""
        names = {row: event.undeclared for row, event in self._exact.items() if event is not None and event.undeclared}
        if rows is None or not names:
            return names
        return {at: names[row] for at, row in enumerate(rows.tolist()) if row in names}

    def segment_texts(self, rows: Intp | None) -> dict[str, Sequence[str | None]]:
        """Return the watched segments of some rows, or of all."""
        return {
            name: texts if rows is None else [texts[row] for row in rows.tolist()]
            for name, texts in self._segments.items()
        }

    def _take_names(self, columns: Columns, start: int, size: int, identities: Sequence[str] | None) -> None:
        """Take identities, models, versions and time stamps."""
        outer = self._typed.outer
        ids = columns[outer["event_id"]] if identities is None else identities
        self._digests.append(row_digests(self.model, ids))
        sizes = set(map(len, ids))
        if min(sizes) == 0 or max(sizes) > _SHORT_ID:
            self._misfits.update(start + row for row, text in enumerate(ids) if isinstance(checked_id(text), Fault))
        if "version" in outer:
            self._take_versions(columns[outer["version"]], start, size)
        if "timestamp" in outer:
            self._stamps.put(start, columns[outer["timestamp"]])

    def _take_versions(self, versions: Sequence[str | int], start: int, size: int) -> None:
        codes = self._version_codes
        first = versions[0]
        uniform = versions.count(first) == size
        for version in (first,) if uniform else set(versions):
            if version not in codes:
                if not _is_version(version):
                    self._misfits.update(start + row for row, each in enumerate(versions) if each == version)
                codes[version] = len(codes)
        self._versions[start : start + size] = codes[first] if uniform else [codes[version] for version in versions]

    def _add_sink(self, field: FeatureField) -> None:
        sink = PlainSink(self._size) if field.opaque else field.sink(self._size)
        if field.series is not None:
            self._sinks[field.series] = sink
        if field.series is None or isinstance(sink, PlainSink):
            self._others.append(field)
        elif isinstance(sink, NumberSink):
            self._numbers.append((field.position, sink))
        else:
            self._codes.append((field.position, sink))

    def _take_features(self, columns: Columns, start: int) -> None:
        place = self._typed.outer.get("features")
        if place is None:
            return
        cells = list(zip(*map(msgspec.structs.astuple, columns[place]), strict=True))
        pack, at = packer("d", len(columns[place])), start * 8
        for position, numbers in self._numbers:
            if numbers.has_nulls:
                numbers.put(start, cells[position])
                continue
            try:  # what `put` does, without a call for each column
                pack(numbers.values, at, *cells[position])
            except struct.error:
                numbers.put(start, cells[position])
        for position, codes in self._codes:
            codes.put(start, cells[position])
        for field in self._others:
            column = cells[field.position]
            if field.refused:
                self._reject(start, column, ValueReject.INVALID_NAME)
            elif field.opaque:
                self._take_opaque(field.series, start, column)
            elif field.series is not None:
                self._sinks[field.series].put(start, column)

    def _take_opaque(self, series: str | None, start: int, column: Sequence[Any]) -> None:
        """Take arrays and objects, which no series can count; anything else was not what the shape has learned."""
        self._misfits.update(
            start + row for row, cell in enumerate(column) if cell is not ABSENT and not _is_container(cell)
        )
        if series is not None:
            self._reject(start, column, ValueReject.UNSUPPORTED)
            self._sinks[series].put(start, [ABSENT if cell is ABSENT else INVALID for cell in column])

    def _reject(self, start: int, column: Sequence[object], reason: ValueReject) -> None:
        """Note a reject for each row that names the feature."""
        for row, cell in enumerate(column):
            if cell is not ABSENT:
                self._rejects.setdefault(start + row, []).append(reason)

    def _take_serving(self, columns: Columns, start: int, size: int) -> None:
        """Take confidence, prediction, latency, error and sampled rate."""
        outer = self._typed.outer
        if "confidence" in outer:
            self._prediction.confidence.put(start, columns[outer["confidence"]])
        if "prediction" in outer:
            for row, reason in self._prediction.put(start, columns[outer["prediction"]]):
                self._rejects.setdefault(row, []).append(reason)
        if "latency_ms" in outer:
            self._latency.put(start, columns[outer["latency_ms"]])
        if "error" in outer:
            errors = columns[outer["error"]]
            if errors.count(None) != size:
                self._errors[start : start + size] = [bool(error) for error in errors]
        if "sampled_rate" in outer:
            rates = columns[outer["sampled_rate"]]
            if rates.count(None) != size:
                self._misfits.update(start + row for row, rate in enumerate(rates) if not _is_rate(rate))
                self._own_rates()[start : start + size] = [rate if rate and _is_rate(rate) else 1 for rate in rates]

    def _segment_column(self, name: str, columns: Columns, start: int, size: int) -> list[str | None]:
        place, inner = self._typed.outer.get("segments"), self._typed.segments.get(name)
        if place is None or inner is None:
            return [None] * size
        known = self._segment_texts
        texts: list[str | None] = []
        for row, segments in enumerate(columns[place], start):
            value: Tree = msgspec.structs.astuple(segments)[inner]
            if type(value) is int and value not in _INT64:
                self._misfits.add(row)
            key = (type(value), value)
            if key not in known:
                known[key] = read_segment(value)
            text, reject = known[key]
            texts.append(text)
            if reject is not None:
                self._rejects.setdefault(row, []).append(reject)
        return texts

    def _own_rates(self) -> Int64:
        if self._rates is None:
            self._rates = np.ones(self._size, dtype=np.int64)
        return self._rates


def _decode(typed: TypedEvents, values: Sequence[bytes]) -> tuple[Columns, list[int]]:
    """Return the fields of events as columns, and the rows that do not fit: a blank event stands for them."""
    rows: list[tuple[Any, ...]] = []
    refused: list[int] = []
    pending = iter(values)
    while True:
        try:
            rows.extend(map(msgspec.structs.astuple, map(typed.decode, pending)))  # what came before an exception stays
        except _REFUSALS:
            refused.append(len(rows))
            rows.append(typed.blank)
        else:
            return list(zip(*rows, strict=True)), refused


def _readable(values: Sequence[bytes | None], max_bytes: int, *, whole: bool) -> Sequence[bytes]:
    """Return values that the typed decoder may see; an empty one, which it refuses, stands for the others."""
    if not whole:
        try:
            if max(map(len, cast("Sequence[bytes]", values))) <= max_bytes:
                return cast("Sequence[bytes]", values)  # no tombstone: each has a length
        except TypeError:
            pass
    return [
        b"" if value is None or len(value) > max_bytes or (whole and not _is_plain(value)) else value
        for value in values
    ]


def _is_plain(value: bytes) -> bool:
    """Say whether content that is skipped unread can hide nothing: the value is UTF-8 and surely not too deep."""
    if value.count(b"[") + value.count(b"{") > MAX_DEPTH:
        return False
    if value.isascii():
        return True
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def _bounded(column: Column | None, most: float) -> tuple[Column | None, int]:
    """Return a column with numbers below 0 or above `most` left out, and how many these are."""
    if not isinstance(column, NumericColumn):
        return column, 0
    outside = (column.values < 0.0) | (column.values > most)
    if not outside.any():
        return column, 0
    invalid = outside if column.invalid is None else column.invalid | outside
    values = np.where(outside, np.nan, column.values)
    return NumericColumn(values, column.absent, invalid, column.others), int(np.count_nonzero(outside))


def _is_version(version: str | int) -> bool:
    if isinstance(version, int):
        return version in _INT64
    return check_name(version, "version") is None


def _is_rate(rate: int | None) -> bool:
    return rate is None or 1 <= rate <= SAMPLED_RATE_LIMIT


def _is_container(raw: msgspec.Raw) -> bool:
    return bytes(memoryview(raw)[:1]) in {b"[", b"{"}


_UNIQUE = frozenset({"event_id", "timestamp", "features", "prediction", "segments", "model"})
"""Fields whose texts hardly repeat, or that hold none of their own."""

_ERRORS: tuple[Cell, ...] = (False, True, INVALID)
"""Cells of `serving_error`."""
