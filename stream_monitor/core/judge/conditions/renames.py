"""Renames: which new column is likeliest the one that is gone.

The pair must have begun together and be of one kind. Of several the most similar name is taken; a name with nothing in
common is named only when there is no other choice on either side.

>>> text = (ValueKind.TEXT,)
>>> likely_pairs([Named("price", text)], [Named("price_eur", text), Named("age", text)], within_ms=0)
{'price': 'price_eur'}
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from stream_monitor.core.names import SeriesKind, ValueKind, feature_of

if TYPE_CHECKING:
    from stream_monitor.core.baseline import Baseline
    from stream_monitor.core.judge.model.model_state import VersionState
    from stream_monitor.core.judge.watch.watch import Watch

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
    return kind_of(watch.baseline, series)


def kind_of(baseline: Baseline, series: str) -> ValueKind:
    """Return what the values of a series are in a reference."""
    return _VALUES[baseline.series[series].kind]


@dataclass(frozen=True, slots=True)
class Named:
    """A column that is gone or new, the kinds of its values, and since when it is."""

    name: str
    kinds: tuple[ValueKind, ...]
    since_ms: int = 0


def renamed(state: VersionState, *, within_ms: int) -> dict[str, str]:
    """Return the likeliest new name of each feature that is gone.

    Args:
        state: of the version.
        within_ms: how far apart both may have begun.
    """
    gone = [
        Named(feature, (kind_in(watch, series),), run.since_ms)
        for series, run in sorted(state.memory.lacking.items())
        if (feature := feature_of(series)) is not None and (watch := state.watch_of(series)) is not None
    ]
    new = [Named(name, run.kinds, run.since_ms) for name, run in sorted(state.memory.extra.items())]
    return likely_pairs(gone, new, within_ms=within_ms)


def likely_pairs(gone: Sequence[Named], new: Sequence[Named], *, within_ms: int) -> dict[str, str]:
    """Return the likeliest new name by old name; `within_ms` is how far apart both may have begun."""
    pairs = sorted(
        (-_similarity(old.name, fresh.name), old.name, fresh.name)
        for old in gone
        for fresh in new
        if old.kinds == fresh.kinds and abs(old.since_ms - fresh.since_ms) <= within_ms
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
