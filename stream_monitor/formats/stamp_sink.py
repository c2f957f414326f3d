"""Time stamps of a run of events: gathered as text, block by block, and read all at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np

from stream_monitor.core.arrays import Int64
from stream_monitor.formats.stamps import instants_of, instants_of_text

FARTHEST_MS = 2**53
"""Instants beyond are out of range wherever a record stands, and would not fit into arithmetic on 64 bits."""


class StampSink:
    """Gathers time stamps as text, block by block, and reads them all at once."""

    def __init__(self) -> None:
        self._blocks: list[tuple[int, int, str | Sequence[str | int | None]]] = []
        self._times: Int64 = np.empty(0, dtype=np.int64)
        self._without: set[int] = set()

    def put(self, start: int, stamps: Sequence[str | int | None]) -> None:
        """Take the stamps of a block; those of one length are kept as one text."""
        texts = cast("Sequence[str]", stamps)
        try:
            lengths = set(map(len, texts))
        except TypeError:  # numbers, or none
            lengths = set()
        if len(lengths) == 1 and 0 not in lengths:
            self._blocks.append((start, max(lengths), "".join(texts)))
        else:
            self._blocks.append((start, 0, stamps))

    def settle(self, rows: int) -> set[int]:
        """Read the stamps of that many rows; return the rows whose stamp is none."""
        bad: set[int] = set()
        self._times = np.zeros(rows, dtype=np.int64)
        if not self._blocks:
            self._without = set(range(rows))
        for length in sorted({length for _, length, _ in self._blocks}):
            blocks = [(start, stamps) for start, own, stamps in self._blocks if own == length]
            if length:
                found, unread = instants_of_text("".join(cast("list[str]", [text for _, text in blocks])), length)
                places = np.concatenate([np.arange(start, start + len(text) // length) for start, text in blocks])
                self._times[places] = found
                bad.update(places[unread].tolist())
                continue
            for start, stamps in blocks:
                found, unread = _instants(stamps)
                self._times[start : start + len(stamps)] = found
                bad.update(start + row for row in unread)
                self._without.update(start + row for row, stamp in enumerate(stamps) if stamp is None)
        return bad

    def times(self, record_ms: Int64) -> tuple[Int64, set[int]]:
        """Return the instants, the record's where a row has no stamp, and the rows without one."""
        if self._without:
            rows = sorted(self._without)
            self._times[rows] = record_ms[rows]
        return self._times, set(self._without)


def _instants(stamps: Sequence[str | int | None]) -> tuple[Int64, list[int]]:
    """Return epoch milliseconds (0 for None), and the positions of stamps that are none."""
    kinds = set(map(type, stamps))
    if kinds == {str}:
        return instants_of(cast("Sequence[str]", stamps))  # by the line above
    times = np.zeros(len(stamps), dtype=np.int64)
    if kinds == {int}:
        numbers = cast("Sequence[int]", stamps)  # by the line above
        if -min(numbers) <= FARTHEST_MS and max(numbers) <= FARTHEST_MS:
            times[:] = numbers
            return times, []
    bad: list[int] = []
    for row, stamp in enumerate(stamps):
        if isinstance(stamp, int) and abs(stamp) <= FARTHEST_MS:
            times[row] = stamp
        elif isinstance(stamp, str):
            found, unread = instants_of([stamp])
            times[row] = found[0]
            bad += [row] * len(unread)
        elif stamp is not None:
            bad.append(row)
    return times, bad
