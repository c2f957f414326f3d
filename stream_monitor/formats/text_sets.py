"""Fields whose texts are few: a country, a device type, a version, a replica.

A typed decoder that knows them returns the text it has instead of making a new one: no allocation, and its hash is
there already, which halves the time of a categorical value. The first text beyond a set opens it for good, so a field
with rare texts costs one event read exactly and one new decoder, ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from stream_monitor.formats.tree import Tree

Place = tuple[str, str]
"""Where a text stands: the name of the object it is in (empty: the event itself), and its own name."""

OBSERVED_ROWS = 2_000
"""Events after which sets are closed."""

FEW = 32
"""Texts of a closed set at most."""


class TextSets:
    """What is known of the texts of one shape.

    Attributes:
        closed: the texts of each place that had few.
    """

    def __init__(self) -> None:
        self.closed: dict[Place, frozenset[str]] = {}
        self._seen: dict[Place, set[str]] = {}
        self._open: set[Place] = set()
        self._rows = 0

    @property
    def is_settled(self) -> bool:
        """Whether enough events were observed."""
        return self._rows >= OBSERVED_ROWS

    def observe(self, texts: Mapping[Place, Iterable[str]], rows: int) -> bool:
        """Take note of the texts of some events; return whether sets were closed now."""
        self._rows += rows
        for place, found in texts.items():
            seen = self._seen.setdefault(place, set())
            seen.update(found)
            if len(seen) > FEW:
                self._open.add(place)
                seen.clear()
        if not self.is_settled:
            return False
        self.closed = {place: frozenset(seen) for place, seen in self._seen.items() if place not in self._open and seen}
        self._seen.clear()
        return bool(self.closed)

    def open_unknown(self, tree: Mapping[str, Tree]) -> bool:
        """Open the sets to which a text of this event does not belong; return whether there are any."""
        opened = [place for place, known in self.closed.items() if _is_beyond(known, tree, place)]
        for place in opened:
            del self.closed[place]
        return bool(opened)


def _is_beyond(known: frozenset[str], tree: Mapping[str, Tree], place: Place) -> bool:
    container, name = place
    inside = tree.get(container) if container else tree
    value = inside.get(name) if isinstance(inside, Mapping) else None
    return isinstance(value, str) and value not in known
