"""ToleranceShiryaevRoberts: has any of five cut points moved by more than a tolerated share?

With a million events a day every exact test finds a shift of .02 standard deviations. Here the null is composite: the
share of events below each cut lies within what the reference allows, plus or minus a tolerance. Nothing is learnt, so
slow drift is not absorbed, and the promise holds for one given reference and for any path inside the tolerance.

Promise: expected alarms in n panes at most n/A, except with probability `miss` over the reference. At m = 16,383, 1,000
events a pane, a tolerance of .02 and A = 10^4 a shift of .05 standard deviations never alarms, .25 does in two panes.

Sources: David & Nagaraja (2003), Order Statistics (masses between them); Podkopaev & Ramdas (2022), arXiv:2110.06177
(risk with a tolerance).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stream_monitor.core.arrays import Int64
from stream_monitor.core.detectors.group import SeriesReference
from stream_monitor.core.detectors.interval_group import IntervalGroup, Part
from stream_monitor.core.detectors.interval_limits import order_statistic_limits
from stream_monitor.core.detectors.strata import suffix
from stream_monitor.core.grid import spacings

_CUTS = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, slots=True)
class ToleranceShiryaevRoberts:
    """The detector by its parameters.

    Attributes:
        tolerance: a change of the share below a cut that nobody minds.
        miss: probability that some cut's interval does not hold the true share.
        strata: references of a series, each with its share of `miss`.
    """

    tolerance: float = 0.02
    miss: float = 1e-3
    strata: int = 1

    @property
    def fingerprint(self) -> str:
        """Class, format and parameters."""
        return f"tolerance_shiryaev_roberts/2/{self.tolerance!r}/{self.miss!r}{suffix(self.strata)}"

    def build(self, layout: int, state: bytes | None = None) -> IntervalGroup:
        """Return a group over the grid of m = `layout` reference values."""
        return IntervalGroup(_Cuts(self, spacings(layout)), spacings(layout).size, most_parts=len(_CUTS), state=state)


@dataclass(frozen=True, slots=True, eq=False)
class _Cuts:
    """The cut points of a grid, chosen by its layout alone: a choice by counts would bias the limits."""

    spec: ToleranceShiryaevRoberts
    spacings: Int64

    @property
    def fingerprint(self) -> str:
        return self.spec.fingerprint

    @property
    def strata(self) -> int:
        return self.spec.strata

    def parts(self, reference: SeriesReference, whole: SeriesReference | None = None) -> list[Part]:
        shares = self.spacings.cumsum() / float(self.spacings.sum())
        last = [int(np.abs(shares[:-1] - cut).argmin()) for cut in _CUTS]
        below = reference.counts.cumsum() / reference.design_effect
        miss = self.spec.miss / len(_CUTS) / self.spec.strata
        found = [order_statistic_limits(float(below[b]), float(below[-1]), miss=miss) for b in last]
        return [Part(0, b, limits.widened(self.spec.tolerance)) for b, limits in zip(last, found, strict=True)]
