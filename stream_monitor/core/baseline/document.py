"""The baseline of a model version as a document: named by the hash of its canonical JSON, cut into parts for a topic.

Documents never change: another content is another id. A document of one part is written as it is; of several, each part
is a document with some of the series and `part: [i, n]`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, cast

import msgspec
import orjson

from stream_monitor.core.baseline.errors import BaselineError
from stream_monitor.core.baseline.facts import (
    Constraint,
    ConstraintWire,
    Origin,
    OriginWire,
    constraint_json,
    constraint_of,
    origin_json,
    origin_of,
)
from stream_monitor.core.baseline.segments import (
    SegmentReference,
    SegmentWire,
    checked_name,
    joined_segments,
    segment_of,
    segments_json,
)
from stream_monitor.core.baseline.series import SeriesBaseline
from stream_monitor.core.baseline.strata import by_stratum
from stream_monitor.core.baseline.wire import SeriesWire, Wire, series_json, series_of
from stream_monitor.core.canonical import Json, canonical_json
from stream_monitor.core.keys import ROW_HASH_VERSION

SCHEMA_VERSION = 1
PART_BYTES = 256 * 1024
"""Largest part of several series."""

SERIES_BYTES = 768 * 1024
"""Largest series, alone in its part: 168 strata take 300 KiB, and a record of a megabyte fits every topic's limit."""


@dataclass(frozen=True, eq=False)
class Baseline:
    """The reference of every series of one model version, and of the series of its segments.

    A segment has grids of its own, made of its own rows: in those of all rows its counts would follow no known law.
    The segments that stand here are those that are judged; other values are counted together.

    Attributes:
        model: name of the model.
        version: its version, may be empty.
        origin: where the rows came from.
        series: reference by name of series.
        constraints: constraints by name of series; a segment has the same.
        segments: by label (`channel=web`), sorted.
        id: `sha256:` and the hex digest of the canonical JSON without `id`; computed when empty.
    """

    model: str
    version: str
    origin: Origin
    series: Mapping[str, SeriesBaseline]
    constraints: Mapping[str, Constraint] = field(default_factory=dict)
    segments: Mapping[str, SegmentReference] = field(default_factory=dict)
    id: str = ""

    def __post_init__(self) -> None:
        if not self.id:
            object.__setattr__(self, "id", _id(self._plain()))

    def encode(self) -> bytes:
        """Return the whole document as canonical JSON."""
        return canonical_json({**self._plain(), "id": self.id})

    @classmethod
    def decode(cls, document: bytes) -> Baseline:
        """Return the baseline of a whole document; unknown keys are ignored, but count for the id.

        Raises:
            BaselineError: not a baseline of a known version, or its id is not the hash of its content.
        """
        return cls.from_parts([document])

    @classmethod
    def from_parts(cls, parts: Iterable[bytes]) -> Baseline:
        """Return the baseline that was cut into `parts`, in any order.

        Raises:
            BaselineError: the parts do not make one valid document.
        """
        whole = _joined([_tree(part) for part in parts])
        try:
            wire = msgspec.convert(whole, _Document)
        except msgspec.ValidationError as error:
            raise BaselineError(f"baseline: {error}") from error
        if wire.hash != ROW_HASH_VERSION:
            raise BaselineError(f"baseline.hash: must be {ROW_HASH_VERSION}, got {wire.hash!r}")
        if _id(whole) != wire.id:
            raise BaselineError(f"baseline.id: must be the hash of the content {_id(whole)}, got {wire.id}")
        return cls(
            model=checked_name(wire.model, "model"),
            version=checked_name(wire.version, "version"),
            origin=origin_of(wire.origin),
            series={checked_name(name, "series"): series_of(name, item) for name, item in sorted(wire.series.items())},
            constraints={name: constraint_of(item) for name, item in sorted(wire.constraints.items())},
            segments={label: segment_of(label, item) for label, item in sorted(wire.segments.items())},
            id=wire.id,
        )

    def of_segment(self, label: str) -> Baseline:
        """Return what this baseline says about one of its segments; it has the id of the whole document."""
        own = self.segments[label]
        return replace(self, origin=replace(self.origin, rows=own.rows), series=own.series, segments={})

    @property
    def places(self) -> frozenset[tuple[str, str]]:
        """Every series that has a reference here, as (segment, name); the segment is empty for all rows."""
        return frozenset(self._places())

    def beside(self, others: Iterable[Baseline]) -> Baseline:
        """Return what this baseline adds to others of the same version: the series that stand in none of them."""
        taken = {place for other in others for place in other.places}
        own = {name: item for name, item in self.series.items() if ("", name) not in taken}
        segments: dict[str, SegmentReference] = {}
        for label, segment in self.segments.items():
            left = {name: item for name, item in segment.series.items() if (label, name) not in taken}
            if left:
                segments[label] = SegmentReference(segment.rows, left)
        named = own.keys() | {name for segment in segments.values() for name in segment.series}
        constraints = {name: item for name, item in self.constraints.items() if name in named}
        return Baseline(self.model, self.version, self.origin, own, constraints, segments)

    def parts(self) -> list[tuple[bytes, bytes]]:
        """Return the records (key, value) that publish the document, each of 256 KiB or of a single larger series.

        Raises:
            BaselineError: one series alone is larger.
        """
        whole = self.encode()
        documents = [whole] if len(whole) <= PART_BYTES else self._split()
        return [(f"doc/{self.id}/{number}".encode(), document) for number, document in enumerate(documents)]

    def invalid(self, series: str) -> int:
        """Return how many reference rows held a value of the wrong type, or none that is finite."""
        baseline = self.series[series]
        return sum(
            max(0, rows - own.missing - own.observed)
            for own, rows in zip(by_stratum(baseline), self.rows(series), strict=True)
        )

    def rows(self, series: str) -> tuple[int, ...]:
        """Return how many reference rows there were for a series, with a value or without, in each stratum."""
        strata = self.series[series].strata
        return (self.origin.rows,) if strata is None else strata.rows

    def _plain(self) -> dict[str, Json]:
        return {
            **self._head(),
            "series": {name: series_json(item) for name, item in self.series.items()},
            "constraints": {name: constraint_json(item) for name, item in self.constraints.items()},
            **segments_json(self.segments),
        }

    def _head(self) -> dict[str, Json]:
        return {
            "kind": "baseline",
            "schema_version": SCHEMA_VERSION,
            "model": self.model,
            "version": self.version,
            "hash": ROW_HASH_VERSION,
            "origin": origin_json(self.origin),
        }

    def _split(self) -> list[bytes]:
        head = {**self._head(), "id": self.id}
        room = PART_BYTES - len(canonical_json({**head, "part": [10_000, 10_000], "series": {}, "constraints": {}}))
        groups: list[list[_Place]] = [[]]
        used = 0
        for place in self._places():
            size = len(canonical_json(self._slice([place])))
            if size > SERIES_BYTES:
                raise BaselineError(
                    f"baseline.series: {' '.join(place)} needs {size} bytes, a part holds {SERIES_BYTES}"
                )
            if used and used + size > room:
                groups.append([])
                used = 0
            groups[-1].append(place)
            used += size
        return [
            canonical_json({**head, **self._slice(places), "part": [number, len(groups)]})
            for number, places in enumerate(groups)
        ]

    def _places(self) -> Iterator[_Place]:
        """Yield every series: those of all rows first, then those of each segment."""
        yield from (("", name) for name in sorted(self.series))
        for label in sorted(self.segments):
            yield from ((label, name) for name in sorted(self.segments[label].series))

    def _slice(self, places: Sequence[_Place]) -> dict[str, Json]:
        names = [name for label, name in places if not label]
        own = {name: constraint_json(self.constraints[name]) for name in names if name in self.constraints}
        segments: dict[str, SegmentReference] = {}
        for label, name in places:
            if label:
                whole, known = self.segments[label], segments.get(label)
                series = {**({} if known is None else known.series), name: whole.series[name]}
                segments[label] = SegmentReference(whole.rows, series)
        return {
            "series": {name: series_json(self.series[name]) for name in names},
            "constraints": own,
            **segments_json(segments),
        }


_Place = tuple[str, str]
"""Segment and series; the segment is empty for all rows."""


def part_position(value: bytes) -> tuple[str, int, int]:
    """Return (id, i, n) of a part: its document, its number, and how many parts there are.

    Raises:
        BaselineError: the value is no part of a baseline.
    """
    tree = _tree(value)
    number, parts = _part(tree)
    return cast("str", tree["id"]), number, parts


# --- the shape on the wire --------------------------------------------------------------------------------------------


class _Document(Wire, frozen=True):
    kind: Literal["baseline"]
    schema_version: Literal[1]
    id: str
    model: str
    version: str
    hash: str
    origin: OriginWire
    series: dict[str, SeriesWire]
    constraints: dict[str, ConstraintWire] = msgspec.field(default_factory=dict)
    segments: dict[str, SegmentWire] = msgspec.field(default_factory=dict)


def _tree(document: bytes) -> dict[str, Json]:
    try:
        tree = orjson.loads(document)
    except ValueError as error:
        raise BaselineError("baseline: must be JSON") from error
    if not isinstance(tree, dict) or tree.get("kind") != "baseline" or not isinstance(tree.get("id"), str):
        raise BaselineError("baseline: must be an object of kind 'baseline' with an id")
    return tree


def _part(tree: Mapping[str, Json]) -> tuple[int, int]:
    match tree.get("part", [0, 1]):
        case [int(number), int(parts)] if 0 <= number < parts:
            return number, parts
        case _:
            raise BaselineError("baseline.part: must be [i, n] with 0 <= i < n")


def _joined(trees: list[dict[str, Json]]) -> dict[str, Json]:
    numbers = sorted(_part(tree) for tree in trees)
    if (
        numbers != [(number, len(trees)) for number in range(len(trees))]
        or len({str(tree["id"]) for tree in trees}) > 1
    ):
        raise BaselineError(f"baseline.part: the parts {numbers} do not make one document")
    whole = {key: value for key, value in trees[0].items() if key != "part"}
    for branch in ("series", "constraints"):
        items: dict[str, Json] = {}
        for tree in trees:
            twig = tree.get(branch, {})
            if not isinstance(twig, dict):
                raise BaselineError(f"baseline.{branch}: must be an object")
            items |= twig
        if branch in whole or items:
            whole[branch] = items
    segments = joined_segments(trees)
    return {**whole, "segments": segments} if segments else whole


def _id(tree: Mapping[str, Json]) -> str:
    content = canonical_json({key: value for key, value in tree.items() if key != "id"})
    return f"sha256:{hashlib.sha256(content).hexdigest()}"
