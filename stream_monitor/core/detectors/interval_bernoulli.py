"""IntervalBernoulli: has the share of true events left the interval that the reference allows?

For missing and invalid values, unseen categories, errors and other yes/no series. Nothing is learnt: the null is an
interval for the share, fixed by the reference, so the test is right also for shares that wander inside it, and slow
drift is not absorbed.

Promise: expected alarms in n panes at most n/A, except with probability `miss` over the reference.

>>> import numpy as np
>>> group = IntervalBernoulli().build()
>>> row = group.add(SeriesReference(np.array([990, 10])))
>>> round(float(group.step(np.array([row]), np.array([[50, 50]]))[0]))
60

Sources: Clopper & Pearson (1934), doi:10.1093/biomet/26.4.404; Shin, Ramdas & Rinaldo (2024), arXiv:2203.03532.
"""

from __future__ import annotations

from dataclasses import dataclass

from stream_monitor.core.detectors.group import SeriesReference
from stream_monitor.core.detectors.interval_group import IntervalGroup, Part
from stream_monitor.core.detectors.interval_limits import clopper_pearson
from stream_monitor.core.detectors.strata import suffix


@dataclass(frozen=True, slots=True)
class IntervalBernoulli:
    """The detector by its parameters.

    Attributes:
        upward: what rises of the share have of `miss` and of the evidence: a half where falls matter as much, all of it
            where fewer is never worse (an unseen category).
        tolerance: a change of the share nobody minds, added to the interval on both sides.
        miss: probability that the reference's interval does not hold the true share; of a deployment's 0.001 a series
            gets its weight.
        strata: references of a series, each with its share of `miss`.
    """

    upward: float = 0.5
    tolerance: float = 0.0
    miss: float = 1e-3
    strata: int = 1

    @property
    def fingerprint(self) -> str:
        """Class, format and parameters."""
        return f"interval_bernoulli/2/{self.upward!r}/{self.tolerance!r}/{self.miss!r}{suffix(self.strata)}"

    def build(self, layout: int = 2, state: bytes | None = None) -> IntervalGroup:
        """Return a group of binary series; the layout is always two bins, false and true."""
        if layout != 2:
            raise ValueError(f"layout: interval_bernoulli counts false and true, 2 bins, got {layout}")
        return IntervalGroup(self, 2, most_parts=1, state=state)

    def parts(self, reference: SeriesReference, whole: SeriesReference | None = None) -> list[Part]:
        """Return the interval of the true events; `reference.counts` are (false, true)."""
        false, true = (float(count) / reference.design_effect for count in reference.counts)
        miss = self.miss / self.strata
        limits = clopper_pearson(true, false + true, miss=miss, upward=self.upward)
        return [Part(1, 1, limits.widened(self.tolerance))]
