"""BetaBernoulli: does the share of true events still follow what is known of it?

For yes/no columns of files, above all the errors of a classifier. Unlike IntervalBernoulli it learns: the null is a
Beta law that grows sharper with every pane. Of 400 reference events at an error rate of .1 nobody can tell .1 from .2
by an interval; with what came after them it takes 260 events. What it costs: a slow drift is learnt, and the promise is
measured, not proved.

>>> import numpy as np
>>> group = BetaBernoulli().build()
>>> row = group.add(SeriesReference(np.array([90, 10])))
>>> round(float(group.step(np.array([row]), np.array([[50, 50]]))[0]))
15
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from stream_monitor.core.detectors.beta_group import BetaGroup, Share
from stream_monitor.core.detectors.group import SeriesReference
from stream_monitor.core.detectors.strata import suffix


class Direction(StrEnum):
    """Which changes of the share are tested: `up` where fewer is never worse (an unseen category)."""

    BOTH = "both"
    UP = "up"


@dataclass(frozen=True, slots=True)
class BetaBernoulli:
    """The detector by its parameters.

    Attributes:
        direction: tested changes.
        strata: references of a series.
    """

    direction: Direction = Direction.BOTH
    strata: int = 1

    @property
    def fingerprint(self) -> str:
        """Class, format and parameters."""
        return f"beta_bernoulli/1/{self.direction}{suffix(self.strata)}"

    def build(self, layout: int = 2, state: bytes | None = None) -> BetaGroup:
        """Return a group of binary series; the layout is always two bins, false and true."""
        if layout != 2:
            raise ValueError(f"layout: beta_bernoulli counts false and true, 2 bins, got {layout}")
        return BetaGroup(self, 2, most_parts=1, state=state)

    def parts(self, reference: SeriesReference, whole: SeriesReference) -> list[Share]:
        """Return the true events; `reference.counts` are (false, true)."""
        false, true = (int(count) for count in reference.counts)
        return [Share(1, 1, true, false, self.direction is Direction.BOTH)]
