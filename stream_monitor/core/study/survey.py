"""What a first look at the rows of a file found: how many, when, in what order, what is missing or unreadable."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from stream_monitor.core.arrays import Int64
from stream_monitor.core.batch import Batch, Reject

Key = tuple[str, str]
"""Model and version."""

_GAPS = 5.0
_COARSE = 5
_NICE_MS = (
    *(1, 2, 5, 10, 20, 50, 100, 200, 500),
    *(s * 1_000 for s in (1, 2, 5, 10, 15, 30)),
    *(m * 60_000 for m in (1, 2, 5, 10, 15, 30)),
    *(h * 3_600_000 for h in (1, 2, 3, 6, 12)),
    *(d * 86_400_000 for d in (1, 2, 7, 14, 28, 56, 112, 364, 728, 3_640)),
)
_PLACE = re.compile(r"^(line|row|\S+ offset) [\d,]+: ")
_KINDS_SHOWN = 5


class TooManyRejects(ValueError):
    """So many rows cannot be read that the others would not tell what the file is; the message says what they lack."""


@dataclass(slots=True)
class Rejected:
    """The rows that cannot be read, by what is wrong with them.

    Attributes:
        read: rows in all.
        kinds: count and first message of each kind.
    """

    read: int = 0
    kinds: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)

    def add(self, batch: Batch) -> None:
        """Take the rejects of a batch."""
        self.read += batch.read - batch.tombstones
        for reject in batch.rejects:
            self._add(reject)

    def _add(self, reject: Reject) -> None:
        kind = (str(reject.reason), _PLACE.sub("", reject.message).split(", got")[0])
        count, first = self.kinds.get(kind, (0, reject.message))
        self.kinds[kind] = (count + 1, first)

    @property
    def count(self) -> int:
        """How many there are."""
        return sum(count for count, _ in self.kinds.values())

    @property
    def words(self) -> str:
        """What is wrong with them, most frequent first, each with its first example."""
        ranked = sorted(self.kinds.items(), key=lambda item: (-item[1][0], item[0]))
        parts = [f"{count:,} x {reason} ({first})" for (reason, _), (count, first) in ranked[:_KINDS_SHOWN]]
        more = sum(count for _, (count, _) in ranked[_KINDS_SHOWN:])
        return "; ".join(parts) + (f"; {more:,} others" if more else "")

    def check(self, name: str, *, max_share: float) -> None:
        """Raise if no row, or fewer than the share that may be left out, can be read.

        Raises:
            TooManyRejects: with the reasons and what to do.
        """
        if not self.read or self.count <= max_share * self.read < self.read:
            return
        if self.count == self.read:
            raise TooManyRejects(f"{name}: none of {self.read:,} rows can be read: {self.words}")
        if self.count > max_share * self.read:
            raise TooManyRejects(
                f"{name}: {self.count:,} of {self.read:,} rows cannot be read, and dead_letters.max_share allows"
                f" {max_share:.0%}: {self.words}; mend them, or judge the others with --set dead_letters.max_share=1"
            )


@dataclass(frozen=True, slots=True)
class Survey:
    """What a first look at the rows says.

    Attributes:
        times_ms: event time of every row that has one, in the order of the file, shape (n,).
        models: rows of each model and version.
        filled: share of values that are there, by series, in the first rows.
        gappy: series that lack a value, or hold one of another type, in any row.
        offsets: where each of the rows is in the file; None if no row was left out.
        rejected: the rows that were.
        values: how many there are in all rows, by series.
        labelled_to_ms: when the last row happened that has a label; None if none has.
    """

    times_ms: Int64
    models: Mapping[Key, int]
    filled: Mapping[str, float]
    gappy: frozenset[str] = frozenset()
    offsets: Int64 | None = None
    rejected: Rejected = field(default_factory=Rejected)
    values: Mapping[str, int] = field(default_factory=dict)
    labelled_to_ms: int | None = None

    @property
    def positions(self) -> Int64:
        """Where each row stands in the order of time: in the file, with the rows that are left out, if it is in that
        order.
        """
        return np.arange(self.rows) if self.offsets is None or self.disorder_ms else self.offsets

    @property
    def file_rows(self) -> Int64:
        """The number in the file of each row, in the order of time; rows of equal time keep the order of the file."""
        offsets = np.arange(self.rows) if self.offsets is None else self.offsets
        return offsets[np.argsort(self.times_ms, kind="stable")] if self.disorder_ms else offsets

    @property
    def rows(self) -> int:
        """Rows that have a time."""
        return int(self.times_ms.size)

    @property
    def disorder_ms(self) -> int:
        """How far a row lies behind the newest one before it, at most."""
        if not self.rows:
            return 0
        return int((np.maximum.accumulate(self.times_ms) - self.times_ms).max())

    @property
    def span_ms(self) -> int:
        """From the oldest row to the newest."""
        return int(self.times_ms.max() - self.times_ms.min()) if self.rows else 0

    @property
    def step_ms(self) -> int | None:
        """From row to row, if they come evenly; None if they do not."""
        steps = np.diff(np.sort(self.times_ms))
        even = steps.size and (steps == steps[0]).all() and steps[0] > 0
        return int(steps[0]) if even else None

    def pane_ms(self, pane_rows: int) -> int:
        """Return the round span that holds about that many rows, if rows came evenly."""
        wanted = max(1.0, self.span_ms * pane_rows / max(self.rows - 1, 1))
        return min(_NICE_MS, key=lambda nice: abs(np.log(nice / wanted)))

    def has_gaps(self, pane_ms: int) -> bool:
        """Say whether most panes of that length would be empty."""
        filled = np.unique(self.times_ms // pane_ms).size
        return self.span_ms / pane_ms > _GAPS * max(filled, 1)

    def is_coarse(self, pane_rows: int) -> bool:
        """Say whether rows in order share so few time stamps that panes would hold far more rows than that."""
        return not self.disorder_ms and np.unique(self.times_ms).size * pane_rows * _COARSE < self.rows

    @property
    def is_monthly(self) -> bool:
        """Say whether rows come in order, one in every so many months: evenly by the calendar, unevenly in time."""
        months = self.times_ms.astype("datetime64[ms]").astype("datetime64[M]").astype(np.int64)
        steps = np.diff(months)
        return bool(steps.size and steps[0] > 0 and (steps == steps[0]).all())

    @property
    def least_filled(self) -> float:
        """Share of values in the emptiest series that is at least half filled."""
        return min((share for share in self.filled.values() if share >= 0.5), default=1.0)
