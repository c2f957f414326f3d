"""BetaCategories: does the share of every category still follow what is known of it?

Almost the parts of IntervalCategories (each category of at least 1 % of the reference and ten events, the twenty
largest, `other`, and, upwards only, `unseen`), each a Beta law that learns, as in BetaBernoulli. Of two categories that
are all there is, the second says nothing that the first does not: one is tested.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stream_monitor.core.detectors.beta_group import BetaGroup, Share
from stream_monitor.core.detectors.group import SeriesReference
from stream_monitor.core.detectors.strata import suffix

_MOST_CATEGORIES = 20
_LEAST_SHARE = 0.01
_LEAST_EVENTS = 10
"""Of hundreds of rare categories a few are frequent in a short reference, by chance: they would seem to get rarer."""


@dataclass(frozen=True, slots=True)
class BetaCategories:
    """The detector by its parameters.

    Attributes:
        strata: references of a series.
    """

    strata: int = 1

    @property
    def fingerprint(self) -> str:
        """Class, format and parameters."""
        return f"beta_categories/1{suffix(self.strata)}"

    def build(self, layout: int, state: bytes | None = None) -> BetaGroup:
        """Return a group of series with `layout` bins: categories in baseline order, other, unseen."""
        return BetaGroup(self, layout, most_parts=_MOST_CATEGORIES + 2, state=state)

    def parts(self, reference: SeriesReference, whole: SeriesReference) -> list[Share]:
        """Return the tested categories with their reference events."""
        named, total = reference.counts[:-2], int(reference.counts.sum())
        sizes, others = whole.counts[:-2], int(whole.counts[-2])
        largest = np.argsort(-sizes, kind="stable")[:_MOST_CATEGORIES]
        least = max(_LEAST_SHARE * int(whole.counts.sum()), _LEAST_EVENTS)
        tested = sorted(int(b) for b in largest if sizes[b] >= least)
        other, last = named.size, named.size + 1
        pooled = int(reference.counts[other])
        if named.size == len(tested) == 2 and not others:
            tested.pop()
        parts = [Share(b, b, int(named[b]), total - int(named[b]), True) for b in tested]
        if reference.unlisted is not None:
            outside, halves = reference.unlisted
            return [*parts, Share(other, last, outside, halves - outside, True)]
        k, rows = reference.unseen
        if reference.unseen_in_other:
            # Names that nobody kept are counted in `other`: what was unseen in half of the rows is expected there.
            return [*parts, Share(other, other, pooled + k, max(total - pooled, 0), False)]
        if others:
            parts.append(Share(other, other, pooled, total - pooled, True))
        return [*parts, Share(last, last, k, rows - k, False)]
