"""Predictions of a run of events, in the form that their shape has, and the confidence that goes with them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

import msgspec
import numpy as np

from stream_monitor.core.arrays import Float64, Intp
from stream_monitor.core.batch import ABSENT, Cell, Column
from stream_monitor.core.names import ValueReject
from stream_monitor.formats.event import SUM_TOLERANCE, read_prediction
from stream_monitor.formats.shape import PredictionForm, TypedEvents
from stream_monitor.formats.sinks import CodeSink, NumberSink, PlainSink, Sink, packer

_NEAR = 1e-9
"""Sums of probabilities this near to the tolerance are left to the exact reader, which adds without rounding."""


class PredictionSink:
    """Gathers predictions in the form that the shape has, and the confidence that goes with them."""

    def __init__(self, typed: TypedEvents, size: int) -> None:
        self.confidence = NumberSink(size)
        self._form = typed.prediction
        self._class_type = typed.class_type
        self._classes = typed.classes
        self._table: Float64 = np.empty((0, 0))
        self._without: list[int] = []
        self._sink: Sink
        match self._form:
            case PredictionForm.NUMBER:
                self._sink = NumberSink(size)
            case PredictionForm.CODE:
                self._sink = CodeSink(size)
            case PredictionForm.CLASSES:
                self._sink = CodeSink(size)
                self._table = np.empty((size, len(self._classes)))
            case PredictionForm.PLAIN | PredictionForm.NONE:
                self._sink = PlainSink(size)

    def put(self, start: int, predictions: Sequence[Any]) -> list[tuple[int, ValueReject]]:
        """Set the predictions of a block; return the rows whose prediction had to be left out, and why."""
        match self._form:
            case PredictionForm.CLASSES:
                self._put_classes(start, predictions)
            case PredictionForm.PLAIN:
                return self._put_plain(start, predictions)
            case PredictionForm.NUMBER | PredictionForm.CODE | PredictionForm.NONE:
                self._sink.put(start, predictions)
        return []

    def settle(self, rows: int) -> set[int]:
        """Choose the classes of that many rows; return the rows whose probabilities the exact reader must judge.

        These are none, or so near to the tolerance that rounding could decide.
        """
        if self._form is not PredictionForm.CLASSES:
            return set()
        assert isinstance(self._sink, CodeSink)
        order = sorted(range(len(self._classes)), key=lambda place: self._classes[place])
        table = np.ascontiguousarray(self._table[:rows].T[order])
        fit = np.abs(table.sum(axis=0) - 1.0) < SUM_TOLERANCE - _NEAR
        fit &= (table.min(axis=0) >= 0.0) & (table.max(axis=0) <= 1.0)
        largest, best = table[0], np.zeros(rows, dtype=np.intp)
        for place in range(1, len(table)):  # strictly larger: of equal ones the smallest name stays
            better = table[place] > largest
            best[better] = place
            largest = np.maximum(largest, table[place])
        codes = np.array([self._sink.code(self._classes[place]) for place in order], dtype=np.intp)
        given = self.confidence.values[:rows]
        if fit.all():
            self._sink.codes[:rows] = codes[best]
            np.copyto(given, largest, where=~np.isfinite(given))
            return set()
        self._sink.codes[:rows][fit] = codes[best[fit]]
        np.copyto(given, largest, where=fit & ~np.isfinite(given))
        return set(np.flatnonzero(~fit).tolist()) - set(self._without)

    def patch(self, row: int, prediction: Cell, confidence: Cell) -> None:
        """Set one row."""
        self._sink.patch(row, prediction)
        self.confidence.patch(row, confidence)

    def column(self, rows: Intp | None) -> Column | None:
        """Return the predictions of some rows, or of all."""
        return self._sink.column(rows)

    def _put_plain(self, start: int, predictions: Sequence[Any]) -> list[tuple[int, ValueReject]]:
        rejects: list[tuple[int, ValueReject]] = []
        for row, value in enumerate(predictions, start):
            if value is ABSENT:
                continue
            read = read_prediction(value)
            self._sink.patch(row, read.cell)
            if read.confidence is not None and not np.isfinite(self.confidence.values[row]):
                self.confidence.values[row] = read.confidence
            if read.reject is not None:
                rejects.append((row, read.reject))
        return rejects

    def _put_classes(self, start: int, predictions: Sequence[Any]) -> None:
        try:
            self._put_probabilities(start, predictions)
        except TypeError:  # not all of them are probabilities
            self._sink.put(start, [None if value is None else ABSENT for value in predictions])
            self._table[start : start + len(predictions)] = np.nan
            for row, value in enumerate(predictions):
                if type(value) is self._class_type:
                    self._put_probabilities(start + row, [value])
                else:
                    self._without.append(start + row)

    def _put_probabilities(self, start: int, predictions: Sequence[Any]) -> None:
        flat = chain.from_iterable(map(msgspec.structs.astuple, predictions))
        width = len(self._classes)
        packer("d", len(predictions) * width)(self._table, start * width * 8, *flat)
