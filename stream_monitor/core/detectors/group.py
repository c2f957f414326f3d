"""What the judge may ask of a detector: all series that share a layout are stepped together, one pane at a time.

A detector is described by a frozen spec (its parameters, its `fingerprint`) and built for a layout; the group that
comes out holds one row a series. Layouts: m for numeric grids (`core.grid.spacings(m)` gives the bins), the number of
bins for categorical and binary series, 1 for counts.

A series may be judged by *strata*, such as the hours of a day: every pane belongs to one, each has a reference and a
null of its own, and one sum of evidence goes through all of them. `E[e | past] = 1` holds stratum by stratum, so the
promise is the same. One stratum is the plain case. How many there are is part of the spec: `strata`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from stream_monitor.core.arrays import Float64, Int64, Intp


@dataclass(frozen=True, slots=True)
class SeriesReference:
    """What a detector knows of a series before the first pane.

    Attributes:
        counts: events of the whole reference per bin of the layout (numeric: spacings + seen; binary: false, true;
            categorical: categories in baseline order, other, unseen; demand: empty, it learns its own).
        unseen: categorical only, `(k, m)`: k of m reference rows held a category that the other half of the rows has
            not.
        unlisted: categorical only, the same pair for "not in the list of categories", where the list was cut: then
            `other` and `unseen` together are tested against it. None when every known category is listed.
        unseen_in_other: categorical only, an unknown category is counted in `other`, because the names pooled there
            were not kept.
        design_effect: by how much the series' dependence inflates the variance of its counts; 1 for independent events.
    """

    counts: Int64
    unseen: tuple[int, int] = (0, 0)
    unlisted: tuple[int, int] | None = None
    unseen_in_other: bool = False
    design_effect: float = 1.0


def series_seed(references: Sequence[SeriesReference]) -> int:
    """Return a seed that stays with a series: it follows from its reference in all strata."""
    counts = np.stack([reference.counts for reference in references]).astype("<i8")
    return int.from_bytes(hashlib.blake2b(counts.tobytes(), digest_size=7).digest(), "big")


class ChangeRange(NamedTuple):
    """When the change began: 5, 50 and 95 % points of the posterior, as positions in the panes that were given.

    A negative position means so many panes before the first of them.
    """

    first: int
    median: int
    last: int

    def among(self, positions: Intp) -> ChangeRange:
        """Return the range in other positions: i becomes positions[i], and what is before them stays so."""
        return ChangeRange(*(int(positions[i]) if i >= 0 else i for i in self))


class UnusableStateError(ValueError):
    """The bytes are not a state of this detector: broken, of another format, or of other parameters.

    The caller builds the detector without it and folds the log again.
    """


class DetectorGroup(Protocol):
    """Detectors of all series of one layout, stepped together.

    `M` of a row is a Shiryaev-Roberts sum: with no drift, alarming and restarting at M >= A gives at most n/A alarms
    in n panes in expectation. Detectors without evidence give +inf in the pane of their alarm and -inf otherwise, so
    that every threshold in between means the same.
    """

    @property
    def guarantee(self) -> str:
        """What the budget promises with this detector: `bound`, `calibrated`, `approximate:<reason>`."""
        ...

    def add(self, *references: SeriesReference) -> int:
        """Start a series, with the reference of each of its strata, and return its row: the smallest free one."""
        ...

    def remove(self, row: int) -> None:
        """Forget a series; its row is used again."""
        ...

    def step(self, rows: Intp, counts: Int64, stratum: int = 0) -> Float64:
        """Take one pane of distinct series and return log M (nats) after it, shape (rows,).

        Args:
            rows: the rows, shape (k,).
            counts: their events per bin, shape (k, bins). A row whose pane is empty does not step: a silent series
                would alarm by its silence alone. Demand is the exception, there silence is data.
            stratum: the one that the pane belongs to.
        """
        ...

    def log_evidence(self, rows: Intp) -> Float64:
        """Return log M (nats) of rows after their last pane."""
        ...

    def warming_up(self, row: int) -> bool:
        """Say whether the row still collects a reference of its own and cannot alarm yet."""
        ...

    def restart(self, row: int) -> None:
        """Set M to 0: after an alarm, or at the end of an episode."""
        ...

    def absorb(self, row: int, counts: Int64, stratum: int = 0) -> None:
        """Let a null learn counts that were not stepped: the panes of an episode that turned out negligible."""
        ...

    def forget(self, row: int, counts: Int64, stratum: int = 0) -> None:
        """Take counts out of a null again: the panes of a change that is over."""
        ...

    def change_range(self, row: int, panes: Int64, strata: Intp | None = None) -> ChangeRange:
        """Return when the change began; to be asked at the alarm, before `restart`.

        Args:
            row: the row that alarmed.
            panes: the last h panes that were given to `step`, oldest first, empty ones included, shape (h, bins).
            strata: what each pane belongs to, shape (h,); None where there is one stratum.
        """
        ...

    def dump(self) -> bytes:
        """Return the state; a group built from it continues to the bit."""
        ...


class DetectorSpec(Protocol):
    """A detector by its parameters."""

    @property
    def fingerprint(self) -> str:
        """Names class, format and every parameter: another fingerprint means that an old state is left behind."""
        ...

    @property
    def strata(self) -> int:
        """How many references a series has."""
        ...

    def build(self, layout: int, state: bytes | None = None) -> DetectorGroup:
        """Return an empty group, or the one whose `dump` is given.

        Raises:
            UnusableStateError: the state is broken, or of another spec or layout.
        """
        ...
