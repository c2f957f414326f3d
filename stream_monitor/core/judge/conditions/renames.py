"""Renames: which new column is likeliest the one that is gone.

The pair must have begun together and be of one kind. Of several the most similar name is taken; a name with nothing in
common is named only when there is no other choice on either side.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from stream_monitor.core.judge.conditions.memory import Run
from stream_monitor.core.names import SeriesKind, ValueKind, feature_of

if TYPE_CHECKING:
    from stream_monitor.core.judge.model import VersionState
    from stream_monitor.core.judge.watch import Watch

_SIMILAR = 0.5
"""Similarity of two names, 0 to 1, from which on they are taken for one column."""

_VALUES: Mapping[SeriesKind, ValueKind] = {
    SeriesKind.NUMERIC: ValueKind.NUMBER,
    SeriesKind.CATEGORICAL: ValueKind.TEXT,
    SeriesKind.BINARY: ValueKind.BOOLEAN,
}


def kind_in(watch: Watch, series: str) -> ValueKind:
    """Return what the values of a series are in the reference of a watch."""
    assert watch.baseline is not None
    return _VALUES[watch.baseline.series[series].kind]


@dataclass(frozen=True, slots=True)
class _Column:
    name: str
    kinds: tuple[ValueKind, ...]
    run: Run


def renamed(state: VersionState, *, within_ms: int) -> dict[str, str]:
    """Return the likeliest new name of each feature that is gone.

    Args:
        state: of the version.
        within_ms: how far apart both may have begun.
    """
    gone = [
        _Column(feature, (kind_in(watch, series),), run)
        for series, run in sorted(state.memory.lacking.items())
        if (feature := feature_of(series)) is not None and (watch := state.watch_of(series)) is not None
    ]
    new = [_Column(name, run.kinds, run) for name, run in sorted(state.memory.extra.items())]
    pairs = sorted(
        (-_similarity(old.name, fresh.name), old.name, fresh.name)
        for old in gone
        for fresh in new
        if old.kinds == fresh.kinds and abs(old.run.since_ms - fresh.run.since_ms) <= within_ms
    )
    found: dict[str, str] = {}
    for similarity, old_name, fresh_name in pairs:
        only = len({old for _, old, _ in pairs}) == 1 == len({fresh for _, _, fresh in pairs})
        free = old_name not in found and fresh_name not in found.values()
        if free and (only or -similarity >= _SIMILAR):
            found[old_name] = fresh_name
    return found


def _similarity(left: str, right: str) -> float:
    return SequenceMatcher(None, left.lower(), right.lower(), autojunk=False).ratio()
