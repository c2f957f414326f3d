"""The automatic baseline: the first rows of a model version, gathered from closed panes until there are enough.

What is gathered is a function of the panes alone: whole panes in order, of the last one the rows of smallest hash. Two
judges, or one that was restored, make the same document with the same id.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stream_monitor.core.baseline import Baseline, BaselineError, Origin, OriginType, ReferenceTable, build_baseline
from stream_monitor.core.plan import LimitsPlan
from stream_monitor.core.profile import Example, Profile


class WarmUp:
    """Rows of one (model, version) that wait to become its baseline.

    Attributes:
        wanted: rows of a baseline.
        rows: what has been gathered, pane by pane, within a pane in the order of partitions and offsets.
        events: rows of the gathered panes, of which those are a sample.
        from_ms, to_ms: event time of the gathered panes, None before the first.
    """

    def __init__(self, model: str, version: str, wanted: int) -> None:
        self.model = model
        self.version = version
        self.wanted = wanted
        self.rows: list[Example] = []
        self.events = 0
        self.from_ms: int | None = None
        self.to_ms: int | None = None

    @property
    def share(self) -> float:
        """Gathered over wanted rows, 0 to 1."""
        return len(self.rows) / self.wanted

    @property
    def share_of_events(self) -> float:
        """Gathered rows over all rows of their panes, above 0 and at most 1."""
        return len(self.rows) / max(1, self.events, len(self.rows))

    @property
    def is_full(self) -> bool:
        """Say whether enough was gathered, whatever became of it."""
        return len(self.rows) >= self.wanted

    def gather(self, profile: Profile, limits: LimitsPlan) -> Baseline | None:
        """Take the rows of a closed pane; return the baseline once there are enough.

        A baseline that cannot be made (fewer rows than a grid needs, more features than allowed) is None: the series
        stay in warm-up.
        """
        usable = [row for row in profile.examples if row.values is not None and row.tie is not None]
        taken = usable[: self.wanted - len(self.rows)]
        self.rows += sorted(taken, key=lambda row: (row.topic, row.partition, row.offset))
        self.events += profile.events
        if self.from_ms is None:
            self.from_ms = profile.key.pane_ms
        self.to_ms = profile.key.pane_ms + profile.key.pane_length_ms
        if not self.is_full:
            return None
        origin = Origin(OriginType.FIRST_EVENTS, len(self.rows), self.from_ms, self.to_ms)
        try:
            return build_baseline(
                self.model, self.version, reference_table(self.rows, self.share_of_events), origin=origin, limits=limits
            )
        except BaselineError:
            return None


_UNCOUNTABLE = ()
"""Stands for a value that cannot be counted: not missing, and of no kind."""


def reference_table(rows: Sequence[Example], share: float = 1.0) -> ReferenceTable:
    """Return warm-up rows, a share of what happened, as columns; a series that a row does not name is missing there."""
    names = sorted({name for row in rows for name in (*(row.values or {}), *row.invalid)})
    segments = sorted({name for row in rows for name in row.segments})
    return ReferenceTable(
        columns={name: [_cell(row, name) for row in rows] for name in names},
        select=np.array([row.hash for row in rows], dtype=np.uint64),
        tie=np.array([row.tie or 0 for row in rows], dtype=np.int64),
        happened=np.arange(len(rows), dtype=np.int64),
        share=share,
        segments={name: [row.segments.get(name) for row in rows] for name in segments},
    )


def _cell(row: Example, name: str) -> object:
    return _UNCOUNTABLE if name in row.invalid else (row.values or {}).get(name)
