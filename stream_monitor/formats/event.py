"""One native event, exactly: from its tree to a row, or to the reason why it is none.

This is the definition of what an event means; the fast path of `native` must agree with it on every input. Fields that
say who, when and how often (`event_id`, `model`, `version`, `timestamp`, `sampled_rate`, the containers) must be right,
or the record is refused. A bad value of a series costs that value alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from stream_monitor.core.batch import INVALID, Cell
from stream_monitor.core.names import (
    CONFIDENCE,
    LATENCY,
    PREDICTION,
    SERVING_ERROR,
    RejectReason,
    ValueReject,
    check_name,
    feature_series,
    unwatched,
)
from stream_monitor.core.plan import InputPlan, ModelPlan, Plan
from stream_monitor.core.time import parse_instant
from stream_monitor.formats.fault import Fault, unusable
from stream_monitor.formats.tree import Tree

EVENT_ID_BYTES = 256
"""Longest identity of an event: it is shown in alerts."""

CLASSES = 256
"""Most classes of a prediction given as probabilities."""

SUM_TOLERANCE = 0.001 + 1e-9
"""How far probabilities may miss the sum of one: a thousandth, as a person adds decimals."""

FAR_OVER_LIMIT = 8
"""An event with this many times the allowed features is no event but an accident, and is refused as a whole."""

SAMPLED_RATE_LIMIT = 2**31
"""Largest sampled rate: sums of a chunk stay far inside 64 bits."""

IdSource = Literal["field", "record.key", "record.offset"]


@dataclass(slots=True)
class EventRow:
    """An event that can be counted.

    Attributes:
        time_ms: when the prediction was made; None to take the record's time.
        cells: by series; what the event does not name is left out.
        segments: by watched segment name; None where it has none.
        undeclared: feature names over the limit.
        rejects: values left out.
    """

    model: str
    version: str
    event_id: str
    time_ms: int | None
    sampled_rate: int = 1
    cells: dict[str, Cell] = field(default_factory=dict)
    segments: dict[str, str | None] = field(default_factory=dict)
    undeclared: tuple[str, ...] = ()
    rejects: list[ValueReject] = field(default_factory=list)


class EventReader:
    """Reads the trees of one input topic.

    Args:
        source: the input; its `model` stands in for events that do not name one, its parameter `event_id` may be
            `record.key` or `record.offset`.
        plan: limits, time and what is watched.
    """

    def __init__(self, source: InputPlan, plan: Plan) -> None:
        self.model = source.model
        self.id_source: IdSource = _id_source(dict(source.params).get("event_id", "field"))
        self.falls_back_to_record_time = plan.time.fallback == "record"
        self.max_features = plan.limits.features
        self._plan = plan
        self._feature_verdicts: dict[tuple[str, str], FeatureVerdict] = {}

    def model_plan(self, model: str) -> ModelPlan | None:
        """Return the plan of a model, None if it is not watched."""
        return self._plan.model(model)

    def read(self, tree: Tree, *, key: bytes | None = None, offset: int = 0) -> EventRow | Fault:
        """Return the row of an event, or why it is none.

        Args:
            tree: the decoded value.
            key: the record's key, when identities come from there.
            offset: the record's offset, likewise.
        """
        if not isinstance(tree, dict):
            return unusable(RejectReason.NOT_AN_OBJECT, f"value: must be an object, got {_kind(tree)}")
        model = _text(tree, "model", self.model)
        version = _version(tree.get("version"))
        event_id = self._event_id(tree, key, offset)
        time_ms = self._time(tree.get("timestamp"))
        rate = _sampled_rate(tree.get("sampled_rate"))
        features = _object(tree, "features")
        segments = _object(tree, "segments")
        for part in (model, version, event_id, time_ms, rate, features, segments):
            if isinstance(part, Fault):
                return part
        assert isinstance(model, str)
        assert isinstance(version, str)
        assert isinstance(event_id, str)
        assert isinstance(rate, int)
        assert isinstance(features, dict)
        assert isinstance(segments, dict)
        assert not isinstance(time_ms, Fault)
        fault = self._names(model, version)
        if fault is not None:
            return fault
        if len(features) > FAR_OVER_LIMIT * self.max_features:
            most = FAR_OVER_LIMIT * self.max_features
            return unusable(RejectReason.TOO_MANY_FEATURES, f"features: at most {most} names, got {len(features)}")
        row = EventRow(model, version, event_id, time_ms, rate)
        self._read_features(row, features)
        _read_prediction(row, tree)
        _read_serving(row, tree)
        self._read_segments(row, segments)
        return row

    def feature(self, model: str, name: str) -> FeatureVerdict:
        """Return what becomes of a feature of that name; remembered, because names repeat in every event."""
        verdict = self._feature_verdicts.get((model, name))
        if verdict is None:
            if len(self._feature_verdicts) > _REMEMBERED_NAMES:
                self._feature_verdicts.clear()
            plan = self.model_plan(model)
            if check_name(name, "feature") is not None:
                verdict = FeatureVerdict(None, refused=True)
            elif plan is None or not plan.watches(name):
                verdict = FeatureVerdict(None)
            else:
                verdict = FeatureVerdict(feature_series(name))
            self._feature_verdicts[model, name] = verdict
        return verdict

    def _event_id(self, tree: Mapping[str, Tree], key: bytes | None, offset: int) -> str | Fault:
        match self.id_source:
            case "record.offset":
                return str(offset)
            case "record.key":
                return read_key(key)
            case "field":
                event_id = _text(tree, "event_id", None)
                return event_id if isinstance(event_id, Fault) else checked_id(event_id)

    def _time(self, stamp: Tree) -> int | Fault | None:
        if stamp is None:
            if self.falls_back_to_record_time:
                return None
            return unusable(RejectReason.MISSING_FIELD, "timestamp: required, got none")
        if isinstance(stamp, int) and not isinstance(stamp, bool):
            return stamp
        if isinstance(stamp, str):
            try:
                return parse_instant(stamp)
            except ValueError as error:
                return unusable(RejectReason.INVALID_TIMESTAMP, f"timestamp: {error}")
        return unusable(
            RejectReason.INVALID_TIMESTAMP, f"timestamp: must be RFC 3339 or integer milliseconds, got {_kind(stamp)}"
        )

    def _names(self, model: str, version: str) -> Fault | None:
        rule = check_name(model, "model")
        if rule is not None:
            return unusable(RejectReason.INVALID_NAME, f"model: {rule}")
        rule = check_name(version, "version")
        if rule is not None:
            return unusable(RejectReason.INVALID_NAME, f"version: {rule}")
        if self.model_plan(model) is None:
            return unusable(RejectReason.UNKNOWN_MODEL, unwatched(model))
        return None

    def _read_features(self, row: EventRow, features: Mapping[str, Tree]) -> None:
        names = list(features)
        if len(names) > self.max_features:
            names.sort()
            row.undeclared = tuple(name for name in names[self.max_features :] if check_name(name, "feature") is None)
            row.rejects += [ValueReject.OVER_LIMIT] * (len(names) - self.max_features)
            del names[self.max_features :]
        for name in names:
            verdict = self.feature(row.model, name)
            if verdict.refused:
                row.rejects.append(ValueReject.INVALID_NAME)
            elif verdict.series is not None:
                row.cells[verdict.series] = _cell(features[name], row.rejects)

    def _read_segments(self, row: EventRow, segments: Mapping[str, Tree]) -> None:
        plan = self.model_plan(row.model)
        for name in () if plan is None else plan.segments:
            text, reject = read_segment(segments.get(name))
            row.segments[name] = text
            row.rejects += [] if reject is None else [reject]


@dataclass(frozen=True, slots=True)
class FeatureVerdict:
    """What becomes of a feature: the series it is counted under, or none: it is not watched, or its name is refused."""

    series: str | None
    refused: bool = False


_REMEMBERED_NAMES = 20_000


def largest_class(probabilities: Mapping[str, float]) -> tuple[str, float]:
    """Return the class of the largest probability and that probability; of equal ones the smallest name."""
    name = min(probabilities, key=lambda name: (-probabilities[name], name))
    return name, probabilities[name]


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a prediction counts as.

    Attributes:
        cell: a number, a class, or none.
        confidence: the largest probability; None unless it was given as probabilities.
        reject: why it was left out; None if it was not.
    """

    cell: Cell
    confidence: float | None = None
    reject: ValueReject | None = None


def read_prediction(value: Tree) -> Prediction:
    """Return what a prediction counts as: numbers and classes as they are, probabilities as their largest class."""
    if isinstance(value, dict):
        probabilities = _probabilities(value)
        if isinstance(probabilities, ValueReject):
            return Prediction(INVALID, reject=probabilities)
        return Prediction(*largest_class(probabilities))
    rejects: list[ValueReject] = []
    cell = _cell(value, rejects)
    return Prediction(cell, reject=rejects[0] if rejects else None)


def _read_prediction(row: EventRow, tree: Mapping[str, Tree]) -> None:
    derived: float | None = None
    if "prediction" in tree:
        prediction = read_prediction(tree["prediction"])
        row.cells[PREDICTION], derived = prediction.cell, prediction.confidence
        row.rejects += [] if prediction.reject is None else [prediction.reject]
    if tree.get("confidence") is None and derived is not None:
        row.cells[CONFIDENCE] = derived
    elif "confidence" in tree:
        row.cells[CONFIDENCE] = _bounded(tree["confidence"], 1.0, row.rejects)


def _probabilities(prediction: Mapping[str, Tree]) -> dict[str, float] | ValueReject:
    """Return the probability of each class, or why they are none."""
    if len(prediction) > CLASSES:
        return ValueReject.OVER_LIMIT
    probabilities: dict[str, float] = {}
    for name, value in prediction.items():
        if isinstance(value, bool) or not isinstance(value, int | float):
            return ValueReject.WRONG_TYPE
        probabilities[name] = float(value)
    if not all(map(math.isfinite, probabilities.values())):
        return ValueReject.NON_FINITE
    fit = all(0.0 <= value <= 1.0 for value in probabilities.values())
    if not fit or abs(math.fsum(probabilities.values()) - 1.0) > SUM_TOLERANCE:
        return ValueReject.OUT_OF_DOMAIN
    return probabilities


def _read_serving(row: EventRow, tree: Mapping[str, Tree]) -> None:
    if "latency_ms" in tree:
        row.cells[LATENCY] = _bounded(tree["latency_ms"], math.inf, row.rejects)
    error = tree.get("error")
    if error is None or isinstance(error, bool | str):
        row.cells[SERVING_ERROR] = bool(error)
    else:
        row.cells[SERVING_ERROR] = INVALID
        row.rejects.append(ValueReject.WRONG_TYPE)


def _cell(value: Tree, rejects: list[ValueReject]) -> Cell:
    """Return a value as a cell; what no kind of series can count is invalid."""
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int | float):
        number = float(value)
        if math.isfinite(number):
            return number
        rejects.append(ValueReject.NON_FINITE)
        return INVALID
    rejects.append(ValueReject.UNSUPPORTED)
    return INVALID


def _bounded(value: Tree, most: float, rejects: list[ValueReject]) -> Cell:
    """Return a number between 0 and `most` as a cell; null is no value, anything else is invalid."""
    if value is None:
        return None
    if isinstance(value, bool | str):
        rejects.append(ValueReject.WRONG_TYPE)
        return INVALID
    cell = _cell(value, rejects)
    if isinstance(cell, float) and not 0.0 <= cell <= most:
        rejects.append(ValueReject.OUT_OF_DOMAIN)
        return INVALID
    return cell


def read_segment(value: Tree) -> tuple[str | None, ValueReject | None]:
    """Return the text of a segment's value, None where there is none, and why it was left out, if it was."""
    match value:
        case None:
            return None, None
        case bool():
            text = "true" if value else "false"
        case str():
            text = value
        case int():
            text = str(value)
        case float() if math.isfinite(value):
            text = repr(value)
        case float():
            return None, ValueReject.NON_FINITE
        case _:
            return None, ValueReject.UNSUPPORTED
    return (text, None) if check_name(text, "segment") is None else (None, ValueReject.INVALID_NAME)


def _text(tree: Mapping[str, Tree], name: str, default: str | None) -> str | Fault:
    value = tree.get(name)
    if value is None:
        return unusable(RejectReason.MISSING_FIELD, f"{name}: required, got none") if default is None else default
    if not isinstance(value, str):
        return unusable(RejectReason.WRONG_TYPE, f"{name}: must be text, got {_kind(value)}")
    return value


def _version(value: Tree) -> str | Fault:
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        return unusable(RejectReason.WRONG_TYPE, f"version: must be text or an integer, got {_kind(value)}")
    return value


def _sampled_rate(value: Tree) -> int | Fault:
    if value is None:
        return 1
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= SAMPLED_RATE_LIMIT:
        got = str(value) if isinstance(value, int | float) and not isinstance(value, bool) else _kind(value)
        return unusable(
            RejectReason.WRONG_TYPE,
            f"sampled_rate: must be an integer from 1 to {SAMPLED_RATE_LIMIT}, got {got}",
        )
    return value


def _object(tree: Mapping[str, Tree], name: str) -> dict[str, Tree] | Fault:
    value = tree.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        return unusable(RejectReason.WRONG_TYPE, f"{name}: must be an object, got {_kind(value)}")
    return value


def read_key(key: bytes | None) -> str | Fault:
    """Return the identity that a record's key holds, or why it holds none."""
    if key is None:
        return unusable(RejectReason.MISSING_FIELD, "key: required as event_id, got none")
    try:
        return checked_id(key.decode())
    except UnicodeDecodeError:
        return unusable(RejectReason.INVALID_NAME, "key: must be UTF-8")


def checked_id(event_id: str) -> str | Fault:
    """Return an identity if it can be hashed and shown, or why not."""
    try:
        size = len(event_id.encode())
    except UnicodeEncodeError:
        return unusable(RejectReason.INVALID_NAME, "event_id: must not hold lone surrogates")
    if not 1 <= size <= EVENT_ID_BYTES:
        return unusable(RejectReason.INVALID_NAME, f"event_id: must be 1 to {EVENT_ID_BYTES} bytes, got {size}")
    return event_id


def _id_source(value: object) -> IdSource:
    match value:
        case "field" | "record.key" | "record.offset":
            return value
        case _:
            raise ValueError(f"inputs.event_id: must be field, record.key or record.offset, got {value!r}")


def _kind(value: Tree) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int():
            return "an integer"
        case float():
            return "a number"
        case str():
            return "text"
        case list():
            return "an array"
        case dict():
            return "an object"
