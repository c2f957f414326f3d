"""What the events of one model look like, learned from them, and a typed decoder made of it.

Most events of a model have the same names with values of the same types. A decoder that knows them reads an event
straight into typed fields: half the work of building a dictionary, and what it accepts needs no further check, because
every byte of the event was read as a field of a known name and type. Whatever does not fit (a new name, another type,
NaN, deep nesting, broken JSON) it refuses, and the exact reader decides.

So a shape never changes what an event means, only how fast it is read. The law test decodes every kind of event both
ways.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, Union

import msgspec

from stream_monitor.core.batch import ABSENT
from stream_monitor.formats.event import CLASSES, EventReader
from stream_monitor.formats.sinks import NOT_NAMED, CodeSink, NumberSink, PlainSink
from stream_monitor.formats.text_sets import Place, TextSets
from stream_monitor.formats.tree import Tree

_PATIENCE = 4_096
"""Refused events before a shape is made anew, at most; it begins with one and doubles each time."""

_OUTER_NAMES = 64
"""Names beside the features that are worth learning."""

_SMALL_OBJECT = 16
"""Names of an ignored object that are worth learning."""

_CLASS_SETS = 1
"""Different sets of classes that predictions may have shown to be read by class."""


class ValueType(StrEnum):
    """Type of a JSON value; null is none."""

    NUMBER = "number"
    TEXT = "text"
    BOOLEAN = "boolean"
    OBJECT = "object"
    ARRAY = "array"


SCALARS = frozenset({ValueType.NUMBER, ValueType.TEXT, ValueType.BOOLEAN})

_CODED = frozenset({ValueType.TEXT, ValueType.BOOLEAN})

Names = dict[str, set[ValueType]]
"""Names in the order of the latest event, with the types their values have shown."""


class PredictionForm(StrEnum):
    """How the predictions of a shape are read."""

    NONE = "none"
    NUMBER = "number"
    CODE = "code"
    CLASSES = "classes"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class FeatureField:
    """A feature of a typed event.

    Attributes:
        name: as in the event.
        position: its place among the features.
        series: what it is counted under; None if it is not watched or its name is refused.
        refused: its name is refused: each occurrence is a value reject.
        opaque: arrays or objects, left as bytes.
        sink: gathers its values.
    """

    name: str
    position: int
    series: str | None
    refused: bool
    opaque: bool
    sink: type[NumberSink | CodeSink | PlainSink]


@dataclass(frozen=True, slots=True)
class TypedEvents:
    """A decoder of events of one shape.

    Attributes:
        decode: bytes to a struct; raises whatever msgspec raises for bytes of another shape.
        blank: fields that stand for an event of another shape.
        outer: place of each field in the struct, by its name in JSON.
        features: watched or refused features.
        prediction: how predictions are read; `classes` are their names if they are probabilities.
        segments: place of each segment name in the struct of segments.
        whole_check: some content is skipped unread, so encoding and depth of the whole value must be checked.
    """

    decode: Callable[[bytes], msgspec.Struct]
    blank: tuple[object, ...]
    outer: Mapping[str, int]
    features: tuple[FeatureField, ...]
    prediction: PredictionForm
    class_type: type[msgspec.Struct] | None
    classes: tuple[str, ...]
    segments: Mapping[str, int]
    whole_check: bool


class Shape:
    """What one model's events look like."""

    def __init__(self, model: str, reader: EventReader) -> None:
        self.model = model
        self._reader = reader
        self._outer: Names = {}
        self._features: Names = {}
        self._objects: dict[str, Names] = {}
        self._class_sets: set[tuple[str, ...]] = set()
        self.texts = TextSets()
        self._texts_changed = False
        self._changed = False
        self._refused = 0
        self._patience = 1
        self._typed: TypedEvents | None = None

    def learn(self, tree: Mapping[str, Tree]) -> None:
        """Take note of a good event that the typed decoder refused."""
        self._refused += 1
        self._texts_changed |= self.texts.open_unknown(tree)
        self._outer = self._note(self._outer, tree, limit=_OUTER_NAMES)
        for name, value in tree.items():
            if not isinstance(value, dict):
                continue
            if name == "features":
                self._features = self._note(self._features, value, limit=self._reader.max_features)
            elif name == "prediction":
                self._note_classes(tuple(value))
            else:
                self._objects[name] = self._note(self._objects.get(name, {}), value, limit=_SMALL_OBJECT)

    @property
    def is_stale(self) -> bool:
        """Whether enough events were refused for a reason that a new decoder would accept."""
        return self._texts_changed or (self._changed and self._refused >= self._patience)

    def typed(self) -> TypedEvents:
        """Return the decoder of the shape, made anew if that is due."""
        if self._typed is None or self.is_stale:
            self._typed = _Compiler(self._reader, self.model, self.texts.closed).compile(
                self._outer, self._features, self._objects, self._class_sets
            )
            if self._changed:
                self._patience = min(2 * self._patience, _PATIENCE)
            self._refused = 0
            self._changed = self._texts_changed = False
        return self._typed

    def observe(self, texts: Mapping[Place, Iterable[str]], rows: int) -> None:
        """Take note of the texts of events that the typed decoder has read."""
        self._texts_changed |= self.texts.observe(texts, rows)

    def _note(self, known: Names, found: Mapping[str, Tree], *, limit: int) -> Names:
        """Return the known names and types together with those of an event, in the event's order."""
        news = [name for name, value in found.items() if not _types(value) <= known.get(name, _NOTHING)]
        news += [name for name in found if name not in known and name not in news]
        added = [name for name in news if name not in known and _is_field_name(name)]
        if not news or len(known) + len(added) > limit:
            return known
        merged: Names = {}
        for name in found:
            if name in known or name in added:
                merged[name] = known.get(name, set()) | _types(found[name])
                self._changed = self._changed or merged[name] != known.get(name)
        return merged | {name: types for name, types in known.items() if name not in merged}

    def _note_classes(self, names: tuple[str, ...]) -> None:
        if len(self._class_sets) <= _CLASS_SETS and len(names) <= CLASSES and names not in self._class_sets:
            self._class_sets.add(names)
            self._changed = True


class _Compiler:
    """Makes struct types of what a shape has learned."""

    def __init__(self, reader: EventReader, model: str, texts: Mapping[Place, frozenset[str]]) -> None:
        self._reader = reader
        self._model = model
        self._texts = texts
        self._whole_check = False

    def compile(
        self,
        outer: Names,
        features: Names,
        objects: Mapping[str, Names],
        class_sets: set[tuple[str, ...]],
    ) -> TypedEvents:
        """Return the decoder of events with these names and types."""
        feature_type, feature_fields = self._features(features)
        class_type, classes = _classes(class_sets)
        form, prediction = _prediction(outer.get("prediction", set()), class_type)
        fields: dict[str, _Field] = {}
        blank: dict[str, object] = {}
        for name, types in outer.items():
            match name:
                case "event_id" if self._reader.id_source == "field":
                    fields[name] = _Field(str)
                    blank[name] = ""
                case "model":
                    default = self._reader.model
                    only = _literal([self._model])
                    fields[name] = _Field(only) if default is None else _Field(only, default)
                    blank[name] = self._model
                case "version":
                    fields[name] = _Field(self._text_or(("", name), types, _union(types, number=int)), "")
                case "timestamp":
                    stamp = _union(types, number=int)
                    late = self._reader.falls_back_to_record_time
                    fields[name] = _Field(stamp | None, None) if late else _Field(stamp)
                    blank[name] = 0 if ValueType.NUMBER in types else ""
                case "features":
                    fields[name] = _Field(feature_type, feature_type())
                case "prediction":
                    fields[name] = _Field(prediction, NOT_NAMED if form is PredictionForm.NUMBER else ABSENT)
                case "confidence" | "latency_ms":
                    fields[name] = _Field(float | None, NOT_NAMED)
                case "error":
                    fields[name] = _Field(_union((types & _CODED) or _CODED) | None, None)
                case "segments":
                    segment_type = _struct(
                        {each: _Field(str | int | bool | None, None) for each in objects.get(name, {})}
                    )
                    fields[name] = _Field(segment_type, segment_type())
                case "sampled_rate":
                    fields[name] = _Field(int | None, None)
                case _:
                    ignored = self._ignored(types, objects.get(name, {}))
                    fields[name] = _Field(self._text_or(("", name), types, ignored) | None, None)
        event_type = _struct(fields)
        places = {name: place for place, name in enumerate(fields)}
        return TypedEvents(
            decode=msgspec.json.Decoder(event_type).decode,
            blank=msgspec.structs.astuple(event_type(**{f"f{places[name]}": value for name, value in blank.items()})),
            outer=places,
            features=feature_fields,
            prediction=form,
            class_type=class_type,
            classes=classes,
            segments={name: place for place, name in enumerate(objects.get("segments", {}))},
            whole_check=self._whole_check,
        )

    def _features(self, names: Names) -> tuple[type[msgspec.Struct], tuple[FeatureField, ...]]:
        fields: dict[str, _Field] = {}
        found: list[FeatureField] = []
        for position, (name, types) in enumerate(names.items()):
            verdict = self._reader.feature(self._model, name)
            opaque = bool(types) and not types & SCALARS
            sink = _sink(types)
            if opaque:
                self._whole_check = True
                fields[name] = _Field(msgspec.Raw, ABSENT)
            elif verdict.series is None:
                fields[name] = _Field(_ANY_SCALAR, ABSENT)
            else:
                known = self._text_or(("features", name), types, _union(types))
                fields[name] = _Field(known | None, NOT_NAMED if sink is NumberSink else ABSENT)
            if verdict.series is not None or verdict.refused:
                found.append(FeatureField(name, position, verdict.series, verdict.refused, opaque, sink))
        return _struct(fields), tuple(found)

    def _text_or(self, place: Place, types: set[ValueType], otherwise: Any) -> Any:
        """Return the type of the few texts of a place, if they are few and nothing else was seen there."""
        known = self._texts.get(place) if types == {ValueType.TEXT} else None
        return otherwise if known is None else _literal(sorted(known))

    def _ignored(self, types: set[ValueType], names: Names) -> Any:
        """Return the type of a field that is not counted: read all the same if it is flat, else skipped unread."""
        flat = ValueType.ARRAY not in types and all(inner <= SCALARS for inner in names.values())
        if not flat:
            self._whole_check = True
            return msgspec.Raw
        if ValueType.OBJECT not in types:
            return _ANY_SCALAR
        return Union[_ANY_SCALAR, _struct({name: _Field(_ANY_SCALAR, None) for name in names})]  # noqa: UP007 - at run time


@dataclass(frozen=True, slots=True)
class _Field:
    type: Any
    default: object = msgspec.NODEFAULT


_NOTHING: set[ValueType] = set()
_ANY_SCALAR = str | float | bool | None


def _struct(fields: Mapping[str, _Field]) -> type[msgspec.Struct]:
    """Return a struct type with fields of any JSON names; it refuses names that it does not know."""
    return msgspec.defstruct(
        "Typed",
        [
            (f"f{place}", field.type, msgspec.field(name=name, default=field.default))
            for place, (name, field) in enumerate(fields.items())
        ],
        kw_only=True,
        forbid_unknown_fields=True,
        frozen=True,
        gc=False,
    )


def _classes(class_sets: Iterable[tuple[str, ...]]) -> tuple[type[msgspec.Struct] | None, tuple[str, ...]]:
    sets = list(class_sets)
    if len(sets) != 1 or not sets[0] or not all(map(_is_field_name, sets[0])):
        return None, ()
    return _struct({name: _Field(float) for name in sets[0]}), sets[0]


def _prediction(types: set[ValueType], class_type: type[msgspec.Struct] | None) -> tuple[PredictionForm, Any]:
    """Return how predictions are read, and their type."""
    scalars = types & SCALARS
    if types == {ValueType.OBJECT} and class_type is not None:
        return PredictionForm.CLASSES, class_type | None
    if ValueType.OBJECT in types:
        return PredictionForm.PLAIN, Union[_union(scalars), dict[str, float], None]  # noqa: UP007 - made at run time
    if scalars == {ValueType.NUMBER}:
        return PredictionForm.NUMBER, float | None
    if ValueType.NUMBER in scalars:
        return PredictionForm.PLAIN, _union(scalars) | None
    return PredictionForm.CODE, _union(scalars or _CODED) | None


def _union(types: set[ValueType] | frozenset[ValueType], *, number: type[int | float] = float) -> Any:
    """Return the union of Python types for JSON types; of no types, a number."""
    members: list[Any] = []
    if ValueType.TEXT in types:
        members.append(str)
    if ValueType.BOOLEAN in types:
        members.append(bool)
    if ValueType.NUMBER in types or not members:
        members.append(number)
    return Union[tuple(members)]  # noqa: UP007 - made at run time


def _literal(texts: Sequence[str]) -> Any:
    """Return the type of exactly these texts."""
    return Literal[tuple(texts)]


def _sink(types: set[ValueType]) -> type[NumberSink | CodeSink | PlainSink]:
    if not types & SCALARS or types & SCALARS == {ValueType.NUMBER}:
        return NumberSink
    return PlainSink if ValueType.NUMBER in types else CodeSink


def _types(value: Tree) -> set[ValueType]:
    match value:
        case None:
            return set()
        case bool():
            return {ValueType.BOOLEAN}
        case int() | float():
            return {ValueType.NUMBER}
        case str():
            return {ValueType.TEXT}
        case list():
            return {ValueType.ARRAY}
        case dict():
            return {ValueType.OBJECT}


def _is_field_name(name: str) -> bool:
    """Say whether msgspec takes the name as that of a field."""
    return name.isprintable() and '"' not in name and "\\" not in name
