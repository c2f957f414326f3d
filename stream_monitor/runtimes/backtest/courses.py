"""The first rows of a file, gathered by model and version: what its seasons and its dependence are measured on."""

from __future__ import annotations

from stream_monitor.core.study.repetition import Courses
from stream_monitor.core.study.survey import Key
from stream_monitor.formats.tables.reference import ReferenceRows
from stream_monitor.runtimes.backtest.surveying import Rows

_MOST_ROWS = 100_000
"""Rows that are looked at: a longer file has a reference of 10,000 rows, which sees what this many do not."""


def courses(rows: Rows, *, timed: bool = False) -> Courses:
    """Read the first rows of a file, in the order of time; `timed` ones say at which hours they happened, too."""
    gathered: dict[Key, ReferenceRows] = {}
    read = 0
    for piece in rows.batches():
        for group in piece.batch.groups:
            own = gathered.setdefault((group.model, group.version), ReferenceRows(most=2 * _MOST_ROWS))
            own.add(group, piece.batch.event_ms[group.rows])
        read = piece.next_offset
        if read >= _MOST_ROWS:
            break
    return {key: own.reference(*key, timed=timed, ordered=True).table for key, own in sorted(gathered.items())}
