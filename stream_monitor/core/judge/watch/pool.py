"""The detectors of a judge: series of equal detector and layout stand in one group and are stepped together.

One call for a hundred series costs a tenth of a hundred calls. Groups live as long as a series stands in them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from stream_monitor.core.arrays import Float64, Int64, Intp
from stream_monitor.core.detectors import DetectorGroup, DetectorSpec, SeriesReference

GroupKey = tuple[str, int]
"""Fingerprint of the detector, and layout."""


class Work(NamedTuple):
    """A pane of some series of a group: rows of shape (k,), distinct within a group, and counts of shape (k, bins)."""

    group: DetectorGroup
    rows: Intp
    counts: Int64
    stratum: int


class Pool:
    """All detector groups.

    Args:
        states: dumped groups; each is taken up when a series of it is found again.
    """

    def __init__(self, states: Mapping[GroupKey, bytes] | None = None) -> None:
        self._states = dict(states or {})
        self._groups: dict[GroupKey, DetectorGroup] = {}
        self._members: dict[GroupKey, int] = {}

    def add(self, spec: DetectorSpec, layout: int, references: Sequence[SeriesReference]) -> tuple[DetectorGroup, int]:
        """Start a series with the reference of each of its strata; return its group and row."""
        group = self._group(spec, layout)
        self._members[spec.fingerprint, layout] += 1
        return group, group.add(*references)

    def find(self, spec: DetectorSpec, layout: int) -> DetectorGroup:
        """Return the group of a series that was there when the states were dumped.

        Raises:
            UnusableStateError: its state is broken.
            KeyError: no such group was dumped.
        """
        if (spec.fingerprint, layout) not in self._groups and (spec.fingerprint, layout) not in self._states:
            raise KeyError(spec.fingerprint)
        group = self._group(spec, layout)
        self._members[spec.fingerprint, layout] += 1
        return group

    def group(self, spec: DetectorSpec, layout: int) -> DetectorGroup:
        """Return a group that was found."""
        return self._groups[spec.fingerprint, layout]

    def remove(self, spec: DetectorSpec, layout: int, row: int) -> None:
        """Forget a series, and its group with the last one."""
        key = (spec.fingerprint, layout)
        self._groups[key].remove(row)
        self._members[key] -= 1
        if not self._members[key]:
            del self._groups[key], self._members[key]

    def prune(self, kept: Mapping[GroupKey, Collection[int]], known: Mapping[GroupKey, Collection[int]]) -> None:
        """Forget the rows of groups that were found again and that nobody wants any more.

        Args:
            kept: rows that are wanted.
            known: rows that there were.
        """
        for key in sorted(self._groups):
            for row in sorted(set(known.get(key, ())) - set(kept.get(key, ()))):
                self._groups[key].remove(row)

    def dump(self) -> dict[GroupKey, bytes]:
        """Return the state of every group, sorted."""
        return {key: self._groups[key].dump() for key in sorted(self._groups)}

    def _group(self, spec: DetectorSpec, layout: int) -> DetectorGroup:
        key = (spec.fingerprint, layout)
        if key not in self._groups:
            self._groups[key] = spec.build(layout, self._states.pop(key, None))
            self._members[key] = 0
        return self._groups[key]


def step_together(work: Sequence[Work]) -> list[Float64]:
    """Step every group once with all its rows of a pane; return log M of each piece of work."""
    pieces: dict[tuple[int, int], list[int]] = {}
    for i, piece in enumerate(work):
        pieces.setdefault((id(piece.group), piece.stratum), []).append(i)
    results: list[Float64] = [np.empty(0)] * len(work)
    for members in pieces.values():
        first = work[members[0]]
        rows = np.concatenate([work[i].rows for i in members])
        log_m = first.group.step(rows, np.concatenate([work[i].counts for i in members]), first.stratum)
        ends = np.cumsum([work[i].rows.size for i in members])
        for i, part in zip(members, np.split(log_m, ends[:-1]), strict=True):
            results[i] = part
    return results
