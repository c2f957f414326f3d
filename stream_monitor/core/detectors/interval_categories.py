"""IntervalCategories: has the share of any category left the interval that the reference allows?

Each category of at least 1 % of the reference (the twenty largest, ties by code point), `other`, and, upwards only,
`unseen` is an interval Bernoulli test with an equal share of `miss` and of the evidence.

Promise: expected alarms in n panes at most n/A, except with probability `miss` over the reference. `unseen` is
counted on rows that did not decide which categories are known: the same rows may not define it and estimate its rate.
The same holds for "not listed" where the list was cut to the most frequent categories.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stream_monitor.core.detectors.group import SeriesReference
from stream_monitor.core.detectors.interval_group import IntervalGroup, Part
from stream_monitor.core.detectors.interval_limits import clopper_pearson
from stream_monitor.core.detectors.strata import suffix

_MOST_CATEGORIES = 20
_LEAST_SHARE = 0.01


@dataclass(frozen=True, slots=True)
class IntervalCategories:
    """The detector by its parameters.

    Attributes:
        tolerance: a change of a share nobody minds, added to each interval on both sides.
        miss: probability that some category's interval does not hold its true share.
        strata: references of a series, each with its share of `miss`.
    """

    tolerance: float = 0.0
    miss: float = 1e-3
    strata: int = 1

    @property
    def fingerprint(self) -> str:
        """Class, format and parameters."""
        return f"interval_categories/2/{self.tolerance!r}/{self.miss!r}{suffix(self.strata)}"

    def build(self, layout: int, state: bytes | None = None) -> IntervalGroup:
        """Return a group of series with `layout` bins: categories in baseline order, other, unseen."""
        return IntervalGroup(self, layout, most_parts=_MOST_CATEGORIES + 2, state=state)

    def parts(self, reference: SeriesReference, whole: SeriesReference | None = None) -> list[Part]:
        """Return bin and interval of each tested category."""
        d = reference.design_effect
        whole = whole or reference
        m = float(reference.counts.sum()) / d
        *named, other_count, _ = (float(count) / d for count in reference.counts)
        *sizes, others, _ = whole.counts.tolist()
        largest = np.argsort(-np.array(sizes), kind="stable")[:_MOST_CATEGORIES]
        tested = sorted(int(b) for b in largest if sizes[b] >= _LEAST_SHARE * int(whole.counts.sum()))
        miss = self.miss / (len(tested) + 2) / self.strata
        k, rows = reference.unseen
        unseen = clopper_pearson(k / d, rows / d, miss=miss, upward=1.0)
        other, last = len(named), len(named) + 1
        parts = [Part(b, b, clopper_pearson(named[b], m, miss=miss)) for b in tested]
        if reference.unlisted is not None:
            outside, halves = reference.unlisted
            parts.append(Part(other, last, clopper_pearson(outside / d, halves / d, miss=miss)))
        elif reference.unseen_in_other:
            pooled = clopper_pearson(other_count, m, miss=miss)
            return self._widened(
                [*parts, Part(other, other, pooled._replace(upper=min(1.0, pooled.upper + unseen.upper)))]
            )
        elif others:
            parts.append(Part(other, other, clopper_pearson(other_count, m, miss=miss)))
        return self._widened([*parts, Part(last, last, unseen)])

    def _widened(self, parts: list[Part]) -> list[Part]:
        return [part._replace(limits=part.limits.widened(self.tolerance)) for part in parts]
