"""Automatic references: the first rows of a model version, gathered from closed panes until there are enough.

What is gathered is a function of the panes alone: whole panes in order, of the last one the rows of smallest hash. Two
judges, or one that was restored, make the same document with the same id.

A feature that fewer than one row in a hundred names is left out: names that come and go must not fill the baseline. A
reference that cannot be made is tried again on fresh rows, and so is one that was made and did not become active.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum

import numpy as np

from stream_monitor.core.baseline import Baseline, BaselineError, Origin, OriginType, ReferenceTable, build_baseline
from stream_monitor.core.grid import SMALLEST_REFERENCE
from stream_monitor.core.names import FEATURE_PREFIX, feature_of
from stream_monitor.core.plan import DAY_MS, HOUR_MS, MINUTE_MS, LimitsPlan
from stream_monitor.core.profile import Example, Profile

RARE = 0.01
"""A feature that a smaller share of the rows names is left out of an automatic reference."""

MOST_LEFT_OUT = 100
"""Names that are kept of those that were left out: enough to see what they are."""

_LONGEST_WAIT_MS = DAY_MS
_AFTER_FAILURE_MS = MINUTE_MS
_AFTER_PROPOSAL_MS = HOUR_MS
"""Longer than it takes until a proposed reference is active, however late its events come."""


class WarmUpFailure(StrEnum):
    """Why an automatic reference could not be made."""

    TOO_FEW_VALUES = "too_few_values"
    """No series had 63 values among the rows."""
    TOO_FEW_ROWS = "too_few_rows"
    """A reference needs 63 rows."""

    @property
    def words(self) -> str:
        """The reason in words."""
        what = "values of any series" if self is WarmUpFailure.TOO_FEW_VALUES else "rows"
        return f"fewer than {SMALLEST_REFERENCE} {what} among them"


class WarmUp:
    """Rows of one (model, version) that wait to become a reference.

    Attributes:
        wanted: rows of a reference.
        since_ms: start of the first pane that was to be gathered: since when the series wait.
        rows: what has been gathered, pane by pane, within a pane in the order of partitions and offsets.
        events: rows of the gathered panes, of which those are a sample.
        from_ms, to_ms: event time of the gathered panes, None before the first.
        attempts: how often there were enough rows.
        failure: why the last of these attempts gave no reference; None if it gave one, or there was none yet.
        left_out: features of the last attempt that were too rare, sorted; at most a hundred.
        resume_ms: panes before this instant are not gathered: the last attempt is waited for, or it failed.
    """

    def __init__(self, model: str, version: str, wanted: int, since_ms: int = 0) -> None:
        self.model = model
        self.version = version
        self.wanted = wanted
        self.since_ms = since_ms
        self.rows: list[Example] = []
        self.events = 0
        self.from_ms: int | None = None
        self.to_ms: int | None = None
        self.attempts = 0
        self.failure: WarmUpFailure | None = None
        self.left_out: tuple[str, ...] = ()
        self.resume_ms: int | None = None

    @property
    def share(self) -> float:
        """Gathered over wanted rows, 0 to 1; 1 while a reference that was made is waited for."""
        waiting = self.resume_ms is not None and self.failure is None
        return 1.0 if waiting else len(self.rows) / self.wanted

    @property
    def share_of_events(self) -> float:
        """Gathered rows over all rows of their panes, above 0 and at most 1."""
        return len(self.rows) / max(1, self.events, len(self.rows))

    def gather(self, profile: Profile, limits: LimitsPlan, beside: Sequence[Baseline] = ()) -> Baseline | None:
        """Take the rows of a closed pane; return the reference once there are enough.

        Args:
            profile: of the pane.
            limits: how many features, categories and segments there may be.
            beside: references that exist; what is made holds what they do not have, and may be empty then.
        """
        start_ms = profile.key.pane_ms
        if self.resume_ms is not None:
            if start_ms < self.resume_ms:
                return None
            self.resume_ms = None
        usable = [row for row in profile.examples if row.values is not None and row.tie is not None]
        taken = usable[: self.wanted - len(self.rows)]
        self.rows += sorted(taken, key=lambda row: (row.topic, row.partition, row.offset))
        self.events += profile.events
        if self.from_ms is None:
            self.from_ms = start_ms
        self.to_ms = start_ms + profile.key.pane_length_ms
        if len(self.rows) < self.wanted:
            return None
        made = self._made(limits, beside)
        self._begin_anew()
        return made

    def _made(self, limits: LimitsPlan, beside: Sequence[Baseline]) -> Baseline | None:
        """Return the reference of the gathered rows, None if it cannot be made."""
        origin = Origin(OriginType.FIRST_EVENTS, len(self.rows), self.from_ms, self.to_ms)
        table, self.left_out = without_rare(reference_table(self.rows, self.share_of_events), self.rows, limits)
        self.failure = None
        try:
            made = build_baseline(self.model, self.version, table, origin=origin, limits=limits)
        except BaselineError:  # of the rules of `build_baseline` only that one is left
            self.failure = WarmUpFailure.TOO_FEW_ROWS
            return None
        if beside:
            return made.beside(beside)
        if not made.series:
            self.failure = WarmUpFailure.TOO_FEW_VALUES
            return None
        return made

    def _begin_anew(self) -> None:
        """Let go of the rows; the next attempt waits, twice as long each time, so that a hopeless one costs little."""
        first_ms = _AFTER_PROPOSAL_MS if self.failure is None else _AFTER_FAILURE_MS
        assert self.to_ms is not None
        self.resume_ms = self.to_ms + min(first_ms << min(self.attempts, 16), _LONGEST_WAIT_MS)
        self.attempts += 1
        self.rows, self.events, self.from_ms, self.to_ms = [], 0, None, None


def without_rare(
    table: ReferenceTable, rows: Sequence[Example], limits: LimitsPlan
) -> tuple[ReferenceTable, tuple[str, ...]]:
    """Return a table without the features that few rows name, and which these are, sorted.

    Of more features than a model may have the most frequent stay.
    """
    named = Counter[str]()
    for row in rows:
        named.update(name for name in (*(row.values or {}), *row.invalid) if name.startswith(FEATURE_PREFIX))
    frequent = sorted(
        (name for name in named if named[name] >= RARE * len(rows)), key=lambda name: (-named[name], name)
    )
    kept = set(frequent[: limits.features])
    left_out = sorted(feature_of(name) or name for name in named if name not in kept)[:MOST_LEFT_OUT]
    columns = {name: column for name, column in table.columns.items() if name not in named or name in kept}
    return replace(table, columns=columns), tuple(left_out)


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
