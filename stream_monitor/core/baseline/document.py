"""The baseline of a model version as a document: named by the hash of its canonical JSON, cut into parts for a topic.

Documents never change: another content is another id. A document of one part is written as it is; of several, each part
is a document with some of the series and `part: [i, n]`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Literal, cast

import msgspec
import orjson

from stream_monitor.core.baseline.errors import BaselineError
from stream_monitor.core.baseline.series import SeriesBaseline
from stream_monitor.core.baseline.strata import by_stratum
from stream_monitor.core.baseline.wire import SeriesWire, Wire, series_json, series_of
from stream_monitor.core.canonical import Json, canonical_json
from stream_monitor.core.keys import ROW_HASH_VERSION
from stream_monitor.core.names import check_name, check_segment_label
from stream_monitor.core.time import format_instant, parse_instant

SCHEMA_VERSION = 1
PART_BYTES = 256 * 1024
"""Largest part of several series."""

SERIES_BYTES = 768 * 1024
"""Largest series, alone in its part: 168 strata take 300 KiB, and a record of a megabyte fits every topic's limit."""


class OriginType(StrEnum):
    """Where the reference rows came from."""

    DATASET = "dataset"
    TOPIC = "topic"
    SAGEMAKER = "sagemaker"
    FIRST_EVENTS = "first_events"
    PROFILES = "profiles"


class ValueType(StrEnum):
    """Type of a feature's values, as a constraint."""

    INTEGRAL = "integral"
    FRACTIONAL = "fractional"
    STRING = "string"
    BOOLEAN = "boolean"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the reference rows came from: how many, and their span of event time if it is known (epoch ms)."""

    type: OriginType
    rows: int
    from_ms: int | None = None
    to_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Constraint:
    """What values of a series may be.

    Attributes:
        type: type of the values, None: any.
        completeness: least share of non-missing values, None: any.
        minimum: smallest valid value, None: none.
        maximum: largest valid value, None: none.
        allowed: the valid categories, None: any.
    """

    type: ValueType | None = None
    completeness: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    allowed: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class SegmentReference:
    """The reference of one segment: its rows among those of the baseline, and the series that they make."""

    rows: int
    series: Mapping[str, SeriesBaseline]


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
            model=_named(wire.model, "model"),
            version=_named(wire.version, "version"),
            origin=_origin(wire.origin),
            series={_named(name, "series"): series_of(name, item) for name, item in sorted(wire.series.items())},
            constraints={name: _constraint(item) for name, item in sorted(wire.constraints.items())},
            segments={label: _segment(label, item) for label, item in sorted(wire.segments.items())},
            id=wire.id,
        )

    def of_segment(self, label: str) -> Baseline:
        """Return what this baseline says about one of its segments; it has the id of the whole document."""
        own = self.segments[label]
        return replace(self, origin=replace(self.origin, rows=own.rows), series=own.series, segments={})

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
            "constraints": {name: _constraint_json(item) for name, item in self.constraints.items()},
            **_segments_json(self.segments),
        }

    def _head(self) -> dict[str, Json]:
        return {
            "kind": "baseline",
            "schema_version": SCHEMA_VERSION,
            "model": self.model,
            "version": self.version,
            "hash": ROW_HASH_VERSION,
            "origin": _origin_json(self.origin),
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
        own = {name: _constraint_json(self.constraints[name]) for name in names if name in self.constraints}
        segments: dict[str, SegmentReference] = {}
        for label, name in places:
            if label:
                whole, known = self.segments[label], segments.get(label)
                series = {**({} if known is None else known.series), name: whole.series[name]}
                segments[label] = SegmentReference(whole.rows, series)
        return {
            "series": {name: series_json(self.series[name]) for name in names},
            "constraints": own,
            **_segments_json(segments),
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


class _Origin(Wire, frozen=True):
    type: OriginType
    rows: int
    from_: str | None = None
    to: str | None = None


class _Constraint(Wire, frozen=True):
    type: ValueType | None = None
    completeness: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    allowed: list[str] | None = None


class _Segment(Wire, frozen=True):
    rows: int
    series: dict[str, SeriesWire]


class _Document(Wire, frozen=True):
    kind: Literal["baseline"]
    schema_version: Literal[1]
    id: str
    model: str
    version: str
    hash: str
    origin: _Origin
    series: dict[str, SeriesWire]
    constraints: dict[str, _Constraint] = msgspec.field(default_factory=dict)
    segments: dict[str, _Segment] = msgspec.field(default_factory=dict)


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
    segments = _joined_segments(trees)
    return {**whole, "segments": segments} if segments else whole


def _joined_segments(trees: list[dict[str, Json]]) -> dict[str, Json]:
    """Return the segments of all parts; the series of one segment may stand in several."""
    whole: dict[str, Json] = {}
    for tree in trees:
        found = tree.get("segments", {})
        if not isinstance(found, dict):
            raise BaselineError("baseline.segments: must be an object")
        for label, twig in found.items():
            known = whole.get(label, {"series": {}})
            match known, twig:
                case {"series": dict(before)}, {"series": dict(series)}:
                    whole[label] = {**twig, "series": {**before, **series}}
                case _:
                    raise BaselineError(f"baseline.segments.{label}: must be an object with series")
    return whole


def _id(tree: Mapping[str, Json]) -> str:
    content = canonical_json({key: value for key, value in tree.items() if key != "id"})
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _named(text: str, field: Literal["model", "version", "series"]) -> str:
    rule = check_name(text, field)
    if rule is not None:
        raise BaselineError(f"baseline.{field}: {rule}")
    return text


def _segment(label: str, wire: _Segment) -> SegmentReference:
    rule = check_segment_label(label)
    if rule is not None:
        raise BaselineError(f"baseline.segments: {rule}, got {label!r}")
    return SegmentReference(
        wire.rows, {_named(name, "series"): series_of(name, item) for name, item in sorted(wire.series.items())}
    )


def _segments_json(segments: Mapping[str, SegmentReference]) -> dict[str, Json]:
    """Return the branch of the segments; a document without them has none."""
    branch: dict[str, Json] = {
        label: {"rows": own.rows, "series": {name: series_json(item) for name, item in own.series.items()}}
        for label, own in segments.items()
    }
    return {"segments": branch} if branch else {}


def _origin(wire: _Origin) -> Origin:
    try:
        from_ms, to_ms = (None if text is None else parse_instant(text) for text in (wire.from_, wire.to))
    except ValueError as error:
        raise BaselineError(f"baseline.origin: {error}") from error
    return Origin(wire.type, wire.rows, from_ms, to_ms)


def _origin_json(origin: Origin) -> dict[str, Json]:
    span = {"from": origin.from_ms, "to": origin.to_ms}
    return {
        "type": origin.type.value,
        "rows": origin.rows,
        **{key: format_instant(ms) for key, ms in span.items() if ms is not None},
    }


def _constraint(wire: _Constraint) -> Constraint:
    allowed = None if wire.allowed is None else tuple(wire.allowed)
    return Constraint(wire.type, wire.completeness, wire.minimum, wire.maximum, allowed)


def _constraint_json(constraint: Constraint) -> dict[str, Json]:
    fields: dict[str, Json] = {
        "type": None if constraint.type is None else constraint.type.value,
        "completeness": constraint.completeness,
        "min": constraint.minimum,
        "max": constraint.maximum,
        "allowed": constraint.allowed,
    }
    return {key: value for key, value in fields.items() if value is not None}
